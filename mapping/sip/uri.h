#pragma once
// SIP, SIPS, tel, im and pres URIs as values. No Sofia type here.

#include "mapping/core/result.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

enum class Scheme { sip, sips, tel, im, pres };

struct UriParameter {
    std::string name;                  ///< lower case
    std::optional<std::string> value;  ///< as written; absent: a flag such as ;lr

    friend auto operator<=>(const UriParameter&, const UriParameter&) = default;
};

struct Uri {
    Scheme scheme = Scheme::sip;
    std::string user;  ///< userinfo without password, still percent-encoded as on the wire; for tel the number; may be empty
    std::string host;  ///< lower case, IPv6 with brackets; empty for tel
    std::optional<std::uint16_t> port;
    std::vector<UriParameter> parameters;
    bool has_headers = false;  ///< "?..." stood there; such a target is refused, the headers are not kept

    /// At most 4,096 octets.   (RFC 3261 §25.1, RFC 3966 §3, RFC 3861; CORE-29)
    static Result<Uri> parse(std::string_view text);
    const UriParameter* parameter(std::string_view name) const;
    std::string to_string() const;
    friend auto operator<=>(const Uri&, const Uri&) = default;
};

/// %XX to octets.   errors  malformed: '%' without two hex digits
Result<std::string> percent_decode(std::string_view text);
/// Octets to the `user` rule of RFC 3261 §25.1: unreserved and user-unreserved stand raw, all others as %XX in upper case.
/// (CORE-26)
std::string percent_encode_user(std::string_view octets);
/// A user as percent_encode_user would write it, but with escapes where characters of `reserved` stood escaped, for `;` and `%3B`
/// are different users.   (RFC 3261 §19.1.4)
std::string canonical_user(std::string_view user);
/// Octets to the `pvalue` rule, for the value of a gr parameter.   (CORE-42)
std::string percent_encode_parameter(std::string_view octets);
/// Octets to the `hvalue` rule, for what follows "?Name=" in a URI.
std::string percent_encode_header(std::string_view octets);

}  // namespace stox::sip
