#include "plugin/engine/outbound.h"

#include <algorithm>
#include <iterator>

namespace stox::engine {

namespace {

Outcome::Kind kind_of(LocalFailure local) {
    switch (local) {
        case LocalFailure::none:
            break;
        case LocalFailure::timeout:
            return Outcome::Kind::timeout;
        case LocalFailure::unsent:
            return Outcome::Kind::unsent;
        case LocalFailure::transport:
            return Outcome::Kind::transport;
    }
    return Outcome::Kind::answered;
}

}  // namespace

std::size_t wire_size(const sip::Request& request) {
    constexpr std::size_t kVia = 120, kNames = 160;
    std::size_t size = kVia + kNames + request.method.size() + 2 * request.to.uri.to_string().size() +
                       request.from.uri.to_string().size() + request.from.display_name.size() + request.to.display_name.size() +
                       request.from.tag.size() + request.call_id.size() + request.content_type.size() + request.body.size();
    for (const auto& header : request.headers) size += header.name.size() + header.value.size() + 4;
    return size;
}

std::optional<Outcome> Outbound::start(RequestId id, sip::Request request, std::string peer, NextHops& hops, const Turn& turn) {
    ++per_peer_[peer];
    const auto entry = entries_.emplace(id, Entry{std::move(request), std::move(peer), {}, {}, {}, {}}).first;
    return begin(entry, hops, turn);
}

std::optional<Outcome> Outbound::start_dialog(RequestId id, sip::Request request, std::string peer, std::vector<Target> targets,
                                              NextHops& hops, const Turn& turn) {
    const auto entry = entries_.emplace(id, Entry{std::move(request), std::move(peer), {}, {}, {}, {}, true}).first;
    if (targets.empty()) return begin(entry, hops, turn);
    entry->second.failover.emplace(entry->second.request.method, std::move(targets));
    send(entry, turn);
    return std::nullopt;
}

std::optional<Outcome> Outbound::begin(Entries::iterator entry, NextHops& hops, const Turn& turn) {
    const auto id = entry->first;
    waiting_.erase(id);
    auto way = hops.way(entry->second.peer, turn);
    switch (way.state) {
        case NextHops::Way::State::locating:
            waiting_.insert(id);
            return std::nullopt;
        // Said at once: whoever wrote learns it now instead of after Timer F, nobody waits in line behind a dead target, and the
        // probes bring it back within their interval.
        case NextHops::Way::State::down:
            return end(entry, {id, Outcome::Kind::down, {}, "next hop down"});
        case NextHops::Way::State::nowhere:
            return end(entry, {id, Outcome::Kind::nowhere, {}, way.why});
        case NextHops::Way::State::ready:
            break;
    }
    // What a dialog sends has its credentials already.
    const auto credentials = entry->second.of_dialog ? 0 : accounts_.octets(entry->second.peer);
    const auto size = wire_size(entry->second.request) + credentials;
    std::erase_if(way.targets, [&](const Target& target) {
        return size > (target.transport == Transport::udp ? kMaxUdpRequest : kMaxRequest);
    });
    if (way.targets.empty()) return end(entry, {id, Outcome::Kind::too_large, {}, "too long for this way of delivery"});
    entry->second.failover.emplace(entry->second.request.method, std::move(way.targets));
    send(entry, turn);
    return std::nullopt;
}

/// With the credentials that this peer asked for before.
void Outbound::send(Entries::iterator entry, const Turn& turn) {
    auto& [request, peer, failover, attempts, silent_at, credentials, of_dialog] = entry->second;
    if (of_dialog) return send(entry, {}, turn);
    send(entry, accounts_.authorize(peer, request, credentials, turn), turn);
}

/// False: the challenge is the outcome.   (RFC 3261 §8.1.3.5, §22.2)
bool Outbound::answer_challenge(Entries::iterator entry, const sip::Response& response, const Turn& turn) {
    auto& [request, peer, failover, attempts, silent_at, credentials, of_dialog] = entry->second;
    if (of_dialog) return false;
    auto headers = accounts_.answer(peer, request, response, credentials, turn);
    if (!headers) return false;
    ++request.cseq;
    send(entry, std::move(*headers), turn);
    return true;
}

void Outbound::send(Entries::iterator entry, std::vector<sip::Header> credentials, const Turn& turn) {
    auto& [base, peer, failover, attempts, silent_at, carried, of_dialog] = entry->second;
    const auto transaction = turn.next_transaction();
    attempts.push_back(transaction);
    attempts_.emplace(transaction, entry->first);
    failover->sent(turn.now);
    set_silence(entry, failover->deadline());
    auto& out = std::get<SendSip>(turn.out.emplace_back(std::in_place_type<SendSip>));
    out.transaction = transaction;
    out.request = base;
    std::ranges::move(credentials, std::back_inserter(out.request.headers));
    out.target = failover->target();
    if (!failover->is_last()) out.open_within = Failover::kSilence;
}

std::optional<Outcome> Outbound::on_response(const SipResponseIn& in, NextHops& hops, const Turn& turn) {
    const auto attempt = attempts_.find(in.transaction);
    if (attempt == attempts_.end()) return on_late_response(in);
    const auto entry = entries_.find(attempt->second);
    auto& [request, peer, failover, attempts, silent_at, carried, of_dialog] = entry->second;
    const bool current = in.transaction == attempts.back();
    if (in.response.status < 200) {
        if (current) failover->on_provisional();
        if (current) set_silence(entry, std::nullopt);
        return std::nullopt;
    }
    attempts_.erase(attempt);
    if (!current) {
        // A target that was left behind has answered after all. A success settles the matter; anything else is the others' to
        // say.
        if (in.response.status >= 300) return std::nullopt;
        listen(entry->second, entry->first, in.transaction, true, turn.now);
        return end(entry, {entry->first, Outcome::Kind::answered, in.response, {}});
    }
    const int status = in.local == LocalFailure::none ? in.response.status : 0;
    if ((status == 401 || status == 407) && answer_challenge(entry, in.response, turn)) return std::nullopt;
    if (status >= 200 && status < 300 && !of_dialog) accounts_.accepted(peer);
    if (in.local == LocalFailure::none) hops.refused(peer, failover->target(), in.response, turn.now);
    failover->skip([&, &name = peer](const Target& target) { return hops.is_down(name, target); });
    failover->put_back([&, &name = peer](const Target& target) { return hops.is_busy(name, target, turn.now); });
    if (failover->on_final(in.response.status, in.local, turn.now) == Failover::Step::next) {
        send(entry, turn);
        return std::nullopt;
    }
    const bool success = in.local == LocalFailure::none && status < 300;
    const bool others = listen(entry->second, entry->first, in.transaction, success, turn.now);
    auto outcome = end(entry, {entry->first, kind_of(in.local), in.response, {}});
    outcome.others_may_answer = others && !success;
    return outcome;
}

/// The attempts of an INVITE that have had no final response, and the one that was accepted: a proxy behind it may have forked
/// it. Returns whether there is another than the one that is over.
bool Outbound::listen(const Entry& entry, RequestId id, ClientTransaction now_over, bool success, TimePoint now) {
    if (entry.request.method != "INVITE") return false;
    bool others = false;
    for (const auto transaction : entry.attempts) {
        const bool open = attempts_.contains(transaction);
        others = others || open;
        if (!open && !(success && transaction == now_over)) continue;
        while (listened_.size() >= kMostListened) forget(forget_.begin()->second);
        listened_.emplace(transaction, Listened{id, entry.request.cseq, now + kListens});
        forget_.insert({now + kListens, transaction});
    }
    return others;
}

std::optional<Outcome> Outbound::on_late_response(const SipResponseIn& in) {
    const auto found = listened_.find(in.transaction);
    if (found == listened_.end() || in.response.status < 200) return std::nullopt;
    if (in.response.status >= 300) {
        forget(in.transaction);
        return std::nullopt;
    }
    Outcome outcome{found->second.request, Outcome::Kind::answered, in.response, {}, found->second.cseq};
    outcome.further = true;
    return outcome;
}

void Outbound::forget(ClientTransaction transaction) {
    const auto found = listened_.find(transaction);
    forget_.erase({found->second.until, transaction});
    listened_.erase(found);
}

std::vector<Outcome> Outbound::resume(NextHops& hops, const Turn& turn) {
    std::vector<Outcome> outcomes;
    for (const auto id : std::exchange(waiting_, {}))
        if (auto outcome = begin(entries_.find(id), hops, turn)) outcomes.push_back(std::move(*outcome));
    return outcomes;
}

void Outbound::tick(NextHops& hops, const Turn& turn) {
    while (!silences_.empty() && silences_.begin()->first <= turn.now) {
        const auto entry = entries_.find(silences_.begin()->second);
        auto& failover = *entry->second.failover;
        failover.skip([&](const Target& target) { return hops.is_down(entry->second.peer, target); });
        set_silence(entry, std::nullopt);
        if (failover.on_time(turn.now) == Failover::Step::next) send(entry, turn);
    }
    while (!forget_.empty() && forget_.begin()->first <= turn.now) forget(forget_.begin()->second);
}

std::optional<TimePoint> Outbound::next_timeout() const {
    auto next = silences_.empty() ? std::nullopt : std::optional(silences_.begin()->first);
    if (!forget_.empty() && (!next || forget_.begin()->first < *next)) next = forget_.begin()->first;
    return next;
}

void Outbound::set_silence(Entries::iterator entry, std::optional<TimePoint> at) {
    if (entry->second.silent_at) silences_.erase({*entry->second.silent_at, entry->first});
    entry->second.silent_at = at;
    if (at) silences_.emplace(*at, entry->first);
}

Outcome Outbound::end(Entries::iterator entry, Outcome outcome) {
    set_silence(entry, std::nullopt);
    outcome.cseq = entry->second.request.cseq;
    for (const auto transaction : entry->second.attempts) attempts_.erase(transaction);
    if (const auto count = per_peer_.find(entry->second.peer); !entry->second.of_dialog && --count->second == 0)
        per_peer_.erase(count);
    entries_.erase(entry);
    return outcome;
}

void Outbound::cancel(RequestId id) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    waiting_.erase(id);
    end(entry, {id, Outcome::Kind::unsent});
}

std::size_t Outbound::in_progress(const std::string& peer) const {
    const auto count = per_peer_.find(peer);
    return count == per_peer_.end() ? 0 : count->second;
}

bool Outbound::has_left(RequestId id) const {
    const auto entry = entries_.find(id);
    return entry != entries_.end() && !entry->second.attempts.empty();
}

}  // namespace stox::engine
