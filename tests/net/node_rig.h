#pragma once
// A node's networks without a network: changes as a source would report them, and what subscribers are told, as text.

#include "net/provisioning.h"
#include "net/subscriptions.h"
#include "tests/unit/result_testing.h"

#include <string>
#include <vector>

namespace stox::net::test {

using stox::test::value;

inline Address ip(std::string_view text) { return value(Address::parse(text)); }
inline Prefix net(std::string_view text) { return value(Prefix::parse(text)); }
inline DnsName dns(std::string_view text) { return value(DnsName::parse(text)); }

constexpr int kTrunk = 2, kInet = 3;

inline Learnt link(int index, std::string name, bool up = true) {
    return {{index, {}, false}, Interface{index, std::move(name), up, false, 1500}};
}
inline Learnt trunk(bool up = true) { return link(kTrunk, "trunk0", up); }
inline Learnt inet(bool up = true) { return link(kInet, "inet0", up); }

/// "10.0.0.2/24"
inline Learnt address(int interface, std::string_view text, TimePoint valid = kNever) {
    const auto slash = text.find('/');
    LocalAddress local;
    local.address = ip(text.substr(0, slash));
    local.prefix_length = static_cast<unsigned>(std::stoul(std::string(text.substr(slash + 1))));
    local.interface = interface;
    local.valid = valid;
    return {{interface, {}, false}, local};
}
inline Learnt route(int interface, std::string_view prefix, std::string_view next_hop, std::uint32_t metric = 0,
                    TimePoint expires = kNever) {
    Route one;
    one.prefix = net(prefix);
    if (!next_hop.empty()) one.next_hop = ip(next_hop);
    one.interface = interface;
    one.metric = metric;
    one.expires = expires;
    return {{interface, {}, false}, one};
}
/// domains  that it knows; none: it is a default resolver
inline Learnt server(int interface, std::string_view text, std::vector<std::string> domains = {}, TimePoint expires = kNever) {
    Rdnss one;
    one.address = ip(text);
    one.interface = interface;
    one.expires = expires;
    one.origin = Origin::router_advertisement;
    if (!domains.empty()) one.rules.clear();
    for (const auto& domain : domains) one.rules.push_back({dns(domain), expires});
    return {{interface, {}, false}, one};
}
inline Learnt search(int interface, std::string_view domain) {
    return {{interface, {}, false}, SearchDomain{dns(domain), interface, kNever, Origin::router_advertisement}};
}
/// The same, named by the network as of an explicit domain.
inline Learnt of(std::string_view pvd, Learnt learnt, bool validated = false) {
    learnt.home.pvd = dns(pvd);
    learnt.home.validated = validated;
    return learnt;
}
inline Withdrawn gone(Learnt learnt) { return {learnt.home, learnt.element}; }

/// Provisioning with one source and one subscriber to everything.
class NodeRig {
public:
    explicit NodeRig(NodePolicy policy = {}) : provisioning(std::move(policy)) { listen({}); }

    void report(std::vector<Change> changes, std::string_view source = "test") {
        provisioning.apply(source, changes, now);
        subscriptions.deliver(provisioning.snapshot());
    }
    void wait(std::chrono::milliseconds time) {
        now += time;
        while (provisioning.next_timeout() && *provisioning.next_timeout() <= now) provisioning.on_time(now);
        subscriptions.deliver(provisioning.snapshot());
    }
    /// One more subscriber, whose announcements go to `told` as well.
    Subscriptions::Id listen(Scope scope) {
        return subscriptions.add(scope, [this](const Announcement& announcement) { told.push_back(to_string(announcement)); });
    }
    std::vector<std::string> heard() { return std::exchange(told, {}); }

    const Snapshot& snapshot() const { return *provisioning.snapshot(); }
    /// The domain of that name; nullptr: there is none.
    PvdPtr pvd(std::string_view name) const { return snapshot().named(name); }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& one : snapshot().pvds) all.push_back(one->name);
        return all;
    }

    TimePoint now = TimePoint{} + std::chrono::hours(1);
    Provisioning provisioning;
    Subscriptions subscriptions;
    std::vector<std::string> told;
};

inline std::vector<std::string> servers(const PvdPtr& pvd) {
    std::vector<std::string> all;
    for (const auto& one : pvd->resolvers) {
        all.push_back(one.address.to_string());
        for (const auto& rule : one.rules)
            if (!rule.domain.is_root()) all.back() += " " + rule.domain.text();
    }
    return all;
}
inline std::vector<std::string> addresses(const PvdPtr& pvd) {
    std::vector<std::string> all;
    for (const auto& one : pvd->addresses) all.push_back(one.address.to_string());
    return all;
}

/// "trunk" is trusted, on trunk0; "inet" is not.
inline NodePolicy two_domains() {
    NodePolicy policy;
    policy.node = "node-a";
    PvdPolicy trunk, inet;
    trunk.name = "trunk";
    trunk.interfaces = {"trunk0"};
    trunk.trust = Trust::by_attachment;
    trunk.roles = {"sip"};
    inet.name = "inet";
    inet.interfaces = {"inet0"};
    policy.pvds = {trunk, inet};
    return policy;
}

}  // namespace stox::net::test
