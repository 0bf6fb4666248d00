#include "mapping/presence/contact_table.h"

#include "mapping/core/transitions.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace stox::presence::contact {

namespace {

using Act = ContactAct;

bool is_granted(const Scope& scope) { return scope.parts.authorization == Authorization::granted; }

// ---- What happens on the way ----

void is_here(Scope& scope) {
    scope.parts.online = true;
    scope.parts.away_at.reset();
}

/// The user has asked, or the roster says so: nothing of what was before counts.
void ask_anew(Scope& scope) {
    scope.parts = {};
    scope.parts.online = true;
    scope.act(Act::keep);
}

/// Only for who was asked and has agreed.
void tell_granted(Scope& scope) {
    scope.parts.authorization = Authorization::granted;
    scope.act(Act::keep);
    scope.act(Act::tell_subscribed);
}

/// And nothing is left of it.
void end_at_once(Scope& scope) {
    scope.act(Act::tell_unavailable);
    scope.act(Act::erase);
    scope.act(Act::tell_unsubscribed);
}

// ---- Between dialogs ----

/// A SUBSCRIBE when its time comes, if anybody is there to see what it brings.
Idle rest(const Scope& scope) {
    const auto& parts = scope.parts;
    if (!parts.online || parts.settled) return {};
    return {std::max(scope.now, parts.not_before)};
}

Idle begin(const None&, const Subscribe&, Scope& scope) {
    ask_anew(scope);
    return rest(scope);
}

template <class From>
Idle come(const From&, const Online&, Scope& scope) {
    scope.parts.online = true;
    return rest(scope);
}

template <class From>
Idle go(const From&, const Offline&, Scope& scope) {
    scope.parts.online = false;
    return {};
}

template <class From, class On>
Idle withdrawn(const From&, const On&, Scope& scope) {
    auto& parts = scope.parts;
    parts.settled = false;
    // What was not asked was not left unconfirmed.
    if (std::is_same_v<From, Pretended> && parts.assumed) parts.assumed = scope.now;
    scope.act(Act::tell_unavailable);
    return {};
}

Wanted due(const Idle&, const Due&, Scope& scope) {
    scope.act(Act::queue);
    return {};
}

Idle probed(const Idle& state, const Probe&, Scope& scope) {
    scope.parts.online = true;
    if (!is_granted(scope)) return rest(scope);
    scope.act(Act::answer_probe);
    return scope.parts.settled ? state : rest(scope);
}

PollWanted poll(const Idle&, const ProbeInWait&, Scope& scope) {
    scope.parts.online = true;
    scope.parts.polled = scope.now;
    scope.act(Act::answer_probe);
    scope.act(Act::queue);
    return {};
}

Trying start(const Wanted&, const Turn&, Scope& scope) {
    scope.parts.started = scope.now;
    scope.parts.away_at.reset();
    scope.act(Act::start_subscribe);
    return {};
}

Polling start_poll(const PollWanted&, const Turn&, Scope& scope) {
    scope.act(Act::start_poll);
    return {};
}

// ---- What the user wants ----

/// A client that asks for what it has is told so; while it is pending there is nothing to say.   (PRES-10, PRES-14)
template <class From>
From repeated(const From& state, const Subscribe&, Scope& scope) {
    is_here(scope);
    if (is_granted(scope)) scope.act(Act::tell_subscribed);
    return state;
}

Idle repeated_idle(const Idle&, const Subscribe&, Scope& scope) {
    scope.parts.online = true;
    if (is_granted(scope)) scope.act(Act::tell_subscribed);
    return rest(scope);
}

template <class From>
None end(const From&, const Unsubscribe&, Scope& scope) {
    end_at_once(scope);
    return {};
}

None deny(const None&, const Unsubscribe&, Scope& scope) {
    scope.act(Act::tell_unsubscribed);
    return {};
}

/// A server probes whom its user's roster says to have agreed. What is not known here was forgotten here, not taken back: it
/// stands until the contact says otherwise.   (PRES-27, RFC 6121 §4.3.1)
Idle take_over(const None&, const Probe&, Scope& scope) {
    ask_anew(scope);
    scope.parts.authorization = Authorization::granted;
    scope.parts.assumed = scope.now;
    scope.act(Act::answer_probe);
    return rest(scope);
}

/// The dialog is being ended already.
template <class From>
Leaving leave_as_well(const From&, const Unsubscribe&, Scope& scope) {
    scope.act(Act::tell_unavailable);
    scope.act(Act::erase);
    return {};
}

template <class From>
Leaving leave(const From& state, const Unsubscribe& event, Scope& scope) {
    auto leaving = leave_as_well(state, event, scope);
    scope.act(Act::end_subscribe);
    return leaving;
}

Returning come_back(const Leaving&, const Subscribe&, Scope& scope) {
    ask_anew(scope);
    return {};
}

template <class From>
From answer(const From& state, const Probe&, Scope& scope) {
    is_here(scope);
    if (is_granted(scope)) scope.act(Act::answer_probe);
    return state;
}

template <class From>
From stay(const From& state, const Online&, Scope& scope) {
    is_here(scope);
    return state;
}

/// Users come and go; the dialog is worth a minute.
template <class From>
From absent(const From& state, const Offline&, Scope& scope) {
    if (scope.parts.online) scope.parts.away_at = scope.now + ContactRelation::kAway;
    scope.parts.online = false;
    return state;
}

template <class From, class On>
Lapsing lapse(const From&, const On&, Scope& scope) {
    scope.parts.away_at.reset();
    scope.act(Act::tell_unavailable);
    scope.act(Act::end_subscribe);
    return {};
}

// ---- What the notifier says ----

template <class From>
Pending pending(const From&, const NotifiedPending&, Scope& scope) {
    auto& parts = scope.parts;
    parts.redirected = false;
    if (is_granted(scope) && !parts.assumed) {
        parts.assumed = scope.now;
        scope.act(Act::keep);
    }
    return {};
}

/// No notifier takes back what it has granted so; nothing of what was shown is known to hold, nor that anything may be shown,
/// also when this dialog is over: not before it says `active` again.   (PRES-T1, PRES-94)
Pending doubt(const Active&, const NotifiedPending&, Scope& scope) {
    scope.parts.assumed = scope.now;
    scope.act(Act::keep);
    scope.act(Act::tell_unavailable);
    return {};
}

template <class From>
Active active(const From&, const NotifiedActive&, Scope& scope) {
    auto& parts = scope.parts;
    parts.redirected = false;
    if (!is_granted(scope)) tell_granted(scope);
    if (std::exchange(parts.assumed, std::nullopt)) scope.act(Act::keep);
    scope.act(Act::tell_presence);
    return {};
}

template <class From>
None refused(const From&, const Refused&, Scope& scope) {
    end_at_once(scope);
    return {};
}

template <class From>
Idle dropped(const From&, const Dropped& event, Scope& scope) {
    auto& parts = scope.parts;
    if (stood(parts, scope.now)) parts.failures = 0;
    if (event.wait.count() > 0) ++parts.failures;
    parts.not_before = scope.now + event.wait;
    parts.rarely = event.rarely;
    parts.away_at.reset();
    if (event.hides) scope.act(Act::tell_unavailable);
    return rest(scope);
}

template <class From>
Idle settled(const From&, const Settled&, Scope& scope) {
    scope.parts.settled = true;
    scope.parts.away_at.reset();
    return {};
}

/// The new address is asked in its turn, too.
Wanted redirected(const Trying&, const Redirected&, Scope& scope) {
    scope.parts.redirected = true;
    scope.act(Act::queue);
    return {};
}

// ---- A poll: it has no say in the authorisation (PRES-28) ----

Idle poll_answered(const Polling&, const PollAnswered&, Scope& scope) {
    scope.parts.not_before = scope.now;
    scope.parts.failures = 0;
    scope.act(Act::tell_presence);
    return rest(scope);
}

/// What was waited for is waited for still.
template <class On>
Idle poll_failed(const Polling&, const On&, Scope& scope) {
    return rest(scope);
}

// ---- The end of a dialog that was left ----

template <class On>
None left(const Leaving&, const On&, Scope& scope) {
    scope.act(Act::tell_unsubscribed);
    return {};
}

template <class On>
Idle left_before(const Returning&, const On&, Scope& scope) {
    return rest(scope);
}

template <class On>
Idle lapsed(const Lapsing&, const On&, Scope& scope) {
    return rest(scope);
}

/// A refusal counts also when it crosses our leaving.
None refused_late(const Lapsing&, const Refused&, Scope& scope) {
    scope.act(Act::erase);
    scope.act(Act::tell_unsubscribed);
    return {};
}

/// Nobody was asked: what is granted so is no word of the contact's, whom another mode may ask.   (PRES-29)
Pretended pretend(const Idle&, const Pretend&, Scope& scope) {
    if (!is_granted(scope)) {
        scope.parts.assumed = scope.now;
        tell_granted(scope);
    }
    scope.act(Act::tell_presence);
    return {};
}

/// Without `unsubscribed`: nobody has taken anything back, and the next probe of a roster asks again. What a poll may have shown
/// is withdrawn.   (PRES-27)
template <class From>
None forgotten(const From&, const Forget&, Scope& scope) {
    scope.act(Act::tell_unavailable);
    scope.act(Act::erase);
    return {};
}

// State that crosses the end of a dialog has no row: nobody wants it.
// clang-format off
using Table = transitions<
    //  from        on               to          do
    row<None,       Subscribe,       Idle,       begin>,
    row<None,       Unsubscribe,     None,       deny>,
    row<None,       Probe,           Idle,       take_over>,
    row<Idle,       Subscribe,       Idle,       repeated_idle>,
    row<Idle,       Unsubscribe,     None,       end<Idle>>,
    row<Idle,       Probe,           Idle,       probed>,
    row<Idle,       ProbeInWait,     PollWanted, poll>,
    row<Idle,       Online,          Idle,       come<Idle>>,
    row<Idle,       Offline,         Idle,       go<Idle>>,
    row<Idle,       Due,             Wanted,     due>,
    row<Idle,       Pretend,         Pretended,  pretend>,
    row<Idle,       Withdraw,        Idle,       withdrawn<Idle, Withdraw>>,
    row<Idle,       Forget,          None,       forgotten<Idle>>,
    row<Pretended,  Subscribe,       Pretended,  repeated<Pretended>>,
    row<Pretended,  Unsubscribe,     None,       end<Pretended>>,
    row<Pretended,  Probe,           Pretended,  answer<Pretended>>,
    row<Pretended,  Online,          Pretended,  stay<Pretended>>,
    row<Pretended,  Offline,         Pretended,  absent<Pretended>>,
    row<Pretended,  Withdraw,        Idle,       withdrawn<Pretended, Withdraw>>,
    row<Wanted,     Subscribe,       Wanted,     repeated<Wanted>>,
    row<Wanted,     Unsubscribe,     None,       end<Wanted>>,
    row<Wanted,     Probe,           Wanted,     answer<Wanted>>,
    row<Wanted,     Online,          Wanted,     stay<Wanted>>,
    row<Wanted,     Offline,         Idle,       go<Wanted>>,
    row<Wanted,     Turn,            Trying,     start>,
    row<Wanted,     Forget,          None,       forgotten<Wanted>>,
    row<Wanted,     Withdraw,        Idle,       withdrawn<Wanted, Withdraw>>,
    row<PollWanted, Subscribe,       PollWanted, repeated<PollWanted>>,
    row<PollWanted, Unsubscribe,     None,       end<PollWanted>>,
    row<PollWanted, Probe,           PollWanted, answer<PollWanted>>,
    row<PollWanted, Online,          PollWanted, stay<PollWanted>>,
    row<PollWanted, Offline,         Idle,       go<PollWanted>>,
    row<PollWanted, Turn,            Polling,    start_poll>,
    row<PollWanted, Withdraw,        Idle,       withdrawn<PollWanted, Withdraw>>,
    row<Trying,     Subscribe,       Trying,     repeated<Trying>>,
    row<Trying,     Unsubscribe,     Leaving,    leave<Trying>>,
    row<Trying,     Probe,           Trying,     answer<Trying>>,
    row<Trying,     Online,          Trying,     stay<Trying>>,
    row<Trying,     Offline,         Trying,     absent<Trying>>,
    row<Trying,     Withdraw,        Lapsing,    lapse<Trying, Withdraw>>,
    row<Trying,     NotifiedPending, Pending,    pending<Trying>>,
    row<Trying,     NotifiedActive,  Active,     active<Trying>>,
    row<Trying,     Redirected,      Wanted,     redirected>,
    row<Trying,     Refused,         None,       refused<Trying>>,
    row<Trying,     Dropped,         Idle,       dropped<Trying>>,
    row<Trying,     Settled,         Idle,       settled<Trying>>,
    row<Pending,    Subscribe,       Pending,    repeated<Pending>>,
    row<Pending,    Unsubscribe,     Leaving,    leave<Pending>>,
    row<Pending,    Probe,           Pending,    answer<Pending>>,
    row<Pending,    Online,          Pending,    stay<Pending>>,
    row<Pending,    Offline,         Pending,    absent<Pending>>,
    row<Pending,    Away,            Lapsing,    lapse<Pending, Away>>,
    row<Pending,    Withdraw,        Lapsing,    lapse<Pending, Withdraw>>,
    row<Pending,    NotifiedPending, Pending,    pending<Pending>>,
    row<Pending,    NotifiedActive,  Active,     active<Pending>>,
    row<Pending,    Refused,         None,       refused<Pending>>,
    row<Pending,    Dropped,         Idle,       dropped<Pending>>,
    row<Pending,    Settled,         Idle,       settled<Pending>>,
    row<Active,     Subscribe,       Active,     repeated<Active>>,
    row<Active,     Unsubscribe,     Leaving,    leave<Active>>,
    row<Active,     Probe,           Active,     answer<Active>>,
    row<Active,     Online,          Active,     stay<Active>>,
    row<Active,     Offline,         Active,     absent<Active>>,
    row<Active,     Away,            Lapsing,    lapse<Active, Away>>,
    row<Active,     Withdraw,        Lapsing,    lapse<Active, Withdraw>>,
    row<Active,     NotifiedPending, Pending,    doubt>,
    row<Active,     NotifiedActive,  Active,     active<Active>>,
    row<Active,     Refused,         None,       refused<Active>>,
    row<Active,     Dropped,         Idle,       dropped<Active>>,
    row<Active,     Settled,         Idle,       settled<Active>>,
    row<Polling,    Subscribe,       Polling,    repeated<Polling>>,
    row<Polling,    Unsubscribe,     Leaving,    leave<Polling>>,
    row<Polling,    Probe,           Polling,    answer<Polling>>,
    row<Polling,    Online,          Polling,    stay<Polling>>,
    row<Polling,    Offline,         Polling,    absent<Polling>>,
    row<Polling,    Withdraw,        Lapsing,    lapse<Polling, Withdraw>>,
    row<Polling,    PollAnswered,    Idle,       poll_answered>,
    row<Polling,    Refused,         None,       refused<Polling>>,
    row<Polling,    Dropped,         Idle,       poll_failed<Dropped>>,
    row<Lapsing,    Subscribe,       Lapsing,    repeated<Lapsing>>,
    row<Lapsing,    Unsubscribe,     Leaving,    leave_as_well<Lapsing>>,
    row<Lapsing,    Probe,           Lapsing,    answer<Lapsing>>,
    row<Lapsing,    Online,          Lapsing,    stay<Lapsing>>,
    row<Lapsing,    Offline,         Lapsing,    absent<Lapsing>>,
    row<Lapsing,    Refused,         None,       refused_late>,
    row<Lapsing,    Dropped,         Idle,       lapsed<Dropped>>,
    row<Lapsing,    Settled,         Idle,       lapsed<Settled>>,
    row<Leaving,    Subscribe,       Returning,  come_back>,
    row<Leaving,    Refused,         None,       left<Refused>>,
    row<Leaving,    Dropped,         None,       left<Dropped>>,
    row<Leaving,    Settled,         None,       left<Settled>>,
    row<Returning,  Unsubscribe,     Leaving,    leave_as_well<Returning>>,
    row<Returning,  Offline,         Returning,  absent<Returning>>,
    row<Returning,  Online,          Returning,  stay<Returning>>,
    row<Returning,  Refused,         Idle,       left_before<Refused>>,
    row<Returning,  Dropped,         Idle,       left_before<Dropped>>,
    row<Returning,  Settled,         Idle,       left_before<Settled>>>;
// clang-format on

}  // namespace

bool stood(const Parts& parts, TimePoint now) {
    const bool stands = std::holds_alternative<Pending>(parts.state) || std::holds_alternative<Active>(parts.state);
    return stands && parts.started && now - *parts.started >= ContactRelation::kQuick;
}

bool step(Scope& scope, const Event& event) { return Table::step(scope.parts.state, event, scope); }

}  // namespace stox::presence::contact
