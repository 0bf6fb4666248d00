#pragma once
// A subscription of ours, made by SUBSCRIBE or by REFER.   (RFC 6665 §4.1, RFC 3515 §2.4)
//
// The first NOTIFY makes the dialog, and may come before the 2xx. Timer N bounds the wait for it, after each SUBSCRIBE.

#include "mapping/sip/session_state.h"

#include <variant>

namespace stox::sip {

namespace subscriber {

struct NotifyWait {};
struct LeavePending {};  ///< as NotifyWait, but nobody wants it any more: without a dialog nothing can be unsubscribed
struct Pending {};
struct Active {};
struct Leaving {};  ///< Expires: 0 sent
struct Terminated {};
using State = std::variant<NotifyWait, LeavePending, Pending, Active, Leaving, Terminated>;

struct NotifyPending {
    Request notify;
    SubscriptionState state;
};
struct NotifyActive {
    Request notify;
    SubscriptionState state;
};
struct NotifyTerminated {
    Request notify;
    SubscriptionState state;
};
struct Accepted {
    Response response;
};
struct Again {  ///< 423, or 401/407 with credentials
    std::vector<Header> credentials;
};
struct Refused {  ///< not fatal to a subscription that stands
    Response response;
};
struct RefusedForGood {  ///< RFC 6665 §4.1.2.2
    Response response;
};
struct TimerN {};
struct RefreshDue {};
struct Expired {};
struct Unsubscribe {};
using Event = std::variant<NotifyPending, NotifyActive, NotifyTerminated, Accepted, Again, Refused, RefusedForGood, TimerN,
                           RefreshDue, Expired, Unsubscribe>;

struct Parts {
    UsageKey usage;
    EventPackage event;
    Request request;  ///< the first one; the dialog's are made of its headers
    RequestKey key;   ///< of the one under way, or the last
    bool refer = false;
    bool several = false;  ///< more than one notifier may answer
    std::chrono::seconds asked{0};
    int tries = 0;
    DialogRef dialog{};  ///< none before the first NOTIFY, unless the request went inside one
    std::optional<TimePoint> timer_n{}, refresh_at{}, expires_at{};
    std::optional<TimePoint> forks_until{};  ///< other notifiers may answer until then; set only if several may
    unsigned forks = 0;
    State state{};
};

/// Whether a status to a refresh or to a NOTIFY ends the subscription.   (RFC 6665 §4.1.2.2, §4.2.2)
bool ends_subscription(int status);

}  // namespace subscriber

class Subscriber {
public:
    /// Sends a SUBSCRIBE or REFER outside any dialog.
    /// request  with Contact, From tag, Call-ID, CSeq, and Event and Expires, or Refer-To
    /// several  of the notifiers that a forked SUBSCRIBE reaches each gets a subscription; else the first alone
    Subscriber(UsageKey usage, EventPackage event, Request request, bool several, Context& context);
    /// Inside the dialog of a call.
    Subscriber(UsageKey usage, EventPackage event, Request request, DialogRef dialog, Context& context);

    bool receive(const IncomingResponse& in, Context& context);
    /// Whether a NOTIFY is of this subscription, or makes its dialog.
    bool matches(const Request& notify) const;
    /// Whether it is another notifier's answer to our SUBSCRIBE, which fork() makes a subscription of.
    bool matches_fork(const Request& notify) const;
    Subscriber fork(UsageKey usage);
    /// One that matches. In a dialog its CSeq has been checked.
    void receive_notify(TransactionId transaction, const Request& notify, Context& context);
    void unsubscribe(Context& context);

    void tick(Context& context);
    std::optional<TimePoint> next_timeout() const;
    /// Nothing is to come any more. One that ended waits for the forks of its SUBSCRIBE.
    bool over() const { return ended() && !parts_.forks_until; }
    bool ended() const { return std::holds_alternative<subscriber::Terminated>(parts_.state); }
    UsageKey usage() const { return parts_.usage; }
    const EventPackage& event() const { return parts_.event; }
    /// null: none yet, or the subscription ended.
    DialogRef dialog() const { return ended() ? nullptr : parts_.dialog; }
    /// The dialog is broken, as another of its usages has found.   (RFC 5057 §5.1)
    void lose_dialog(Context& context);
    const subscriber::State& state() const { return parts_.state; }

private:
    subscriber::Event to_event(const IncomingResponse& in);
    bool matches_request(const Request& notify) const;

    subscriber::Parts parts_;
};

}  // namespace stox::sip
