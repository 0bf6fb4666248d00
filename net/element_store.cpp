#include "net/element_store.h"

#include <algorithm>

namespace stox::net {

namespace {

ElementStore::Key key_of(std::string_view source, const Home& home, const Element& element) {
    return {std::string(source), home.interface, home.pvd ? home.pvd->text() : std::string(), kind(element), identity(element)};
}

bool configured(const ElementStore::Held& held) { return origin_of(held.element) == Origin::configuration; }

}  // namespace

void ElementStore::apply(std::string_view source, const Change& change, TimePoint now) {
    if (const auto* learnt = std::get_if<Learnt>(&change)) return learn(source, *learnt, now);
    if (const auto* withdrawn = std::get_if<Withdrawn>(&change)) return withdraw(source, *withdrawn);
    const auto* begins = std::get_if<DumpBegins>(&change);
    const auto& kinds = begins ? begins->kinds : std::get<DumpEnds>(change).kinds;
    const auto concerned = [&](const Held& held) {
        return held.source == source && std::ranges::count(kinds, kind(held.element)) > 0;
    };
    std::vector<Withdrawn> unsaid;
    for (auto& [key, held] : elements_) {
        if (!concerned(held)) continue;
        if (begins)
            held.said = false;
        else if (!held.said)
            unsaid.push_back({held.home, held.element});
    }
    for (const auto& gone : unsaid) withdraw(source, gone);
}

void ElementStore::learn(std::string_view source, const Learnt& learnt, TimePoint now) {
    if (end_of(learnt.element) <= now) return withdraw(source, {learnt.home, learnt.element});
    const auto key = key_of(source, learnt.home, learnt.element);
    const auto of_kind = kind(learnt.element);
    if (!elements_.contains(key)) {
        if (!has_room(learnt.home, of_kind)) {
            ++dropped_;
            return;
        }
        ++counts_[{learnt.home.interface, of_kind}];
        if (learnt.home.pvd) ++explicit_pvds_[{learnt.home.interface, learnt.home.pvd->text()}];
    }
    auto& held = elements_[key];
    held = {std::string(source), learnt.home, learnt.element, true, true};
    if (const auto* interface = std::get_if<Interface>(&learnt.element)) {
        if (interface->up)
            attach(interface->index);
        else
            detach(interface->index);
        return;
    }
    // What is said of an interface that is down was true before it went: that it comes up confirms nothing.
    held.confirmed = learnt.home.interface == 0 || configured(held) || attachment(learnt.home.interface) != 0;
}

void ElementStore::withdraw(std::string_view source, const Withdrawn& withdrawn) {
    if (const auto found = elements_.find(key_of(source, withdrawn.home, withdrawn.element)); found != elements_.end())
        erase(found);
    if (const auto* interface = std::get_if<Interface>(&withdrawn.element)) forget(interface->index);
}

void ElementStore::expire(TimePoint now) {
    for (auto element = elements_.begin(); element != elements_.end();)
        element = end_of(element->second.element) <= now ? erase(element) : std::next(element);
}

std::uint64_t ElementStore::attachment(int interface) const {
    const auto found = attachments_.find(interface);
    return found == attachments_.end() ? 0 : found->second;
}

void ElementStore::attach(int interface) {
    auto& attachment = attachments_[interface];
    if (attachment == 0) attachment = ++last_attachment_;
}

/// The cable may be in another network now.   (RFC 7556 §2.1, RFC 6731 §4.8)
void ElementStore::detach(int interface) {
    if (attachments_.erase(interface) == 0) return;
    for (auto& [key, held] : elements_)
        if (held.home.interface == interface && kind(held.element) != ElementKind::interface && !configured(held))
            held.confirmed = false;
}

void ElementStore::forget(int interface) {
    attachments_.erase(interface);
    for (auto element = elements_.begin(); element != elements_.end();) {
        const auto& held = element->second;
        element = held.home.interface == interface && !configured(held) ? erase(element) : std::next(element);
    }
}

bool ElementStore::has_room(const Home& home, ElementKind of_kind) const {
    const auto count = counts_.find({home.interface, of_kind});
    const auto most = of_kind == ElementKind::route ? kMaxRoutes : kMaxOfKind;
    if (count != counts_.end() && count->second >= most) return false;
    if (!home.pvd || explicit_pvds_.contains({home.interface, home.pvd->text()})) return true;
    const auto first = explicit_pvds_.lower_bound({home.interface, ""}),
               last = explicit_pvds_.lower_bound({home.interface + 1, ""});
    return static_cast<std::size_t>(std::distance(first, last)) < kMaxExplicitPvds;
}

ElementStore::Elements::iterator ElementStore::erase(Elements::iterator element) {
    const auto& home = element->second.home;
    if (const auto count = counts_.find({home.interface, kind(element->second.element)}); --count->second == 0)
        counts_.erase(count);
    if (home.pvd) {
        const auto count = explicit_pvds_.find({home.interface, home.pvd->text()});
        if (--count->second == 0) explicit_pvds_.erase(count);
    }
    return elements_.erase(element);
}

}  // namespace stox::net
