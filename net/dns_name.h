#pragma once
// Domain names as values: checked once, lower case, so that two spellings of one name are one key.

#include "mapping/core/result.h"

#include <compare>
#include <string>
#include <string_view>

namespace stox::net {

/// A fully qualified domain name of letters, digits, hyphens and underscores: what SIP asks for.   (RFC 1035 §2.3, RFC 2782)
class DnsName {
public:
    DnsName() = default;  ///< the root
    /// Labels of 1 to 63 octets, 253 in all; a dot at the end is allowed and dropped; "." is the root.
    /// errors  malformed: empty, label or name too long, another character
    static Result<DnsName> parse(std::string_view text);

    bool is_root() const { return text_ == "."; }
    /// Lower case, without a dot at the end; "." for the root.
    const std::string& text() const { return text_; }
    friend auto operator<=>(const DnsName&, const DnsName&) = default;

private:
    std::string text_ = ".";
};

}  // namespace stox::net
