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

/// As it is told.
ResourcePresence ShownPresence::meant(const Entry& entry) const {
    auto meant = *entry.known;
    meant.on_the_phone = on_the_phone_ && meant.is_available();
    return meant;
}

bool ShownPresence::differs(const Entry& entry) const {
    if (!entry.known) return false;
    return entry.again || !entry.told || !same(meant(entry), *entry.told);
}

/// It is to be shown, and is not.
bool ShownPresence::appears(const Entry& entry) { return is_available(entry.known) && !is_available(entry.told); }

std::size_t ShownPresence::shown_now() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(entries_, [](const auto& named) { return is_available(named.second.told); }));
}

/// Whose being gone was told is remembered as long as they could be told again.
void ShownPresence::drop_gone(TimePoint now) {
    std::erase_if(entries_, [now](const auto& named) {
        const auto& entry = named.second;
        const bool gone = entry.told && !is_available(entry.told) && !is_available(entry.known);
        return gone && !entry.listed && !entry.again && entry.told_at + kApart <= now;
    });
}

void ShownPresence::learn(const Presentity& now_known, TimePoint now) {
    const bool first = !known_;
    known_ = true;
    nobody_ = false;
    for (auto& [resource, entry] : entries_) {
        entry.listed = std::ranges::find(now_known.resources, resource, &ResourcePresence::resource) != now_known.resources.end();
        if (entry.listed) continue;
        if (is_available(entry.known) || is_available(entry.told)) gone_.reset();
        entry.known = unavailable(resource);
    }
    for (const auto& one : now_known.resources) {
        if (one.availability == Availability::unknown) continue;
        auto& entry = entries_[one.resource];
        entry.listed = true;
        if (!one.is_available()) gone_ = one.since;
        entry.known = one;
    }
    // Of whom the document does not name, and nobody was told, nothing is left to say.
    std::erase_if(entries_, [](const auto& named) { return !named.second.told && !named.second.listed; });
    drop_gone(now);
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

std::vector<ResourcePresence> ShownPresence::forget(TimePoint now) {
    std::vector<ResourcePresence> told;
    for (auto& [resource, entry] : entries_) {
        entry.known.reset();
        entry.again = entry.listed = false;
        if (!is_available(entry.told)) continue;
        entry.told = unavailable(resource);
        entry.told_at = now;
        told.push_back(*entry.told);
        pace_.spend(now);
    }
    if (told.empty() && (asked_ || (nobody_ && nobody_after_ <= now))) {
        told.push_back(unavailable({}, gone_));
        nobody_after_ = now + kApart;
        pace_.spend(now);
    }
    known_ = asked_ = nobody_ = false;
    gone_.reset();
    drop_gone(now);
    return told;
}

void ShownPresence::withdraw() {
    std::erase_if(entries_, [](const auto& named) { return !is_available(named.second.told); });
    for (auto& [resource, entry] : entries_) {
        entry.known = unavailable(resource);
        entry.again = entry.listed = false;
    }
    known_ = asked_ = nobody_ = false;
    gone_.reset();
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

std::vector<ResourcePresence> ShownPresence::take_due(TimePoint now, std::size_t most) {
    most = std::min(most, pace_.left(now));
    std::vector<Entry*> may;
    for (auto& [resource, entry] : entries_)
        if (differs(entry) && !(entry.told && entry.told_at + kApart > now)) may.push_back(&entry);
    // Where not all may be told: who goes makes room for who comes, and who was told last waits longest.
    if (may.size() > most || shown_now() + may.size() > kMaxShown)
        std::ranges::stable_sort(may, {}, [](const Entry* one) { return std::pair(one->known->is_available(), one->told_at); });
    std::vector<ResourcePresence> due;
    const auto tell = [&](const ResourcePresence& what) {
        pace_.spend(now);
        due.push_back(what);
    };
    for (auto* entry : may) {
        if (due.size() == most) break;
        if (appears(*entry) && shown_now() >= kMaxShown) continue;
        entry->again = false;
        entry->told = meant(*entry);
        entry->told_at = now;
        tell(*entry->told);
    }
    if (nobody_ && nobody_after_ <= now && due.size() < most) {
        nobody_ = false;
        nobody_after_ = now + kApart;
        tell(unavailable({}, gone_));
    }
    return due;
}

std::optional<ShownPresence::TimePoint> ShownPresence::next_timeout() const {
    std::optional<TimePoint> next;
    const auto sooner = [&next](TimePoint at) {
        if (!next || at < *next) next = at;
    };
    const bool full = shown_now() >= kMaxShown;
    for (const auto& [resource, entry] : entries_)
        if (differs(entry) && !(full && appears(entry))) sooner(entry.told ? entry.told_at + kApart : TimePoint{});
    if (nobody_) sooner(nobody_after_);
    return next ? std::optional(std::max(*next, pace_.next())) : std::nullopt;
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
