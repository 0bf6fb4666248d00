#include "plugin/engine/sip_requests.h"

#include "plugin/engine/addressing.h"
#include "plugin/engine/author.h"
#include "plugin/engine/log.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/peers.h"
#include "plugin/engine/presence/publish.h"
#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watch_contacts.h"
#include "plugin/engine/sip_checks.h"

namespace stox::engine {

namespace {

constexpr std::chrono::seconds kTellAgain{10};
constexpr unsigned kRetryCongested_s = 2;

sip::Response status(int code) {
    sip::Response response;
    response.status = code;
    return response;
}

void refuse(const SipRequestIn& in, Refusal refusal, Trace trace, const std::string& peer, Actions& out) {
    // A challenge is how every authenticated request begins.
    const bool challenge = refusal.response.status == 401 && !refusal.security;
    auto told = line(refusal.security ? Level::warn
                       : challenge      ? Level::debug
                                        : Level::info,
                       trace, refusal.security ? "security event=refused" : "request refused",
                       {{"method", in.request.method},
                        {"src", in.source.to_string()},
                        {"transport", std::string(to_string(in.transport))},
                        {"from", in.request.from.uri.to_string()},
                        {"status", std::to_string(refusal.response.status)},
                        {"reason", refusal.why}},
                       peer);
    if (refusal.security) told.stranger = in.source.address;
    out.push_back(std::move(told));
    if (refusal.counts) out.push_back(Refused{in.source.address, in.transport});
    out.push_back(RespondSip{in.transaction, std::move(refusal.response)});
}

using Whose = std::variant<const config::Peer*, Refusal>;

/// The peer that the sender is, with what it has proven.
Whose peer_of(State& state, const Sender& sender, TimePoint now) {
    const auto found = match(state.options, sender);
    if (found.peer) return found.peer;
    if (found.several) return Refusal{status(403), "certificate of several peers", true, true};
    // Whoever has not tried yet may prove to be somebody; that alone bans nobody.
    if (sender.user.empty() && has_digest_users(state.options))
        return Refusal{state.authentication.challenge(now, false), "not authenticated", false, false};
    return Refusal{status(403), sender.user.empty() ? "source is no peer" : "user of no peer", true, true};
}

/// Whose request it is, or why it is nobody's.
Whose identify(State& state, const SipRequestIn& in, TimePoint now) {
    Sender sender{in.source.address, in.tls, {}};
    // Nobody is asked for a password that would not help: stox is no registrar.
    if (in.request.method == "REGISTER" && !match(state.options, sender).peer)
        return Refusal{status(403), "no registrar", true, true};
    const auto verdict = state.authentication.verify(in.request, state.secrets.users, now);
    if (const auto* accepted = std::get_if<sip::digest::Accepted>(&verdict)) sender.user = accepted->user;
    // What claims to be somebody and is not is refused even from where nobody needs to prove anything.
    if (const auto* wrong = std::get_if<sip::digest::Wrong>(&verdict)) {
        // A proxy that forks a request to two of our addresses repeats its nonce count as well.
        const bool counts = wrong->reason != sip::digest::Reason::replay;
        return Refusal{state.authentication.challenge(now, false),
                       "wrong credentials: " + std::string(sip::digest::to_string(wrong->reason)), true, counts};
    }
    if (std::holds_alternative<sip::digest::Stale>(verdict))
        return Refusal{state.authentication.challenge(now, true), "stale nonce", false, false};
    return peer_of(state, sender, now);
}

/// Whether the peer asks for more than limits.per_second; told to the operator once in a while.   (CORE-71)
bool is_too_fast(State& state, const config::Peer& peer, TimePoint now, Actions& out) {
    const auto rate = state.rates.find(peer.name);
    if (rate == state.rates.end() || rate->second.bucket.take(now)) return false;
    auto& [bucket, told, refused] = rate->second;
    ++refused;
    if (told && now < *told + kTellAgain) return true;
    out.push_back(
        line(Level::warn, {}, "requests refused reason=limits.per_second", {{"count", std::to_string(refused)}}, peer.name));
    told = now;
    refused = 0;
    return true;
}

/// OPTIONS: the gateway itself, a user of ours, or one of our dialogs is there.   (CORE-34)
sip::Response answer_options(const State& state, const sip::Request& request) {
    if (request.uri.user == state.dialogs.token()) return capabilities();
    if (!request.uri.user.empty() && !user_jid(state.options, request.uri)) return status(404);
    return capabilities();
}

/// Who its sender says to be is of no account there: the dialog was made by somebody of that peer.   (RFC 3261 §12.2.2)
void on_request_inside(State& state, const SipRequestIn& in, const config::Peer& peer, Trace trace, TimePoint now, Actions& out) {
    const auto* with = state.dialogs.peer_of(in.request);
    if (auto refusal = check_inside(in.request, with != nullptr)) return refuse(in, std::move(*refusal), trace, peer.name, out);
    if (*with != peer.name)
        return refuse(in, {status(403), "a dialog with another peer", true, false}, trace, peer.name, out);
    if (auto refusal = refuse_notify(state, in.request))
        return refuse(in, {std::move(*refusal), "a notification that cannot be read", false, false}, trace, peer.name, out);
    if (auto refusal = check_refresh(in.request)) return refuse(in, std::move(*refusal), trace, peer.name, out);
    state.dialogs.receive(in, peer.name, state.ways(now, out));
}

void on_publish(State& state, const SipRequestIn& in, const config::Peer& peer, const Author& author, Trace trace, TimePoint now,
                Actions& out) {
    auto answer = publish(state, in.request, peer, author, now);
    if (auto* refusal = std::get_if<Refusal>(&answer)) return refuse(in, std::move(*refusal), trace, peer.name, out);
    auto& taken = std::get<sip::Response>(answer);
    if (state.details)
        out.push_back(line(Level::debug, trace, "published",
                           {{"from", in.request.from.uri.to_string()}, {"expires", *taken.header("Expires")}}, peer.name));
    out.push_back(RespondSip{in.transaction, std::move(taken)});
}

/// What is answered at once and asks nobody (PRES-105): SUBSCRIBE begins something of the dialog layer's, PUBLISH says something.
void on_presence(State& state, const SipRequestIn& in, const config::Peer& peer, const Author& author, Trace trace, TimePoint now,
                 Actions& out) {
    const auto key = MergedRequests::key(in.request);
    if (state.merged_subscribes.seen(key, {}, now).as != MergedRequests::Seen::As::first)
        return refuse(in, {status(482), "a copy of a request that came another way", false, false}, trace, peer.name, out);
    if (in.request.method == "PUBLISH") return on_publish(state, in, peer, author, trace, now, out);
    state.dialogs.receive(in, peer.name, state.ways(now, out));
}

}  // namespace

void on_sip_request(State& state, const SipRequestIn& in, TimePoint now, Actions& out) {
    if (in.request.method == "ACK") return;  // nothing answers an ACK
    const Trace trace = state.ids.trace();
    auto whose = identify(state, in, now);
    if (auto* refusal = std::get_if<Refusal>(&whose)) return refuse(in, std::move(*refusal), trace, {}, out);
    const auto& peer = *std::get<const config::Peer*>(whose);

    const bool inside = !in.request.to.tag.empty() && in.request.method != "OPTIONS";
    // 480 would end the subscription whose dialog it is in; 503 ends nothing.   (RFC 5057 §5.1, RFC 6665 §4.1.2.2)
    const auto kind = inside ? config::PeerKind::proxy : peer.kind;
    if (in.congested || (state.draining && !inside)) return out.push_back(RespondSip{in.transaction, try_later(kind, kRetryCongested_s)});
    if (in.request.method != "OPTIONS" && is_too_fast(state, peer, now, out))
        return out.push_back(RespondSip{in.transaction, try_later(kind, 1)});
    // Its Call-ID and tag are ours and nobody can guess them, so whatever it says of its author it is our own.   (CORE-69)
    if (state.loops.is_ours(in.request))
        return refuse(in, {status(482), "a request of ours has come back", false, false}, trace, peer.name, out);
    if (inside) return on_request_inside(state, in, peer, trace, now, out);
    const auto author = author_of(state.options, peer, in.request);
    const int no_user = state.options.scheme == config::AddressScheme::phone ? 484 : 404;  // a number that is not complete
    if (auto refusal = check_request(in.request, author.has_value(), no_user))
        return refuse(in, std::move(*refusal), trace, peer.name, out);
    if (author && state.user_rates.is_blocked(rate_key(*author)))
        return refuse(in, {status(403), "an administrator has blocked this user", false, false}, trace, peer.name, out);
    if (in.request.method == "OPTIONS") return out.push_back(RespondSip{in.transaction, answer_options(state, in.request)});
    auto& rates = in.request.method == "MESSAGE" ? state.user_rates : state.signal_rates;
    if (!rates.take(rate_key(*author), now))
        return out.push_back(RespondSip{in.transaction, try_later(peer.kind, 1)});
    if (in.request.method != "MESSAGE") return on_presence(state, in, peer, *author, trace, now, out);
    deliver_to_xmpp(state, in, peer, *author, trace, now, out);
}

}  // namespace stox::engine
