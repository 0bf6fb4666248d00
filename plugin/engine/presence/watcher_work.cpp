#include "plugin/engine/presence/watcher_work.h"

#include "plugin/engine/log.h"
#include "plugin/engine/presence/watched_document.h"

namespace stox::engine {

namespace {

using namespace presence::watcher;

xmpp::Presence stanza(const Watcher& watcher, xmpp::PresenceType type, std::string id = {}) {
    xmpp::Presence made;
    made.from = watcher.contact;
    made.to = watcher.user;
    made.type = type;
    made.id = std::move(id);
    return made;
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

/// What one input to a relation wants done.
class Doing {
public:
    Doing(State& state, Watcher& watcher, TimePoint now, Actions& out)
        : state_(state), watcher_(watcher), now_(now), out_(out), ways_(state.ways(now, out)) {}

    void operator()(const Grant& act) {
        auto first = act.active ? active_notification(state_, watcher_, act.usage, now_) : sip::Notification{};
        first.own_words = true;
        if (!act.active) first.state.phase = sip::SubscriptionPhase::pending;
        state_.dialogs.grant(act.usage, std::move(first), ways_);
    }
    void operator()(const Repeat& act) {
        auto again = act.active ? active_notification(state_, watcher_, act.usage, now_) : sip::Notification{};
        if (!act.active) again.state.phase = sip::SubscriptionPhase::pending;
        state_.dialogs.publish(act.usage, std::move(again), ways_);
    }
    void operator()(const Accept& act) { state_.dialogs.accept(act.poll, ways_); }
    void operator()(const Answer& act) {
        auto only = act.tells ? active_notification(state_, watcher_, act.poll, now_) : sip::Notification{};
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
        if (watcher_.relation.is_granted()) carry_document(write_document(state_, watcher_, {}, now_), last);
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
        const auto notification = news_notification(state_, watcher_, now_);
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

}  // namespace

void carry_out(State& state, Watcher& watcher, const presence::WatcherRelation::Actions& acts, TimePoint now, Actions& out) {
    Doing doing(state, watcher, now, out);
    for (const auto& act : acts) std::visit(doing, act);
    if (watcher.relation.is_over()) return state.watchers.remove(watcher);
    state.watchers.settle(watcher);
    state.watchers.set_due(watcher, watcher.relation.next_timeout());
}

void let_go(State& state, Watcher& watcher, TimePoint now, Actions& out) {
    state.watchers.remember(watcher.user, watcher.contact, watcher.relation.state());
    Doing{state, watcher, now, out}(Erase{});
    state.watchers.remove(watcher);
}

}  // namespace stox::engine
