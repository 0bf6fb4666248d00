#pragma once
// Finds the second copy of one request that reached us by another branch.   (RFC 3261 §8.2.2.2, IM-34)
//
// A request that we refused is over: who sends it again tries again, and is no copy. What it becomes has the id that it had
// before, since a stanza whose fate we never learnt may have arrived.   (contract 1)

#include "mapping/sip/message.h"
#include "plugin/engine/engine.h"

#include <deque>
#include <map>
#include <optional>
#include <string>

namespace stox::engine {

class MergedRequests {
public:
    static constexpr std::chrono::seconds kMemory{32};  ///< 64 * T1: as long as a transaction can last
    static constexpr std::size_t kCapacity = 20'000;    ///< the oldest is forgotten first
    static constexpr std::size_t kLongestKey = 512;     ///< octets; no user agent makes longer ids, and memory has a bound

    /// What two copies have in common: Call-ID, CSeq and From tag. Empty for a request that is never merged.
    static std::string key(const sip::Request& request) {
        if (request.from.tag.empty()) return {};
        std::string key = request.call_id + '\n' + request.from.tag + '\n' + std::to_string(request.cseq) + request.method;
        return key.size() > kLongestKey ? std::string() : key;
    }

    /// The id for the stanza: `fresh`, or that of an earlier try. None: another copy is under way or was accepted within kMemory.
    std::optional<std::string> first(const std::string& key, std::string fresh, TimePoint now) {
        while (!order_.empty() && (order_.front().at + kMemory <= now || order_.size() >= kCapacity)) forget_oldest();
        if (key.empty()) return fresh;
        const auto [known, is_new] = seen_.try_emplace(key, Seen{0, std::move(fresh), false});
        auto& [number, stanza_id, refused] = known->second;
        if (!is_new && !refused) return std::nullopt;
        refused = false;
        number = ++last_number_;
        order_.push_back({now, key, number});
        return stanza_id;
    }

    /// That request got its final response, and no success.
    void refused(const std::string& key) {
        if (const auto known = seen_.find(key); known != seen_.end()) known->second.refused = true;
    }

private:
    struct Seen {
        std::uint64_t number;  ///< of its newest place in order_
        std::string stanza_id;
        bool refused;
    };
    struct Arrival {
        TimePoint at;
        std::string key;
        std::uint64_t number;
    };

    void forget_oldest() {
        const auto known = seen_.find(order_.front().key);
        if (known != seen_.end() && known->second.number == order_.front().number) seen_.erase(known);
        order_.pop_front();
    }

    std::map<std::string, Seen> seen_;
    std::deque<Arrival> order_;
    std::uint64_t last_number_ = 0;
};

}  // namespace stox::engine
