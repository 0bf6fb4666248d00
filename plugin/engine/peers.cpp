#include "plugin/engine/peers.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// "example.com" is matched by itself and, less closely, by "a.example.com".
bool in_domain(std::string_view host, std::string_view domain) {
    if (host == domain) return true;
    return host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.';
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
    return std::ranges::find(words, word) != words.end();
}

/// `trust` is the domain's: another domain's authority may have certified anybody.
bool proves_name_of(const config::Peer& peer, const std::string& trust, const sip::CertifiedNames& tls) {
    return tls.trust == trust && std::ranges::any_of(tls.names, [&](const auto& name) { return contains(peer.tls_names, name); });
}

/// Whether we send it nothing in clear.
bool by_tls_alone(const config::Peer& peer) {
    return !peer.next_hops.empty() && std::ranges::all_of(peer.next_hops, [](const config::NextHop& hop) {
        return hop.sips || hop.transport == Transport::tls;
    });
}

/// Nothing when a condition of that peer does not hold.
std::optional<Closeness> closeness(const config::Peer& peer, const std::string& trust, const Sender& sender) {
    if (!peer.is_heard()) return std::nullopt;
    Closeness close{!peer.users.empty(), !peer.tls_names.empty(), -1};
    if (close.by_user && (sender.user.empty() || !contains(peer.users, sender.user))) return std::nullopt;
    if (close.by_tls_name && !proves_name_of(peer, trust, sender.tls)) return std::nullopt;
    for (const auto& prefix : peer.source)
        if (prefix.contains(sender.source)) close.prefix = std::max(close.prefix, static_cast<int>(prefix.length));
    if (!peer.source.empty() && close.prefix < 0) return std::nullopt;
    return close;
}

/// Those among the peers with a next hop whose rules say most about the target.
const config::Peer* longest_target(const config::DomainOptions& options, auto length_of) {
    const config::Peer* best = nullptr;
    std::size_t longest = 0;
    for (const auto& peer : options.peers)
        for (const auto& rule : peer.targets)
            if (const std::size_t length = length_of(rule); !peer.next_hops.empty() && length > longest) {
                best = &peer;
                longest = length;
            }
    return best;
}

}  // namespace

Match match(const config::DomainOptions& options, const Sender& sender) {
    Match best;
    for (const auto& peer : options.peers) {
        const auto close = closeness(peer, options.tls.trust, sender);
        if (!close || (best.peer && *close < best.closeness)) continue;
        best.several = best.peer && *close == best.closeness;
        best.peer = &peer;
        best.closeness = *close;
    }
    if (best.several) best.peer = nullptr;
    return best;
}

bool is_peer_itself(const config::DomainOptions& options, const config::Peer& peer, const Sender& sender, bool at_next_hop) {
    if (proves_name_of(peer, options.tls.trust, sender.tls)) return true;
    if (by_tls_alone(peer)) return false;
    if (at_next_hop) return true;
    const unsigned whole = sender.source.is_v4() ? 32 : 128;
    return peer.users.empty() && std::ranges::any_of(peer.source, [&](const Prefix& prefix) {
               return prefix.length == whole && prefix.contains(sender.source);
           });
}

bool has_digest_users(const config::DomainOptions& options) {
    return std::ranges::any_of(options.peers, [](const auto& peer) { return !peer.users.empty(); });
}

const config::Peer* targeted_peer(const config::DomainOptions& options, const sip::Uri& target) {
    if (target.scheme == sip::Scheme::tel || is_own_sip_domain(options, target.host))
        if (const auto number = global_number(target); !number.empty())
            if (const auto* peer = longest_target(options, [&](const config::TargetRule& rule) {
                    return number.starts_with(rule.number_prefix) ? rule.number_prefix.size() : 0;
                }))
                return peer;
    return longest_target(
        options, [&](const config::TargetRule& rule) { return in_domain(target.host, rule.domain) ? rule.domain.size() : 0; });
}

const config::Peer* select_peer(const config::DomainOptions& options, const sip::Uri& target) {
    if (const auto* peer = targeted_peer(options, target)) return peer;
    const config::Peer* only = nullptr;
    std::size_t reachable = 0;
    for (const auto& peer : options.peers) {
        if (peer.next_hops.empty()) continue;
        if (peer.is_default) return &peer;
        only = &peer;
        ++reachable;
    }
    // A peer with targets is the way to those and to nothing else.
    return reachable == 1 && only->targets.empty() ? only : nullptr;
}

std::string global_number(const sip::Uri& uri) {
    const auto user = sip::percent_decode(uri.user);
    if (!user || !user.value().starts_with('+')) return {};
    std::string number;
    for (const char c : user.value().substr(0, user.value().find(';'))) {
        if (std::string_view("-.()").find(c) != std::string_view::npos) continue;
        if (c != '+' && (c < '0' || c > '9')) return {};
        if (c == '+' && !number.empty()) return {};
        number += c;
    }
    return number.size() > 1 ? number : std::string();
}

bool is_own_sip_domain(const config::DomainOptions& options, std::string_view host) {
    return host == options.domain || (!options.sip_domain.empty() && host == options.sip_domain);
}

}  // namespace stox::engine
