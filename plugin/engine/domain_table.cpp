#include "plugin/engine/domain_table.h"

#include "plugin/engine/addressing.h"
#include "plugin/engine/peers.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// Length of the closest matching source prefix; -1: none matches.
int closeness(const config::DomainOptions& domain, const Address& source) {
    int best = -1;
    for (const auto& peer : domain.peers)
        for (const auto& prefix : peer.source)
            if (prefix.contains(source)) best = std::max(best, static_cast<int>(prefix.length));
    return best;
}

}  // namespace

std::variant<std::string, NotServed, Ambiguous> route(const std::vector<config::DomainOptions>& domains, std::string_view host,
                                                      const Address& source) {
    for (const auto& domain : domains)
        if (domain.domain == host || (!domain.sip_domain.empty() && domain.sip_domain == host)) return domain.domain;

    std::vector<const config::DomainOptions*> claimants;
    for (const auto& domain : domains)
        if (serves(domain, host)) claimants.push_back(&domain);
    if (claimants.empty()) return NotServed{};
    if (claimants.size() == 1) return claimants.front()->domain;

    const auto closest = std::ranges::max_element(claimants, {}, [&](const auto* domain) { return closeness(*domain, source); });
    const int best = closeness(**closest, source);
    const auto ties = std::ranges::count_if(claimants, [&](const auto* domain) { return closeness(*domain, source) == best; });
    if (best < 0 || ties > 1) return Ambiguous{};
    return (*closest)->domain;
}

bool is_peer(const std::vector<config::DomainOptions>& domains, const Address& source) {
    return std::ranges::any_of(domains, [&](const auto& domain) { return match_source(domain, source) != nullptr; });
}

}  // namespace stox::engine
