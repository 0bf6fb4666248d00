#pragma once
// The grammar of WWW-Authenticate, Proxy-Authenticate, Authorization and Proxy-Authorization, whatever the scheme.
// (RFC 7235 §2.1, RFC 3261 §25.1)

#include "mapping/core/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox::sip::digest {

struct AuthParameter {
    std::string name;     ///< lower case
    std::string value;    ///< without quotes, quoting backslashes removed; no control character but HTAB
    bool quoted = false;  ///< stood, or is to stand, in quotes; without them the value is a token

    friend bool operator==(const AuthParameter&, const AuthParameter&) = default;
};

/// One challenge, or one set of credentials: a scheme, then either parameters or one opaque word.
struct AuthValue {
    std::string scheme;   ///< as written; compare with same_word
    std::string token68;  ///< empty where there are parameters
    std::vector<AuthParameter> parameters;

    /// name   lower case
    const AuthParameter* parameter(std::string_view name) const;
    /// As a header value; parse_credentials reads the same value back.
    std::string to_string() const;
    friend bool operator==(const AuthValue&, const AuthValue&) = default;
};

/// Every challenge of one header value, in order: commas separate challenges as well as parameters.
/// value   unfolded, at most 8 KiB, 16 challenges, 32 parameters each
/// errors  malformed: breaks the grammar, names a parameter twice; too_large
Result<std::vector<AuthValue>> parse_challenges(std::string_view value);
/// One Authorization value, which is no list.   errors  as parse_challenges
Result<AuthValue> parse_credentials(std::string_view value);

/// Whether a quoted-string can hold it: no control character but HTAB.
bool is_quotable(std::string_view text);
/// Equal but for the case of ASCII letters.
bool same_word(std::string_view one, std::string_view other);

}  // namespace stox::sip::digest
