#include "plugin/engine/domain_table.h"

#include "plugin/engine/addressing.h"

#include <algorithm>
#include <tuple>

namespace stox::engine {

std::variant<std::string, NotServed, Ambiguous> route(const Domains& domains, std::string_view host, const Sender& sender) {
    for (const auto* domain : domains)
        if (is_own_sip_domain(*domain, host)) return domain->domain;

    Domains claimants;
    for (const auto* domain : domains)
        if (serves(*domain, host)) claimants.push_back(domain);
    if (claimants.empty()) return NotServed{};
    if (claimants.size() == 1) return claimants.front()->domain;

    // By how close its peer is; a domain that would challenge stands behind every peer that needs no proof.
    using Claim = std::tuple<bool, Closeness, bool>;
    const auto claim = [&](const config::DomainOptions* domain) {
        const auto found = match(*domain, sender);
        return found.peer ? Claim(true, found.closeness, false) : Claim(false, {}, has_digest_users(*domain));
    };
    const auto closest = *std::ranges::max_element(claimants, {}, claim);
    const auto best = claim(closest);
    const auto ties = std::ranges::count_if(claimants, [&](const auto* domain) { return claim(domain) == best; });
    if (best == Claim() || ties > 1) return Ambiguous{};
    return closest->domain;
}

bool is_peer(const Domains& domains, const Sender& sender) {
    return std::ranges::any_of(domains, [&](const auto* domain) { return match(*domain, sender).peer != nullptr; });
}

}  // namespace stox::engine
