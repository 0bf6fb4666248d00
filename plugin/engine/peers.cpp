#include "plugin/engine/peers.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// "example.com" is matched by itself and, less closely, by "a.example.com".
bool in_domain(std::string_view host, std::string_view domain) {
    if (host == domain) return true;
    return host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.';
}

}  // namespace

const config::Peer* match_source(const config::DomainOptions& options, const Address& source) {
    const config::Peer* best = nullptr;
    int best_length = -1;
    for (const auto& peer : options.peers)
        for (const auto& prefix : peer.source)
            if (prefix.contains(source) && static_cast<int>(prefix.length) > best_length) {
                best = &peer;
                best_length = static_cast<int>(prefix.length);
            }
    return best;
}

const config::Peer* select_next_hop(const config::DomainOptions& options, std::string_view host) {
    const config::Peer* best = nullptr;
    std::size_t best_length = 0;
    const config::Peer* fallback = nullptr;
    std::size_t reachable = 0;
    const config::Peer* only = nullptr;
    for (const auto& peer : options.peers) {
        if (!peer.next_hop) continue;
        ++reachable;
        only = &peer;
        if (peer.is_default) fallback = &peer;
        for (const auto& target : peer.targets)
            if (in_domain(host, target) && target.size() > best_length) {
                best = &peer;
                best_length = target.size();
            }
    }
    if (best) return best;
    if (fallback) return fallback;
    // A peer with targets is the way to those and to nothing else.
    return reachable == 1 && only->targets.empty() ? only : nullptr;
}

bool may_assert(const config::DomainOptions& options, const config::Peer& peer, const sip::Uri& from) {
    if (from.scheme != sip::Scheme::sip && from.scheme != sip::Scheme::sips) return false;
    if (from.user.empty()) return false;
    // Nobody on the SIP side speaks for one of our own XMPP accounts.
    if (std::ranges::find(options.xmpp_domains, from.host) != options.xmpp_domains.end()) return false;
    if (!peer.identities.empty()) return std::ranges::find(peer.identities, from.host) != peer.identities.end();
    return from.host == options.domain || (!options.sip_domain.empty() && from.host == options.sip_domain);
}

}  // namespace stox::engine
