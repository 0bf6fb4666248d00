#include "plugin/engine/next_hops.h"

#include "mapping/sip/header_values.h"
#include "plugin/engine/hop_order.h"
#include "plugin/engine/log.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// The target that a numeric hop is.   (RFC 3263 §4.1, §4.2)
Target target_of(const config::NextHop& hop) {
    const auto transport = hop.transport.value_or(hop.sips ? Transport::tls : Transport::udp);
    const std::uint16_t port = hop.port.value_or(transport == Transport::tls ? 5061 : 5060);
    return {transport, {*hop.address, port}, transport == Transport::tls ? hop.host : std::string()};
}

/// The hop itself as the one who is asked.
sip::Uri uri_of(const config::NextHop& hop) {
    sip::Uri uri;
    uri.scheme = hop.sips ? sip::Scheme::sips : sip::Scheme::sip;
    uri.host = hop.address && !hop.address->is_v4() ? '[' + hop.host + ']' : hop.host;
    uri.port = hop.port;
    return uri;
}

std::optional<TimePoint> earlier(std::optional<TimePoint> one, TimePoint other) { return one ? std::min(*one, other) : other; }

}  // namespace

void NextHops::configure(const config::DomainOptions& options) {
    due_.reset();
    domain_ = options.domain;
    std::map<std::string, Peer> before = std::exchange(peers_, {});
    for (const auto& configured : options.peers) {
        auto& peer = peers_[configured.name];
        auto& old = before[configured.name];
        peer.probed = configured.probe;
        peer.interval = std::chrono::seconds(configured.probe_interval_s);
        peer.answer_in = std::chrono::seconds(configured.probe_timeout_s);
        if (old.probed && old.interval == peer.interval) {
            peer.probe_at = old.probe_at;
            peer.retry_at = old.retry_at;
        }
        for (const auto& hop : configured.next_hops) {
            const auto known = std::ranges::find(old.hops, hop, &Hop::hop);
            Hop fresh;
            fresh.hop = hop;
            if (hop.address) fresh.targets = {target_of(hop)};
            peer.hops.push_back(known != old.hops.end() ? std::move(*known) : std::move(fresh));
        }
        if (peer.probed) peer.health = std::move(old.health);
        peer.busy_until = std::move(old.busy_until);
        drop_gone(peer);
    }
}

/// What is known is kept for what is a target still.
void NextHops::drop_gone(Peer& peer) {
    const auto is_gone = [&](const auto& entry) {
        return std::ranges::none_of(
            peer.hops, [&](const Hop& hop) { return std::ranges::find(hop.targets, entry.first) != hop.targets.end(); });
    };
    std::erase_if(peer.health, is_gone);
    std::erase_if(peer.busy_until, is_gone);
}

bool NextHops::is_fresh(const Peer& peer, const Hop& hop, TimePoint now) {
    return hop.hop.address || (hop.located_at && now < *hop.located_at + peer.retry() + kFresher);
}

void NextHops::ask(Hop& hop, const Turn& turn) {
    if (hop.asked) return;
    due_.reset();
    hop.asked = turn.next_location();
    hop.asked_at = turn.now;
    turn.out.push_back(Locate{*hop.asked, hop.hop});
}

NextHops::Way NextHops::way(const std::string& name, const Turn& turn) {
    Way way;
    const auto found = peers_.find(name);
    if (found == peers_.end() || found->second.hops.empty()) {
        way.why = "no next hop";
        return way;
    }
    auto& hops = found->second.hops;
    bool locating = false, any = false;
    for (auto& hop : hops)
        if (!is_fresh(found->second, hop, turn.now)) {
            ask(hop, turn);
            locating = true;
        }
    if (locating) {
        way.state = Way::State::locating;
        return way;
    }
    std::vector<config::NextHop> configured;
    for (const auto& hop : hops) configured.push_back(hop.hop);
    for (const auto index : hop_order(configured, [&] { return turn.ids.trace().bits; })) {
        if (!hops[index].error.empty()) way.why = hops[index].error;
        for (const auto& target : hops[index].targets) {
            any = true;
            if (!is_down(name, target) && std::ranges::find(way.targets, target) == way.targets.end())
                way.targets.push_back(target);
        }
    }
    if (const auto busy = [&](const Target& target) { return is_busy(name, target, turn.now); };
        !std::ranges::all_of(way.targets, busy))
        std::erase_if(way.targets, busy);
    way.state = !way.targets.empty() ? Way::State::ready : any ? Way::State::down : Way::State::nowhere;
    return way;
}

bool NextHops::is_down(const std::string& name, const Target& target) const {
    const auto peer = peers_.find(name);
    return peer != peers_.end() && is_down(peer->second, target);
}

bool NextHops::is_down(const Peer& peer, const Target& target) {
    const auto health = peer.health.find(target);
    return health != peer.health.end() && health->second.reach == Reach::down;
}

/// It could not be located, or leads to one that is down.
bool NextHops::has_failed(const Peer& peer, const Hop& hop) {
    return !hop.error.empty() || std::ranges::any_of(hop.targets, [&](const Target& target) { return is_down(peer, target); });
}

bool NextHops::any_target(const std::string& name, const std::function<bool(const Target&)>& is) const {
    const auto peer = peers_.find(name);
    return peer != peers_.end() &&
           std::ranges::any_of(peer->second.hops, [&](const Hop& hop) { return std::ranges::any_of(hop.targets, is); });
}

bool NextHops::leads_to(const std::string& name, Transport transport, const Endpoint& endpoint) const {
    return any_target(name, [&](const Target& target) { return target.transport == transport && target.endpoint == endpoint; });
}

bool NextHops::is_at_in_clear(const std::string& name, const Address& address) const {
    return any_target(
        name, [&](const Target& target) { return target.transport != Transport::tls && target.endpoint.address == address; });
}

std::optional<Target> NextHops::likely(const std::string& name) const {
    const auto peer = peers_.find(name);
    if (peer == peers_.end()) return std::nullopt;
    for (const auto& hop : peer->second.hops)
        for (const auto& target : hop.targets)
            if (!is_down(name, target)) return target;
    return std::nullopt;
}

void NextHops::refused(const std::string& name, const Target& target, const sip::Response& response, TimePoint now) {
    const auto peer = peers_.find(name);
    const auto seconds = sip::leading_number(response.header("Retry-After"));
    if (peer == peers_.end() || response.status != 503 || !seconds) return;
    peer->second.busy_until[target] = now + std::min<std::chrono::seconds>(std::chrono::seconds{*seconds}, kLongestRetryAfter);
    drop_gone(peer->second);
}

bool NextHops::is_busy(const std::string& name, const Target& target, TimePoint now) const {
    const auto peer = peers_.find(name);
    if (peer == peers_.end()) return false;
    const auto busy = peer->second.busy_until.find(target);
    return busy != peer->second.busy_until.end() && now < busy->second;
}

void NextHops::located(const Located& in, const Turn& turn) {
    due_.reset();
    for (auto& [name, peer] : peers_)
        for (auto& hop : peer.hops) {
            if (hop.asked != in.location) continue;
            hop.asked.reset();
            hop.located_at = turn.now;
            const auto error = in.targets.empty() && in.error.empty() ? std::string("no address") : in.error;
            // What is known stays in use while the name server is away; the probes judge whether it is still right.
            if (!in.targets.empty()) hop.targets = in.targets;
            if (in.targets.empty() && hop.error.empty())
                turn.out.push_back(
                    line(Level::warn, {}, "next hop not located", {{"uri", hop.hop.uri}, {"reason", error}}, name));
            if (!in.targets.empty() && !hop.error.empty())
                turn.out.push_back(line(Level::info, {}, "next hop located", {{"uri", hop.hop.uri}}, name));
            hop.error = in.targets.empty() ? error : std::string();
            drop_gone(peer);
            if (!peer.probed || !peer.probe_at) continue;
            for (const auto& target : hop.targets)  // new ones do not wait for the next round
                if (!peer.health.contains(target)) probe(name, hop, target, turn);
        }
}

// Probing

void NextHops::tick(const Turn& turn) {
    due_.reset();
    give_up_locating(turn);
    for (auto& [transaction, sent] : probes_)
        if (!sent.missed && sent.silent_at <= turn.now) {
            sent.missed = true;
            missed(sent.peer, sent.target, "no answer", turn);
        }
    auto first = turn.now;
    for (auto& [name, peer] : peers_) {
        if (!peer.probed || peer.hops.empty()) continue;
        if (!peer.probe_at) {
            peer.probe_at = first;
            first += kSpread;
        }
        const bool all = *peer.probe_at <= turn.now;
        if (!all && peer.retry_at > turn.now) continue;
        // In step with the first one, but never several at once after a long sleep.
        while (*peer.probe_at <= turn.now) *peer.probe_at += peer.interval;
        peer.retry_at = turn.now + peer.retry();
        probe(name, peer, all ? Which::all : Which::failed, turn);
    }
}

void NextHops::give_up_locating(const Turn& turn) {
    std::vector<Location> overdue;
    for (const auto& [name, peer] : peers_)
        for (const auto& hop : peer.hops)
            if (hop.asked && hop.asked_at + kLocateIn <= turn.now) overdue.push_back(*hop.asked);
    for (const auto location : overdue) located({location, {}, "no answer in time"}, turn);
}

void NextHops::probe(const std::string& name, Peer& peer, Which which, const Turn& turn) {
    for (auto& hop : peer.hops) {
        if (!hop.hop.address && (which == Which::all || has_failed(peer, hop))) ask(hop, turn);
        for (const auto& target : hop.targets)
            if (which == Which::all || is_down(peer, target)) probe(name, hop, target, turn);
    }
}

void NextHops::probe(const std::string& name, const Hop& hop, const Target& target, const Turn& turn) {
    sip::Request options;
    options.method = "OPTIONS";
    options.uri = uri_of(hop.hop);
    options.from.uri.host = domain_;
    options.from.tag = turn.ids.wire_id();
    options.to.uri = options.uri;
    options.call_id = turn.ids.wire_id();
    options.cseq = 1;
    options.max_forwards = 0;  // for this element and nobody behind it   (RFC 3261 §11)
    const auto transaction = turn.next_transaction();
    auto& peer = peers_.at(name);
    peer.health.try_emplace(target);
    probes_.emplace(transaction, Probe{name, target, turn.now + peer.answer_in});
    turn.out.push_back(SendSip{transaction, std::move(options), target});
}

bool NextHops::on_response(const SipResponseIn& in, const Turn& turn) {
    const auto found = probes_.find(in.transaction);
    if (found == probes_.end()) return false;
    due_.reset();
    const bool none = in.local != LocalFailure::none;
    if (!none && in.response.status != 503) answered(found->second.peer, found->second.target, turn);
    if (in.response.status < 200) return true;
    const auto sent = found->second;
    probes_.erase(found);
    if (!none) refused(sent.peer, sent.target, in.response, turn.now);
    if (sent.missed) return true;
    if (none)
        missed(sent.peer, sent.target, in.local == LocalFailure::timeout ? "no answer" : "transport error", turn);
    else if (in.response.status == 503)
        missed(sent.peer, sent.target, "503", turn);
    return true;
}

void NextHops::answered(const std::string& name, const Target& target, const Turn& turn) {
    const auto peer = peers_.find(name);
    if (peer == peers_.end()) return;
    const auto health = peer->second.health.find(target);
    if (health == peer->second.health.end()) return;
    if (health->second.reach == Reach::down)
        turn.out.push_back(line(Level::info, {}, "next hop up", {{"target", target.text()}}, name));
    health->second = {Reach::up, 0};
}

void NextHops::missed(const std::string& name, const Target& target, const std::string& reason, const Turn& turn) {
    const auto peer = peers_.find(name);
    if (peer == peers_.end()) return;
    const auto health = peer->second.health.find(target);
    if (health == peer->second.health.end() || ++health->second.misses < kMisses || health->second.reach == Reach::down) return;
    health->second.reach = Reach::down;
    turn.out.push_back(line(Level::warn, {}, "next hop down", {{"target", target.text()}, {"reason", reason}}, name));
}

std::optional<TimePoint> NextHops::next_timeout() const {
    if (due_) return *due_;
    std::optional<TimePoint> next;
    for (const auto& entry : peers_) {
        const auto& peer = entry.second;
        if (peer.probed && !peer.hops.empty()) next = earlier(next, peer.probe_at.value_or(TimePoint{}));
        if (peer.probed && peer.probe_at && std::ranges::any_of(peer.hops, [&](const Hop& hop) { return has_failed(peer, hop); }))
            next = earlier(next, peer.retry_at);
        for (const auto& hop : peer.hops)
            if (hop.asked) next = earlier(next, hop.asked_at + kLocateIn);
    }
    for (const auto& [transaction, sent] : probes_)
        if (!sent.missed) next = earlier(next, sent.silent_at);
    due_ = next;
    return next;
}

NextHops::Reach NextHops::reach(const std::string& name) const {
    const auto all = targets(name);
    const auto some = [&](Reach reach) { return std::ranges::any_of(all, [&](const auto& one) { return one.second == reach; }); };
    if (some(Reach::up)) return Reach::up;
    return some(Reach::down) && !some(Reach::unknown) ? Reach::down : Reach::unknown;
}

std::vector<std::pair<std::string, NextHops::Reach>> NextHops::targets(const std::string& name) const {
    std::vector<std::pair<std::string, Reach>> all;
    const auto peer = peers_.find(name);
    if (peer == peers_.end()) return all;
    for (const auto& hop : peer->second.hops)
        for (const auto& target : hop.targets) {
            const auto health = peer->second.health.find(target);
            all.emplace_back(target.text(), health == peer->second.health.end() ? Reach::unknown : health->second.reach);
        }
    return all;
}

}  // namespace stox::engine
