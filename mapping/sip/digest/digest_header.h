#pragma once
// Digest challenges and digest credentials as values.   (RFC 7616 §3.3 and §3.4, RFC 8760 §2)

#include "mapping/sip/digest/auth_header.h"
#include "mapping/sip/digest/hash.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stox::sip::digest {

struct Challenge {
    std::string realm, nonce;
    std::optional<std::string> opaque;
    std::optional<Algorithm> algorithm;  ///< absent: MD5
    std::vector<Qop> qop;                ///< in the server's order; empty: a server of RFC 2069
    bool stale = false;

    /// Parameters that we have no use for (domain, charset, userhash, unknown ones) are passed over; stale, algorithm and qop
    /// are taken with and without quotes.
    /// errors  unsupported: other scheme, other algorithm, no qop that we know; malformed: realm or nonce missing
    static Result<Challenge> from(const AuthValue& value);
    /// As a header value.
    std::string to_string() const;
    friend bool operator==(const Challenge&, const Challenge&) = default;
};

struct Credentials {
    std::string username, realm, nonce, uri;
    std::string response;  ///< lower-case hex
    std::optional<Algorithm> algorithm;
    std::optional<std::string> opaque;
    std::optional<Protection> protection;  ///< absent: a client of RFC 2069
    bool userhash = false;                 ///< username is a hash of it

    /// A username* in UTF-8 counts as username.
    /// errors  unsupported: other scheme, algorithm or qop; malformed: a parameter missing or not of its form
    static Result<Credentials> from(const AuthValue& value);
    /// As a header value.
    std::string to_string() const;
    friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// Eight hex digits.
std::string nc_text(std::uint32_t count);
/// The count that eight hex digits stand for.   errors  malformed: other text, or zero: counts begin with one
Result<std::uint32_t> parse_nc(std::string_view text);

}  // namespace stox::sip::digest
