#include "plugin/engine/inbox.h"

#include "mapping/core/assert.h"

namespace stox::engine {

using Stage = InboxEntry::Stage;

void Inbox::add(Number number, InboxEntry entry) {
    STOX_ASSERT(entries_.empty() || entries_.rbegin()->first < number);
    octets_ += entry.octets;
    if (entry.transaction) {
        ++unanswered_;
        ++unanswered_from_[entry.row.peer];
    }
    // An error has the id of what it answers, which is not ours.
    if (entry.row.stanza.type != xmpp::MessageType::error) by_stanza_.emplace(entry.row.stanza.id, number);
    entries_.emplace(number, std::move(entry));
}

InboxEntry* Inbox::find(Number number) {
    const auto found = entries_.find(number);
    return found == entries_.end() ? nullptr : &found->second;
}

InboxEntry Inbox::remove(Number number) {
    auto found = entries_.extract(number);
    STOX_ASSERT(!found.empty());
    forget(found.mapped(), number);
    return std::move(found.mapped());
}

/// In what stands beside the entries.
void Inbox::forget(const InboxEntry& entry, Number number) {
    octets_ -= entry.octets;
    if (entry.row.stanza.type != xmpp::MessageType::error) by_stanza_.erase(entry.row.stanza.id);
    if (entry.answer_by) answers_.erase({*entry.answer_by, number});
}

std::optional<Inbox::Number> Inbox::find_stanza(const std::string& id, const xmpp::Jid& from) const {
    const auto known = by_stanza_.find(id);
    if (known == by_stanza_.end()) return std::nullopt;
    const auto& entry = entries_.at(known->second);
    const auto& to = entry.row.stanza.to;
    if (entry.stage == Stage::committing || to.local != from.local || to.domain != from.domain) return std::nullopt;
    return known->second;
}

InboxEntry* Inbox::next() {
    const auto first = entries_.upper_bound(written_until_);
    return first != entries_.end() && first->second.stage == Stage::waiting ? &first->second : nullptr;
}

void Inbox::written(Barrier::Position position) {
    const auto first = entries_.upper_bound(written_until_);
    first->second.stage = Stage::written;
    first->second.position = position;
    written_until_ = first->first;
}

void Inbox::stream_lost() {
    for (auto& [number, entry] : entries_) {
        if (entry.stage != Stage::written) break;
        entry.stage = Stage::waiting;
        entry.late = true;
    }
    written_until_ = 0;
}

void Inbox::answer_at(Number number, TimePoint at) {
    if (!entries_.at(number).transaction) return;
    entries_.at(number).answer_by = at;
    answers_.emplace(at, number);
}

ServerTransaction Inbox::answered(InboxEntry& entry) {
    STOX_ASSERT(entry.transaction);
    --unanswered_;
    const auto of_peer = unanswered_from_.find(entry.row.peer);
    if (--of_peer->second == 0) unanswered_from_.erase(of_peer);
    return *std::exchange(entry.transaction, std::nullopt);
}

std::vector<InboxEntry*> Inbox::due(std::optional<TimePoint> now) {
    std::vector<InboxEntry*> all;
    while (!answers_.empty() && (!now || answers_.begin()->first <= *now)) {
        auto& entry = entries_.at(answers_.begin()->second);
        answers_.erase(answers_.begin());
        entry.answer_by.reset();
        if (entry.transaction) all.push_back(&entry);
    }
    return all;
}

std::optional<TimePoint> Inbox::next_timeout() const {
    return answers_.empty() ? std::nullopt : std::optional(answers_.begin()->first);
}

std::size_t Inbox::unanswered_from(const std::string& peer) const {
    const auto found = unanswered_from_.find(peer);
    return found == unanswered_from_.end() ? 0 : found->second;
}

}  // namespace stox::engine
