#include "plugin/engine/dialog_news.h"

#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watch_contacts.h"
#include "plugin/engine/sip_checks.h"

namespace stox::engine {

namespace {

/// A subscription to something that nobody here tells of.
void nobody_tells(State& state, const sip::SubscriptionWanted& wanted, TimePoint now, Actions& out) {
    sip::Reply reply;
    reply.status = 489;
    reply.headers = {{"Allow-Events", "presence"}};
    state.dialogs.deny(wanted.subscription, reply, state.ways(now, out));
}

/// Another method than those of the dialog's usages: it has no meaning there.
void pass_through(const sip::Requested& requested, Actions& out) {
    out.push_back(RespondSip{ServerTransaction{requested.transaction}, not_served()});
}

void tell(State& state, const sip::Action& news, TimePoint now, Actions& out) {
    if (contact_news(state, news, now, out)) return;
    if (watcher_news(state, news, now, out)) return;
    if (const auto* wanted = std::get_if<sip::SubscriptionWanted>(&news)) return nobody_tells(state, *wanted, now, out);
    if (const auto* requested = std::get_if<sip::Requested>(&news)) return pass_through(*requested, out);
    if (const auto* wanted = std::get_if<sip::ReferWanted>(&news)) {
        sip::Reply reply;
        reply.status = 405;
        reply.headers = not_served().headers;
        state.dialogs.deny(wanted->subscription, reply, state.ways(now, out));
    }
}

}  // namespace

void tell_owners(State& state, TimePoint now, Actions& out) {
    for (auto all = state.dialogs.take_news(); !all.empty(); all = state.dialogs.take_news())
        for (const auto& news : all) tell(state, news, now, out);
}

}  // namespace stox::engine
