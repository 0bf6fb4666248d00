// What users, or their servers, say to contacts.

#include "mapping/presence/xmpp.h"
#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watcher_work.h"

#include <algorithm>

namespace stox::engine {

namespace {

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

/// Who asks to see the contact may have changed their mind.   (PRES-32)
void forget_refusal(State& state, Watcher* watcher, const xmpp::Presence& presence, TimePoint now, Actions& out) {
    if (!watcher) {
        const auto before = state.watchers.take_remembered(presence.from, presence.to);
        if (before && !std::holds_alternative<presence::watcher::Refused>(*before))
            state.watchers.remember(presence.from, presence.to, *before);
        return;
    }
    if (!watcher->relation.is_refused()) return;
    drive(state, *watcher, now, out, [&](auto& relation, auto& acts) { relation.dropped(kAskAnew, now, acts); });
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

}  // namespace stox::engine
