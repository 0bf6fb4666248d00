#pragma once
// Finds the second copy of one request that reached us by another branch.   (RFC 3261 §8.2.2.2, IM-34)

#include "plugin/engine/engine.h"

#include <deque>
#include <set>
#include <string>

namespace stox::engine {

class MergedRequests {
public:
    static constexpr std::chrono::seconds kMemory{32};  ///< 64 * T1: as long as a transaction can last
    static constexpr std::size_t kCapacity = 20'000;    ///< the oldest is forgotten first
    static constexpr std::size_t kLongestKey = 512;     ///< octets; no user agent makes longer ids, and memory has a bound

    /// False when the same Call-ID, CSeq and From tag was seen within kMemory. A request without From tag is never merged.
    bool first(const sip::Request& request, TimePoint now) {
        while (!order_.empty() && (order_.front().first + kMemory <= now || order_.size() >= kCapacity)) {
            seen_.erase(order_.front().second);
            order_.pop_front();
        }
        if (request.from.tag.empty()) return true;
        const std::string key = request.call_id + '\n' + request.from.tag + '\n' + std::to_string(request.cseq) + request.method;
        if (key.size() > kLongestKey) return true;
        if (!seen_.insert(key).second) return false;
        order_.emplace_back(now, key);
        return true;
    }

private:
    std::set<std::string> seen_;
    std::deque<std::pair<TimePoint, std::string>> order_;
};

}  // namespace stox::engine
