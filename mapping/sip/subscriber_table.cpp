#include "mapping/sip/subscriber_table.h"

#include "mapping/core/transitions.h"
#include "mapping/sip/header_values.h"

#include <algorithm>
#include <array>

namespace stox::sip::subscriber {

namespace {

using std::chrono::seconds;
using Cause = SubscriptionEnded::Cause;

constexpr seconds kMostExpires{86'400};
constexpr seconds kRefreshEarly{32};  // a whole transaction before the end (PRES-20)
constexpr seconds kRefreshLeast{10};  // a notifier that grants less is not served more often

void sent(Scope& scope, Request request) {
    auto& parts = scope.parts;
    parts.key = scope.context.sources.next_key();
    parts.timer_n = scope.context.now + scope.context.settings.give_up();
    parts.refresh_at.reset();
    scope.act(SendRequest{parts.key, std::move(request)});
}

/// A SUBSCRIBE in the dialog that the first NOTIFY made.
void send_inside(Scope& scope, seconds expires) {
    auto& parts = scope.parts;
    auto request = parts.dialog->request("SUBSCRIBE");
    request.contacts = {parts.dialog->contact};
    for (const auto& header : parts.request.headers)
        if (!same_token(header.name, "Refer-To") && !same_token(header.name, "Referred-By")) request.headers.push_back(header);
    put(request.headers, {"Event", parts.event.to_string()});
    put(request.headers, {"Expires", std::to_string(expires.count())});
    sent(scope, std::move(request));
}

/// Before the end by a whole transaction where there is room, at a time of its own for each.   (PRES-20)
void lasts(Scope& scope, seconds expires) {
    auto& parts = scope.parts;
    const auto now = scope.context.now;
    parts.expires_at = now + expires;
    const auto spread = seconds(expires.count() * (50 + scope.context.sources.below(41)) / 100);
    auto refresh = std::min(expires - kRefreshEarly, spread);
    if (refresh < expires / 3) refresh = expires / 2;
    // What a REFER made lasts as long as the call it tells of: the notifier knows.
    if (!parts.refer) parts.refresh_at = now + std::max(refresh, kRefreshLeast);
}

// ---- NOTIFY ----

/// 200, and the dialog is made or refreshed.
void take(Scope& scope, const Request& notify, const SubscriptionState& state) {
    auto& parts = scope.parts;
    parts.timer_n.reset();
    // What the notifier says here is authoritative, be it longer.   (RFC 6665 §4.1.3)
    if (state.phase != SubscriptionPhase::terminated && state.expires) lasts(scope, std::min(*state.expires, kMostExpires));
    if (state.phase != SubscriptionPhase::terminated && !parts.expires_at) lasts(scope, parts.asked);
    scope.act(Notified{parts.usage, notify, state});
}

template <class From>
Pending pending(const From&, const NotifyPending& event, Scope& scope) {
    take(scope, event.notify, event.state);
    return {};
}

template <class From>
Active active(const From&, const NotifyActive& event, Scope& scope) {
    take(scope, event.notify, event.state);
    return {};
}

template <class From>
Terminated terminated(const From&, const NotifyTerminated& event, Scope& scope) {
    take(scope, event.notify, event.state);
    return {};
}

template <class On>
Leaving leave_now(const LeavePending&, const On&, Scope& scope) {
    send_inside(scope, seconds(0));
    return {};
}

// ---- Responses ----

template <class From>
From accepted(const From& state, const Accepted& event, Scope& scope) {
    auto& parts = scope.parts;
    const auto expires = leading_number(event.response.header("Expires"));
    parts.tries = 0;
    const bool standing = std::is_same_v<From, Pending> || std::is_same_v<From, Active>;
    if (standing) {
        if (event.response.status == 204) parts.timer_n.reset();  // says that no NOTIFY comes   (RFC 6665 §4.1.2.2)
        parts.dialog->refresh_target(event.response.contacts);
    }
    // Never longer than asked. Before the NOTIFY it only says what the NOTIFY may leave out, and timer N ends it.   (PRES-20)
    const auto granted = expires ? std::min(seconds(*expires), parts.asked) : parts.asked;
    if (!parts.refer && (standing || expires)) lasts(scope, granted);
    return state;
}

template <class From>
From first_again(const From& state, const Again& event, Scope& scope) {
    auto& parts = scope.parts;
    for (const auto& header : event.credentials) put(parts.request.headers, header);
    ++parts.tries;
    parts.request.cseq = parts.dialog ? ++parts.dialog->local_cseq : parts.request.cseq + 1;
    send_first(scope);
    return state;
}

template <class From>
From again(const From& state, const Again& event, Scope& scope) {
    auto& parts = scope.parts;
    for (const auto& header : event.credentials) put(parts.request.headers, header);
    ++parts.tries;
    send_inside(scope, std::is_same_v<From, Leaving> ? seconds(0) : parts.asked);
    return state;
}

template <class On>
Terminated failed(const NotifyWait&, const On& event, Scope& scope) {
    scope.parts.forks_until.reset();
    scope.act(Failed{scope.parts.usage, event.response});
    return {};
}

template <class From, class On, Cause Why>
Terminated ended(const From&, const On&, Scope& scope) {
    scope.act(SubscriptionEnded{scope.parts.usage, Why});
    return {};
}

/// It stands until its time is over; half of what is left later it is tried again.   (RFC 6665 §4.1.2.2)
template <class From>
From stands(const From& state, const Refused&, Scope& scope) {
    auto& parts = scope.parts;
    parts.timer_n.reset();
    parts.tries = 0;
    const auto left = parts.expires_at ? *parts.expires_at - scope.context.now : TimePoint::duration(0);
    if (!parts.refer && left / 2 >= kRefreshLeast) parts.refresh_at = scope.context.now + left / 2;
    return state;
}

// ---- Time and wishes ----

Terminated unheard(const NotifyWait&, const TimerN&, Scope& scope) {
    Response response;
    response.status = 408;
    scope.act(Failed{scope.parts.usage, std::move(response)});
    return {};
}

template <class From>
From refresh(const From& state, const RefreshDue&, Scope& scope) {
    send_inside(scope, scope.parts.asked);
    return state;
}

LeavePending wish(const NotifyWait&, const Unsubscribe&, Scope&) { return {}; }

template <class From>
Leaving leave(const From&, const Unsubscribe&, Scope& scope) {
    send_inside(scope, seconds(0));
    return {};
}

// State that crossed our leaving has no row: nobody wants it.
// clang-format off
using Table = transitions<
    //  from          on                to            do
    row<NotifyWait,   NotifyPending,    Pending,      pending<NotifyWait>>,
    row<NotifyWait,   NotifyActive,     Active,       active<NotifyWait>>,
    row<NotifyWait,   NotifyTerminated, Terminated,   terminated<NotifyWait>>,
    row<NotifyWait,   Accepted,         NotifyWait,   accepted<NotifyWait>>,
    row<NotifyWait,   Again,            NotifyWait,   first_again<NotifyWait>>,
    row<NotifyWait,   Refused,          Terminated,   failed<Refused>>,
    row<NotifyWait,   RefusedForGood,   Terminated,   failed<RefusedForGood>>,
    row<NotifyWait,   TimerN,           Terminated,   unheard>,
    row<NotifyWait,   Unsubscribe,      LeavePending, wish>,
    row<LeavePending, NotifyPending,    Leaving,      leave_now<NotifyPending>>,
    row<LeavePending, NotifyActive,     Leaving,      leave_now<NotifyActive>>,
    row<LeavePending, NotifyTerminated, Terminated,   terminated<LeavePending>>,
    row<LeavePending, Accepted,         LeavePending, accepted<LeavePending>>,
    row<LeavePending, Again,            LeavePending, first_again<LeavePending>>,
    row<LeavePending, Refused,          Terminated,   ended<LeavePending, Refused, Cause::unsubscribed>>,
    row<LeavePending, RefusedForGood,   Terminated,   ended<LeavePending, RefusedForGood, Cause::unsubscribed>>,
    row<LeavePending, TimerN,           Terminated,   ended<LeavePending, TimerN, Cause::unsubscribed>>,
    row<Pending,      NotifyPending,    Pending,      pending<Pending>>,
    row<Pending,      NotifyActive,     Active,       active<Pending>>,
    row<Pending,      NotifyTerminated, Terminated,   terminated<Pending>>,
    row<Pending,      Accepted,         Pending,      accepted<Pending>>,
    row<Pending,      Again,            Pending,      again<Pending>>,
    row<Pending,      Refused,          Pending,      stands<Pending>>,
    row<Pending,      RefusedForGood,   Terminated,   ended<Pending, RefusedForGood, Cause::refused>>,
    row<Pending,      TimerN,           Terminated,   ended<Pending, TimerN, Cause::unanswered>>,
    row<Pending,      RefreshDue,       Pending,      refresh<Pending>>,
    row<Pending,      Expired,          Terminated,   ended<Pending, Expired, Cause::expired>>,
    row<Pending,      Unsubscribe,      Leaving,      leave<Pending>>,
    row<Active,       NotifyPending,    Pending,      pending<Active>>,
    row<Active,       NotifyActive,     Active,       active<Active>>,
    row<Active,       NotifyTerminated, Terminated,   terminated<Active>>,
    row<Active,       Accepted,         Active,       accepted<Active>>,
    row<Active,       Again,            Active,       again<Active>>,
    row<Active,       Refused,          Active,       stands<Active>>,
    row<Active,       RefusedForGood,   Terminated,   ended<Active, RefusedForGood, Cause::refused>>,
    row<Active,       TimerN,           Terminated,   ended<Active, TimerN, Cause::unanswered>>,
    row<Active,       RefreshDue,       Active,       refresh<Active>>,
    row<Active,       Expired,          Terminated,   ended<Active, Expired, Cause::expired>>,
    row<Active,       Unsubscribe,      Leaving,      leave<Active>>,
    row<Leaving,      NotifyTerminated, Terminated,   terminated<Leaving>>,
    row<Leaving,      Again,            Leaving,      again<Leaving>>,
    row<Leaving,      Refused,          Terminated,   ended<Leaving, Refused, Cause::unsubscribed>>,
    row<Leaving,      RefusedForGood,   Terminated,   ended<Leaving, RefusedForGood, Cause::unsubscribed>>,
    row<Leaving,      TimerN,           Terminated,   ended<Leaving, TimerN, Cause::unsubscribed>>>;
// clang-format on

constexpr std::array kEnds{404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604};
static_assert(std::ranges::is_sorted(kEnds));

}  // namespace

bool ends_subscription(int status) { return std::ranges::binary_search(kEnds, status); }

void send_first(Scope& scope) {
    auto& parts = scope.parts;
    // RFC 4488's way without the subscription is not used: its news is what the caller wants.
    if (!parts.refer) put(parts.request.headers, {"Expires", std::to_string(parts.asked.count())});
    sent(scope, parts.request);
    if (parts.forks_until) parts.forks_until = parts.timer_n;
}

bool step(Scope& scope, const Event& event) { return Table::step(scope.parts.state, event, scope); }

}  // namespace stox::sip::subscriber
