#pragma once
// An INVITE of ours: early dialogs by fork, reliable provisionals, the first 2xx that wins, CANCEL.
//
// The caller gets exactly one of Answered and Failed. After Answered the call is the session of the winning fork; 2xx of other
// forks, and all that come after a cancel, are acknowledged and ended at once.   (RFC 3261 §13.2, §9.1; RFC 3262 §4; RFC 6026)

#include "mapping/sip/session.h"

#include <map>
#include <string>
#include <utility>
#include <variant>

namespace stox::sip {

namespace invite_client {

struct Calling {};        ///< nothing came yet
struct Proceeding {};     ///< a provisional came
struct CancelPending {};  ///< to be cancelled, but no CANCEL before a provisional
struct Cancelling {};     ///< CANCEL sent
struct Accepted {};       ///< the first 2xx came; those of other forks may
struct Discarding {};     ///< a 2xx came that nobody wants, or may come after the failure; others may
struct Terminated {};
using State = std::variant<Calling, Proceeding, CancelPending, Cancelling, Accepted, Discarding, Terminated>;

struct Trying {};
struct Progress {
    Response response;
};
struct ReliableProgress {  ///< the next one in order of its fork
    Response response;
};
struct Success {  ///< of a fork that had none
    Response response;
};
struct SuccessAgain {
    std::string to_tag;
};
struct Again {  ///< 422, or 401/407 with credentials
    std::vector<Header> credentials;
};
struct Failure {
    Response response;
};
struct FailureOfOne {  ///< of the last target that was asked; those before may answer yet
    Response response;
};
struct Cancel {};
struct Overdue {};  ///< the state's time is over
struct AckReady {
    Description description;
};
struct AckOverdue {};
struct PrackReady {
    std::string remote_tag;
    Description description;
};
using Event = std::variant<Trying, Progress, ReliableProgress, Success, SuccessAgain, Again, Failure, FailureOfOne, Cancel, Overdue,
                           AckReady, AckOverdue, PrackReady>;

struct Prack {
    RequestKey key;
    RequestRef request;
    int tries;
};

struct Fork {
    Session session;
    std::uint32_t rseq = 0;               ///< of the last reliable provisional in order; 0: none yet
    std::optional<std::uint32_t> owed{};  ///< RSeq whose PRACK waits for the application's answer
    std::optional<Prack> prack{};         ///< the last one, until it is answered
    bool described = false;               ///< its answer to our offer came, or its offer: what follows in responses is ignored
    bool accepted = false;                ///< its 2xx came
    std::optional<Description> ack{};     ///< sent, with that answer; without a type: none
};

struct Parts {
    UsageKey usage;
    Request request;  ///< the last INVITE sent
    RequestKey key;
    OfferExchange exchange;  ///< as the INVITE leaves it, for each fork
    SessionTimer timer;      ///< with the Min-SE met
    int tries = 0;
    TimePoint deadline;
    std::optional<TimePoint> ack_due{};
    std::map<std::string, Fork> forks{};  ///< by remote tag
    std::string winner{};                 ///< remote tag
    State state{};
};

}  // namespace invite_client

class InviteClient {
public:
    /// Sends it. What the INVITE says of extensions, session timers and Allow is added.
    /// request  outside any dialog, with Contact, From tag, Call-ID and CSeq; a session description in it is the offer
    InviteClient(UsageKey usage, Request request, Context& context);

    bool receive(const IncomingResponse& in, Context& context);
    /// Any request of one of the dialogs, ACK included.
    void receive(TransactionId transaction, const Request& request, Context& context);
    /// The session with that remote tag, early or established; null: none.
    Session* session(const std::string& remote_tag);
    /// Of the fork that won; null before.
    Session* session() { return const_cast<Session*>(std::as_const(*this).session()); }
    const Session* session() const;

    /// Gives the INVITE up, at once where its CANCEL may go, else as soon as it may. After the answer: hangs up.
    void hang_up(EndCause cause, std::vector<Header> headers, Context& context);
    /// The answer to the offer of Progressed with that To tag.
    void answer_provisional(const std::string& remote_tag, const Description& answer, Context& context);
    /// To ModifyRequested.
    void answer(TransactionId transaction, const Reply& reply, Context& context);
    /// The answer to the offer of Answered, later of Modified.
    void acknowledge(const Description& answer, Context& context);

    void tick(Context& context);
    std::optional<TimePoint> next_timeout() const;
    bool over() const;
    /// Whether something is still to be done about responses to that INVITE, which has had a final one.
    bool listens(RequestKey invite) const;
    /// Dialogs that stand now, for the table that finds them.
    std::vector<DialogRef> dialogs() const;
    const invite_client::State& state() const { return parts_.state; }

private:
    invite_client::Event to_event(const IncomingResponse& in);
    invite_client::Event to_event_of_provisional(const Response& response);
    bool receive_prack_response(const IncomingResponse& in, Context& context);

    invite_client::Parts parts_;
};

}  // namespace stox::sip
