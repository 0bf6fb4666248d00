#include "plugin/engine/message_queue.h"

#include "mapping/core/assert.h"

namespace stox::engine {

MessageQueue::Admission MessageQueue::add(Outgoing outgoing) {
    const std::string target = outgoing.request.uri.to_string();
    const auto found = targets_.find(target);
    if (found == targets_.end()) {
        by_transaction_.emplace(outgoing.transaction, target);
        targets_[target].push_back(std::move(outgoing));
        ++size_;
        return Admission::send;
    }
    if (found->second.size() > kQueuedPerTarget || queued() >= kQueuedInAll) return Admission::full;
    found->second.push_back(std::move(outgoing));
    ++size_;
    return Admission::queued;
}

std::optional<MessageQueue::Finished> MessageQueue::finish(ClientTransaction transaction) {
    const auto known = by_transaction_.find(transaction);
    if (known == by_transaction_.end()) return std::nullopt;
    const std::string target = known->second;
    by_transaction_.erase(known);
    auto& waiting = targets_.at(target);
    STOX_ASSERT(!waiting.empty());
    Finished finished{std::move(waiting.front()), std::nullopt};
    waiting.pop_front();
    --size_;
    if (waiting.empty()) {
        targets_.erase(target);
    } else {
        by_transaction_.emplace(waiting.front().transaction, target);
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
    by_transaction_.clear();
    size_ = 0;
    return all;
}

}  // namespace stox::engine
