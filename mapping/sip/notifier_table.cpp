#include "mapping/sip/notifier_table.h"

#include "mapping/core/transitions.h"
#include "mapping/sip/header_values.h"

#include <algorithm>
#include <utility>

namespace stox::sip::notifier {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;
using Cause = SubscriptionEnded::Cause;

/// As asked, never longer than we allow.   (RFC 6665 §4.2.1.1)
seconds granted(const Request& request, Scope& scope) {
    const auto& settings = scope.context.settings;
    if (request.method == "REFER") return settings.refer_expires;
    const auto asked = leading_number(request.header("Expires"));
    return asked ? std::min(seconds(*asked), settings.max_expires) : settings.max_expires;
}

void answer(Scope& scope, TransactionId transaction, const Request& request, seconds expires) {
    auto response = make_response(scope.parts, 200);
    response.contacts = {scope.parts.dialog->contact};
    if (request.method != "REFER") response.headers.push_back({"Expires", std::to_string(expires.count())});
    scope.act(Respond{transaction, std::move(response)});
}

void send(Scope& scope, Notification notification, const std::vector<Header>& credentials = {}) {
    auto& parts = scope.parts;
    auto notify = parts.dialog->request("NOTIFY");
    notify.contacts = {parts.dialog->contact};
    notify.headers = notification.headers;
    if (notification.state.phase != SubscriptionPhase::terminated)
        notification.state.expires = duration_cast<seconds>(std::max(parts.deadline - scope.context.now, TimePoint::duration(0)));
    notify.headers.push_back({"Event", parts.event.to_string()});
    notify.headers.push_back({"Subscription-State", notification.state.to_string()});
    for (const auto& header : credentials) put(notify.headers, header);
    notify.content_type = notification.type;
    notify.body = notification.body;
    parts.key = scope.context.sources.next_key();
    parts.in_flight = true;
    parts.last = std::move(notification);
    scope.act(SendRequest{parts.key, std::move(notify)});
}

/// Now, or after the one that is under way.
void notify(Scope& scope, Notification notification) {
    if (scope.parts.in_flight)
        scope.parts.waiting = std::move(notification);
    else
        send(scope, std::move(notification));
}

Ending end(Scope& scope, Notification last) {
    notify(scope, std::move(last));
    scope.parts.deadline = scope.context.now + 2 * scope.context.settings.give_up();
    return {};
}

Notification timed_out(Scope& scope) {
    auto last = scope.parts.waiting.value_or(scope.parts.last);
    last.state = {SubscriptionPhase::terminated, {}, "timeout", {}};
    return last;
}

/// The application says how, or what was said last is said again.
Ending end_by_itself(Scope& scope, Notification last) {
    if (!scope.parts.own_words) return end(scope, std::move(last));
    scope.parts.owes_last = true;
    scope.parts.deadline = scope.context.now + 2 * scope.context.settings.give_up();
    return {};
}

Serving grant(const Asked&, const Grant& event, Scope& scope) {
    auto& parts = scope.parts;
    const auto expires = granted(*parts.request, scope);
    parts.deadline = scope.context.now + expires;
    answer(scope, parts.transaction, *parts.request, expires);
    parts.dialog->state = DialogState::confirmed;
    parts.request.reset();
    parts.own_words = event.first.own_words;
    notify(scope, event.first);
    return {};
}

Polled accept(const Asked&, const Accept&, Scope& scope) {
    auto& parts = scope.parts;
    parts.deadline = scope.context.now + scope.context.settings.description;
    answer(scope, parts.transaction, *parts.request, seconds(0));
    parts.dialog->state = DialogState::confirmed;
    parts.request.reset();
    return {};
}

Ending end_polled(const Polled&, const End& event, Scope& scope) { return end(scope, event.notification); }

Ending nothing_to_tell(const Polled&, const Overdue&, Scope& scope) { return end(scope, timed_out(scope)); }

/// A poll: Expires 0, or the application ends it with the first word.   (RFC 6665 §4.4.3)
Ending grant_once(const Asked&, const End& event, Scope& scope) {
    auto& parts = scope.parts;
    answer(scope, parts.transaction, *parts.request, std::min(granted(*parts.request, scope), seconds(0)));
    return end(scope, event.notification);
}

Terminated deny(const Asked&, const Deny& event, Scope& scope) {
    auto response = make_response(scope.parts, event.reply.status);
    response.headers = event.reply.headers;
    scope.act(Respond{scope.parts.transaction, std::move(response)});
    return {};
}

Terminated nobody_granted(const Asked&, const Overdue&, Scope& scope) {
    scope.act(Respond{scope.parts.transaction, make_response(scope.parts, 480)});
    scope.act(SubscriptionEnded{scope.parts.usage, Cause::unanswered});
    return {};
}

/// The state is told anew, changed or not.   (RFC 6665 §4.2.1.2)
Serving refreshed(const Serving&, const Refreshed& event, Scope& scope) {
    auto& parts = scope.parts;
    const auto expires = granted(event.subscribe, scope);
    parts.deadline = scope.context.now + expires;
    parts.dialog->refresh_target(event.subscribe.contacts);
    answer(scope, event.transaction, event.subscribe, expires);
    if (parts.own_words)
        scope.act(SubscriptionRefreshed{parts.usage});
    else
        notify(scope, parts.waiting.value_or(parts.last));
    return {};
}

Ending left(const Serving&, const Left& event, Scope& scope) {
    scope.parts.dialog->refresh_target(event.subscribe.contacts);
    answer(scope, event.transaction, event.subscribe, seconds(0));
    scope.act(SubscriptionEnded{scope.parts.usage, Cause::unsubscribed});
    return end_by_itself(scope, timed_out(scope));
}

Serving publish(const Serving&, const Publish& event, Scope& scope) {
    notify(scope, event.notification);
    return {};
}

Ending end_served(const Serving&, const End& event, Scope& scope) {
    scope.act(SubscriptionEnded{scope.parts.usage, Cause::ended});
    return end(scope, event.notification);
}

Ending expired(const Serving&, const Expired&, Scope& scope) {
    scope.act(SubscriptionEnded{scope.parts.usage, Cause::expired});
    return end_by_itself(scope, timed_out(scope));
}

Ending last_word(const Ending& state, const End& event, Scope& scope) {
    if (!std::exchange(scope.parts.owes_last, false)) return state;
    notify(scope, event.notification);
    return state;
}

Serving notify_done(const Serving&, const NotifyDone&, Scope& scope) {
    auto& parts = scope.parts;
    parts.in_flight = false;
    parts.tries = 0;
    if (!parts.waiting) return {};
    auto next = std::move(*parts.waiting);
    parts.waiting.reset();
    send(scope, std::move(next));
    return {};
}

Terminated refused(const Serving&, const NotifyFatal&, Scope& scope) {
    scope.act(SubscriptionEnded{scope.parts.usage, Cause::refused});
    return {};
}

/// The NOTIFY before the last one was answered.
Ending last_follows(const Ending&, const NotifyDone&, Scope& scope) {
    scope.parts.in_flight = false;
    scope.parts.tries = 0;
    auto next = std::move(*scope.parts.waiting);
    scope.parts.waiting.reset();
    send(scope, std::move(next));
    return {};
}

/// The latest there is to say, with the credentials.
template <class From>
From again(const From& state, const NotifyAgain& event, Scope& scope) {
    auto& parts = scope.parts;
    ++parts.tries;
    auto next = parts.waiting.value_or(parts.last);
    parts.waiting.reset();
    send(scope, std::move(next), event.credentials);
    return state;
}

struct Done {
    template <class From, class On>
    Terminated operator()(const From&, const On&, Scope&) const {
        return {};
    }
};
constexpr Done done{};

// clang-format off
using Table = transitions<
    //  from     on           to          do
    row<Asked,   Grant,       Serving,    grant>,
    row<Asked,   End,         Ending,     grant_once>,
    row<Asked,   Deny,        Terminated, deny>,
    row<Asked,   Accept,      Polled,     accept>,
    row<Asked,   Overdue,     Terminated, nobody_granted>,
    row<Polled,  End,         Ending,     end_polled>,
    row<Polled,  Overdue,     Ending,     nothing_to_tell>,
    row<Polled,  NotifyFatal, Terminated, done>,
    row<Serving, Refreshed,   Serving,    refreshed>,
    row<Serving, Left,        Ending,     left>,
    row<Serving, Publish,     Serving,    publish>,
    row<Serving, End,         Ending,     end_served>,
    row<Serving, Expired,     Ending,     expired>,
    row<Serving, NotifyDone,  Serving,    notify_done>,
    row<Serving, NotifyAgain, Serving,    again<Serving>>,
    row<Serving, NotifyFatal, Terminated, refused>,
    row<Ending,  End,         Ending,     last_word>,
    row<Ending,  NotifyDone,  Ending,     last_follows>,
    row<Ending,  NotifyAgain, Ending,     again<Ending>>,
    row<Ending,  LastDone,    Terminated, done>,
    row<Ending,  NotifyFatal, Terminated, done>,
    row<Ending,  Overdue,     Terminated, done>>;
// clang-format on

}  // namespace

Response make_response(const Parts& parts, int status) {
    Response response;
    response.status = status;
    response.to_tag = parts.dialog->id.local_tag;
    return response;
}

bool step(Scope& scope, const Event& event) { return Table::step(scope.parts.state, event, scope); }

}  // namespace stox::sip::notifier
