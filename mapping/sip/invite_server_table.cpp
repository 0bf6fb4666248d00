#include "mapping/sip/invite_server_table.h"

#include "mapping/core/transitions.h"

#include <algorithm>

namespace stox::sip::invite_server {

namespace {

constexpr std::size_t kMaxWaiting = 8;
constexpr std::uint32_t kFirstRseq = 1u << 30;  // the first is random below; what follows never wraps (RFC 3262 §3)

/// A description has a place where it answers the INVITE's offer or makes the first one; what was agreed stays.
void attach(Response& response, const Description& description, Scope& scope) {
    const auto state = scope.parts.session.exchange().state();
    if (scope.parts.session.answering()) return;  // the open offer is that of a PRACK or UPDATE
    if (description.type.empty() || (state != OfferExchange::State::asked && state != OfferExchange::State::none)) return;
    scope.parts.session.exchange().sent();
    scope.parts.session.sent(description);
    response.content_type = description.type;
    response.body = description.octets;
}

Response make_response(const Reply& reply, Scope& scope) {
    Response response;
    response.status = reply.status;
    response.headers = reply.headers;
    response.to_tag = scope.parts.session.dialog()->id.local_tag;
    if (reply.status < 300) response.contacts = {scope.parts.session.dialog()->contact};
    return response;
}

Ringing ring(Scope& scope) { return {scope.context.now + scope.context.settings.progress_every}; }

Response make_preview(const Reply& reply, Scope& scope) {
    auto response = make_response(reply, scope);
    response.content_type = reply.description.type;
    response.body = reply.description.octets;
    return response;
}

Ringing progress(const Ringing&, const Progress& event, Scope& scope) {
    scope.parts.last_progress = event.reply;
    scope.act(Respond{scope.parts.transaction, make_preview(event.reply, scope)});
    return ring(scope);
}

AwaitingPrack progress_meanwhile(const AwaitingPrack& state, const Progress& event, Scope& scope) {
    scope.act(Respond{scope.parts.transaction, make_preview(event.reply, scope)});
    return state;
}

AwaitingPrack send_reliable(const Reply& reply, Scope& scope) {
    auto& parts = scope.parts;
    const auto& settings = scope.context.settings;
    parts.last_progress = reply;
    parts.last_progress.description = {};  // said once and for all
    parts.rseq = parts.rseq == 0 ? 1 + scope.context.sources.below(kFirstRseq) : parts.rseq + 1;
    auto response = make_response(reply, scope);
    response.headers.push_back({"Require", "100rel"});
    response.headers.push_back({"RSeq", std::to_string(parts.rseq)});
    attach(response, reply.description, scope);
    const bool offers = parts.session.exchange().state() == OfferExchange::State::offered && !response.content_type.empty();
    scope.act(Respond{parts.transaction, response});
    const auto now = scope.context.now;
    const auto repeat_at = settings.repeat_responses ? now + settings.t1 : TimePoint::max();
    return {std::make_shared<const Response>(std::move(response)),
            offers,
            parts.rseq,
            repeat_at,
            settings.t1,
            now + settings.give_up()};
}

AwaitingPrack reliable(const Ringing&, const ReliableProgress& event, Scope& scope) { return send_reliable(event.reply, scope); }

AwaitingPrack queue(const AwaitingPrack& state, const ReliableProgress& event, Scope&) {
    auto next = state;
    if (next.final) return next;
    if (next.next.size() < kMaxWaiting) next.next.push_back(event.reply);
    return next;
}

/// Without cap, other than a 2xx.   (RFC 3262 §3)
AwaitingPrack repeat(const AwaitingPrack& state, const RepeatDue&, Scope& scope) {
    auto next = state;
    next.interval = 2 * state.interval;
    next.repeat_at = scope.context.now + next.interval;
    scope.act(Respond{scope.parts.transaction, *state.response});
    return next;
}

AwaitingAck send_2xx(const Reply& reply, Scope& scope) {
    auto& parts = scope.parts;
    const auto& settings = scope.context.settings;
    auto response = make_response(reply, scope);
    response.headers.push_back({"Allow", settings.allow});
    parts.session.timer().accept(*parts.request, response, settings, scope.context.now);
    attach(response, reply.description, scope);
    parts.session.confirm(scope.context);
    parts.session.await_first_ack(true);
    const bool offers = parts.session.exchange().state() == OfferExchange::State::offered && !response.content_type.empty();
    scope.act(Respond{parts.transaction, response});
    const auto now = scope.context.now;
    const auto repeat_at = settings.repeat_responses ? now + settings.t1 : TimePoint::max();
    return {std::make_shared<const Response>(std::move(response)), offers, repeat_at, settings.t1, now + settings.give_up()};
}

Done refuse_with(const Reply& reply, Scope& scope) {
    scope.act(Respond{scope.parts.transaction, make_response(reply, scope)});
    scope.parts.session.drop(scope.context);
    return {};
}

AwaitingAck accept(const Ringing&, const Accept& event, Scope& scope) { return send_2xx(event.reply, scope); }

Done reject(const Ringing&, const Reject& event, Scope& scope) { return refuse_with(event.reply, scope); }

/// CANCEL, or the caller's BYE, before our answer.   (RFC 3261 §9.2, §15.1.2)
void tell_withdrawn(Scope& scope) {
    Response response;
    response.status = 487;
    scope.act(Failed{scope.parts.usage, std::move(response)});
}

void tell_unavailable(Scope& scope) {
    Response response;
    response.status = 480;
    scope.act(Failed{scope.parts.usage, std::move(response)});
}

Done never_answered(const Ringing&, const AnswerOverdue&, Scope& scope) {
    tell_unavailable(scope);
    return refuse_with(Reply{480}, scope);
}

Done lost(const Ringing&, const DialogLost&, Scope& scope) {
    tell_unavailable(scope);
    return refuse_with(Reply{480}, scope);
}

Done withdrawn(const Ringing&, const Withdrawn&, Scope& scope) {
    tell_withdrawn(scope);
    return refuse_with(Reply{487}, scope);
}

/// A 2xx lets the provisionals before it go first, for a description may be in them; a refusal does not.
AwaitingPrack hold(const AwaitingPrack& state, const Reply& reply) {
    auto next = state;
    if (next.final) return next;
    next.final = reply;
    if (reply.status >= 300) next.next.clear();
    return next;
}

AwaitingPrack hold_2xx(const AwaitingPrack& state, const Accept& event, Scope&) { return hold(state, event.reply); }

AwaitingPrack hold_refusal(const AwaitingPrack& state, const Reject& event, Scope&) { return hold(state, event.reply); }

/// The application hangs up. A 2xx of its own that has not left gives way; as it waits for the end of a call then, it is told.
AwaitingPrack hold_480(const AwaitingPrack& state, const HangUpWish& event, Scope& scope) {
    auto next = state;
    if (next.final && next.final->status >= 300) return next;
    if (next.final) tell_unavailable(scope);
    next.final = Reply{480, event.wish.headers, {}};
    next.next.clear();
    return next;
}

/// A 2xx that has not left gives way.
AwaitingPrack hold_lost(const AwaitingPrack& state, const DialogLost&, Scope& scope) {
    auto next = state;
    if (next.final && next.final->status >= 300) return next;
    tell_unavailable(scope);
    next.final = Reply{480};
    next.next.clear();
    return next;
}

/// A 2xx that has not left gives way.
AwaitingPrack hold_487(const AwaitingPrack& state, const Withdrawn&, Scope& scope) {
    auto next = state;
    const bool refused = next.final && next.final->status >= 300;
    if (!refused) {
        tell_withdrawn(scope);
        next.final = Reply{487};
        next.next.clear();
    }
    return next;
}

/// An answer in the PRACK closes the exchange; an offer is the application's to answer.   (RFC 3262 §5)
/// Without the answer it owes our offer is void: the 2xx may make another.
template <class Event>
void answer_prack(const AwaitingPrack& state, const Event& event, Scope& scope) {
    auto& session = scope.parts.session;
    const bool described = describes_session(event.prack.content_type);
    if (described && !state.offers) {
        session.receive_prack(event.transaction, event.prack, scope.context);
        return;
    }
    auto role = DescriptionRole::none;
    if (described) role = session.exchange().received();
    if (state.offers) session.exchange().undo();
    Response response;
    response.status = 200;
    response.to_tag = session.dialog()->id.local_tag;
    scope.act(Respond{event.transaction, std::move(response)});
    if (role == DescriptionRole::answer) scope.act(AnsweredByPrack{scope.parts.usage, event.prack});
}

Ringing pracked(const AwaitingPrack& state, const Pracked& event, Scope& scope) {
    answer_prack(state, event, scope);
    return ring(scope);
}

AwaitingPrack pracked_next(const AwaitingPrack& state, const PrackedNext& event, Scope& scope) {
    answer_prack(state, event, scope);
    auto next = send_reliable(state.next.front(), scope);
    next.next = state.next;
    next.next.erase(next.next.begin());
    next.final = state.final;
    return next;
}

AwaitingAck pracked_accept(const AwaitingPrack& state, const PrackedAccept& event, Scope& scope) {
    answer_prack(state, event, scope);
    return send_2xx(*state.final, scope);
}

Done pracked_reject(const AwaitingPrack& state, const PrackedReject& event, Scope& scope) {
    answer_prack(state, event, scope);
    return refuse_with(*state.final, scope);
}

/// 5xx, unless another refusal waits.   (RFC 3262 §3; MEDIA-107)
Done no_prack(const AwaitingPrack& state, const PrackMissing&, Scope& scope) {
    if (state.final && state.final->status >= 300) return refuse_with(*state.final, scope);
    Response response;
    response.status = 504;
    scope.act(Failed{scope.parts.usage, response});
    return refuse_with(Reply{504}, scope);
}

Done acknowledged(const AwaitingAck& state, const AckIn& event, Scope& scope) {
    auto& session = scope.parts.session;
    auto role = DescriptionRole::none;
    if (state.offers && describes_session(event.ack.content_type)) role = session.exchange().received();
    if (state.offers) session.exchange().undo();  // an ACK that owes an answer and has none closes the exchange all the same
    session.await_first_ack(false);
    scope.act(Established{scope.parts.usage, event.ack, role});
    if (state.wish) session.hang_up(state.wish->cause, state.wish->headers, scope.context);
    return {};
}

/// T1 doubling to T2.   (RFC 3261 §13.3.1.4)
AwaitingAck repeat_2xx(const AwaitingAck& state, const RepeatDue&, Scope& scope) {
    auto next = state;
    next.interval = std::min(2 * state.interval, scope.context.settings.t2);
    next.repeat_at = scope.context.now + next.interval;
    scope.act(Respond{scope.parts.transaction, *state.response});
    return next;
}

AwaitingAck wish(const AwaitingAck& state, const HangUpWish& event, Scope&) {
    auto next = state;
    if (!next.wish) next.wish = event.wish;
    return next;
}

Done no_ack(const AwaitingAck& state, const AckMissing&, Scope& scope) {
    const auto leave = state.wish.value_or(session::HangUp{EndCause::no_ack});
    scope.parts.session.hang_up(leave.cause, leave.headers, scope.context);
    return {};
}

Done left(const AwaitingAck&, const Left&, Scope&) { return {}; }

// clang-format off
using Table = transitions<
    //  from           on                to             do
    row<Ringing,       Progress,         Ringing,       progress>,
    row<Ringing,       ReliableProgress, AwaitingPrack, reliable>,
    row<Ringing,       Accept,           AwaitingAck,   accept>,
    row<Ringing,       Reject,           Done,          reject>,
    row<Ringing,       Withdrawn,        Done,          withdrawn>,
    row<Ringing,       AnswerOverdue,    Done,          never_answered>,
    row<Ringing,       DialogLost,       Done,          lost>,
    row<AwaitingPrack, Progress,         AwaitingPrack, progress_meanwhile>,
    row<AwaitingPrack, ReliableProgress, AwaitingPrack, queue>,
    row<AwaitingPrack, Accept,           AwaitingPrack, hold_2xx>,
    row<AwaitingPrack, Reject,           AwaitingPrack, hold_refusal>,
    row<AwaitingPrack, Withdrawn,        AwaitingPrack, hold_487>,
    row<AwaitingPrack, HangUpWish,       AwaitingPrack, hold_480>,
    row<AwaitingPrack, DialogLost,       AwaitingPrack, hold_lost>,
    row<AwaitingPrack, Pracked,          Ringing,       pracked>,
    row<AwaitingPrack, PrackedNext,      AwaitingPrack, pracked_next>,
    row<AwaitingPrack, PrackedAccept,    AwaitingAck,   pracked_accept>,
    row<AwaitingPrack, PrackedReject,    Done,          pracked_reject>,
    row<AwaitingPrack, RepeatDue,        AwaitingPrack, repeat>,
    row<AwaitingPrack, PrackMissing,     Done,          no_prack>,
    row<AwaitingAck,   AckIn,            Done,          acknowledged>,
    row<AwaitingAck,   Left,             Done,          left>,
    row<AwaitingAck,   HangUpWish,       AwaitingAck,   wish>,
    row<AwaitingAck,   RepeatDue,        AwaitingAck,   repeat_2xx>,
    row<AwaitingAck,   AckMissing,       Done,          no_ack>>;
// clang-format on

}  // namespace

bool step(Scope& scope, const Event& event) {
    const bool known = Table::step(scope.parts.state, event, scope);
    if (known && std::holds_alternative<Done>(scope.parts.state)) {
        // From here on the call is its session's alone: what else the INVITE needed goes.
        scope.parts.request.reset();
        scope.parts.last_progress = Reply{};
    }
    return known;
}

}  // namespace stox::sip::invite_server
