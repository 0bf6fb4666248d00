// SUBSCRIBEs of contacts to users.

#include "mapping/presence/accept.h"
#include "mapping/presence/pidf.h"
#include "mapping/sip/header_values.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/author.h"
#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watcher_work.h"
#include "plugin/engine/sender.h"

#include <algorithm>

namespace stox::engine {

namespace {

constexpr unsigned kRetryFull_s = 300, kRetryLeaving_s = 10;

struct Subject {
    xmpp::Jid user, contact;  ///< bare
};

sip::Reply reply(int status, std::vector<sip::Header> headers = {}) {
    sip::Reply made;
    made.status = status;
    made.headers = std::move(headers);
    return made;
}

sip::Reply full(int status, unsigned retry_after_s = kRetryFull_s) {
    return reply(status, {{"Retry-After", std::to_string(retry_after_s)}});
}

sip::Reply no_pidf() { return reply(406, {{"Accept", std::string(presence::kPidfType)}}); }

/// Who watches whom, or why not.
std::variant<Subject, sip::Reply> subject_of(State& state, const sip::SubscriptionWanted& wanted, const config::Peer& peer,
                                             TimePoint now, Actions& out) {
    const auto& request = wanted.request;
    if (!presence::accepts_pidf(request)) return no_pidf();
    const auto author = author_of(state.options, peer, request);
    // Nobody can agree to be seen by who does not say who they are.   (RFC 5079)
    if (!author || author->anonymous) return reply(author ? 433 : 403);
    // What came in a dialog was not counted when it came, and would be one more subscription.   (CORE-71)
    if (!request.to.tag.empty() && !state.signal_rates.take(rate_key(*author), now)) return full(503, 1);
    // Inside a dialog the Request-URI is our Contact, and whom it is with stands in To.
    const auto user = user_jid(state.options, request.to.tag.empty() ? request.uri : request.to.uri);
    if (!user) return reply(404);
    auto contact = sender_jid(state, *author, request, state.ids.trace(), out);
    if (!contact) return reply(403);
    return Subject{user.value().bare(), contact.value().bare()};
}

/// Room for one more pair in that group, if need be by the oldest question that nobody waits for. Who may see their user stays.
bool make_room(State& state, Watchers::Whose whose, const std::string& name, bool is_full, TimePoint now, Actions& out) {
    if (!is_full) return true;
    auto* oldest = state.watchers.oldest_idle_stranger(whose, name);
    if (oldest) let_go(state, *oldest, now, out);
    return oldest != nullptr;
}

/// Nothing: a pair that is not known may be, as far as it does not depend on its user, for no answer tells of them.   (PRES-91)
std::optional<sip::Reply> no_room_for_pair(State& state, const Subject& subject, const config::Peer& peer, TimePoint now,
                                           Actions& out) {
    using Whose = Watchers::Whose;
    auto& watchers = state.watchers;
    const auto& limits = state.options.presence;
    const auto author = subject.contact.to_string();
    // What one peer's contacts ask may fill a part of the domain's share, and no more.
    const std::size_t of_peer = std::min<std::size_t>(limits.watchers_per_peer, std::max(limits.relations / 4, 1u));
    const auto has_room = [&](Whose whose, const std::string& name, bool is_full) {
        return make_room(state, whose, name, is_full, now, out);
    };
    if (!has_room(Whose::author, author, watchers.strangers(Whose::author, author) >= Watchers::kStrangersPerAuthor))
        return full(486);
    if (!has_room(Whose::peer, peer.name, watchers.strangers(Whose::peer, peer.name) >= of_peer)) return full(503);
    if (!has_room(Whose::everybody, {}, watchers.size() >= limits.relations)) return full(503);
    return std::nullopt;
}

/// Whether one more contact may watch that user.
bool has_room_at_user(State& state, const xmpp::Jid& user, TimePoint now, Actions& out) {
    const bool is_full = state.watchers.watchers_of(user) >= state.options.presence.watchers_per_user;
    return make_room(state, Watchers::Whose::user, user.to_string(), is_full, now, out);
}

/// As if the user had been asked and said nothing: that somebody has many watchers tells that there is somebody. The dialog layer
/// says the rest by itself.   (PRES-91)
void put_off(State& state, const Subject& subject, sip::UsageKey usage, const config::Peer& peer, TimePoint now, Actions& out) {
    sip::Notification pending;
    pending.state.phase = sip::SubscriptionPhase::pending;
    state.watchers.add_loose_usage(subject.user, subject.contact, usage, peer.name);
    state.dialogs.grant(usage, std::move(pending), state.ways(now, out));
}

/// Nothing: one more subscription of that contact may be. One contact's own wealth is no reason to leave its peer alone, as 503
/// would be.   (RFC 3261 §21.5.4)
std::optional<sip::Reply> no_room_for_subscription(State& state, const Subject& subject, const config::Peer& peer,
                                                   TimePoint now) {
    if (!Dialogs::leaves_room(state.dialogs.dialogs(), state.dialogs.usages())) return full(503);
    state.watchers.forget_over(now, [&state](sip::UsageKey usage) { return !state.dialogs.peer_of(usage); });
    if (state.watchers.usages_of_pair(subject.user, subject.contact) >= Watchers::kPerPair) return full(486);
    if (state.watchers.usages_of_author(subject.contact) >= Watchers::kPerAuthor) return full(486);
    if (state.watchers.usages_of_peer(peer.name) >= state.options.presence.watchers_per_peer) return full(503);
    return std::nullopt;
}

/// A pair that was let go has its question, or its answer, still.
Watcher& add_watcher(State& state, const Subject& subject, TimePoint now, presence::WatcherRelation::Actions& acts) {
    const auto before = state.watchers.take_remembered(subject.user, subject.contact);
    if (!before) return state.watchers.add(subject.user, subject.contact, presence::WatcherRelation(state.stream_up));
    acts.push_back(presence::watcher::Keep{});
    return state.watchers.add(subject.user, subject.contact,
                              presence::WatcherRelation(*before, state.stream_up, now, state.utc_at(now)));
}

void watcher_wanted(State& state, const sip::SubscriptionWanted& wanted, TimePoint now, Actions& out) {
    const auto deny = [&](const sip::Reply& why) { state.dialogs.deny(wanted.subscription, why, state.ways(now, out)); };
    const auto* name = state.dialogs.peer_of(wanted.subscription);
    const auto* peer = name ? state.options.find_peer(*name) : nullptr;
    if (!peer) return deny(reply(403));
    if (state.leaving) return deny(reply(503, {{"Retry-After", std::to_string(kRetryLeaving_s)}}));
    const auto found = subject_of(state, wanted, *peer, now, out);
    if (const auto* why = std::get_if<sip::Reply>(&found)) return deny(*why);
    const auto& subject = std::get<Subject>(found);
    if (const auto why = no_room_for_subscription(state, subject, *peer, now)) return deny(*why);
    const bool is_poll = sip::leading_number(wanted.request.header("Expires")) == 0u;
    presence::WatcherRelation::Actions acts;
    auto* watcher = state.watchers.find(subject.user, subject.contact);
    // The poll of a stranger leaves nothing behind.   (PRES-40)
    if (!watcher && is_poll)
        watcher = &state.watchers.add(subject.user, subject.contact, presence::WatcherRelation(state.stream_up));
    if (!watcher) {
        if (const auto why = no_room_for_pair(state, subject, *peer, now, out)) return deny(*why);
        if (!has_room_at_user(state, subject.user, now, out))
            return put_off(state, subject, wanted.subscription, *peer, now, out);
        watcher = &add_watcher(state, subject, now, acts);
    }
    watcher->peer = peer->name;
    state.watchers.add_usage(*watcher, wanted.subscription, peer->name);
    if (is_poll)
        watcher->relation.poll(wanted.subscription, now, acts);
    else
        watcher->relation.watch(wanted.subscription, now, state.utc_at(now), acts);
    carry_out(state, *watcher, acts, now, out);
}

void watcher_refreshed(State& state, Watcher& watcher, sip::UsageKey usage, TimePoint now, Actions& out) {
    drive(state, watcher, now, out, [&](auto& relation, auto& acts) { relation.refreshed(usage, now, state.utc_at(now), acts); });
}

void watcher_ended(State& state, Watcher& watcher, const sip::SubscriptionEnded& ended, TimePoint now, Actions& out) {
    using Cause = sip::SubscriptionEnded::Cause;
    state.watchers.remove_usage(ended.subscription);
    drive(state, watcher, now, out, [&](auto& relation, auto& acts) {
        relation.ended(ended.subscription, ended.cause == Cause::unsubscribed || ended.cause == Cause::expired, now, acts);
    });
}

}  // namespace

bool watcher_news(State& state, const sip::Action& news, TimePoint now, Actions& out) {
    if (const auto* wanted = std::get_if<sip::SubscriptionWanted>(&news)) {
        if (wanted->event.name != "presence" || state.options.presence.mode == config::PresenceMode::off) return false;
        watcher_wanted(state, *wanted, now, out);
        return true;
    }
    if (const auto* again = std::get_if<sip::SubscriptionRefreshed>(&news)) {
        auto* watcher = state.watchers.find(again->subscription);
        if (watcher) watcher_refreshed(state, *watcher, again->subscription, now, out);
        return watcher != nullptr;
    }
    const auto* ended = std::get_if<sip::SubscriptionEnded>(&news);
    if (!ended) return false;
    auto* watcher = state.watchers.find(ended->subscription);
    if (watcher)
        watcher_ended(state, *watcher, *ended, now, out);
    else
        state.watchers.remove_usage(ended->subscription);
    return watcher != nullptr;
}

std::optional<Refusal> check_refresh(const sip::Request& request) {
    if (request.method != "SUBSCRIBE" || presence::accepts_pidf(request)) return std::nullopt;
    Refusal refusal;
    refusal.response.status = 406;
    refusal.response.headers = no_pidf().headers;
    refusal.why = "takes no PIDF";
    return refusal;
}

}  // namespace stox::engine
