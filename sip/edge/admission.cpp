#include "sip/edge/admission.h"

#include <algorithm>

namespace stox::sip {

namespace {

/// One subscriber has a whole /64 of IPv6 (RFC 6177), so that is one source.
Address key_of(const Address& address) {
    if (address.is_v4()) return address;
    auto octets = address.octets();
    std::fill(octets.begin() + 8, octets.end(), std::uint8_t{0});
    return Address::v6(octets);
}

}  // namespace

bool Admission::Bucket::take(Time now, unsigned rate, unsigned burst) {
    const std::chrono::duration<double> passed = now - filled;
    tokens = std::min<double>(burst, tokens + std::max(0.0, passed.count()) * rate);
    filled = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
}

bool Admission::trusted(const Address& source) const {
    return std::ranges::any_of(trusted_, [&](const Prefix& prefix) { return prefix.contains(source); });
}

Admission::Source& Admission::source(const Address& address, Time now) {
    const auto key = key_of(address);
    if (const auto found = by_address_.find(key); found != by_address_.end()) {
        sources_.splice(sources_.begin(), sources_, found->second);
        return sources_.front();
    }
    if (sources_.size() >= limits_.sources) forget_oldest();
    sources_.push_front({key, {static_cast<double>(limits_.source_burst), now}});
    by_address_.emplace(key, sources_.begin());
    return sources_.front();
}

/// One with connections is kept while there is another: its number of connections must stay known. A ban can be forgotten,
/// by whoever has as many addresses as the table has rows.
void Admission::forget_oldest() {
    constexpr int kLooked = 64;
    auto victim = std::prev(sources_.end());
    for (int i = 0; i < kLooked && victim->connections > 0 && victim != sources_.begin(); ++i) --victim;
    by_address_.erase(victim->key);
    sources_.erase(victim);
}

Admission::Verdict Admission::message(const Address& address, Time now) {
    if (trusted(address)) return Verdict::admitted;
    auto& from = source(address, now);
    if (now < from.banned_until) return Verdict::banned;
    if (!from.bucket.take(now, limits_.source_rate, limits_.source_burst)) return Verdict::source_rate;
    if (total_.tokens < 0) total_ = {static_cast<double>(limits_.total_burst), now};
    return total_.take(now, limits_.total_rate, limits_.total_burst) ? Verdict::admitted : Verdict::total_rate;
}

Admission::Accept Admission::connection(const Address& address, Time now) {
    if (connections_ >= limits_.connections) return Accept::full;
    auto& from = source(address, now);
    if (!trusted(address)) {
        if (now < from.banned_until) return Accept::banned;
        if (from.connections >= limits_.connections_per_source) return Accept::source_full;
    }
    ++from.connections;
    ++connections_;
    return Accept::accepted;
}

void Admission::closed(const Address& address) {
    if (connections_ > 0) --connections_;
    const auto found = by_address_.find(key_of(address));
    if (found != by_address_.end() && found->second->connections > 0) --found->second->connections;
}

bool Admission::refused(const Address& address, Time now) {
    if (!limits_.ban || trusted(address)) return false;
    auto& from = source(address, now);
    if (now < from.banned_until) return false;
    while (!from.refusals.empty() && now - from.refusals.front() >= limits_.ban->window) from.refusals.pop_front();
    from.refusals.push_back(now);
    if (from.refusals.size() < limits_.ban->refusals) return false;
    from.refusals.clear();
    from.banned_until = now + limits_.ban->length;
    return true;
}

std::size_t Admission::banned_sources(Time now) const {
    return static_cast<std::size_t>(std::ranges::count_if(sources_, [&](const Source& one) { return now < one.banned_until; }));
}

bool Admission::banned(const Address& address, Time now) {
    if (trusted(address)) return false;
    const auto found = by_address_.find(key_of(address));
    return found != by_address_.end() && now < found->second->banned_until;
}

}  // namespace stox::sip
