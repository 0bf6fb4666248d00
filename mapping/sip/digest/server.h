#pragma once
// Digest authentication as a server: challenges, and the judgement of what comes back.   (RFC 3261 §22, RFC 8760 §2.3)

#include "mapping/sip/digest/digest_header.h"
#include "mapping/sip/digest/nonces.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::sip::digest {

/// Right secret, fresh nonce count.
struct Accepted {
    std::string user;
    friend bool operator==(const Accepted&, const Accepted&) = default;
};
/// Right secret, but the nonce is no longer good: challenge again with stale=true.
struct Stale {
    friend bool operator==(const Stale&, const Stale&) = default;
};
enum class Reason {
    malformed,
    unsupported,   ///< algorithm or qop that was not offered, or userhash
    uri,           ///< made for another resource
    unknown_user,  ///< or one without H(A1) for this algorithm
    response,      ///< wrong secret, or another request than it was made for
    replay,        ///< nonce count used before
    unavailable,   ///< libcrypto refuses the algorithm
};
/// Refused, and counted against the source. The reason is for the log: a stranger who could tell an unknown user from a wrong
/// password would learn user names.
struct Wrong {
    Reason reason;
    friend bool operator==(const Wrong&, const Wrong&) = default;
};
/// No digest credentials for our realm: challenge.
struct Absent {
    friend bool operator==(const Absent&, const Absent&) = default;
};
using Verdict = std::variant<Accepted, Stale, Wrong, Absent>;

std::string_view to_string(Reason reason);

class Authenticator {
public:
    struct Options {
        std::string realm;
        std::vector<Algorithm> algorithms{Algorithm::sha512_256, Algorithm::sha256, Algorithm::md5};  ///< best first, not empty
        std::vector<Qop> qop{Qop::auth, Qop::auth_int};                                               ///< not empty
        Nonces::Limits nonces;
    };
    /// H(A1) in lower-case hex of a user in a realm under an algorithm; nothing: no such user.
    using Lookup = std::function<std::optional<std::string>(std::string_view user, std::string_view realm, Algorithm)>;

    Authenticator(Options options, const Key& key);

    /// Values for as many WWW-Authenticate headers, one for each algorithm, in this order.
    std::vector<std::string> challenges(TimePoint now, bool stale);

    /// Judges a request by its Authorization headers. Those of other schemes and realms are for others and passed over; of
    /// ours the first counts. Not for ACK and CANCEL, which cannot be challenged (RFC 3261 §22.1).
    /// values    of each Authorization header
    /// request   uri from the start line; the one in the credentials must lead to the same user, host and port
    Verdict verify(std::span<const std::string> values, const RequestParts& request, const Lookup& lookup, TimePoint now);

private:
    std::optional<Reason> objection(const Credentials& credentials, const RequestParts& request) const;
    std::optional<Reason> check_response(const Credentials& credentials, const RequestParts& request, const Lookup& lookup) const;

    Options options_;
    Nonces nonces_;
    std::string stand_in_;  ///< in the place of H(A1) of users that do not exist
};

}  // namespace stox::sip::digest
