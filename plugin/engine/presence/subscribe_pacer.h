#pragma once
// When new SUBSCRIBEs may go: so many a second to each peer, evenly, in the order in which they were wanted.   (PRES-93)
//
// No second, whenever it begins, holds more than so many: that is what a peer was promised, and no late tick breaks it.
// What a tick has missed is made good in the seconds that have room.

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
    /// A second, and what the network may squeeze into one that leaves us in a little more.
    static constexpr std::chrono::milliseconds kWindow{1'020};
    static constexpr std::chrono::milliseconds kLate{50};  ///< what a late tick has missed is made good, no more

    void configure(unsigned per_second) {
        per_window_ = per_second;
        gap_ = std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second;
    }

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
        for (auto place = queues_.begin(); place != queues_.end();) {
            auto& queue = place->second;
            while (!queue.waiting.empty() && !wanted(queue.waiting.front())) pop(queue.waiting);
            while (!queue.went.empty() && queue.went.front() + kWindow <= now) queue.went.pop_front();
            if (queue.waiting.empty() && queue.went.empty()) {
                place = queues_.erase(place);  // nothing it did is of account any more
                continue;
            }
            if (!queue.waiting.empty() && due(queue) <= now) {
                queue.next = std::max(queue.next, now - kLate) + gap_;
                queue.went.push_back(now);
                return pop(queue.waiting);
            }
            ++place;
        }
        return std::nullopt;
    }
    /// Those in the queues, whether they still want it or not.
    std::size_t size() const { return waiting_.size(); }
    std::optional<TimePoint> next_timeout() const {
        std::optional<TimePoint> next;
        for (const auto& [peer, queue] : queues_)
            if (!queue.waiting.empty() && (!next || due(queue) < *next)) next = due(queue);
        return next;
    }

private:
    struct Queue {
        std::deque<std::uint64_t> waiting{};
        TimePoint next{};              ///< evenly
        std::deque<TimePoint> went{};  ///< within the latest second
    };

    /// By the even pace, and as soon as the second that ends then has room.
    TimePoint due(const Queue& queue) const {
        if (queue.went.size() < per_window_) return queue.next;
        return std::max(queue.next, queue.went[queue.went.size() - per_window_] + kWindow);
    }
    std::uint64_t pop(std::deque<std::uint64_t>& waiting) {
        const auto who = waiting.front();
        waiting.pop_front();
        waiting_.erase(who);
        return who;
    }

    std::size_t per_window_ = 50;
    std::chrono::nanoseconds gap_ = std::chrono::milliseconds(20);
    std::map<std::string, Queue> queues_;  ///< by peer
    std::unordered_set<std::uint64_t> waiting_{};
};

}  // namespace stox::engine
