#include "mapping/presence/watcher_table.h"

#include "mapping/core/transitions.h"

#include <algorithm>
#include <utility>

namespace stox::presence::watcher {

namespace {

using Relation = WatcherRelation;

// ---- What happens on the way ----

void ask(Scope& scope) {
    scope.parts.unsent = !scope.parts.stream_up;
    scope.parts.ask_after.reset();
    if (scope.parts.stream_up) scope.act(AskUser{});
}

/// Now, and for as long as anybody waits for the answer.
Asked question(Scope& scope, UtcTime utc) {
    ask(scope);
    scope.act(Keep{});
    scope.parts.give_up_at = scope.now + Relation::kPendingFor;
    return {utc};
}

/// Not again and again: each phone that comes would make one.
void probe(Scope& scope) {
    auto& parts = scope.parts;
    parts.probe_at.reset();
    if (!parts.stream_up || (parts.probed && scope.now < *parts.probed + Relation::kProbeGap)) return;
    parts.probed = scope.now;
    scope.act(ProbeUser{});
}

void hold_until(Scope& scope, TimePoint at) {
    auto& due = scope.parts.publish_at;
    if (!due || at < *due) due = at;
}

void answer_polls(Scope& scope, bool tells) {
    for (const auto& [poll, due] : scope.parts.polls) scope.act(Answer{poll, tells});
    scope.parts.polls.clear();
}

void terminate_all(Scope& scope, const WatcherEnding& ending) {
    auto& parts = scope.parts;
    for (const auto usage : parts.watching) scope.act(Terminate{usage, ending.reason, ending.retry_after});
    parts.watching.clear();
    answer_polls(scope, false);
    parts.publish_at.reset();
    parts.probe_at.reset();
}

void forget_state(Parts& parts) {
    parts.known = false;
    parts.publish_at.reset();
    parts.probed.reset();
}

bool gone(Scope& scope, const Left& event) {
    auto& parts = scope.parts;
    if (parts.polls.erase(event.usage) != 0) return false;
    if (parts.watching.erase(event.usage) == 0) return false;
    if (event.wants_word) scope.act(SayClosed{event.usage});
    if (parts.watching.empty()) parts.publish_at.reset(), parts.probe_at.reset();
    return true;
}

// ---- Nobody was asked ----

Asked first_watch(const None&, const Watch& event, Scope& scope) {
    scope.parts.watching.insert(event.usage);
    scope.act(Grant{event.usage, false});
    return question(scope, event.utc);
}

/// A phone that waits on in its dialog asks as one that comes again does.   (PRES-32)
Asked first_refresh(const None&, const Refreshed& event, Scope& scope) {
    scope.act(Repeat{event.usage, false});
    return question(scope, event.utc);
}

/// Whoever may see nothing hears the same, whether there is such a user or not; and nobody is asked for it.   (PRES-40)
template <class From>
From poll_of_a_stranger(const From& state, const Poll& event, Scope& scope) {
    scope.act(Answer{event.usage, false});
    return state;
}

template <class From, bool Active>
From refreshed(const From& state, const Refreshed& event, Scope& scope) {
    scope.act(Repeat{event.usage, Active});
    return state;
}

// ---- The user was asked ----

/// What did not reach the user may do so now.
void ask_after_failure(Scope& scope) {
    const auto after = scope.parts.ask_after;
    if (after && scope.now >= *after) ask(scope);
}

Asked watch_again(const Asked& state, const Watch& event, Scope& scope) {
    scope.parts.watching.insert(event.usage);
    scope.act(Grant{event.usage, false});
    if (event.utc < state.at + Relation::kAskAgain) {
        ask_after_failure(scope);
        return state;
    }
    return question(scope, event.utc);
}

template <class From>
Granted approved(const From&, const Approved&, Scope& scope) {
    auto& parts = scope.parts;
    parts.unsent = false;
    parts.known = false;
    scope.act(Keep{});
    if (parts.watching.empty()) return {};
    scope.act(Activate{});
    parts.probe_at = scope.now + Relation::kProbeAfter;
    return {};
}

template <class From>
Refused denied(const From&, const Denied& event, Scope& scope) {
    terminate_all(scope, {"rejected"});
    forget_state(scope.parts);
    scope.parts.unsent = false;
    scope.parts.give_up_at = scope.now + Relation::kRefusedFor;
    scope.act(Keep{});
    return {event.utc + Relation::kRefusedFor};
}

// It never reached the user. Whoever waits hears as little of it as of a user who says nothing: an end of it would tell who is
// missing from who is silent.   (PRES-91)
Asked not_asked(const Asked& state, const Failed&, Scope&) { return state; }

Asked not_asked_now(const Asked& state, const Interrupted&, Scope& scope) {
    scope.parts.ask_after = scope.now + Relation::kAskAfterFailure;
    return state;
}

Asked refreshed_unanswered(const Asked& state, const Refreshed& event, Scope& scope) {
    ask_after_failure(scope);
    return refreshed<Asked, false>(state, event, scope);
}

template <class From>
From left_unanswered(const From& state, const Left& event, Scope& scope) {
    gone(scope, event);
    return state;
}

Asked ask_now(const Asked& state, const StreamBack&, Scope& scope) {
    scope.parts.stream_up = true;
    if (scope.parts.unsent) ask(scope);
    return state;
}

template <class From>
None gave_up(const From&, const GaveUp&, Scope& scope) {
    scope.act(Erase{});
    return {};
}

template <class From>
None dropped(const From&, const Dropped& event, Scope& scope) {
    terminate_all(scope, {event.reason});
    forget_state(scope.parts);
    scope.parts.unsent = false;
    scope.parts.ask_after.reset();
    scope.act(Erase{});
    return {};
}

// ---- The user said no ----

/// As to everybody of whom nothing is known.   (PRES-91)
Refused watch_in_vain(const Refused& state, const Watch& event, Scope& scope) {
    scope.parts.watching.insert(event.usage);
    scope.act(Grant{event.usage, false});
    return state;
}

/// A server that says it again has nothing to say to anybody.
Refused denied_again(const Refused& state, const Denied& event, Scope& scope) {
    return scope.parts.watching.empty() ? state : denied(state, event, scope);
}

None forgotten(const Refused&, const Forgotten&, Scope&) { return {}; }

// ---- The user has agreed ----

Granted watch(const Granted&, const Watch& event, Scope& scope) {
    auto& parts = scope.parts;
    parts.watching.insert(event.usage);
    scope.act(Grant{event.usage, true});
    if (!parts.known) probe(scope);
    return {};
}

Granted poll(const Granted&, const Poll& event, Scope& scope) {
    auto& parts = scope.parts;
    if (parts.known || !parts.stream_up) {
        scope.act(Answer{event.usage, parts.known});
        return {};
    }
    parts.polls.emplace(event.usage, scope.now + Relation::kPollAnswer);
    scope.act(Accept{event.usage});
    probe(scope);
    return {};
}

Granted poll_due(const Granted&, const PollDue& event, Scope& scope) {
    if (scope.parts.polls.erase(event.poll) != 0) scope.act(Answer{event.poll, scope.parts.known});
    return {};
}

Granted told(const Granted&, const Told&, Scope& scope) {
    auto& parts = scope.parts;
    const bool first = !std::exchange(parts.known, true);
    parts.probe_at.reset();
    const auto gathered = scope.now + Relation::kGather;
    for (auto& [poll, due] : parts.polls) due = std::min(due, gathered);
    if (parts.watching.empty()) return {};
    hold_until(scope, first || !parts.published ? gathered : std::max(gathered, *parts.published + Relation::kGap));
    return {};
}

Granted publish(const Granted&, const PublishDue&, Scope& scope) {
    scope.parts.publish_at.reset();
    scope.parts.published = scope.now;
    scope.act(Publish{});
    return {};
}

Granted probe_now(const Granted&, const ProbeDue&, Scope& scope) {
    probe(scope);
    return {};
}

Granted left(const Granted&, const Left& event, Scope& scope) {
    if (gone(scope, event) && scope.parts.watching.empty()) scope.act(TellUnavailable{});
    return {};
}

/// What is known may be wrong by the time that the stream is back.
Granted lost(const Granted&, const StreamLost&, Scope& scope) {
    scope.parts.stream_up = false;
    forget_state(scope.parts);
    return {};
}

Granted back(const Granted&, const StreamBack&, Scope& scope) {
    scope.parts.stream_up = true;
    if (!scope.parts.watching.empty()) probe(scope);
    return {};
}

template <class From, class On, bool Up>
From stream(const From& state, const On&, Scope& scope) {
    scope.parts.stream_up = Up;
    return state;
}

None lost_user(const Granted&, const Failed& event, Scope& scope) {
    terminate_all(scope, event.ending);
    forget_state(scope.parts);
    scope.act(Erase{});
    return {};
}

/// The authorisation stays; the watcher comes back.
Granted interrupted(const Granted&, const Interrupted& event, Scope& scope) {
    terminate_all(scope, event.ending);
    forget_state(scope.parts);
    return {};
}

// clang-format off
using Table = transitions<
    //  from     on          to       do
    row<None,    Watch,      Asked,   first_watch>,
    row<None,    Refreshed,  Asked,   first_refresh>,
    row<None,    Poll,       None,    poll_of_a_stranger<None>>,
    row<None,    StreamLost, None,    stream<None, StreamLost, false>>,
    row<None,    StreamBack, None,    stream<None, StreamBack, true>>,
    row<Asked,   Watch,      Asked,   watch_again>,
    row<Asked,   Poll,       Asked,   poll_of_a_stranger<Asked>>,
    row<Asked,   Refreshed,  Asked,   refreshed_unanswered>,
    row<Asked,   Left,       Asked,   left_unanswered<Asked>>,
    row<Asked,   Approved,   Granted, approved<Asked>>,
    row<Asked,   Denied,     Refused, denied<Asked>>,
    row<Asked,   Failed,     Asked,   not_asked>,
    row<Asked,   Interrupted, Asked,  not_asked_now>,
    row<Asked,   StreamLost, Asked,   stream<Asked, StreamLost, false>>,
    row<Asked,   StreamBack, Asked,   ask_now>,
    row<Asked,   GaveUp,     None,    gave_up<Asked>>,
    row<Asked,   Dropped,    None,    dropped<Asked>>,
    row<Refused, Watch,      Refused, watch_in_vain>,
    row<Refused, Poll,       Refused, poll_of_a_stranger<Refused>>,
    row<Refused, Refreshed,  Refused, refreshed<Refused, false>>,
    row<Refused, Left,       Refused, left_unanswered<Refused>>,
    row<Refused, Approved,   Granted, approved<Refused>>,
    row<Refused, Denied,     Refused, denied_again>,
    row<Refused, StreamLost, Refused, stream<Refused, StreamLost, false>>,
    row<Refused, StreamBack, Refused, stream<Refused, StreamBack, true>>,
    row<Refused, GaveUp,     None,    gave_up<Refused>>,
    row<Refused, Forgotten,  None,    forgotten>,
    row<Refused, Dropped,    None,    dropped<Refused>>,
    row<Granted, Watch,      Granted, watch>,
    row<Granted, Poll,       Granted, poll>,
    row<Granted, PollDue,    Granted, poll_due>,
    row<Granted, Refreshed,  Granted, refreshed<Granted, true>>,
    row<Granted, Left,       Granted, left>,
    row<Granted, Denied,     Refused, denied<Granted>>,
    row<Granted, Dropped,    None,    dropped<Granted>>,
    row<Granted, Failed,     None,    lost_user>,
    row<Granted, Interrupted, Granted, interrupted>,
    row<Granted, Told,       Granted, told>,
    row<Granted, PublishDue, Granted, publish>,
    row<Granted, ProbeDue,   Granted, probe_now>,
    row<Granted, StreamLost, Granted, lost>,
    row<Granted, StreamBack, Granted, back>>;
// clang-format on

}  // namespace

bool step(Scope& scope, const Event& event) { return Table::step(scope.parts.state, event, scope); }

}  // namespace stox::presence::watcher
