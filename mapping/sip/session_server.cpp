// The peer's re-INVITE, UPDATE and PRACK with an offer.   (RFC 3261 §14.2, RFC 3311 §5.2, RFC 3262 §5)

#include "mapping/core/transitions.h"
#include "mapping/sip/session_state.h"

#include <algorithm>

namespace stox::sip::session {

namespace {

DescriptionRole role_of(const Request& request, Scope& scope) {
    return describes_session(request.content_type) ? scope.parts.exchange.received() : DescriptionRole::none;
}

ReInvited invited(const Free&, const InviteIn& event, Scope& scope) {
    const auto role = role_of(event.request, scope);
    scope.act(ModifyRequested{scope.parts.usage, event.transaction, event.request, role});
    return {event.transaction, std::make_shared<const Request>(event.request), scope.context.now + scope.context.settings.answer};
}

Updated updated(const Free&, const UpdateIn& event, Scope& scope) {
    const auto role = role_of(event.request, scope);
    scope.act(ModifyRequested{scope.parts.usage, event.transaction, event.request, role});
    return {event.transaction, std::make_shared<const Request>(event.request),
            scope.context.now + scope.context.settings.description};
}

Response make_answer(const Request& request, const Reply& reply, Scope& scope) {
    auto& parts = scope.parts;
    auto response = make_response(parts, reply.status);
    response.headers = reply.headers;
    if (!reply.description.type.empty() && parts.exchange.sent() != DescriptionRole::none) {
        response.content_type = reply.description.type;
        response.body = reply.description.octets;
        parts.last_sent = reply.description;
    }
    if (request.method == "PRACK") return response;
    response.contacts = {parts.dialog->contact};
    response.headers.push_back({"Allow", scope.context.settings.allow});
    parts.timer.accept(request, response, scope.context.settings, scope.context.now);
    parts.dialog->refresh_target(request.contacts);
    return response;
}

AckAwaited accept_invite(const ReInvited& state, const AcceptedByUs& event, Scope& scope) {
    const auto& settings = scope.context.settings;
    auto response = make_answer(*state.request, event.reply, scope);
    scope.act(Respond{state.transaction, response});
    const auto now = scope.context.now;
    const auto repeat_at = settings.repeat_responses ? now + settings.t1 : TimePoint::max();
    return {state.transaction, state.request->cseq, std::make_shared<const Response>(std::move(response)),
            repeat_at,         settings.t1,         now + settings.give_up()};
}

Free accept_update(const Updated& state, const AcceptedByUs& event, Scope& scope) {
    auto response = make_answer(*state.request, event.reply, scope);
    scope.parts.exchange.undo();
    scope.act(Respond{state.transaction, std::move(response)});
    return {};
}

template <class From>
Free refuse(const From& state, const RefusedByUs& event, Scope& scope) {
    scope.parts.exchange.undo();
    auto response = make_response(scope.parts, event.reply.status);
    response.headers = event.reply.headers;
    scope.act(Respond{state.transaction, std::move(response)});
    return {};
}

template <class From>
Free withdraw(const From& state, int status, Scope& scope) {
    scope.parts.exchange.undo();
    scope.act(Respond{state.transaction, make_response(scope.parts, status)});
    scope.act(ModifyWithdrawn{scope.parts.usage, state.transaction});
    return {};
}

template <class From>
Free cancelled(const From& state, const Cancelled&, Scope& scope) {
    return withdraw(state, 487, scope);
}

/// Who needs longer than the transaction lives says so.   (RFC 3311 §5.2)
template <class From>
Free overdue(const From& state, const AnswerOverdue&, Scope& scope) {
    return withdraw(state, 504, scope);
}

/// The session ends: the 2xx is not repeated any more.
Free left(const AckAwaited&, const Cancelled&, Scope& scope) {
    scope.parts.exchange.undo();
    return {};
}

Free acknowledged(const AckAwaited&, const AckIn& event, Scope& scope) {
    const auto role = role_of(event.ack, scope);
    // An ACK can answer, but brings no offer; one that owes an answer and has none closes the exchange all the same.
    scope.parts.exchange.undo();
    scope.act(Established{scope.parts.usage, event.ack, role == DescriptionRole::offer ? DescriptionRole::none : role});
    return {};
}

/// T1 doubling to T2.   (RFC 3261 §13.3.1.4)
AckAwaited repeat(const AckAwaited& state, const RepeatDue&, Scope& scope) {
    auto next = state;
    next.interval = std::min(2 * state.interval, scope.context.settings.t2);
    next.repeat_at = scope.context.now + next.interval;
    scope.act(Respond{state.transaction, *state.response});
    return next;
}

Free no_ack(const AckAwaited&, const AckMissing&, Scope& scope) {
    scope.parts.exchange.undo();
    return {};
}

// clang-format off
using ServerTable = transitions<
    //  from        on             to          do
    row<Free,       InviteIn,      ReInvited,  invited>,
    row<Free,       UpdateIn,      Updated,    updated>,
    row<ReInvited,  AcceptedByUs,  AckAwaited, accept_invite>,
    row<ReInvited,  RefusedByUs,   Free,       refuse<ReInvited>>,
    row<ReInvited,  Cancelled,     Free,       cancelled<ReInvited>>,
    row<ReInvited,  AnswerOverdue, Free,       overdue<ReInvited>>,
    row<Updated,    AcceptedByUs,  Free,       accept_update>,
    row<Updated,    RefusedByUs,   Free,       refuse<Updated>>,
    row<Updated,    Cancelled,     Free,       cancelled<Updated>>,
    row<Updated,    AnswerOverdue, Free,       overdue<Updated>>,
    row<AckAwaited, AckIn,         Free,       acknowledged>,
    row<AckAwaited, Cancelled,     Free,       left>,
    row<AckAwaited, RepeatDue,     AckAwaited, repeat>,
    row<AckAwaited, AckMissing,    Free,       no_ack>>;
// clang-format on

}  // namespace

bool step(Scope& scope, const ServerEvent& event) { return ServerTable::step(scope.parts.server, event, scope); }

}  // namespace stox::sip::session
