#pragma once
// The arithmetic of digest authentication: H(A1), H(A2) and the response over them.   (RFC 7616 §3.4, RFC 8760 §2)

#include "mapping/core/result.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stox::sip::digest {

enum class Algorithm : std::uint8_t { md5, sha256, sha512_256 };

/// "MD5", "SHA-256", "SHA-512-256".
std::string_view to_string(Algorithm algorithm);
/// Case-insensitive.   errors  unsupported: every other name, the -sess variants included
Result<Algorithm> parse_algorithm(std::string_view name);
/// Hex digits of one digest: 32 or 64.
std::size_t hex_digits(Algorithm algorithm);

enum class Qop : std::uint8_t { auth, auth_int };

/// "auth", "auth-int".
std::string_view to_string(Qop qop);

/// What came with RFC 2617 and a server of RFC 2069 does not know.
struct Protection {
    Qop qop = Qop::auth;
    std::string nc;      ///< eight hex digits as they stand in the header: they are digested
    std::string cnonce;  ///< unquoted

    friend bool operator==(const Protection&, const Protection&) = default;
};

/// The parts of a request that a digest vouches for. All as on the wire; uri is the one in the `uri` parameter.
struct RequestParts {
    std::string_view method;
    std::string_view uri;
    std::string_view body;
};

/// Lower-case hex of the parts joined with colons.
/// errors  unavailable: the host's libcrypto refuses the algorithm (MD5 where policy forbids it)
Result<std::string> hash(Algorithm algorithm, std::initializer_list<std::string_view> parts);

/// H(A1), which stands for the password of that user in that realm.   errors  as hash
Result<std::string> ha1(Algorithm algorithm, std::string_view user, std::string_view realm, std::string_view password);

/// The response parameter.   (RFC 7616 §3.4.1; without protection RFC 2069 §2.1.2)   errors  as hash
/// ha1   lower-case hex
Result<std::string> response(Algorithm algorithm, std::string_view ha1, std::string_view nonce,
                             const std::optional<Protection>& protection, const RequestParts& request);

/// Whether both are the same, in a time that depends on their lengths alone.
bool equal_in_constant_time(std::string_view one, std::string_view other);

/// Lower case.
std::string to_hex(std::span<const std::uint8_t> octets);

}  // namespace stox::sip::digest
