#pragma once
// Who the other end of a TLS connection is, and on whose word.

#include <string>
#include <vector>

namespace stox::sip {

/// The names of a verified certificate hold only for those who trust its authority: a domain's private authority can prove
/// nothing to another domain.   (RFC 5922 §7.1)
struct CertifiedNames {
    std::string trust{};               ///< that the chain was verified against: "system", or the path of a PEM file
    std::vector<std::string> names{};  ///< lower case; empty: nothing was proven
};

}  // namespace stox::sip
