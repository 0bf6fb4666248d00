#include "plugin/engine/message_queue.h"

#include "mapping/core/assert.h"

namespace stox::engine {

MessageQueue::Admission MessageQueue::add(Outgoing outgoing) {
    if (size_ >= kInAll || octets_ + outgoing.request.body.size() > kOctetsInAll) return Admission::full;
    const std::string target = outgoing.request.uri.to_string();
    const auto found = targets_.find(target);
    if (found != targets_.end() && found->second.size() > kQueuedPerTarget) return Admission::full;

    ++size_;
    octets_ += outgoing.request.body.size();
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
    octets_ -= finished.done.request.body.size();
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
