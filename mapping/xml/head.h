#pragma once
// What a reply needs of a stanza that nobody reads: its name and a few of its attributes, out of its start tag.

#include <string>
#include <string_view>

namespace stox::xml {

class Head {
public:
    /// The stanza from its first octet, in pieces of any size. Its markup is the framer's care; nothing behind its start tag is
    /// looked at. What is held is bounded.
    void take(std::string_view octets);
    /// An empty element with the name, xmlns, from, to, id and type, as they came; an attribute longer than any address is
    /// left out. Empty: the name is too long.
    std::string text() const;

private:
    enum class In { name, tag, quoted, over };

    void take_name(std::string_view& octets);
    void take_tag(std::string_view& octets);
    void take_quoted(std::string_view& octets);
    void end_of_attribute();

    In in_ = In::name;
    char quote_ = 0;  ///< that opened the value
    std::string name_, attribute_, attributes_;
};

}  // namespace stox::xml
