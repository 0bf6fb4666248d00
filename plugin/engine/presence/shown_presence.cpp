#include "plugin/engine/presence/shown_presence.h"

#include <algorithm>

namespace stox::engine {

using presence::Availability, presence::Presentity, presence::ResourcePresence;

namespace {

ResourcePresence unavailable(const std::string& resource, std::optional<UtcTime> since = {}) {
    ResourcePresence made;
    made.resource = resource;
    made.availability = Availability::unavailable;
    made.since = since;
    return made;
}

/// Time stamps change with every document.
bool same(ResourcePresence one, ResourcePresence other) {
    one.since.reset();
    other.since.reset();
    return one == other;
}

bool is_available(const std::optional<ResourcePresence>& presence) { return presence && presence->is_available(); }

}  // namespace

bool ShownPresence::differs(const Entry& entry) {
    if (!entry.known) return false;
    return entry.again || !entry.told || !same(*entry.known, *entry.told);
}

void ShownPresence::learn(const Presentity& now_known, TimePoint now) {
    const bool first = !known_;
    known_ = true;
    nobody_ = false;
    for (auto& [resource, entry] : entries_) {
        const auto listed = std::ranges::find(now_known.resources, resource, &ResourcePresence::resource);
        if (listed != now_known.resources.end()) continue;
        if (is_available(entry.known) || is_available(entry.told)) gone_.reset();
        entry.known = unavailable(resource);
    }
    for (const auto& one : now_known.resources) {
        if (one.availability == Availability::unknown) continue;
        auto& entry = entries_[one.resource];
        if (!one.is_available()) gone_ = one.since;
        entry.known = one;
    }
    // Of who is gone, and whose being gone was told, nothing is left to say.
    std::erase_if(entries_, [&](const auto& named) {
        const auto& entry = named.second;
        const bool listed =
            std::ranges::find(now_known.resources, named.first, &ResourcePresence::resource) != now_known.resources.end();
        const bool never = !listed && !entry.told;
        return never || (!is_available(entry.known) && !is_available(entry.told) && entry.told && entry.told_at + kApart <= now);
    });
    if (std::exchange(asked_, false))
        for (auto& [resource, entry] : entries_) entry.again = true;
    nobody_ = first && entries_.empty();
}

void ShownPresence::learn_nothing() {
    if (std::exchange(known_, true)) return;
    for (auto& [resource, entry] : entries_) entry.known = unavailable(resource);
    asked_ = false;
    nobody_ = entries_.empty();
}

std::vector<ResourcePresence> ShownPresence::forget() {
    std::vector<ResourcePresence> told;
    for (const auto& resource : shown()) told.push_back(unavailable(resource));
    if (told.empty() && (asked_ || nobody_)) told.push_back(unavailable({}, gone_));
    *this = {};
    return told;
}

void ShownPresence::repeat() {
    if (!known_) {
        asked_ = true;
        return;
    }
    bool any = false;
    for (auto& [resource, entry] : entries_) {
        entry.again = entry.again || is_available(entry.known);
        any = any || differs(entry);
    }
    nobody_ = nobody_ || !any;
}

std::vector<ResourcePresence> ShownPresence::take_due(TimePoint now) {
    std::vector<ResourcePresence> due;
    for (auto& [resource, entry] : entries_) {
        if (!differs(entry) || (entry.told && entry.told_at + kApart > now)) continue;
        entry.again = false;
        entry.told = entry.known;
        entry.told_at = now;
        due.push_back(*entry.known);
    }
    if (nobody_ && nobody_after_ <= now) {
        nobody_ = false;
        nobody_after_ = now + kApart;
        due.push_back(unavailable({}, gone_));
    }
    return due;
}

std::optional<ShownPresence::TimePoint> ShownPresence::next_timeout() const {
    std::optional<TimePoint> next;
    const auto sooner = [&next](TimePoint at) {
        if (!next || at < *next) next = at;
    };
    for (const auto& [resource, entry] : entries_)
        if (differs(entry)) sooner(entry.told ? entry.told_at + kApart : TimePoint{});
    if (nobody_) sooner(nobody_after_);
    return next;
}

std::vector<std::string> ShownPresence::shown() const {
    std::vector<std::string> all;
    for (const auto& [resource, entry] : entries_)
        if (is_available(entry.told)) all.push_back(resource);
    return all;
}

void ShownPresence::restore(const std::vector<std::string>& shown) {
    for (const auto& resource : shown) {
        auto& entry = entries_[resource];
        entry.told.emplace();
        entry.told->resource = resource;
        entry.again = true;
    }
}

}  // namespace stox::engine
