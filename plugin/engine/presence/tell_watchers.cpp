#include "plugin/engine/presence/tell_watchers.h"

#include "mapping/presence/accept.h"
#include "mapping/presence/pidf.h"
#include "mapping/presence/xmpp.h"
#include "mapping/sip/header_values.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/author.h"
#include "plugin/engine/log.h"
#include "plugin/engine/sender.h"

#include <algorithm>

namespace stox::engine {

namespace {

using namespace presence::watcher;

constexpr std::chrono::seconds kComeBack{10};         // after a graceful stop
constexpr std::string_view kAskAnew = "deactivated";  // who waits comes again at once   (RFC 6665 §4.1.3)
constexpr unsigned kRetryFull_s = 300, kRetryLeaving_s = 10;
constexpr std::size_t kAtOnce = 50;                    // relations that a new stream is told of in one turn ...
constexpr std::chrono::milliseconds kReturnEvery{50};  // ... and how soon the next ones follow

xmpp::Presence stanza(const Watcher& watcher, xmpp::PresenceType type, std::string id = {}) {
    xmpp::Presence made;
    made.from = watcher.contact;
    made.to = watcher.user;
    made.type = type;
    made.id = std::move(id);
    return made;
}

/// What a NOTIFY shows of the user. Its time is later than that of the document before.   (PRES-61)
std::optional<WatchedDocument> write_document(State& state, Watcher& watcher, const presence::Presentity& shown, TimePoint now) {
    auto uri = user_uri(state.options, watcher.user);
    if (!uri) return std::nullopt;
    presence::PidfSubject subject{{}, uri.value()};
    auto entity = uri.value();
    entity.scheme = sip::Scheme::pres;
    subject.entity = entity.to_string();
    auto written = presence::write_pidf(shown, subject, state.utc_at(now), watcher.stamp);
    watcher.stamp = written.stamp;
    WatchedDocument made{std::move(written.document)};
    if (!written.content_language.empty()) made.headers = {{"Content-Language", written.content_language}};
    return made;
}

void carry(const std::optional<WatchedDocument>& document, sip::Notification& notification) {
    if (!document) return;
    notification.type = presence::kPidfType;
    notification.body = document->body;
    notification.headers = document->headers;
}

/// What is known, as that subscription has not been told it yet.
sip::Notification active(State& state, Watcher& watcher, sip::UsageKey usage, TimePoint now) {
    sip::Notification made;
    made.own_words = true;
    if (!watcher.relation.is_known()) return made;
    auto& document = watcher.document;
    if (!document || document->told.contains(usage)) {
        auto shown = watcher.known;
        presence::forget_unavailable(shown);
        document = write_document(state, watcher, shown, now);
    }
    if (document) document->told.insert(usage);
    carry(document, made);
    return made;
}

/// The same for all of them; who has gone stands in this one document.   (PRES-52)
sip::Notification news(State& state, Watcher& watcher, TimePoint now) {
    sip::Notification made;
    made.own_words = true;
    if (!watcher.relation.is_known()) return made;
    watcher.document = write_document(state, watcher, watcher.known, now);
    carry(watcher.document, made);
    const auto& all = watcher.known.resources;
    if (!std::ranges::all_of(all, &presence::ResourcePresence::is_available)) {
        watcher.document.reset();
        presence::forget_unavailable(watcher.known);
    } else if (watcher.document) {
        watcher.document->told = watcher.relation.watching();
    }
    return made;
}

void terminate(sip::Notification& notification, std::string_view reason, std::optional<std::chrono::seconds> retry_after = {}) {
    notification.state = {sip::SubscriptionPhase::terminated, {}, std::string(reason), retry_after};
}

WatcherRow row_of(const Watcher& watcher) {
    WatcherRow row{watcher.user, watcher.contact};
    row.peer = watcher.peer;
    const auto& state = watcher.relation.state();
    if (const auto* asked = std::get_if<Asked>(&state)) row.said = WatcherRow::Said::asked, row.at = asked->at;
    if (const auto* refused = std::get_if<presence::watcher::Refused>(&state))
        row.said = WatcherRow::Said::refused, row.at = refused->until;
    return row;
}

presence::watcher::State state_of(const WatcherRow& row) {
    switch (row.said) {
        case WatcherRow::Said::granted:
            return Granted{};
        case WatcherRow::Said::asked:
            return Asked{row.at};
        case WatcherRow::Said::refused:
            return presence::watcher::Refused{row.at};
    }
    return None{};
}

/// What one input to a relation wants done.
class Doing {
public:
    Doing(State& state, Watcher& watcher, TimePoint now, Actions& out)
        : state_(state), watcher_(watcher), now_(now), out_(out), ways_(state.ways(now, out)) {}

    void operator()(const Grant& act) {
        auto first = act.active ? active(state_, watcher_, act.usage, now_) : sip::Notification{};
        first.own_words = true;
        if (!act.active) first.state.phase = sip::SubscriptionPhase::pending;
        state_.dialogs.grant(act.usage, std::move(first), ways_);
    }
    void operator()(const Repeat& act) {
        auto again = act.active ? active(state_, watcher_, act.usage, now_) : sip::Notification{};
        if (!act.active) again.state.phase = sip::SubscriptionPhase::pending;
        state_.dialogs.publish(act.usage, std::move(again), ways_);
    }
    void operator()(const Accept& act) { state_.dialogs.accept(act.poll, ways_); }
    void operator()(const Answer& act) {
        auto only = act.tells ? active(state_, watcher_, act.poll, now_) : sip::Notification{};
        terminate(only, "timeout");
        state_.dialogs.publish(act.poll, std::move(only), ways_);
        state_.watchers.remove_usage(act.poll);
    }
    void operator()(const Publish&) { publish(); }
    void operator()(const Activate&) { publish(); }
    void operator()(const Terminate& act) {
        sip::Notification last;
        terminate(last, act.reason, act.retry_after);
        state_.dialogs.publish(act.usage, std::move(last), ways_);
        state_.watchers.remove_usage(act.usage);
    }
    void operator()(const SayClosed& act) {
        sip::Notification last;
        if (watcher_.relation.is_granted()) carry(write_document(state_, watcher_, {}, now_), last);
        terminate(last, "timeout");
        state_.dialogs.publish(act.usage, std::move(last), ways_);
    }
    void operator()(const AskUser&) {
        watcher_.question = state_.ids.wire_id();
        send(xmpp::PresenceType::subscribe, watcher_.question);
    }
    void operator()(const ProbeUser&) {
        watcher_.probe = state_.ids.wire_id();
        send(xmpp::PresenceType::probe, watcher_.probe);
        watcher_.probed = now_;
    }
    void operator()(const TellUnavailable&) {
        // What the contact itself lets the user see counts more.   (PRES-39)
        const auto* seen = state_.contacts.find(watcher_.user, watcher_.contact);
        if (!seen || seen->shown.shown().empty()) send(xmpp::PresenceType::unavailable);
    }
    void operator()(const Keep&) {
        if (watcher_.key.empty()) watcher_.key = state_.ids.wire_id();
        auto row = row_of(watcher_);
        const auto said = row.said;
        state_.commits.update({Collection::watchers, watcher_.key, std::move(row)}, now_);
        if (said != WatcherRow::Said::granted) forget_known();
        note(said == WatcherRow::Said::granted ? "granted" : said == WatcherRow::Said::asked ? "asked" : "refused");
    }
    void operator()(const Erase&) {
        if (!watcher_.key.empty()) state_.commits.erase(Collection::watchers, std::exchange(watcher_.key, {}), now_);
        forget_known();
        note("ended");
    }

private:
    void note(const char* what) {
        out_.push_back(line(Level::info, {}, "watcher",
                            {{"state", what}, {"user", watcher_.user.to_string()}, {"contact", watcher_.contact.to_string()}}));
    }
    void publish() {
        const auto notification = news(state_, watcher_, now_);
        for (const auto usage : watcher_.relation.watching()) state_.dialogs.publish(usage, notification, ways_);
    }
    void forget_known() {
        watcher_.known = {};
        watcher_.document.reset();
    }
    void send(xmpp::PresenceType type, std::string id = {}) {
        if (state_.stream_up) out_.push_back(SendStanza{stanza(watcher_, type, std::move(id))});
    }

    State& state_;
    Watcher& watcher_;
    TimePoint now_;
    Actions& out_;
    Ways ways_;
};

/// Then the relation may be gone.
void carry_out(State& state, Watcher& watcher, const presence::WatcherRelation::Actions& acts, TimePoint now, Actions& out) {
    Doing doing(state, watcher, now, out);
    for (const auto& act : acts) std::visit(doing, act);
    if (watcher.relation.is_over()) return state.watchers.remove(watcher);
    state.watchers.settle(watcher);
    state.watchers.set_due(watcher, watcher.relation.next_timeout());
}

// SUBSCRIBE

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

/// A relation without dialogs whose user has not agreed makes room; what was said of it is remembered.
void let_go(State& state, Watcher& watcher, TimePoint now, Actions& out) {
    state.watchers.remember(watcher.user, watcher.contact, watcher.relation.state());
    Doing{state, watcher, now, out}(Erase{});
    state.watchers.remove(watcher);
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
    acts.push_back(Keep{});
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
        if (!has_room_at_user(state, subject.user, now, out)) return put_off(state, subject, wanted.subscription, *peer, now, out);
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
    presence::WatcherRelation::Actions acts;
    watcher.relation.refreshed(usage, now, state.utc_at(now), acts);
    carry_out(state, watcher, acts, now, out);
}

void watcher_ended(State& state, Watcher& watcher, const sip::SubscriptionEnded& ended, TimePoint now, Actions& out) {
    using Cause = sip::SubscriptionEnded::Cause;
    state.watchers.remove_usage(ended.subscription);
    presence::WatcherRelation::Actions acts;
    watcher.relation.ended(ended.subscription, ended.cause == Cause::unsubscribed || ended.cause == Cause::expired, now, acts);
    carry_out(state, watcher, acts, now, out);
}

// What a user shows

/// The state of one resource in the place of what was known of it; the bare address speaks for all of them.
void learn(presence::Presentity& known, presence::ResourcePresence news) {
    auto& all = known.resources;
    if (news.resource.empty() && !news.is_available()) {
        for (auto& one : all) one = {.resource = one.resource, .availability = presence::Availability::unavailable};
        return;
    }
    const auto same = std::ranges::find(all, news.resource, &presence::ResourcePresence::resource);
    if (same != all.end()) {
        auto before = *same;
        before.since = news.since;
        if (before == news) return;  // told again; since when it is so, is known
        *same = std::move(news);
    } else if (news.is_available())
        all.push_back(std::move(news));
    presence::put_in_order(known);
}

void user_shown(State& state, Watcher& watcher, const xmpp::Presence& presence, presence::WatcherRelation::Actions& acts,
                TimePoint now) {
    auto news = presence::read_presence(presence);
    if (!news || !watcher.relation.is_granted()) return;
    if (!news->since) news->since = state.utc_at(now);
    auto known = watcher.relation.is_known() ? watcher.known : presence::Presentity{};
    learn(known, std::move(*news));
    if (watcher.relation.is_known() && known == watcher.known) return;
    watcher.known = std::move(known);
    watcher.document.reset();
    watcher.relation.told(now, acts);
}

/// A server answers the probe of who may not see its user with `unsubscribed`, which has no id. It takes back what was granted,
/// and is nobody's no: a user who was asked after that probe has not answered yet. Each such answer is to one probe; presence is
/// to all.
bool takes_back(State& state, Watcher* watcher, const xmpp::Presence& presence, TimePoint now) {
    auto* seen = state.contacts.find(presence.from, presence.to);
    const auto take = [now](std::optional<TimePoint>& probed) {
        const auto at = std::exchange(probed, std::nullopt);
        return at && now < *at + Contacts::kProbeAnswer;
    };
    switch (presence.type) {
        case xmpp::PresenceType::unsubscribed:
            return (watcher && take(watcher->probed)) || (seen && take(seen->probed));
        case xmpp::PresenceType::available:
        case xmpp::PresenceType::unavailable:
            if (watcher) watcher->probed.reset();
            if (seen) seen->probed.reset();
            return false;
        default:
            return false;
    }
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

namespace {

/// Who asks to see the contact may have changed their mind.   (PRES-32)
void forget_refusal(State& state, Watcher* watcher, const xmpp::Presence& presence, TimePoint now, Actions& out) {
    if (!watcher) {
        const auto before = state.watchers.take_remembered(presence.from, presence.to);
        if (before && !std::holds_alternative<presence::watcher::Refused>(*before))
            state.watchers.remember(presence.from, presence.to, *before);
        return;
    }
    if (!watcher->relation.is_refused()) return;
    presence::WatcherRelation::Actions acts;
    watcher->relation.dropped(kAskAnew, now, acts);
    carry_out(state, *watcher, acts, now, out);
}

/// The answer to a question whose relation was let go. Who has agreed is asked once more when the contact comes again: then it is
/// their server that answers.   (RFC 6121 §3.1.3)
void answered_late(State& state, const xmpp::Presence& presence, TimePoint now) {
    const bool no = presence.type == xmpp::PresenceType::unsubscribed;
    if (!no && presence.type != xmpp::PresenceType::subscribed) return;
    if (!state.watchers.take_remembered(presence.from, presence.to) || !no) return;
    const auto until = state.utc_at(now) + presence::WatcherRelation::kRefusedFor;
    state.watchers.remember(presence.from, presence.to, presence::watcher::Refused{until});
}

}  // namespace

void tell_watchers(State& state, const xmpp::Presence& presence, TimePoint now, Actions& out) {
    auto* watcher = state.watchers.find(presence.from, presence.to);
    const bool is_taken_back = takes_back(state, watcher, presence, now);
    if (presence.type == xmpp::PresenceType::subscribe) return forget_refusal(state, watcher, presence, now, out);
    if (is_taken_back && (!watcher || watcher->relation.stranger_since())) return;
    if (!watcher) return answered_late(state, presence, now);
    presence::WatcherRelation::Actions acts;
    switch (presence.type) {
        case xmpp::PresenceType::subscribed:
            watcher->relation.approved(now, acts);
            break;
        case xmpp::PresenceType::unsubscribed:
            if (is_taken_back)
                watcher->relation.dropped("rejected", now, acts);
            else
                watcher->relation.denied(now, state.utc_at(now), acts);
            break;
        case xmpp::PresenceType::available:
        case xmpp::PresenceType::unavailable:
            user_shown(state, *watcher, presence, acts, now);
            break;
        case xmpp::PresenceType::error:
            // Whatever else of this pair comes back is somebody else's.
            if (presence.error && !presence.id.empty() && (presence.id == watcher->question || presence.id == watcher->probe))
                watcher->relation.failed(presence.error->condition, now, acts);
            break;
        default:
            return;
    }
    carry_out(state, *watcher, acts, now, out);
}

void watchers_stream_up(State& state, TimePoint now) {
    auto& watchers = state.watchers;
    watchers.returning.clear();
    for (const auto* watcher : watchers.all()) watchers.returning.push_back(watcher->number);
    if (!watchers.returning.empty()) watchers.return_at = now;
}

void watchers_stream_down(State& state, TimePoint now, Actions& out) {
    state.watchers.returning.clear();
    state.watchers.return_at.reset();
    for (auto* watcher : state.watchers.all()) {
        presence::WatcherRelation::Actions acts;
        watcher->relation.stream_lost(now, acts);
        carry_out(state, *watcher, acts, now, out);
    }
}

namespace {

void go_on_returning(State& state, TimePoint now, Actions& out) {
    auto& watchers = state.watchers;
    for (std::size_t told = 0; told < kAtOnce && !watchers.returning.empty(); ++told) {
        auto* watcher = watchers.find(watchers.returning.front());
        watchers.returning.pop_front();
        if (!watcher) continue;
        presence::WatcherRelation::Actions acts;
        watcher->relation.stream_back(now, acts);
        carry_out(state, *watcher, acts, now, out);
    }
    watchers.return_at = watchers.returning.empty() ? std::nullopt : std::optional(now + kReturnEvery);
}

}  // namespace

void watchers_tick(State& state, TimePoint now, Actions& out) {
    for (const auto number : std::exchange(state.watchers.cancelled, {})) {
        auto* watcher = state.watchers.find(number);
        if (!watcher) continue;
        presence::WatcherRelation::Actions acts;
        watcher->relation.dropped(kAskAnew, now, acts);
        carry_out(state, *watcher, acts, now, out);
    }
    if (state.watchers.return_at && *state.watchers.return_at <= now) go_on_returning(state, now, out);
    while (auto* watcher = state.watchers.take_due(now)) {
        presence::WatcherRelation::Actions acts;
        watcher->relation.tick(now, acts);
        carry_out(state, *watcher, acts, now, out);
    }
}

void watchers_configure(State& state, TimePoint now, Actions& out) {
    const bool off = state.options.presence.mode == config::PresenceMode::off;
    for (auto* watcher : state.watchers.all()) watcher->document.reset();  // users may have other addresses now
    for (const auto usage :
         state.watchers.usages([&](const std::string& peer) { return off || !state.options.find_peer(peer); })) {
        auto* watcher = state.watchers.find(usage);
        sip::Notification last;
        terminate(last, "noresource");
        state.dialogs.publish(usage, std::move(last), state.ways(now, out));
        state.watchers.remove_usage(usage);
        if (!watcher) continue;
        presence::WatcherRelation::Actions acts;
        watcher->relation.ended(usage, false, now, acts);
        carry_out(state, *watcher, acts, now, out);
    }
}

void watchers_leave(State& state, bool for_good, TimePoint now, Actions& out) {
    const auto ways = state.ways(now, out);
    for (const auto usage : state.watchers.usages([](const std::string&) { return true; })) {
        sip::Notification last;
        terminate(last, for_good ? "noresource" : "probation", for_good ? std::nullopt : std::optional(kComeBack));
        state.dialogs.publish(usage, std::move(last), ways);
        if (!state.watchers.find(usage)) state.watchers.remove_usage(usage);
    }
    for (auto* watcher : state.watchers.all()) {
        if (for_good && !watcher->key.empty()) state.commits.erase(Collection::watchers, watcher->key, now);
        state.watchers.remove(*watcher);
    }
    state.watchers.return_at.reset();
}

namespace {

/// The contact came before the store was read, and the user was asked: what they said before holds.
void restore_into(State& state, Watcher& watcher, const WatcherRow& row, TimePoint now, Actions& out) {
    if (row.said != WatcherRow::Said::granted || !watcher.relation.asked()) return;
    presence::WatcherRelation::Actions acts;
    watcher.relation.approved(now, acts);
    carry_out(state, watcher, acts, now, out);
}

}  // namespace

void restore_watcher(State& state, std::string key, WatcherRow row, TimePoint now, Actions& out) {
    if (auto* watcher = state.watchers.find(row.user, row.contact)) {
        restore_into(state, *watcher, row, now, out);
        return state.commits.erase(Collection::watchers, std::move(key), now);
    }
    presence::WatcherRelation relation(state_of(row), state.stream_up, now, state.utc_at(now));
    auto& watcher = state.watchers.add(row.user, row.contact, std::move(relation));
    watcher.key = std::move(key);
    watcher.peer = std::move(row.peer);
    state.watchers.settle(watcher);
    state.watchers.set_due(watcher, watcher.relation.next_timeout());
}

}  // namespace stox::engine
