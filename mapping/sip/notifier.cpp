#include "mapping/sip/notifier.h"

#include "mapping/sip/header_values.h"
#include "mapping/sip/notifier_table.h"
#include "mapping/sip/subscriber.h"

namespace stox::sip {

using namespace notifier;

namespace {

constexpr int kMostTries = 3;

}  // namespace

Notification refer_news(int status) {
    Notification news;
    if (status >= 200) news.state = {SubscriptionPhase::terminated, {}, "noresource", {}};
    news.type = kSipfrag;
    news.body = write_sipfrag(status);
    return news;
}

Notifier::Notifier(UsageKey usage, EventPackage event, TransactionId transaction, Request request, DialogRef dialog,
                   Context& context)
    : parts_{usage,
             std::move(event),
             transaction,
             std::make_shared<const Request>(std::move(request)),
             std::move(dialog),
             context.now + context.settings.description} {}

void Notifier::grant(Notification first, Context& context) {
    if (!std::holds_alternative<Asked>(parts_.state)) return;
    if (leading_number(parts_.request->header("Expires")) == 0u && parts_.request->method != "REFER")
        first.state = {SubscriptionPhase::terminated, {}, "timeout", {}};
    publish(std::move(first), context);
}

void Notifier::deny(const Reply& reply, Context& context) {
    Scope scope{parts_, context};
    if (reply.status >= 300 && reply.status <= 699) step(scope, Deny{reply});
}

void Notifier::accept(Context& context) {
    Scope scope{parts_, context};
    step(scope, Accept{});
}

void Notifier::publish(Notification notification, Context& context) {
    Scope scope{parts_, context};
    if (notification.state.phase == SubscriptionPhase::terminated)
        step(scope, End{std::move(notification)});
    else if (std::holds_alternative<Asked>(parts_.state))
        step(scope, Grant{std::move(notification)});
    else
        step(scope, Publish{std::move(notification)});
}

void Notifier::receive(TransactionId transaction, const Request& subscribe, Context& context) {
    Scope scope{parts_, context};
    const auto& settings = context.settings;
    const auto refuse = [&](int status, std::vector<Header> headers = {}) {
        auto response = make_response(parts_, status);
        response.headers = std::move(headers);
        scope.act(Respond{transaction, std::move(response)});
    };
    if (!granted()) return refuse(481);
    const auto asked = leading_number(subscribe.header("Expires"));
    const bool brief = asked && *asked > 0 && *asked < 3600 && std::chrono::seconds(*asked) < settings.min_expires;
    if (brief) return refuse(423, {{"Min-Expires", std::to_string(settings.min_expires.count())}});
    if (asked == 0u)
        step(scope, Left{transaction, subscribe});
    else
        step(scope, Refreshed{transaction, subscribe});
}

bool Notifier::receive(const IncomingResponse& in, Context& context) {
    if (in.key != parts_.key) return false;
    const auto status = in.response.status;
    if (status < 200) return true;
    Scope scope{parts_, context};
    const bool last = std::holds_alternative<Ending>(parts_.state) && !parts_.waiting;
    // NOTIFY is a target refresh, and so is its answer.   (RFC 6665 §4.4.1, RFC 3261 §12.2.1.2)
    if (status < 300) parts_.dialog->refresh_target(in.response.contacts);
    if (!in.credentials.empty() && parts_.tries < kMostTries) {
        step(scope, NotifyAgain{in.credentials});
        return true;
    }
    // 408 stands for no answer at all too (RFC 5057 §5.1 note 4): nobody is there any more.
    if (status == 408 || subscriber::ends_subscription(status))
        step(scope, NotifyFatal{});
    else if (last)
        step(scope, LastDone{});
    else
        step(scope, NotifyDone{});
    return true;
}

void Notifier::lose_dialog(Context& context) {
    Scope scope{parts_, context};
    step(scope, NotifyFatal{});
}

void Notifier::tick(Context& context) {
    Scope scope{parts_, context};
    if (over() || parts_.deadline > context.now) return;
    if (granted())
        step(scope, Expired{});
    else
        step(scope, Overdue{});
}

std::optional<TimePoint> Notifier::next_timeout() const { return over() ? std::nullopt : std::optional(parts_.deadline); }

}  // namespace stox::sip
