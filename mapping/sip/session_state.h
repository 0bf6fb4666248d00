#pragma once
// States and events of a session's three machines: its life, our requests that change it, the peer's.

#include "mapping/sip/dialog.h"
#include "mapping/sip/session_timer.h"

#include <optional>
#include <variant>
#include <vector>

namespace stox::sip {

/// A re-INVITE or UPDATE that is wanted.
struct Modify {
    std::string method;  ///< INVITE or UPDATE
    std::vector<Header> headers{};
    Description description{};  ///< its role is found out; without a type: an INVITE asks for an offer, an UPDATE just refreshes
    bool refresh = false;       ///< made by the session timer: the application hears of it only when there is something to do
};

/// What the application answers a request with.
struct Reply {
    int status = 200;
    std::vector<Header> headers{};
    Description description{};
};

/// A response to a request of ours, as it came from below.
struct IncomingResponse {
    RequestKey key = RequestKey::none;
    Response response;
    std::vector<Header> credentials{};  ///< for a 401 or 407 that can be answered: what to send the request with again
    bool others_may_answer = false;     ///< a failure, but the INVITE went to other targets as well: a 2xx of them may come
};

namespace session {

// The life of the session.
struct Early {};  ///< the first INVITE is under way
struct Confirmed {};
struct Leaving {  ///< our BYE is under way
    RequestKey bye;
    std::vector<Header> headers;
    int tries;
    TimePoint deadline;
};
struct Over {};
using Life = std::variant<Early, Confirmed, Leaving, Over>;

struct Confirm {};
struct Drop {};  ///< the first INVITE came to nothing here
struct HangUp {
    EndCause cause;
    std::vector<Header> headers{};
};
struct ByeIn {
    TransactionId transaction;
    std::vector<Header> headers;
};
struct ByeAgain {  ///< refused for want of credentials
    std::vector<Header> credentials;
};
struct ByeDone {};  ///< answered, or nobody will
using LifeEvent = std::variant<Confirm, Drop, HangUp, ByeIn, ByeAgain, ByeDone>;

// Our re-INVITE or UPDATE.
struct Quiet {};
struct ReInviting {
    RequestKey key;
    RequestRef request;
    Modify modify;
    int tries;
    bool heard;      ///< a provisional came, so that a CANCEL may go
    bool cancelled;  ///< took too long: the CANCEL is sent, or goes with the first provisional
    TimePoint deadline;
};
struct Updating {
    RequestKey key;
    RequestRef request;
    Modify modify;
    int tries;
};
struct GlareWait {  ///< RFC 3261 §14.1
    TimePoint until;
    Modify modify;
    int tries;
};
struct AckOwed {  ///< the 2xx held an offer: the ACK waits for the answer
    RequestKey key;
    std::uint32_t cseq;
    TimePoint deadline;
};
using Client = std::variant<Quiet, ReInviting, Updating, GlareWait, AckOwed>;

struct ReInviteWanted {
    Modify modify;
    int tries;
};
struct UpdateWanted {
    Modify modify;
    int tries;
};
struct Heard {};
struct Success {
    Response response;
};
struct SuccessWithOffer {
    Response response;
};
struct Again {  ///< refused for a reason that another try can heal: 422, 401, 407
    std::vector<Header> credentials;
};
struct Glare {  ///< 491, or 500 with a time after which it may be tried again
    std::optional<std::chrono::seconds> retry_after{};
};
struct Refused {
    Response response;
};
struct CancelDue {};
struct AckReady {
    Description description;
};
struct AckOverdue {};
using ClientEvent = std::variant<ReInviteWanted, UpdateWanted, Heard, Success, SuccessWithOffer, Again, Glare, Refused, CancelDue,
                                 AckReady, AckOverdue>;

// The peer's re-INVITE, UPDATE or PRACK with an offer.
struct Free {};
struct ReInvited {
    TransactionId transaction;
    RequestRef request;
    TimePoint deadline;  ///< for the application's answer
};
struct Updated {
    TransactionId transaction;
    RequestRef request;
    TimePoint deadline;
};
struct AckAwaited {
    TransactionId transaction;
    std::uint32_t cseq;
    ResponseRef response;
    TimePoint repeat_at;
    std::chrono::milliseconds interval;
    TimePoint deadline;
};
using Server = std::variant<Free, ReInvited, Updated, AckAwaited>;

// What an event refers to is its sender's, and there for the step alone.
struct InviteIn {
    TransactionId transaction;
    const Request& request;
};
struct UpdateIn {
    TransactionId transaction;
    const Request& request;
};
struct AcceptedByUs {
    Reply reply;
};
struct RefusedByUs {
    Reply reply;
};
struct Cancelled {};  ///< by the peer's CANCEL, or with the session
struct AnswerOverdue {};
struct AckIn {
    const Request& ack;
};
struct RepeatDue {};
struct AckMissing {};
using ServerEvent =
    std::variant<InviteIn, UpdateIn, AcceptedByUs, RefusedByUs, Cancelled, AnswerOverdue, AckIn, RepeatDue, AckMissing>;

constexpr int kMaxTries = 5;  ///< of one change, whatever it met: 491, 422, 401

/// What the ACK for a 2xx is made of, each time that it comes.
struct LastAck {
    RequestKey invite;
    std::uint32_t cseq;
    Description answer;  ///< without a type: none was owed
};
SendAck make_ack(const Dialog& dialog, const LastAck& ack);

/// All that a session is; the handlers of each machine change what is not their own state.
struct Parts {
    UsageKey usage;
    DialogRef dialog;
    OfferExchange exchange;
    SessionTimer timer;
    bool first_ack_awaited = false;                              ///< no re-INVITE of ours before the ACK for our first 2xx
    bool peer_updates = false;                                   ///< its Allow lists UPDATE
    std::optional<Description> last_sent{};                      ///< our description in force: a refresh by re-INVITE repeats it
    std::optional<LastAck> last_ack{};                           ///< for a 2xx that comes again
    std::vector<std::pair<RequestKey, std::string>> requests{};  ///< INFO and the like under way, with their method
    Life life{};
    Client client{};
    Server server{};
};

struct Scope {
    Parts& parts;
    Context& context;
    template <class One>
    void act(One&& action) {
        context.act(std::forward<One>(action));
    }
};

/// The event of a change that may be asked for now.
ClientEvent to_event(Modify modify, int tries);

bool step(Scope& scope, const LifeEvent& event);
bool step(Scope& scope, const ClientEvent& event);
bool step(Scope& scope, const ServerEvent& event);

/// A response of ours inside the dialog, with its To tag.
Response make_response(const Parts& parts, int status);
/// 500 that may be tried again after 0 to 10 s.   (RFC 3261 §14.2, RFC 3311 §5.2)
Response make_retry_later(const Parts& parts, Context& context);

}  // namespace session
}  // namespace stox::sip
