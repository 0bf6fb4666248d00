#pragma once
// An INVITE of the peer, from its arrival to the ACK: provisionals, reliable ones and their PRACK, the final and its repetition.
//
// One unacknowledged reliable provisional at a time, and the final waits for its PRACK. Merged and looped INVITEs are the
// caller's to find.   (RFC 3261 §13.3, §9.2; RFC 3262 §3)

#include "mapping/sip/session.h"

#include <variant>
#include <vector>

namespace stox::sip {

namespace invite_server {

struct Ringing {
    TimePoint progress_due;  ///< a provisional keeps the proxies waiting
};
struct AwaitingPrack {
    ResponseRef response;
    bool offers;  ///< the PRACK owes an answer
    std::uint32_t rseq;
    TimePoint repeat_at;
    std::chrono::milliseconds interval;
    TimePoint deadline;
    std::vector<Reply> next{};     ///< reliable provisionals that wait for it
    std::optional<Reply> final{};  ///< and the answer
};
struct AwaitingAck {
    ResponseRef response;
    bool offers;  ///< the ACK owes an answer
    TimePoint repeat_at;
    std::chrono::milliseconds interval;
    TimePoint deadline;
    std::optional<session::HangUp> wish{};  ///< the BYE waits for the ACK   (RFC 3261 §15)
};
struct Done {};  ///< refused, or the call is its session's alone
using State = std::variant<Ringing, AwaitingPrack, AwaitingAck, Done>;

struct Progress {
    Reply reply;
};
struct ReliableProgress {
    Reply reply;
};
struct Accept {
    Reply reply;
};
struct Reject {
    Reply reply;
};
struct Withdrawn {};  ///< by CANCEL, or by BYE before our answer
struct Pracked {      ///< the PRACK that was awaited, and nothing else waits
    TransactionId transaction;
    const Request& prack;
};
struct PrackedNext {  ///< and another reliable provisional waits
    TransactionId transaction;
    const Request& prack;
};
struct PrackedAccept {  ///< and a 2xx waits
    TransactionId transaction;
    const Request& prack;
};
struct PrackedReject {  ///< and a refusal waits
    TransactionId transaction;
    const Request& prack;
};
struct AckIn {
    const Request& ack;
};
struct Left {};  ///< the session ended: BYE before the ACK
struct HangUpWish {
    session::HangUp wish;
};
struct DialogLost {};     ///< another usage of the dialog found that the peer has it no more   (RFC 5057 §5.1)
struct AnswerOverdue {};  ///< the application let it ring for too long
struct RepeatDue {};
struct PrackMissing {};
struct AckMissing {};
using Event =
    std::variant<Progress, ReliableProgress, Accept, Reject, Withdrawn, Pracked, PrackedNext, PrackedAccept, PrackedReject, AckIn,
                 Left, AnswerOverdue, HangUpWish, DialogLost, RepeatDue, PrackMissing, AckMissing>;

struct Parts {
    UsageKey usage;
    TransactionId transaction;
    RequestRef request;  ///< its headers alone; null once Done
    std::uint32_t cseq;
    Session session;
    TimePoint answer_due{};
    std::uint32_t rseq = 0;  ///< of the last reliable provisional; 0: none yet
    Reply last_progress{};   ///< repeated while the INVITE waits
    State state{};
};

}  // namespace invite_server

class InviteServer {
public:
    /// dialog   that the INVITE makes (Dialog::as_uas), of which the peer hears with our first tagged answer
    InviteServer(UsageKey usage, TransactionId transaction, const Request& request, DialogRef dialog, Context& context);

    // ---- From above ----

    /// 101..199, with a description as the exchange has place for one. Of reliable ones 8 wait, more are dropped.
    /// reliable  wanted; done when the peer supports it, and always when it requires it
    void progress(Reply reply, bool reliable, Context& context);
    /// The final answer, 200..699. Only the first one counts.
    void answer(Reply reply, Context& context);
    /// Refuses with 480 before the answer has left, also one that waits for a PRACK; later the session hangs up, once the ACK
    /// is there.
    void hang_up(EndCause cause, std::vector<Header> headers, Context& context);

    // ---- From below ----

    /// Any request of the dialog but ACK and CANCEL.
    void receive(TransactionId transaction, const Request& request, Context& context);
    void receive_ack(const Request& ack, Context& context);
    /// CANCEL of this INVITE, or of a re-INVITE.
    void cancelled(TransactionId invite, Context& context);
    bool receive(const IncomingResponse& in, Context& context);
    /// The peer has the dialog no more. The application, which has not asked for the end, is told of it.
    void lose_dialog(Context& context);

    void tick(Context& context);
    std::optional<TimePoint> next_timeout() const;
    bool over() const;
    /// The call; early before our 2xx.
    Session& session() { return parts_.session; }
    const Session& session() const { return parts_.session; }
    const invite_server::State& state() const { return parts_.state; }

private:
    void receive_prack(TransactionId transaction, const Request& prack, Context& context);

    invite_server::Parts parts_;
};

}  // namespace stox::sip
