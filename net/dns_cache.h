#pragma once
// Answers kept for their time to live, and for a while longer in case the servers stop answering.   (RFC 8767)

#include "net/dns.h"

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>

namespace stox::net {

class DnsCache {
public:
    struct Limits {
        std::size_t entries = 10'000;
        std::size_t octets = 8 << 20;  ///< of records and names, roughly
    };
    static constexpr std::chrono::seconds kMinTtl{1}, kMaxTtl{86'400};
    static constexpr std::chrono::seconds kNegativeTtl{30};  ///< no records, no such name
    static constexpr std::chrono::seconds kFailureTtl{
        1};  ///< failed, timed out: so that a dead server is not asked for each call
    static constexpr std::chrono::seconds kStaleFor{3'600};  ///< after expiry
    static constexpr std::chrono::seconds kStaleHold{
        30};  ///< after a failure the stale answer counts as good so long (RFC 8767 §5)

    DnsCache() = default;
    explicit DnsCache(Limits limits) : limits_(limits) {}

    /// What may be used without asking: fresh, or stale while its servers are known not to answer.
    std::optional<Answer> find(const Question& question, TimePoint now);
    /// What may be used when the servers do not answer; marked stale.
    std::optional<Answer> find_stale(const Question& question, TimePoint now);
    /// Keeps the answer; one that failed does not displace a stale one. When full, what was used longest ago goes.
    void store(const Question& question, const Answer& answer, TimePoint now);
    /// Everything is to be asked for again, as after a change of servers; it stays usable as stale.
    void expire_all(TimePoint now);

    std::size_t size() const { return entries_.size(); }
    std::size_t octets() const { return octets_; }

private:
    struct Entry {
        Question question;
        Answer answer;
        TimePoint expiry;
        TimePoint hold_until;  ///< meaningful once expired
        std::size_t octets;
    };
    using Entries = std::list<Entry>;  ///< most recently used first

    Entry* touch(const Question& question);
    void erase(Entries::iterator entry);

    Limits limits_;
    Entries entries_;
    std::unordered_map<Question, Entries::iterator, QuestionHash> index_;
    std::size_t octets_ = 0;
};

}  // namespace stox::net
