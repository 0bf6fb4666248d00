#pragma once
// Finds the second copy of one request that reached us by another branch.   (RFC 3261 §8.2.2.2, IM-34)
//
// A request that we refused is over: who sends it again tries again, and is no copy. What it becomes has the id that it had
// before, since a stanza whose fate we never learnt may have arrived. One that was accepted before a restart may never have had
// its answer, so the first copy after it is told that the message is ours.   (contract 1)

#include "mapping/sip/message.h"
#include "plugin/engine/engine.h"
#include "plugin/engine/inbox.h"

#include <deque>
#include <map>
#include <string>

namespace stox::engine {

class MergedRequests {
public:
    static constexpr std::chrono::seconds kMemory{32};  ///< 64 * T1: as long as a transaction can last
    static constexpr std::size_t kDelivered = 20'000;   ///< whose message is delivered, as rows (delivered_requests.h)
    /// As many as there are rows for, so that a restart forgets none. Beyond them the oldest is forgotten first: a copy of it
    /// would be a second message.
    static constexpr std::size_t kCapacity = kDelivered + Inbox::kEntries;
    static constexpr std::size_t kLongestKey = 512;     ///< octets; no user agent makes longer ids, and memory has a bound

    /// What two copies have in common: Call-ID, CSeq and From tag. Empty for a request that is never merged.
    static std::string key(const sip::Request& request) {
        if (request.from.tag.empty()) return {};
        std::string key = request.call_id + '\n' + request.from.tag + '\n' + std::to_string(request.cseq) + request.method;
        return key.size() > kLongestKey ? std::string() : key;
    }

    struct Seen {
        enum class As {
            first,     ///< or tried again; `stanza_id` is what it becomes
            copy,      ///< of one that is under way or was accepted within kMemory
            accepted,  ///< before a restart
        } as = As::first;
        std::string stanza_id{};
    };
    /// fresh   the id for a stanza that had none
    Seen seen(const std::string& key, std::string fresh, TimePoint now) {
        while (!order_.empty() && (order_.front().at + kMemory <= now || order_.size() >= kCapacity)) forget_oldest();
        if (key.empty()) return {Seen::As::first, std::move(fresh)};
        const auto [known, is_new] = known_.try_emplace(key, Request{0, std::move(fresh), Fate::open});
        auto& [number, stanza_id, fate] = known->second;
        if (!is_new && fate == Fate::open) return {Seen::As::copy};
        const auto before = std::exchange(fate, Fate::open);
        remember(known->second, key, now);
        if (before == Fate::restored) return {Seen::As::accepted};
        return {Seen::As::first, stanza_id};
    }

    /// That request got its final response, and no success.
    void refused(const std::string& key) {
        if (const auto known = known_.find(key); known != known_.end()) known->second.fate = Fate::refused;
    }
    /// What that request became has failed; if it was accepted before a restart and has not come again since, it may.
    void failed(const std::string& key) {
        const auto known = known_.find(key);
        if (known != known_.end() && known->second.fate == Fate::restored) known->second.fate = Fate::refused;
    }
    /// That request was accepted before a restart. How many others are forgotten for it.
    std::size_t restored(const std::string& key, std::string stanza_id, TimePoint now) {
        if (key.empty()) return 0;
        const auto [known, is_new] = known_.try_emplace(key, Request{0, std::move(stanza_id), Fate::restored});
        if (!is_new) return 0;
        remember(known->second, key, now);
        std::size_t forgotten = 0;
        for (; order_.size() > kCapacity; ++forgotten) forget_oldest();
        return forgotten;
    }

private:
    enum class Fate { open, refused, restored };
    struct Request {
        std::uint64_t number;  ///< of its newest place in order_
        std::string stanza_id;
        Fate fate;
    };
    struct Arrival {
        TimePoint at;
        std::string key;
        std::uint64_t number;
    };

    void remember(Request& request, const std::string& key, TimePoint now) {
        request.number = ++last_number_;
        order_.push_back({now, key, request.number});
    }
    void forget_oldest() {
        const auto known = known_.find(order_.front().key);
        if (known != known_.end() && known->second.number == order_.front().number) known_.erase(known);
        order_.pop_front();
    }

    std::map<std::string, Request> known_;
    std::deque<Arrival> order_;
    std::uint64_t last_number_ = 0;
};

}  // namespace stox::engine
