#pragma once
// The INVITE usage of a dialog: from its first tagged provisional, through the call, to the end of BYE.
//
// re-INVITE and UPDATE both ways with offers and answers, glare, BYE, session timers, and what just passes through (INFO).
// (RFC 3261 §14, §15; RFC 3311; RFC 4028; RFC 5057; RFC 6141)  The first INVITE itself is InviteClient's or InviteServer's.

#include "mapping/sip/session_state.h"

namespace stox::sip {

class Session {
public:
    /// exchange  how far offer and answer of the first INVITE are
    Session(UsageKey usage, DialogRef dialog, OfferExchange exchange);

    // ---- From below. The caller has found the dialog, and checked its CSeq (DialogTable). ----

    /// Any request of the dialog but ACK, CANCEL and PRACK.
    void receive(TransactionId transaction, const Request& request, Context& context);
    /// A PRACK with an offer: the application answers it as it does an UPDATE.   (RFC 3262 §5)
    void receive_prack(TransactionId transaction, const Request& prack, Context& context);
    void receive_ack(const Request& ack, Context& context);
    /// CANCEL of that re-INVITE; the endpoint has answered the CANCEL itself.
    void cancelled(TransactionId invite, Context& context);
    /// false: not a request of this session.
    bool receive(const IncomingResponse& in, Context& context);

    // ---- From the first INVITE ----

    void confirm(Context& context);
    void drop(Context& context);
    OfferExchange& exchange() { return parts_.exchange; }
    SessionTimer& timer() { return parts_.timer; }
    /// Our 2xx to the first INVITE waits for its ACK.
    void await_first_ack(bool awaited) { parts_.first_ack_awaited = awaited; }
    /// What a message of the peer tells of it: whether it takes UPDATE.
    void learn(const std::vector<Header>& headers);
    /// Our description in force, for refreshes.
    void sent(const Description& description) { parts_.last_sent = description; }

    // ---- From above ----

    /// What cannot be sent now comes back as ModifyFailed with 491.
    void modify(Modify modify, Context& context);
    /// To ModifyRequested. false: that transaction does not wait for it.
    bool answer(TransactionId transaction, const Reply& reply, Context& context);
    /// The answer to the offer of Modified.
    void acknowledge(const Description& answer, Context& context);
    /// INFO, MESSAGE, OPTIONS ... with headers and a body. none: the session is over or 16 are under way.
    RequestKey send(std::string_view method, std::vector<Header> headers, std::string type, std::string body, Context& context);
    void hang_up(EndCause cause, std::vector<Header> headers, Context& context);

    void tick(Context& context);
    std::optional<TimePoint> next_timeout() const;
    /// Nothing is to come any more.
    bool over() const;
    /// Whether something is still to be done about responses to that INVITE, which has had a final one.
    bool listens(RequestKey invite) const;
    bool early() const { return std::holds_alternative<session::Early>(parts_.life); }
    bool confirmed() const { return std::holds_alternative<session::Confirmed>(parts_.life); }
    /// The application owes the answer to a request of the peer.
    bool answering() const {
        return std::holds_alternative<session::Updated>(parts_.server) ||
               std::holds_alternative<session::ReInvited>(parts_.server);
    }
    const DialogRef& dialog() const { return parts_.dialog; }

private:
    std::optional<Response> refusal(const Request& request, Context& context) const;
    std::optional<Response> refusal_of_offer(bool offer, Context& context) const;
    bool receive_modify_response(const IncomingResponse& in, Context& context);
    bool can_modify(bool update, bool offer) const;
    std::optional<Modify> refresh() const;
    void tick_client(Context& context);
    std::optional<TimePoint> answer_due() const;

    session::Parts parts_;
};

}  // namespace stox::sip
