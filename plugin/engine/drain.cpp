#include "plugin/engine/drain.h"

#include "plugin/engine/outbox.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watch_contacts.h"

namespace stox::engine {

namespace {

std::vector<RequestId> requests(const State& state, auto wanted) {
    std::vector<RequestId> ids;
    for (const auto* outgoing : state.messages.all())
        if (outgoing->stored && wanted(*outgoing)) ids.push_back(outgoing->id);
    return ids;
}

bool is_on_its_way(const State& state, RequestId id) { return state.messages.is_in_progress(id) && state.outbound.has_left(id); }

std::size_t on_their_way(const State& state) {
    return requests(state, [&](const Outgoing& one) { return is_on_its_way(state, one.id); }).size();
}

}  // namespace

void begin_drain(State& state, Shutdown::Why why, TimePoint now, Actions& out) {
    if (state.leaving) return;
    state.leaving = {now + kDrain, why == Shutdown::Why::removed};
    for (const auto id : requests(state, [&](const Outgoing& one) { return !is_on_its_way(state, one.id); })) {
        state.outbound.cancel(id);
        state.messages.put_back(id);
        if (state.leaving->for_good) abandon(state, id, now, out);
    }
    contacts_leave(state, now, out);
    watchers_leave(state, state.leaving->for_good, now, out);
    state.hops.configure({});
    // Nobody will hear more of what was delivered.
    if (!state.leaving->for_good) return;
    for (auto& key : state.receipts.clear()) state.commits.erase(Collection::receipts, std::move(key), now);
    forget_requests(state, state.delivered.clear(), now);
}

void drain_over(State& state, TimePoint now, Actions& out) {
    state.leaving->over = true;
    if (state.leaving->for_good)
        for (const auto id : requests(state, [](const Outgoing&) { return true; })) abandon(state, id, now, out);
}

bool is_drained(const State& state) {
    if (!state.leaving) return false;
    if (state.leaving->over)  // but what was told at the end is waited for, as long as whoever removes the domain will
        return !state.leaving->for_good || !state.stream_up || (state.owed.size() == 0 && state.commits.is_idle());
    // Without a stream nothing of what is kept can leave.
    const bool settled = !state.stream_up || (state.inbox.size() == 0 && state.owed.size() == 0);
    return settled && state.inbox.unanswered() == 0 && state.commits.is_idle() && state.messages.unstored() == 0 &&
           on_their_way(state) == 0;
}

}  // namespace stox::engine
