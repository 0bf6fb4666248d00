#include "plugin/engine/message_queue.h"

#include "mapping/core/assert.h"

#include <algorithm>

namespace stox::engine {

std::size_t held_octets(const Outgoing& outgoing) {
    const auto& original = outgoing.row.stanza;
    return wire_size(outgoing.request) + original.id.size() + original.from.to_string().size() + original.to.to_string().size();
}

bool MessageQueue::is_full(const Outgoing& outgoing, const Kept& owed) const {
    const auto fits = [&](const Amount& held, std::size_t messages, std::size_t octets) {
        return held.messages < messages && held.octets + outgoing.octets <= octets;
    };
    if (outgoing.emergency) return !fits(kept_.emergencies + owed.emergencies, kEmergencies, kEmergencyOctets);
    if (!fits(kept_.others + owed.others, kInAll, kOctetsInAll)) return true;
    const auto line = lines_.find(outgoing.line);
    return line != lines_.end() && line->second.size() > kQueuedPerTarget;
}

void MessageQueue::add(Outgoing&& outgoing) {
    kept_.add(outgoing.emergency, outgoing.octets);
    if (!outgoing.stored) ++unstored_;
    by_id_.emplace(outgoing.id, outgoing.line);
    auto& line = lines_[outgoing.line];
    line.push_back(std::move(outgoing));
}

Outgoing* MessageQueue::find(RequestId id) {
    const auto known = by_id_.find(id);
    if (known == by_id_.end()) return nullptr;
    auto& line = lines_.at(known->second);
    return &*std::ranges::find(line, id, &Outgoing::id);
}

void MessageQueue::stored(RequestId id) {
    auto* outgoing = find(id);
    STOX_ASSERT(outgoing && !outgoing->stored);
    outgoing->stored = true;
    --unstored_;
}

Outgoing* MessageQueue::begin_next(const std::string& name) {
    const auto line = lines_.find(name);
    if (line == lines_.end()) return nullptr;
    auto& front = line->second.front();
    if (!front.stored || !in_progress_.insert(front.id).second) return nullptr;
    return &front;
}

Outgoing MessageQueue::remove(RequestId id) {
    const auto known = by_id_.find(id);
    STOX_ASSERT(known != by_id_.end());
    const auto found = lines_.find(known->second);
    auto& line = found->second;
    const auto place = std::ranges::find(line, id, &Outgoing::id);
    auto outgoing = std::move(*place);
    line.erase(place);
    if (line.empty()) lines_.erase(found);
    by_id_.erase(known);
    in_progress_.erase(id);
    if (!outgoing.stored) --unstored_;
    kept_.remove(outgoing.emergency, outgoing.octets);
    return outgoing;
}

std::vector<std::string> MessageQueue::lines() const {
    std::vector<std::string> names;
    for (const auto& [name, line] : lines_) names.push_back(name);
    return names;
}

std::vector<const Outgoing*> MessageQueue::all() const {
    std::vector<const Outgoing*> all;
    for (const auto& [name, line] : lines_)
        for (const auto& outgoing : line) all.push_back(&outgoing);
    return all;
}

}  // namespace stox::engine
