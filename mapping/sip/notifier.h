#pragma once
// A subscription that we serve, made by the peer's SUBSCRIBE or REFER.   (RFC 6665 §4.2, RFC 3515 §2.4)
//
// One NOTIFY is under way at a time; of what is published meanwhile the latest follows.

#include "mapping/sip/session_state.h"

#include <variant>

namespace stox::sip {

/// What a NOTIFY says. `state.expires` is filled in by the notifier.
struct Notification {
    SubscriptionState state{};
    std::string type{};  ///< Content-Type; empty: no body
    std::string body{};
    std::vector<Header> headers{};
    /// Of the first one: at a refresh, and when the subscription ends by the peer or by time, the application says what is to be
    /// told, within the input that tells it so. Else what was said last is said again.
    bool own_words = false;

    friend bool operator==(const Notification&, const Notification&) = default;
};

/// The news of a REFER: that its request got this status. A final one is the last news.   (RFC 3515 §2.4.4, §2.4.5)
Notification refer_news(int status);

namespace notifier {

struct Asked {};    ///< the application has not granted it yet
struct Polled {};   ///< answered; the one NOTIFY is to come   (RFC 6665 §4.4.3)
struct Serving {};  ///< pending or active, as the last notification says
struct Ending {};   ///< the last NOTIFY is to be answered
struct Terminated {};
using State = std::variant<Asked, Polled, Serving, Ending, Terminated>;

struct Grant {
    Notification first;
};
struct Deny {
    Reply reply;
};
struct Accept {};   ///< a poll whose answer the application has to find out
struct Overdue {};  ///< the application said nothing
struct Refreshed {
    TransactionId transaction;
    Request subscribe;
};
struct Left {  ///< Expires: 0
    TransactionId transaction;
    Request subscribe;
};
struct Publish {
    Notification notification;
};
struct End {  ///< by the application: a notification whose phase is terminated
    Notification notification;
};
struct Expired {};
struct NotifyDone {};   ///< answered; one that failed for a while counts as well   (RFC 6665 §4.2.2)
struct LastDone {};     ///< and it was the one that said terminated
struct NotifyFatal {};  ///< refused for good, or not answered at all
struct NotifyAgain {    ///< 401 or 407 that can be answered
    std::vector<Header> credentials;
};
using Event =
    std::variant<Grant, Deny, Accept, Overdue, Refreshed, Left, Publish, End, Expired, NotifyDone, LastDone, NotifyFatal, NotifyAgain>;

struct Parts {
    UsageKey usage;
    EventPackage event;
    TransactionId transaction;
    RequestRef request;  ///< the SUBSCRIBE or REFER that made it; null once that is answered
    DialogRef dialog;
    TimePoint deadline;   ///< of Asked and Ending; else the end of the subscription
    Notification last{};  ///< said last: said again when a refresh asks
    bool in_flight = false;
    RequestKey key{};
    int tries = 0;  ///< of the NOTIFY under way, after challenges
    std::optional<Notification> waiting{};
    bool own_words = false, owes_last = false;
    State state{};
};

}  // namespace notifier

class Notifier {
public:
    Notifier(UsageKey usage, EventPackage event, TransactionId transaction, Request request, DialogRef dialog, Context& context);

    // ---- From above ----

    /// 200, and the first NOTIFY at once; `first` says active or pending, or terminated to poll.
    void grant(Notification first, Context& context);
    void deny(const Reply& reply, Context& context);
    /// A poll (Expires: 0): 200 now, the NOTIFY with publish(), within CallSettings::description.
    void accept(Context& context);
    /// Sends the NOTIFY, or when the one before is answered; a terminated phase ends the subscription.
    void publish(Notification notification, Context& context);

    // ---- From below ----

    /// A SUBSCRIBE of this dialog and event; its CSeq has been checked.
    void receive(TransactionId transaction, const Request& subscribe, Context& context);
    bool receive(const IncomingResponse& in, Context& context);

    /// The dialog is broken, as another of its usages has found.   (RFC 5057 §5.1)
    void lose_dialog(Context& context);

    void tick(Context& context);
    std::optional<TimePoint> next_timeout() const;
    bool over() const { return std::holds_alternative<notifier::Terminated>(parts_.state); }
    bool granted() const { return std::holds_alternative<notifier::Serving>(parts_.state); }
    const EventPackage& event() const { return parts_.event; }
    const DialogRef& dialog() const { return parts_.dialog; }
    const notifier::State& state() const { return parts_.state; }

private:
    notifier::Parts parts_;
};

}  // namespace stox::sip
