#pragma once
// Which configured peer a request comes from, which one ours go to, and whom a peer may speak for.

#include "mapping/sip/uri.h"
#include "plugin/config/options.h"

#include <string_view>

namespace stox::engine {

/// The peer with the longest matching source prefix, or null: then the request is refused.
const config::Peer* match_source(const config::DomainOptions& options, const Address& source);

/// The way to that SIP host: longest matching target, else the default peer, else the only one that has a next hop; null:
/// no peer, no traffic.
const config::Peer* select_next_hop(const config::DomainOptions& options, std::string_view host);

/// Whether that peer may assert this From.   (CORE-64, CORE-65)
bool may_assert(const config::DomainOptions& options, const config::Peer& peer, const sip::Uri& from);

}  // namespace stox::engine
