#include "sip/edge/admission.h"

#include <algorithm>
#include <utility>

namespace stox::sip {

namespace {

Address without_end(const Address& address, std::ptrdiff_t kept) {
    auto octets = address.octets();
    std::fill(octets.begin() + kept, octets.end(), std::uint8_t{0});
    return Address::v6(octets);
}

/// As many sources as one subscriber may have who got a /48.
constexpr std::size_t kSourcesOfSite = 4;

}  // namespace

/// One subscriber has a whole /64 of IPv6 at least (RFC 6177), so that is one source.
Address Admission::source_of(const Address& address) { return address.is_v4() ? address : without_end(address, 8); }

void Admission::Bucket::fill(Time now, unsigned rate, unsigned burst) {
    const std::chrono::duration<double> passed = now - filled;
    tokens = tokens < 0 ? burst : std::min<double>(burst, tokens + std::max(0.0, passed.count()) * rate);
    filled = now;
}

bool Admission::Bucket::take(double cost) {
    if (tokens < cost) return false;
    tokens -= cost;
    return true;
}

/// Two numbers stand for the times of all refusals: those of the window before count as if they had come evenly.
bool Admission::Offences::add(Time now, const Limits::Ban& ban) {
    const Time::duration length = ban.window;
    if (now - window >= 2 * length) {
        window = now;
        before = count = 0;
    } else if (now - window >= length) {
        window += length;
        before = std::exchange(count, 0);
    }
    ++count;
    const double passed = std::chrono::duration<double>(now - window) / std::chrono::duration<double>(length);
    if (before * (1 - passed) + count < ban.refusals) return false;
    before = count = 0;
    banned_until = now + ban.length;
    return true;
}

bool Admission::Source::banned(Channel channel, Time now) const {
    return now < by_connection.banned_until || (channel == Channel::datagram && now < by_datagram.banned_until);
}

bool Admission::trusted(const Address& source) const {
    return std::ranges::any_of(trusted_, [&](const Prefix& prefix) { return prefix.contains(source); });
}

Admission::Source& Admission::source(const Address& address) {
    const auto key = source_of(address);
    if (const auto found = by_address_.find(key); found != by_address_.end()) {
        auto& list = found->second->connections > 0 ? connected_ : sources_;
        list.splice(list.begin(), list, found->second);
        return list.front();
    }
    // A ban that a source earned can be forgotten, by whoever has as many addresses as the table has rows.
    while (sources_.size() >= limits_.sources && !sources_.empty()) {
        by_address_.erase(sources_.back().key);
        sources_.pop_back();
    }
    sources_.push_front({key});
    by_address_.emplace(key, sources_.begin());
    return sources_.front();
}

/// A cost above the burst is the burst: with a small one there is still a first connection.
Admission::Verdict Admission::charge(Source& from, Rate rate, double cost, Time now) {
    auto& own = from.buckets[rate];
    own.fill(now, limits_.source_rate, limits_.source_burst);
    if (!own.take(std::min<double>(cost, limits_.source_burst))) return Verdict::source_rate;
    total_[rate].fill(now, limits_.total_rate, limits_.total_burst);
    return total_[rate].take(std::min<double>(cost, limits_.total_burst)) ? Verdict::admitted : Verdict::total_rate;
}

Admission::Verdict Admission::message(const Address& address, Channel channel, Time now) {
    if (trusted(address)) return Verdict::admitted;
    if (barred(source_of(address), now)) return Verdict::banned;
    auto& from = source(address);
    if (from.banned(channel, now)) return Verdict::banned;
    return charge(from, channel == Channel::datagram ? requests : connected, 1, now);
}

Admission::Verdict Admission::response(const Address& address, Time now) {
    return trusted(address) ? Verdict::admitted : charge(source(address), responses, 1, now);
}

/// Null: IPv4, or without connections.
std::size_t* Admission::site(const Address& address) {
    if (address.is_v4()) return nullptr;
    const auto found = sites_.find(without_end(address, 6));
    return found == sites_.end() ? nullptr : &found->second;
}

Admission::Accept Admission::connection(const Address& address, Guest guest, Time now) {
    if (guest != Guest::peer) {
        if (barred(source_of(address), now)) return Accept::banned;
        auto& from = source(address);
        if (from.banned(Channel::connection, now)) return Accept::banned;
        if (from.connections >= limits_.connections_per_source) return Accept::source_full;
        const auto* neighbours = site(address);
        if (neighbours && *neighbours / kSourcesOfSite >= limits_.connections_per_source) return Accept::source_full;
        if (connections_ >= limits_.connections) return Accept::full;
        // Before anybody has to give way; who comes again for that pays again.
        if (charge(from, connected, limits_.accept_cost, now) != Verdict::admitted) return Accept::source_rate;
        if (guest == Guest::stranger && strangers_ >= limits_.connections - limits_.connections / 4) return Accept::crowded;
        if (from.connections++ == 0) connected_.splice(connected_.begin(), sources_, sources_.begin());
        if (!address.is_v4()) ++sites_[without_end(address, 6)];
    }
    if (connections_ >= limits_.connections) return Accept::full;
    ++connections_;
    strangers_ += guest == Guest::stranger;
    return Accept::accepted;
}

void Admission::closed(const Address& address, Guest guest) {
    if (connections_ > 0) --connections_;
    if (guest == Guest::stranger && strangers_ > 0) --strangers_;
    if (guest == Guest::peer) return;
    const auto found = by_address_.find(source_of(address));
    if (found != by_address_.end() && found->second->connections > 0 && --found->second->connections == 0)
        sources_.splice(sources_.begin(), connected_, found->second);
    if (auto* neighbours = site(address); neighbours && --*neighbours == 0) sites_.erase(without_end(address, 6));
}

bool Admission::refused(const Address& address, Channel channel, Time now) {
    if (!limits_.ban || trusted(address) || barred(source_of(address), now)) return false;
    auto& from = source(address);
    if (from.banned(channel, now)) return false;
    return (channel == Channel::datagram ? from.by_datagram : from.by_connection).add(now, *limits_.ban);
}

std::size_t Admission::banned_sources(Time now) const { return bans(now).size(); }

bool Admission::barred(const Address& key, Time now) const {
    const auto found = barred_.find(key);
    return found != barred_.end() && now < found->second;
}

BanOrder Admission::ban(const Address& address, Time until, Time now) {
    if (trusted(address)) return BanOrder::is_peer;
    std::erase_if(barred_, [now](const auto& one) { return one.second <= now; });
    const auto key = source_of(address);
    if (barred_.size() >= limits_.ordered_bans && !barred_.contains(key)) return BanOrder::too_many;
    barred_[key] = until;
    return BanOrder::taken;
}

bool Admission::unban(const Address& address, Time now) {
    const auto key = source_of(address);
    bool held = barred(key, now);
    barred_.erase(key);
    const auto found = by_address_.find(key);
    if (found != by_address_.end() && found->second->banned(Channel::datagram, now)) {
        found->second->by_datagram = found->second->by_connection = {};
        held = true;
    }
    return held;
}

std::vector<BannedSource> Admission::bans(Time now) const {
    std::vector<BannedSource> all;
    for (const auto& [key, until] : barred_)
        if (now < until) all.push_back({key, true, until});
    for (const auto* sources : {&connected_, &sources_})
        for (const auto& one : *sources)
            if (one.banned(Channel::datagram, now) && !barred(one.key, now))
                all.push_back({one.key, one.banned(Channel::connection, now),
                               std::max(one.by_datagram.banned_until, one.by_connection.banned_until)});
    return all;
}

bool Admission::banned(const Address& address, Channel channel, Time now) {
    if (trusted(address)) return false;
    const auto key = source_of(address);
    if (barred(key, now)) return true;
    const auto found = by_address_.find(key);
    return found != by_address_.end() && found->second->banned(channel, now);
}

}  // namespace stox::sip
