#include "mapping/sip/subscriber.h"

#include "mapping/sip/header_values.h"
#include "mapping/sip/subscriber_table.h"

#include <algorithm>

namespace stox::sip {

using namespace subscriber;

namespace {

using std::chrono::seconds;

constexpr seconds kMostExpires{86'400};
constexpr int kMostTries = 3;
constexpr unsigned kMostForks = 16;

seconds asked_of(const Request& request) {
    return std::min(seconds(leading_number(request.header("Expires")).value_or(3600)), kMostExpires);
}

}  // namespace

Subscriber::Subscriber(UsageKey usage, EventPackage event, Request request, bool several, Context& context)
    : parts_{usage, std::move(event), std::move(request), {}} {
    parts_.several = several;
    parts_.refer = parts_.request.method == "REFER";
    parts_.asked = asked_of(parts_.request);
    if (several) parts_.forks_until = context.now + context.settings.give_up();
    Scope scope{parts_, context};
    send_first(scope);
}

Subscriber::Subscriber(UsageKey usage, EventPackage event, Request request, DialogRef dialog, Context& context)
    : parts_{usage, std::move(event), std::move(request), {}} {
    auto inside = dialog->request(parts_.request.method);
    inside.contacts = {dialog->contact};
    inside.headers = std::move(parts_.request.headers);
    parts_.request = std::move(inside);
    parts_.refer = parts_.request.method == "REFER";
    parts_.asked = asked_of(parts_.request);
    parts_.dialog = std::move(dialog);
    Scope scope{parts_, context};
    send_first(scope);
}

bool Subscriber::receive(const IncomingResponse& in, Context& context) {
    if (in.key != parts_.key) return false;
    if (in.response.status < 200) return true;
    Scope scope{parts_, context};
    step(scope, to_event(in));
    return true;
}

Event Subscriber::to_event(const IncomingResponse& in) {
    const auto status = in.response.status;
    if (status < 300) return Accepted{in.response};
    const bool may_retry = parts_.tries < kMostTries;
    const auto least = leading_number(in.response.header("Min-Expires"));
    if (may_retry && status == 423 && least && seconds(*least) > parts_.asked && seconds(*least) <= kMostExpires) {
        parts_.asked = seconds(*least);
        return Again{};
    }
    if (may_retry && !in.credentials.empty()) return Again{in.credentials};
    if (ends_subscription(status)) return RefusedForGood{in.response};
    return Refused{in.response};
}

bool Subscriber::matches(const Request& notify) const {
    if (ended() || !matches_request(notify)) return false;
    return !parts_.dialog || parts_.dialog->id.remote_tag == notify.from.tag;
}

bool Subscriber::matches_request(const Request& notify) const {
    const auto event = EventPackage::read(notify.header("Event"));
    if (!event || event.value().name != parts_.event.name) return false;
    // The notifier gives the id of a REFER's subscription: the CSeq of the REFER.   (RFC 3515 §2.4.6)
    const bool same_id = event.value().id == parts_.event.id ||
                         (parts_.refer && (event.value().id.empty() || event.value().id == std::to_string(parts_.request.cseq)));
    return same_id && notify.call_id == parts_.request.call_id && notify.to.tag == parts_.request.from.tag;
}

bool Subscriber::matches_fork(const Request& notify) const {
    if (!parts_.forks_until || parts_.forks >= kMostForks || !parts_.dialog) return false;
    return parts_.dialog->id.remote_tag != notify.from.tag && matches_request(notify);
}

/// Each starts as ours did. Its NOTIFY is at hand, so that nothing is to be waited for.
Subscriber Subscriber::fork(UsageKey usage) {
    ++parts_.forks;
    auto copy = *this;
    copy.parts_.usage = usage;
    copy.parts_.dialog.reset();
    copy.parts_.key = RequestKey::none;
    copy.parts_.timer_n = parts_.forks_until;
    copy.parts_.refresh_at.reset();
    copy.parts_.expires_at.reset();
    copy.parts_.forks_until.reset();
    copy.parts_.state = NotifyWait{};
    return copy;
}

void Subscriber::receive_notify(TransactionId transaction, const Request& notify, Context& context) {
    Scope scope{parts_, context};
    Response response;
    response.status = 200;
    const auto refuse = [&](int status) {
        response.status = status;
        scope.act(Respond{transaction, std::move(response)});
    };
    if (ended()) return refuse(481);
    const auto state = SubscriptionState::read(notify.header("Subscription-State"));
    if (!state) return refuse(400);
    if (!parts_.dialog) {
        // The NOTIFY makes the dialog: route set and target are its own.   (RFC 6665 §4.4.1)
        auto dialog =
            Dialog::as_uas(notify, notify.to.tag, parts_.request.contacts.empty() ? NameAddr{} : parts_.request.contacts[0],
                           parts_.request.uri.scheme == Scheme::sips);
        if (!dialog) return refuse(400);
        parts_.dialog = std::make_shared<Dialog>(std::move(dialog).value());
        parts_.dialog->caller = true;
        parts_.dialog->local_cseq = parts_.request.cseq;
    } else {
        parts_.dialog->refresh_target(notify.contacts);
    }
    if (auto event = EventPackage::read(notify.header("Event")); event && parts_.refer) parts_.event = std::move(event).value();
    scope.act(Respond{transaction, std::move(response)});
    switch (state.value().phase) {
        case SubscriptionPhase::pending:
            step(scope, NotifyPending{notify, state.value()});
            break;
        case SubscriptionPhase::active:
            step(scope, NotifyActive{notify, state.value()});
            break;
        case SubscriptionPhase::terminated:
            step(scope, NotifyTerminated{notify, state.value()});
            break;
    }
}

void Subscriber::unsubscribe(Context& context) {
    Scope scope{parts_, context};
    parts_.forks_until.reset();  // a fork that answers now learns by 481 that nobody wants it
    step(scope, Unsubscribe{});
}

void Subscriber::lose_dialog(Context& context) {
    Scope scope{parts_, context};
    Response response;
    response.status = 481;
    step(scope, RefusedForGood{std::move(response)});
}

void Subscriber::tick(Context& context) {
    Scope scope{parts_, context};
    const auto due = [&](const std::optional<TimePoint>& at) { return at && *at <= context.now; };
    const bool stands = std::holds_alternative<Pending>(parts_.state) || std::holds_alternative<Active>(parts_.state);
    if (due(parts_.forks_until)) parts_.forks_until.reset();
    if (due(parts_.timer_n)) {
        parts_.timer_n.reset();
        step(scope, TimerN{});
    } else if (!stands) {
        return;
    } else if (due(parts_.expires_at)) {
        parts_.expires_at.reset();
        step(scope, Expired{});
    } else if (due(parts_.refresh_at)) {
        parts_.refresh_at.reset();
        step(scope, RefreshDue{});
    }
}

std::optional<TimePoint> Subscriber::next_timeout() const {
    auto next = parts_.forks_until;
    const auto sooner = [&next](const std::optional<TimePoint>& at) {
        if (at && (!next || *at < *next)) next = at;
    };
    if (ended()) return next;
    sooner(parts_.timer_n);
    const bool stands = std::holds_alternative<Pending>(parts_.state) || std::holds_alternative<Active>(parts_.state);
    if (!stands) return next;
    sooner(parts_.refresh_at);
    sooner(parts_.expires_at);
    return next;
}

}  // namespace stox::sip
