#pragma once
// Whom a SIP request is from, as far as its peer is believed.   (RFC 3325, RFC 3323; CORE-64, CORE-65, CORE-66)

#include "mapping/sip/message.h"
#include "plugin/config/options.h"

#include <optional>

namespace stox::engine {

struct Author {
    sip::Uri uri;            ///< whom the peer vouches for
    bool anonymous = false;  ///< who does not want to be shown: `uri` stays on this side
};

/// P-Asserted-Identity of a peer whose `pai` is trusted, else From; who is nothing but a temporary GRUU is anonymous. Nothing:
/// the peer may not speak for them.
std::optional<Author> author_of(const config::DomainOptions& options, const config::Peer& peer, const sip::Request& request);

/// What the rates of that author are kept by.   (CORE-71)
std::string rate_key(const sip::Uri& uri);
inline std::string rate_key(const Author& author) { return rate_key(author.uri); }

/// Whether that peer may assert this identity. Nobody on the SIP side speaks for one of our own XMPP accounts.
bool may_assert(const config::DomainOptions& options, const config::Peer& peer, const sip::Uri& identity);

}  // namespace stox::engine
