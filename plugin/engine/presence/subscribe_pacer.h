#pragma once
// When new SUBSCRIBEs may go: so many a second to each peer, evenly, in the order in which they were wanted.   (PRES-93)

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace stox::engine {

class SubscribePacer {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds kLate{20};  ///< what a late tick has missed is made good, no more

    void configure(unsigned per_second) { gap_ = std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second; }

    /// Whoever waits already keeps their place.
    void push(const std::string& peer, std::uint64_t who, TimePoint now) {
        if (!waiting_.insert(who).second) return;
        auto& queue = queues_[peer];
        if (queue.waiting.empty()) queue.next = std::max(queue.next, now);
        queue.waiting.push_back(who);
    }
    /// The next one whose turn has come. Whoever wants none any more is passed by: `wanted` says so, and costs no turn.
    template <class Wanted>
    std::optional<std::uint64_t> take(TimePoint now, Wanted wanted) {
        for (auto queue = queues_.begin(); queue != queues_.end();) {
            auto& [waiting, next] = queue->second;
            while (!waiting.empty() && !wanted(waiting.front())) pop(waiting);
            if (waiting.empty() && next <= now) {
                queue = queues_.erase(queue);  // its gap is over
                continue;
            }
            if (!waiting.empty() && next <= now) {
                next = std::max(next, now - kLate) + gap_;
                return pop(waiting);
            }
            ++queue;
        }
        return std::nullopt;
    }
    /// Those in the queues, whether they still want it or not.
    std::size_t size() const { return waiting_.size(); }
    std::optional<TimePoint> next_timeout() const {
        std::optional<TimePoint> next;
        for (const auto& [peer, queue] : queues_)
            if (!queue.waiting.empty() && (!next || queue.next < *next)) next = queue.next;
        return next;
    }

private:
    struct Queue {
        std::deque<std::uint64_t> waiting{};
        TimePoint next{};
    };

    std::uint64_t pop(std::deque<std::uint64_t>& waiting) {
        const auto who = waiting.front();
        waiting.pop_front();
        waiting_.erase(who);
        return who;
    }

    std::chrono::nanoseconds gap_ = std::chrono::milliseconds(20);
    std::map<std::string, Queue> queues_;  ///< by peer
    std::unordered_set<std::uint64_t> waiting_{};
};

}  // namespace stox::engine
