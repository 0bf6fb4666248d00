#include "net/dns_cache.h"

#include <algorithm>
#include <type_traits>

namespace stox::net {

namespace {

std::size_t size_of(const Record& record) {
    return sizeof record + std::visit(
                               [](const auto& value) -> std::size_t {
                                   using Value = std::decay_t<decltype(value)>;
                                   if constexpr (std::is_same_v<Value, SrvRecord>) return value.target.text().size();
                                   if constexpr (std::is_same_v<Value, NaptrRecord>)
                                       return value.flags.size() + value.service.size() + value.replacement.text().size();
                                   return 0;
                               },
                               record);
}

std::size_t size_of(const Question& question, const Answer& answer) {
    std::size_t octets = 2 * question.name.text().size() + answer.detail.size() + 256;  // nodes of the list and of the index
    for (const auto& record : answer.records) octets += size_of(record);
    return octets;
}

std::chrono::seconds kept_for(const Answer& answer) {
    if (!answer.authoritative()) return DnsCache::kFailureTtl;
    if (answer.status != AnswerStatus::found) return DnsCache::kNegativeTtl;
    return std::clamp(answer.ttl, DnsCache::kMinTtl, DnsCache::kMaxTtl);
}

Answer as_stale(Answer answer) {
    answer.stale = true;
    return answer;
}

}  // namespace

std::optional<Answer> DnsCache::find(const Question& question, TimePoint now) {
    const Entry* entry = touch(question);
    if (!entry) return std::nullopt;
    if (now < entry->expiry) return entry->answer;
    return now < entry->hold_until ? find_stale(question, now) : std::nullopt;
}

std::optional<Answer> DnsCache::find_stale(const Question& question, TimePoint now) {
    const Entry* entry = touch(question);
    if (!entry || !entry->answer.authoritative() || now >= entry->expiry + kStaleFor) return std::nullopt;
    return as_stale(entry->answer);
}

void DnsCache::store(const Question& question, const Answer& answer, TimePoint now) {
    if (!answer.authoritative() && find_stale(question, now)) {
        touch(question)->hold_until = now + kStaleHold;
        return;
    }
    if (const auto old = index_.find(question); old != index_.end()) erase(old->second);
    const auto octets = size_of(question, answer);
    while (!entries_.empty() && (entries_.size() >= limits_.entries || octets_ + octets > limits_.octets))
        erase(std::prev(entries_.end()));
    entries_.push_front({question, answer, now + kept_for(answer), {}, octets});
    index_.emplace(question, entries_.begin());
    octets_ += octets;
}

void DnsCache::expire_all(TimePoint now) {
    for (auto& entry : entries_) {
        entry.expiry = std::min(entry.expiry, now);
        entry.hold_until = {};
    }
}

DnsCache::Entry* DnsCache::touch(const Question& question) {
    const auto found = index_.find(question);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &*found->second;
}

void DnsCache::erase(Entries::iterator entry) {
    octets_ -= entry->octets;
    index_.erase(entry->question);
    entries_.erase(entry);
}

}  // namespace stox::net
