#include "net/pvd_builder.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace stox::net {

namespace {

/// The rules of both; of one domain the later end.
void join_rules(std::vector<NameRule>& rules, const std::vector<NameRule>& more) {
    for (const auto& rule : more) {
        const auto known = std::ranges::find(rules, rule.domain, &NameRule::domain);
        if (known == rules.end())
            rules.push_back(rule);
        else
            known->expires = std::max(known->expires, rule.expires);
    }
}

/// By who says it, then as it was learnt. What two say the same stands once, as the first says it.
template <class T, class Same>
void once(std::vector<T>& list, Same same, auto join) {
    std::ranges::stable_sort(list, {}, &T::origin);
    std::vector<T> kept;
    for (auto& one : list) {
        const auto known = std::ranges::find_if(kept, [&](const T& other) { return same(one, other); });
        if (known == kept.end())
            kept.push_back(std::move(one));
        else
            join(*known, one);
    }
    list = std::move(kept);
}

/// What the later one says is nothing new.
constexpr auto kFirst = [](auto&, const auto&) {};

bool is_about_to_end(TimePoint end, std::chrono::seconds notice, TimePoint now) { return end != kNever && end - notice <= now; }

}  // namespace

PvdBuilder::PvdBuilder(const Membership& member) : policy_(member.policy) {
    pvd_.id = member.id;
    pvd_.name = member.name;
    pvd_.trust = member.trust;
    pvd_.device_bound = !member.node;
    if (!policy_) return;
    pvd_.cost = policy_->cost;
    pvd_.roles = policy_->roles;
}

void PvdBuilder::add(const Element& element) {
    if (const auto* local = std::get_if<LocalAddress>(&element)) {
        if (!local->tentative) pvd_.addresses.push_back(*local);
    } else if (const auto* route = std::get_if<Route>(&element)) {
        pvd_.routes.push_back(*route);
    } else if (const auto* server = std::get_if<Rdnss>(&element)) {
        pvd_.resolvers.push_back(*server);
    } else if (const auto* search = std::get_if<SearchDomain>(&element)) {
        pvd_.search.push_back(*search);
    } else if (const auto* nat64 = std::get_if<Nat64Prefix>(&element)) {
        pvd_.nat64.push_back(*nat64);
    } else if (const auto* portal = std::get_if<CaptivePortal>(&element)) {
        if (!pvd_.captive_portal || portal->origin < pvd_.captive_portal->origin) pvd_.captive_portal = *portal;
    } else if (const auto* received = std::get_if<ReceivedPolicy>(&element)) {
        if (!received_ || received->origin < received_->origin) received_ = *received;
    }
}

Pvd PvdBuilder::build(PvdRef ref, const std::map<int, std::uint64_t>& attachments, std::chrono::seconds notice, TimePoint now) {
    pvd_.ref = ref;
    for (const auto& [interface, attachment] : attachments) pvd_.interfaces.push_back(interface);
    once(
        pvd_.addresses,
        [](const auto& one, const auto& other) {
            return std::tie(one.address, one.prefix_length, one.interface) ==
                   std::tie(other.address, other.prefix_length, other.interface);
        },
        kFirst);
    for (auto& local : pvd_.addresses) {
        local.deprecated = local.deprecated || local.preferred <= now;
        local.ending =
            is_about_to_end(local.valid, notice, now) || (!local.deprecated && is_about_to_end(local.preferred, notice, now));
    }
    pvd_.ending = !pvd_.addresses.empty() && std::ranges::all_of(pvd_.addresses, &LocalAddress::ending);
    add_resolvers();
    if (pvd_.trust == Trust::untrusted) drop_claims();
    if (policy_) add_configured_rules();
    std::erase_if(pvd_.resolvers, [](const Rdnss& server) { return server.rules.empty(); });
    once(
        pvd_.search, [](const auto& one, const auto& other) { return one.domain == other.domain; }, kFirst);
    if (policy_ && policy_->policy)
        pvd_.policy = policy_->policy;
    else if (received_)
        pvd_.policy = received_->table;
    return std::move(pvd_);
}

void PvdBuilder::add_resolvers() {
    if (policy_ && !policy_->learnt_resolvers) pvd_.resolvers.clear();
    if (policy_) {
        for (auto server : policy_->resolvers) {
            server.origin = Origin::configuration;
            if (server.interface == 0 && !pvd_.interfaces.empty()) server.interface = pvd_.interfaces.front();
            pvd_.resolvers.push_back(std::move(server));
        }
    }
    once(
        pvd_.resolvers,
        [](const auto& one, const auto& other) {
            return std::tie(one.address, one.port, one.interface) == std::tie(other.address, other.port, other.interface);
        },
        [](Rdnss& one, const Rdnss& other) { join_rules(one.rules, other.rules); });
}

/// Whoever runs the network could say that it knows any domain.   (RFC 7556 §7.1; RFC 6731 would only rank it low)
void PvdBuilder::drop_claims() {
    for (auto& server : pvd_.resolvers)
        if (server.origin != Origin::configuration)
            std::erase_if(server.rules, [](const NameRule& rule) { return !rule.domain.is_root(); });
    std::erase_if(pvd_.search, [](const SearchDomain& search) { return search.origin != Origin::configuration; });
}

void PvdBuilder::add_configured_rules() {
    std::vector<NameRule> configured;
    for (const auto& domain : policy_->domains) configured.push_back({domain});
    for (auto& server : pvd_.resolvers) {
        if (!policy_->default_resolver) std::erase_if(server.rules, [](const NameRule& rule) { return rule.domain.is_root(); });
        join_rules(server.rules, configured);
    }
}

}  // namespace stox::net
