#include "mapping/presence/publications.h"

#include <algorithm>
#include <string_view>

namespace stox::presence {

namespace {

constexpr std::size_t kOfItself = 256;  // what a resource takes beside its texts

std::size_t octets_of(const Presentity& document, const std::string& by) {
    std::size_t octets = kOfItself + by.size();
    for (const auto& one : document.resources) {
        octets += kOfItself + one.resource.size() + one.lang.size();
        for (const auto& status : one.statuses) octets += status.text.size() + status.lang.size() + sizeof status;
    }
    return octets;
}

/// Nobody is there, or somebody is or is not.   (PRES-74, PRES-75)
bool says_something(const Presentity& document) {
    const auto is_known = [](const ResourcePresence& one) { return one.availability != Availability::unknown; };
    return document.resources.empty() || std::ranges::any_of(document.resources, is_known);
}

}  // namespace

Publications::Outcome Publications::publish(Publish what, std::string tag, TimePoint now) {
    const auto entry = entries_.try_emplace(what.contact).first;
    drop_lapsed(entry->second, now);
    const auto outcome = what.if_match ? go_on(entry->second, std::move(what), std::move(tag), now)
                                       : begin(entry->second, std::move(what), std::move(tag), now);
    settle(entry);
    return outcome;
}

Publications::Outcome Publications::begin(Entry& entry, Publish what, std::string tag, TimePoint now) {
    if (!what.document) return Outcome::no_document;
    if (what.expires.count() == 0) return Outcome::taken;
    const auto octets = octets_of(*what.document, what.by);
    // Of a phone that forgets its tags with each start, the last ones count.
    const auto oldest = std::ranges::min_element(entry.all, {}, &Publication::refreshed);
    const auto* replaced = entry.all.size() >= limits_.of_contact ? &*oldest : nullptr;
    if (!has_room(what.peer, octets, replaced)) return Outcome::full;
    if (replaced) drop(entry, static_cast<std::size_t>(oldest - entry.all.begin()));
    ++size_;
    octets_ += octets;
    auto& share = per_peer_[what.peer];
    ++share.count;
    share.octets += octets;
    const auto order = ++last_;
    entry.all.push_back({std::move(tag), std::move(what.peer), std::move(what.by), std::move(*what.document), octets,
                         now + what.expires, order, order});
    note_change(entry);
    return Outcome::taken;
}

Publications::Outcome Publications::go_on(Entry& entry, Publish what, std::string tag, TimePoint now) {
    const auto is_meant = [&](const Publication& one) { return one.tag == *what.if_match && one.peer == what.peer; };
    const auto found = std::ranges::find_if(entry.all, is_meant);
    if (found == entry.all.end()) return Outcome::no_match;
    if (what.expires.count() == 0) {
        drop(entry, static_cast<std::size_t>(found - entry.all.begin()));
        return Outcome::taken;
    }
    if (what.document) {
        const auto octets = octets_of(*what.document, what.by);
        if (!has_room_for(octets, *found)) return Outcome::full;
        octets_ += octets - found->octets;
        per_peer_.at(found->peer).octets += octets - found->octets;
        found->octets = octets;
        found->document = std::move(*what.document);
        found->by = std::move(what.by);
        found->said = ++last_;
        note_change(entry);
    }
    found->tag = std::move(tag);
    found->until = now + what.expires;
    found->refreshed = ++last_;
    return Outcome::taken;
}

/// For one more, in the place of that one if there is one.
bool Publications::has_room(const std::string& peer, std::size_t octets, const Publication* replaced) const {
    const auto found = per_peer_.find(peer);
    auto share = found == per_peer_.end() ? Share{} : found->second;
    const std::size_t less = replaced ? 1 : 0, less_octets = replaced ? replaced->octets : 0;
    if (replaced && replaced->peer == peer) share.count -= less, share.octets -= less_octets;
    if (share.count >= limits_.of_peer || share.octets + octets > limits_.octets_of_peer) return false;
    return size_ - less < limits_.in_all && octets_ - less_octets + octets <= limits_.octets;
}

/// In the place of what that one says.
bool Publications::has_room_for(std::size_t octets, const Publication& instead_of) const {
    const auto of_peer = per_peer_.at(instead_of.peer).octets;
    return octets_ - instead_of.octets + octets <= limits_.octets &&
           of_peer - instead_of.octets + octets <= limits_.octets_of_peer;
}

void Publications::drop(Entry& entry, std::size_t which) {
    const auto one = entry.all.begin() + static_cast<std::ptrdiff_t>(which);
    --size_;
    octets_ -= one->octets;
    const auto share = per_peer_.find(one->peer);
    share->second.octets -= one->octets;
    if (--share->second.count == 0) per_peer_.erase(share);
    entry.all.erase(one);
    note_change(entry);
}

void Publications::drop_lapsed(Entry& entry, TimePoint now) {
    for (auto which = entry.all.size(); which-- > 0;)
        if (entry.all[which].until <= now) drop(entry, which);
}

void Publications::note_change(Entry& entry) {
    entry.changed = true;
    entry.version = ++last_;
    entry.composed.reset();
}

const Presentity& Publications::composed(const std::string& contact) {
    static const Presentity nothing{};
    const auto entry = entries_.find(contact);
    if (entry == entries_.end()) return nothing;
    auto& made = entry->second.composed;
    if (!made) made = compose(entry->second);
    return *made;
}

/// What was said last comes first; of whom that says nothing, what was said before it counts.
Presentity Publications::compose(const Entry& entry) {
    std::vector<const Publication*> latest_first;
    for (const auto& one : entry.all) latest_first.push_back(&one);
    std::ranges::sort(latest_first, std::ranges::greater(), &Publication::said);
    Presentity made;
    std::set<std::string_view> named;
    for (const bool known : {true, false})
        for (const auto* publication : latest_first)
            for (const auto& one : publication->document.resources) {
                if ((one.availability != Availability::unknown) != known) continue;
                if (named.insert(one.resource).second) made.resources.push_back(one);
            }
    put_in_order(made);
    cut_statuses(made);
    return made;
}

std::optional<std::uint64_t> Publications::version(const std::string& contact) const {
    const auto entry = entries_.find(contact);
    const bool any = entry != entries_.end() &&
                     std::ranges::any_of(entry->second.all, [](const Publication& one) { return says_something(one.document); });
    return any ? std::optional(entry->second.version) : std::nullopt;
}

std::optional<std::string> Publications::take_changed(TimePoint now) {
    while (!dues_.empty() && dues_.begin()->first <= now) {
        const auto entry = entries_.find(dues_.begin()->second);
        drop_lapsed(entry->second, now);
        const bool is_told = entry->second.changed && entry->second.look_at <= now;
        if (is_told) {
            entry->second.changed = false;
            entry->second.look_at = now + kApart;
        }
        auto contact = entry->first;
        // An empty one is kept until it may be looked at again: what comes and goes has its pace, too.
        if (entry->second.all.empty() && !entry->second.changed && entry->second.look_at <= now) {
            dues_.erase(dues_.begin());
            entries_.erase(entry);
        } else {
            settle(entry);
        }
        if (is_told) return contact;
    }
    return std::nullopt;
}

std::optional<Publications::TimePoint> Publications::next_timeout() const {
    return dues_.empty() ? std::nullopt : std::optional(dues_.begin()->first);
}

void Publications::settle(Entries::iterator entry) {
    auto& [contact, of] = *entry;
    std::optional<TimePoint> due;
    if (of.changed || of.all.empty()) due = of.look_at;
    for (const auto& one : of.all)
        if (!due || one.until < *due) due = one.until;
    if (due == of.due) return;
    if (of.due) dues_.erase({*of.due, contact});
    of.due = due;
    if (due) dues_.emplace(*due, contact);
}

void Publications::keep(const std::function<bool(const std::string& peer, const std::string& by)>& is_wanted, TimePoint now) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
        drop_lapsed(entry->second, now);
        for (auto which = entry->second.all.size(); which-- > 0;)
            if (const auto& one = entry->second.all[which]; !is_wanted(one.peer, one.by)) drop(entry->second, which);
        settle(entry);
    }
}

}  // namespace stox::presence
