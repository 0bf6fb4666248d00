#pragma once
// The text of a JSON object (RFC 8259), written member by member. A row of the store is written for every message, and a tree of
// values that only becomes text costs more than all else of it; what is read, once at a start, goes through a parser.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stox::store {

class JsonText {
public:
    JsonText();

    /// name   plain ASCII without quotes or backslashes, and not there yet
    /// What is not UTF-8 becomes U+FFFD.
    JsonText& text(std::string_view name, std::string_view utf8);
    /// Octets that need not be UTF-8: each is the character of its number.
    JsonText& octets(std::string_view name, std::string_view any);
    JsonText& octets(std::string_view name, const std::vector<std::string>& list);
    JsonText& number(std::string_view name, std::uint64_t value);
    JsonText& flag(std::string_view name, bool value);
    JsonText& object(std::string_view name, JsonText value);

    /// The whole of it; nothing can be added after that.
    std::string finish();

private:
    void begin(std::string_view name);

    std::string out_;
};

}  // namespace stox::store
