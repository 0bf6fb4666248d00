#pragma once
// What the dialog layer wants done: below by transactions, above by the application. All are values.

#include "mapping/sip/event_package.h"
#include "mapping/sip/message.h"
#include "mapping/sip/offer_exchange.h"
#include "mapping/sip/refer.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace stox::sip {

using TimePoint = std::chrono::steady_clock::time_point;
/// A server transaction, as the endpoint numbers it.
using TransactionId = std::uint64_t;
/// A request of ours: names it when its responses come. Never used twice.
enum class RequestKey : std::uint64_t { none = 0 };
/// A call or a subscription. Never used twice.
enum class UsageKey : std::uint64_t { none = 0 };

// ---- To the transactions below ----

/// Starts a client transaction; its responses come back with the key, the last one a final.
struct SendRequest {
    RequestKey key;
    Request request;
};
/// The ACK for a 2xx to that INVITE; nothing comes back.
struct SendAck {
    RequestKey invite;
    Request request;
};
/// Sent only after a provisional to that INVITE, and once.   (RFC 3261 §9.1)
struct SendCancel {
    RequestKey invite;
};
/// The same response may be given again while it is to be repeated (CallSettings::repeat_responses).
struct Respond {
    TransactionId transaction;
    Response response;
};

// ---- To the application above; `role` is that of the message's body ----

/// A provisional over 100 to our INVITE. reliable with role offer: the application owes AnswerProvisional.
struct Progressed {
    UsageKey call;
    Response response;
    DescriptionRole role;
    bool reliable;
};
/// The first 2xx to our INVITE. role offer: the application owes Acknowledge.
struct Answered {
    UsageKey call;
    Response response;
    DescriptionRole role;
};
/// An INVITE came to nothing. Ours: the final failure, or one we made (487 cancelled, 502 its 2xx leads nowhere). The peer's,
/// without our doing: 487 cancelled, 504 no PRACK came, 480 the application never answered, or the early dialog was found to be
/// lost; also 480 when it answered and hung up before its 2xx had left. A SUBSCRIBE or REFER of ours: the final failure, or 408
/// no NOTIFY came.
struct Failed {
    UsageKey usage;
    Response response;
};
/// The PRACK to our reliable provisional held the answer to its offer.
struct AnsweredByPrack {
    UsageKey call;
    Request prack;
};
/// The ACK for our 2xx came.
struct Established {
    UsageKey call;
    Request ack;
    DescriptionRole role;
};
/// A re-INVITE, UPDATE or PRACK that the application has to answer, soon if it is no INVITE (RFC 3311 §5.2).
/// role none: a re-INVITE that asks for an offer.
struct ModifyRequested {
    UsageKey call;
    TransactionId transaction;
    Request request;
    DescriptionRole role;
};
/// An answer to that ModifyRequested counts no more: the peer cancelled, or the application took too long.
struct ModifyWithdrawn {
    UsageKey call;
    TransactionId transaction;
};
/// The 2xx to a re-INVITE or UPDATE of ours. role offer: the application owes Acknowledge.
struct Modified {
    UsageKey call;
    Response response;
    DescriptionRole role;
};
/// A re-INVITE or UPDATE of ours was refused: the session is as it was.
struct ModifyFailed {
    UsageKey call;
    Response response;
};
/// Any other request in a dialog (INFO, MESSAGE, OPTIONS ...), to be answered through its transaction.
struct Requested {
    UsageKey usage;
    TransactionId transaction;
    Request request;
};
/// The final response to such a request of ours.
struct RequestAnswered {
    UsageKey usage;
    RequestKey key;
    Response response;
};
enum class EndCause {
    local,            ///< we hung up
    remote,           ///< BYE
    no_ack,           ///< our 2xx was never acknowledged         (RFC 3261 §13.3.1.4)
    no_answer_given,  ///< the application owed a description and gave none
    session_expired,  ///< no refresh came                         (RFC 4028 §10)
    peer_lost         ///< 408, 481 or the like inside the dialog (RFC 5057 §5.1, §5.2)
};
/// An established call is over; nothing about it follows.
struct Ended {
    UsageKey call;
    EndCause cause;
    std::vector<Header> headers;  ///< of the peer's BYE: Reason and the like
};

/// An INVITE of the peer: the application owes progress and an answer.
struct Invited {
    UsageKey call;
    TransactionId transaction;
    Request request;
    DescriptionRole role;
    UsageKey replaces;  ///< the call whose place it takes, once the application finds that its sender may   (RFC 3891 §3)
};
/// A SUBSCRIBE that makes a subscription: granted or denied at once (PRES-105).
struct SubscriptionWanted {
    UsageKey subscription;
    TransactionId transaction;
    Request request;
    EventPackage event;
};
/// A REFER: granted or denied at once, like a subscription to how it goes.
struct ReferWanted {
    UsageKey subscription;
    UsageKey call;  ///< whose dialog it came in; none: it came by itself
    TransactionId transaction;
    Request request;
    ReferTo target;
};
/// Our SUBSCRIBE was answered by one more notifier, as several were allowed: a subscription of its own.   (RFC 6665 §4.4.1)
struct Forked {
    UsageKey subscription;
    UsageKey fork;
};
/// State of what we are subscribed to; the NOTIFY is answered already. When its phase is terminated nothing follows.
struct Notified {
    UsageKey subscription;
    Request notify;
    SubscriptionState state;
};
/// The peer has refreshed a subscription whose application says all words itself (Notification::own_words): the state is to be told
/// anew, within this input.   (RFC 6665 §4.2.1.2)
struct SubscriptionRefreshed {
    UsageKey subscription;
};
/// A subscription is over without such a NOTIFY, or one that we serve is over.
struct SubscriptionEnded {
    UsageKey subscription;
    enum class Cause { expired, refused, unanswered, unsubscribed, ended } cause;
};

using Action = std::variant<SendRequest, SendAck, SendCancel, Respond, Progressed, Answered, Failed, AnsweredByPrack, Established,
                            ModifyRequested, ModifyWithdrawn, Modified, ModifyFailed, Requested, RequestAnswered, Ended, Invited,
                            SubscriptionWanted, ReferWanted, Forked, Notified, SubscriptionRefreshed, SubscriptionEnded>;

// ---- What the machines are given ----

struct CallSettings {
    std::chrono::milliseconds t1{500}, t2{4000};  ///< RFC 3261 §17.1.1.1
    /// Our 2xx and reliable provisionals are repeated by this layer; false when the transactions below do it.
    bool repeat_responses = true;
    std::chrono::milliseconds ring{60'000};            ///< our INVITE unanswered: cancelled
    std::chrono::milliseconds modify{60'000};          ///< our re-INVITE unanswered: cancelled
    std::chrono::milliseconds answer{180'000};         ///< an INVITE of the peer unanswered: 480
    std::chrono::milliseconds description{20'000};     ///< for the application to answer an offer, or to grant
    std::chrono::milliseconds progress_every{60'000};  ///< a provisional is repeated while an INVITE waits (RFC 3261 §13.3.1.1)
    std::chrono::seconds session_interval{1800};       ///< Session-Expires we ask for; 0: none
    std::chrono::seconds min_session_interval{90};     ///< the least we accept; at least 90 (RFC 4028 §5)
    std::chrono::seconds min_expires{60};              ///< of a SUBSCRIBE to us; shorter ones get 423
    std::chrono::seconds max_expires{3600};            ///< granted at most
    std::chrono::seconds refer_expires{180};           ///< of the subscription that a REFER makes
    std::string allow = "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY, REFER";
    std::string allow_events = "refer";  ///< packages that may be subscribed to, and those whose notifications we ask for

    std::chrono::milliseconds give_up() const { return 64 * t1; }
};

/// Where keys and chance come from; one for all usages of an endpoint.
struct Sources {
    std::function<std::uint32_t(std::uint32_t bound)> below;  ///< a random number under bound
    std::uint64_t last_key = 0;

    RequestKey next_key() { return static_cast<RequestKey>(++last_key); }
};

/// One input's surroundings.
struct Context {
    TimePoint now;
    const CallSettings& settings;
    Sources& sources;
    std::vector<Action>& out;

    /// Made of it in its place: an action can hold a whole request, which is long to move.
    template <class One>
    void act(One&& action) {
        out.emplace_back(std::forward<One>(action));
    }
};

}  // namespace stox::sip
