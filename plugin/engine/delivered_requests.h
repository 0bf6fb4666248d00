#pragma once
// Requests whose message is delivered, as rows: a copy that comes after a restart is told that the message is ours, and makes no
// second one. Kept as long as a client repeats a request.   (RFC 3261 §17.1.2.2, contract 1)

#include "plugin/engine/merged_requests.h"

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace stox::engine {

class DeliveredRequests {
public:
    static constexpr std::size_t kRows = MergedRequests::kDelivered;  ///< then the oldest goes early

    /// The key of a record; those that go for it.
    std::vector<std::string> add(std::string key, TimePoint now) {
        rows_.push_back({now + MergedRequests::kMemory, std::move(key)});
        return rows_.size() > kRows ? std::vector{take_first()} : std::vector<std::string>();
    }
    /// Those whose time is over.
    std::vector<std::string> take_lapsed(TimePoint now) {
        std::vector<std::string> keys;
        while (!rows_.empty() && rows_.front().until <= now) keys.push_back(take_first());
        return keys;
    }
    /// All of them.
    std::vector<std::string> clear() { return take_lapsed(TimePoint::max()); }
    /// Some at a time: a second more or less is nothing.
    std::optional<TimePoint> next_timeout() const {
        if (rows_.empty()) return std::nullopt;
        return std::chrono::ceil<std::chrono::seconds>(rows_.front().until);
    }

private:
    struct Row {
        TimePoint until;
        std::string key;
    };
    std::string take_first() {
        auto key = std::move(rows_.front().key);
        rows_.pop_front();
        return key;
    }

    std::deque<Row> rows_;
};

}  // namespace stox::engine
