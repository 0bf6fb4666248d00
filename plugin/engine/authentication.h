#pragma once
// Digest authentication of those who write to us, for one domain.   (RFC 3261 §22, RFC 8760; contract: peers)

#include "mapping/sip/digest/server.h"
#include "plugin/engine/secrets.h"
#include "plugin/engine/turn.h"

#include <optional>

namespace stox::engine {

class Authentication {
public:
    /// Nonces given out before are stale from now on.
    void configure(const config::DomainOptions& options, const sip::digest::Ha1Table& users, IdGenerator& ids);

    /// Absent when the domain authenticates nobody.
    sip::digest::Verdict verify(const sip::Request& request, const sip::digest::Ha1Table& users, TimePoint now);
    /// 401, which has a meaning only where the domain has digest users: never 407, for we are no proxy.
    sip::Response challenge(TimePoint now, bool stale);

private:
    std::optional<sip::digest::Authenticator> authenticator_;
};

}  // namespace stox::engine
