#include "plugin/engine/message_queue.h"

#include "mapping/core/assert.h"

namespace stox::engine {

namespace {

/// Whatever a writer can make long: text, subject, addresses, and the id that an error repeats.
std::size_t octets_of(const Outgoing& outgoing) {
    const auto& original = outgoing.original;
    return wire_size(outgoing.request) + original.id.size() + original.from.to_string().size() + original.to.to_string().size();
}

}  // namespace

MessageQueue::Admission MessageQueue::add(Outgoing outgoing, bool past_limits) {
    const auto octets = octets_of(outgoing);
    if (!past_limits && (size_ >= kInAll || octets_ + octets > kOctetsInAll)) return Admission::full;
    const std::string target = outgoing.line;
    const auto found = targets_.find(target);
    if (!past_limits && found != targets_.end() && found->second.size() > kQueuedPerTarget) return Admission::full;

    ++size_;
    octets_ += octets;
    if (found != targets_.end()) {
        found->second.push_back(std::move(outgoing));
        return Admission::queued;
    }
    by_id_.emplace(outgoing.id, target);
    targets_[target].push_back(std::move(outgoing));
    return Admission::send;
}

std::optional<MessageQueue::Finished> MessageQueue::finish(RequestId id) {
    const auto known = by_id_.find(id);
    if (known == by_id_.end()) return std::nullopt;
    const std::string target = known->second;
    by_id_.erase(known);
    auto& waiting = targets_.at(target);
    STOX_ASSERT(!waiting.empty());
    Finished finished{std::move(waiting.front()), std::nullopt};
    waiting.pop_front();
    --size_;
    octets_ -= octets_of(finished.done);
    if (waiting.empty()) {
        targets_.erase(target);
    } else {
        by_id_.emplace(waiting.front().id, target);
        finished.next_target = target;
    }
    return finished;
}

std::vector<MessageQueue::Abandoned> MessageQueue::abandon_all() {
    std::vector<Abandoned> all;
    for (auto& [target, waiting] : targets_)
        for (bool first = true; auto& outgoing : waiting) {
            all.push_back({std::move(outgoing), first});
            first = false;
        }
    targets_.clear();
    by_id_.clear();
    size_ = octets_ = 0;
    return all;
}

}  // namespace stox::engine
