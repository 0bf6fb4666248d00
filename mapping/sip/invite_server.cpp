#include "mapping/sip/invite_server.h"

#include "mapping/sip/header_values.h"
#include "mapping/sip/invite_server_table.h"

#include <algorithm>
#include <array>

namespace stox::sip {

using namespace invite_server;

namespace {

OfferExchange exchange_of(const Request& invite) {
    OfferExchange exchange;
    if (describes_session(invite.content_type)) exchange.received();
    return exchange;
}

/// The application is told all of it; kept are its headers alone.
RequestRef what_answers_need(const Request& invite) {
    auto kept = std::make_shared<Request>();
    kept->headers = invite.headers;
    return kept;
}

struct Rack {
    std::uint32_t rseq;
    std::uint32_t cseq;
};

/// "RSeq CSeq INVITE".   (RFC 3262 §7.2)
std::optional<Rack> read_rack(const std::string* value) {
    if (!value) return std::nullopt;
    std::string_view rest = *value;
    std::array<std::string_view, 3> words;
    for (auto& word : words) {
        const auto start = rest.find_first_not_of(" \t");
        if (start == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(start);
        word = rest.substr(0, rest.find_first_of(" \t"));
        rest.remove_prefix(word.size());
    }
    const auto rseq = read_number(words[0]), cseq = read_number(words[1]);
    if (!rseq || !cseq || words[2] != "INVITE") return std::nullopt;
    return Rack{*rseq, *cseq};
}

}  // namespace

InviteServer::InviteServer(UsageKey usage, TransactionId transaction, const Request& request, DialogRef dialog, Context& context)
    : parts_{usage,
             transaction,
             what_answers_need(request),
             request.cseq,
             Session(usage, std::move(dialog), {}),
             context.now + context.settings.answer} {
    auto& session = parts_.session;
    session.dialog()->state = DialogState::early;
    session.exchange() = exchange_of(request);
    session.learn(request.headers);
    parts_.last_progress.status = 183;
    parts_.state = Ringing{context.now + context.settings.progress_every};
}

void InviteServer::progress(Reply reply, bool reliable, Context& context) {
    if (reply.status <= 100 || reply.status >= 200 || !parts_.request) return;
    Scope scope{parts_, context};
    const auto& headers = parts_.request->headers;
    const bool required = has_token(headers, "Require", "100rel");
    if (required || (reliable && has_token(headers, "Supported", "100rel")))
        step(scope, ReliableProgress{std::move(reply)});
    else
        step(scope, Progress{std::move(reply)});
}

void InviteServer::answer(Reply reply, Context& context) {
    if (reply.status < 200 || reply.status > 699) return;
    Scope scope{parts_, context};
    if (reply.status < 300)
        step(scope, Accept{std::move(reply)});
    else
        step(scope, Reject{std::move(reply)});
}

void InviteServer::hang_up(EndCause cause, std::vector<Header> headers, Context& context) {
    Scope scope{parts_, context};
    if (std::holds_alternative<AwaitingAck>(parts_.state) || std::holds_alternative<AwaitingPrack>(parts_.state))
        step(scope, HangUpWish{{cause, std::move(headers)}});
    else if (std::holds_alternative<Done>(parts_.state))
        parts_.session.hang_up(cause, std::move(headers), context);
    else
        step(scope, Reject{Reply{480, std::move(headers)}});
}

void InviteServer::receive(TransactionId transaction, const Request& request, Context& context) {
    if (request.method == "PRACK") return receive_prack(transaction, request, context);
    const bool before = parts_.session.early();
    parts_.session.receive(transaction, request, context);
    if (request.method != "BYE") return;
    Scope scope{parts_, context};
    if (before)
        step(scope, Withdrawn{});
    else
        step(scope, Left{});
}

bool InviteServer::receive(const IncomingResponse& in, Context& context) {
    const bool ours = parts_.session.receive(in, context);
    // A request of ours has found that the call is no more: there is no ACK to wait for.
    Scope scope{parts_, context};
    if (!parts_.session.early() && !parts_.session.confirmed()) step(scope, Left{});
    return ours;
}

void InviteServer::lose_dialog(Context& context) {
    Scope scope{parts_, context};
    if (!step(scope, DialogLost{})) hang_up(EndCause::peer_lost, {}, context);
}

void InviteServer::receive_prack(TransactionId transaction, const Request& prack, Context& context) {
    Scope scope{parts_, context};
    const auto* waiting = std::get_if<AwaitingPrack>(&parts_.state);
    const auto rack = read_rack(prack.header("RAck"));
    if (!waiting || !rack || rack->rseq != waiting->rseq || rack->cseq != parts_.cseq)
        return scope.act(Respond{transaction, session::make_response({{}, parts_.session.dialog(), {}, {}}, 481)});
    if (!waiting->next.empty())
        step(scope, PrackedNext{transaction, prack});
    else if (!waiting->final)
        step(scope, Pracked{transaction, prack});
    else if (waiting->final->status < 300)
        step(scope, PrackedAccept{transaction, prack});
    else
        step(scope, PrackedReject{transaction, prack});
}

void InviteServer::receive_ack(const Request& ack, Context& context) {
    Scope scope{parts_, context};
    if (ack.cseq == parts_.cseq)
        step(scope, AckIn{ack});
    else
        parts_.session.receive_ack(ack, context);
}

void InviteServer::cancelled(TransactionId invite, Context& context) {
    Scope scope{parts_, context};
    if (invite == parts_.transaction)
        step(scope, Withdrawn{});
    else
        parts_.session.cancelled(invite, context);
}

void InviteServer::tick(Context& context) {
    Scope scope{parts_, context};
    const auto now = context.now;
    if (const auto* ringing = std::get_if<Ringing>(&parts_.state); ringing && parts_.answer_due <= now) {
        step(scope, AnswerOverdue{});
    } else if (ringing && ringing->progress_due <= now) {
        progress(parts_.last_progress, false, context);
    } else if (const auto* prack = std::get_if<AwaitingPrack>(&parts_.state)) {
        if (prack->deadline <= now)
            step(scope, PrackMissing{});
        else if (prack->repeat_at <= now)
            step(scope, RepeatDue{});
    } else if (const auto* ack = std::get_if<AwaitingAck>(&parts_.state)) {
        if (ack->deadline <= now)
            step(scope, AckMissing{});
        else if (ack->repeat_at <= now)
            step(scope, RepeatDue{});
    }
    parts_.session.tick(context);
}

std::optional<TimePoint> InviteServer::next_timeout() const {
    auto next = parts_.session.next_timeout().value_or(TimePoint::max());
    if (const auto* ringing = std::get_if<Ringing>(&parts_.state))
        next = std::min({next, ringing->progress_due, parts_.answer_due});
    if (const auto* prack = std::get_if<AwaitingPrack>(&parts_.state)) next = std::min({next, prack->repeat_at, prack->deadline});
    if (const auto* ack = std::get_if<AwaitingAck>(&parts_.state)) next = std::min({next, ack->repeat_at, ack->deadline});
    return next == TimePoint::max() ? std::nullopt : std::optional(next);
}

bool InviteServer::over() const { return std::holds_alternative<Done>(parts_.state) && parts_.session.over(); }

}  // namespace stox::sip
