#pragma once
// Digest authentication as a client: from the challenges of a 401 or 407 to the headers of the next request.
// (RFC 3261 §22, RFC 8760 §2.4)

#include "mapping/sip/digest/digest_header.h"
#include "mapping/sip/message.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::sip::digest {

struct Password {
    std::string text;
};
/// What stands for the password in one realm under one algorithm.
struct Ha1 {
    std::string realm;
    Algorithm algorithm = Algorithm::md5;
    std::string hex;  ///< lower case

    friend bool operator==(const Ha1&, const Ha1&) = default;
};

/// How we prove to one configured peer who we are.
struct Login {
    std::string user;
    std::variant<Password, std::vector<Ha1>> secret;
    std::vector<std::string> realms;  ///< the only realms it is used for; empty: any that this peer names

    /// To realms that the operator named: what is proven in those says nothing in another.
    bool is_bound() const { return !realms.empty() || std::holds_alternative<std::vector<Ha1>>(secret); }
};

/// Octets of realm, nonce and opaque together: all of them go into every request that is authorized.
inline constexpr std::size_t kMaxChallenge = 512;

/// Who is at the other end: where the challenge came from, where the request goes. Only the caller can tell (the peer's
/// address and transport), and whoever else is given a response may guess the password from it at leisure.
enum class Counterpart { peer_of_login, anyone_else };

/// WWW-Authenticate asks for Authorization, Proxy-Authenticate for Proxy-Authorization.
enum class Role { user_agent, proxy };

/// The challenges of one peer that we can answer again without being asked, with their nonce counts. A plain value that the
/// caller keeps for the peer or for one dialog (RFC 3261 §22.3); it holds no secret.
struct Session {
    struct Entry {
        Role role = Role::user_agent;
        Challenge challenge;
        std::uint32_t used = 0;  ///< requests made with this nonce

        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::vector<Entry> entries;  ///< at most 8, one for each role and realm; the oldest gives way
};

/// What one request and its repetitions have carried so far: begins empty with each new request.
struct Attempt {
    struct Carried {
        Role role = Role::user_agent;
        std::string realm, nonce;
        bool asked = false;  ///< answered a challenge to this very request
    };
    std::vector<Carried> carried;
    unsigned rounds = 0;
};

/// Headers that a request carries before it is challenged: one for each entry of the session. None for anyone else than the
/// peer. ACK instead repeats the headers of its INVITE, CANCEL carries none (RFC 3261 §22.1).
/// cnonce   random, new for each request; RequestParts::uri is the Request-URI as the start line will have it
/// errors   malformed: the user name has a control character; unavailable: libcrypto refuses the algorithm
Result<std::vector<Header>> authorize(const Login& login, Counterpart to, Session& session, Attempt& attempt,
                                      const RequestParts& request, std::string_view cnonce);

/// Headers with which to repeat a request that got a 401 or 407, under a new CSeq. Of the challenges of a realm the first that
/// we can answer is taken, for their order is the server's preference (RFC 8760 §2.4); unreadable ones are passed over.
/// response_headers   of that response; other headers do no harm
/// errors   forbidden: not from the peer of the login, or not in one of its realms; our credentials were refused (challenged
///          again without stale=true); challenged without end; over kMaxChallenge. unsupported: nothing that we can answer. Else
///          as authorize.
///          After an error the response is final.
Result<std::vector<Header>> answer(const Login& login, Counterpart from, std::span<const Header> response_headers,
                                   Session& session, Attempt& attempt, const RequestParts& request, std::string_view cnonce);

}  // namespace stox::sip::digest
