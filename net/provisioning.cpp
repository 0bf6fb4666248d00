#include "net/provisioning.h"

#include "net/assignment.h"
#include "net/pvd_builder.h"

#include <algorithm>
#include <set>
#include <utility>

namespace stox::net {

namespace {

/// One domain while it is put together.
struct Draft {
    PvdBuilder builder;
    std::map<int, std::uint64_t> attachments;
};
using Drafts = std::map<std::string, Draft>;

class Drafting {
public:
    Drafting(const ElementStore& store, const NodePolicy& policy) : store_(store), policy_(policy) {
        for (const auto& [key, held] : store.elements())
            if (const auto* interface = std::get_if<Interface>(&held.element))
                interfaces_.insert_or_assign(interface->index, *interface);
    }

    Drafts run() {
        for (const auto& [key, held] : store_.elements())
            if (held.home.pvd && usable(held)) with_explicit_.insert(held.home.interface);
        for (const auto& [index, interface] : interfaces_)
            if (interface.up && !interface.loopback && !with_explicit_.contains(index)) draft_of({index, std::nullopt, false});
        for (const auto& [key, held] : store_.elements())
            if (usable(held)) draft_of(held.home).builder.add(held.element);
        add_node();
        return std::move(drafts_);
    }
    std::vector<Interface> interfaces() const {
        std::vector<Interface> all;
        for (const auto& [index, interface] : interfaces_) all.push_back(interface);
        return all;
    }

private:
    const Interface* attached(int index) const {
        const auto found = interfaces_.find(index);
        return found != interfaces_.end() && found->second.up && !found->second.loopback ? &found->second : nullptr;
    }
    bool usable(const ElementStore::Held& held) const {
        const auto of_kind = kind(held.element);
        if (of_kind == ElementKind::interface || of_kind == ElementKind::rule || !held.confirmed) return false;
        return held.home.interface == 0 || attached(held.home.interface);
    }
    Draft& draft_of(const Home& home) {
        const auto* interface = attached(home.interface);
        const auto member = membership(home, interface ? std::string_view(interface->name) : std::string_view(), policy_);
        auto& draft = drafts_.try_emplace(member.key, Draft{PvdBuilder(member), {}}).first->second;
        if (interface) draft.attachments.emplace(interface->index, store_.attachment(interface->index));
        return draft;
    }
    /// The host as a whole has the kernel's addresses and routes of all interfaces that the operator did not give to a domain.
    void add_node() {
        if (!drafts_.contains("node")) return;
        auto& node = drafts_.at("node");
        for (const auto& [key, held] : store_.elements()) {
            const auto of_kind = kind(held.element);
            if (of_kind != ElementKind::address && of_kind != ElementKind::route) continue;
            const auto* interface = attached(held.home.interface);
            if (!interface || !usable(held) || origin_of(held.element) != Origin::kernel || policy_of(interface->name, policy_))
                continue;
            node.builder.add(held.element);
            node.attachments.emplace(interface->index, 0);
        }
    }

    const ElementStore& store_;
    const NodePolicy& policy_;
    std::map<int, Interface> interfaces_;
    std::set<int> with_explicit_;
    Drafts drafts_;
};

/// The metric of the domain's best default route.
std::optional<std::uint32_t> default_metric(const Pvd& pvd) {
    std::optional<std::uint32_t> best;
    for (const auto& route : pvd.routes)
        if (route.prefix.length == 0 && (!best || route.metric < *best)) best = route.metric;
    return best;
}

PvdRef default_of(const std::vector<PvdPtr>& pvds, const NodePolicy& policy) {
    const auto find = [&](auto wanted) {
        const auto found = std::ranges::find_if(pvds, [&](const PvdPtr& pvd) { return wanted(*pvd); });
        return found == pvds.end() ? PvdRef::none() : (*found)->ref;
    };
    if (!policy.default_pvd.empty()) return find([&](const Pvd& pvd) { return pvd.name == policy.default_pvd; });
    if (const auto node = find([](const Pvd& pvd) { return !pvd.device_bound; }); node != PvdRef::none()) return node;
    PvdPtr best;
    for (const auto& pvd : pvds) {
        const auto metric = default_metric(*pvd);
        if (metric && (!best || *metric < *default_metric(*best))) best = pvd;
    }
    if (best) return best->ref;
    return pvds.empty() ? PvdRef::none() : pvds.front()->ref;
}

/// The earliest moment after `now` at which an element ends, is about to, or is deprecated.
std::optional<TimePoint> next_change(const ElementStore& store, std::chrono::seconds notice, TimePoint now) {
    std::optional<TimePoint> next;
    const auto consider = [&](TimePoint time) {
        if (time != kNever && time > now && (!next || time < *next)) next = time;
    };
    for (const auto& [key, held] : store.elements()) {
        const auto end = end_of(held.element);
        consider(end);
        const auto* local = std::get_if<LocalAddress>(&held.element);
        if (!local) continue;
        consider(local->preferred);
        for (const auto time : {local->preferred, end})
            if (time != kNever) consider(time - notice);
    }
    return next;
}

}  // namespace

Provisioning::Provisioning(NodePolicy policy) : policy_(std::move(policy)) {}

void Provisioning::apply(std::string_view source, std::span<const Change> changes, TimePoint now) {
    for (const auto& change : changes) store_.apply(source, change, now);
    rebuild(now);
}

void Provisioning::on_time(TimePoint now) { rebuild(now); }

void Provisioning::set_policy(NodePolicy policy, TimePoint now) {
    policy_ = std::move(policy);
    rebuild(now);
}

void Provisioning::rebuild(TimePoint now) {
    store_.expire(now);
    Drafting drafting(store_, policy_);
    auto drafts = drafting.run();
    auto next = std::make_shared<Snapshot>();
    next->interfaces = drafting.interfaces();
    for (const auto& [key, held] : store_.elements())
        if (const auto* rule = std::get_if<RoutingRule>(&held.element)) next->rules.push_back(*rule);
    std::ranges::stable_sort(next->rules, {}, &RoutingRule::priority);
    std::map<std::string, Attached> attached;
    for (auto& [key, draft] : drafts) {
        const auto ref = ref_of(key, draft.attachments, attached);
        if (draft.builder.hidden()) continue;
        auto pvd = draft.builder.build(ref, draft.attachments, policy_.ending_notice, now);
        const auto before = snapshot_->find(ref);
        next->pvds.push_back(before && *before.value() == pvd ? before.value() : std::make_shared<const Pvd>(std::move(pvd)));
    }
    std::ranges::sort(next->pvds, {}, [](const PvdPtr& pvd) { return pvd->ref; });
    next->default_pvd = default_of(next->pvds, policy_);
    attached_ = std::move(attached);
    if (!(*next == *snapshot_)) snapshot_ = std::move(next);
    next_timeout_ = next_change(store_, policy_.ending_notice, now);
}

/// The handle stays while one interface of the domain has been up all the time; the node itself is never detached.
PvdRef Provisioning::ref_of(const std::string& key, const std::map<int, std::uint64_t>& attachments,
                            std::map<std::string, Attached>& kept) {
    const auto known = attached_.find(key);
    const bool stays =
        known != attached_.end() && (key == "node" || std::ranges::any_of(attachments, [&](const auto& attachment) {
                                         const auto before = known->second.attachments.find(attachment.first);
                                         return before != known->second.attachments.end() && before->second == attachment.second;
                                     }));
    const auto ref = stays ? known->second.ref : PvdRef(static_cast<ProvisioningDomain>(++last_ref_));
    kept[key] = {ref, attachments};
    return ref;
}

}  // namespace stox::net
