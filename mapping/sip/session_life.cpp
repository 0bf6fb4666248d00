// The life of a session: early, confirmed, leaving, over.   (RFC 3261 §12.3, §15)

#include "mapping/core/transitions.h"
#include "mapping/sip/header_values.h"
#include "mapping/sip/session_state.h"

namespace stox::sip::session {

namespace {

void end(Scope& scope, EndCause cause, std::vector<Header> headers) {
    step(scope, ServerEvent(Cancelled{}));
    scope.act(Ended{scope.parts.usage, cause, std::move(headers)});
}

Confirmed confirm(const Early&, const Confirm&, Scope& scope) {
    scope.parts.dialog->state = DialogState::confirmed;
    return {};
}

Over drop(const Early&, const Drop&, Scope& scope) {
    step(scope, ServerEvent(Cancelled{}));
    return {};
}

/// The caller leaves before the callee answered: the INVITE gets its 487 from InviteServer.   (RFC 3261 §15.1.2)
Over leave_early(const Early&, const ByeIn& bye, Scope& scope) {
    scope.act(Respond{bye.transaction, make_response(scope.parts, 200)});
    step(scope, ServerEvent(Cancelled{}));
    return {};
}

Leaving send_bye(std::vector<Header> headers, int tries, Scope& scope) {
    auto bye = scope.parts.dialog->request("BYE");
    bye.headers = headers;
    const auto key = scope.context.sources.next_key();
    scope.act(SendRequest{key, std::move(bye)});
    return {key, std::move(headers), tries, scope.context.now + scope.context.settings.give_up()};
}

Leaving hang_up(const Confirmed&, const HangUp& event, Scope& scope) {
    end(scope, event.cause, {});
    return send_bye(event.headers, 0, scope);
}

/// A BYE that was only challenged has ended nothing at the peer.
Leaving bye_again(const Leaving& state, const ByeAgain& event, Scope& scope) {
    auto headers = state.headers;
    for (const auto& header : event.credentials) put(headers, header);
    return send_bye(std::move(headers), state.tries + 1, scope);
}

Over bye(const Confirmed&, const ByeIn& event, Scope& scope) {
    scope.act(Respond{event.transaction, make_response(scope.parts, 200)});
    end(scope, EndCause::remote, event.headers);
    return {};
}

/// Both hang up at once: each answers the other.
Leaving bye_crossed(const Leaving& leaving, const ByeIn& event, Scope& scope) {
    scope.act(Respond{event.transaction, make_response(scope.parts, 200)});
    return leaving;
}

Over left(const Leaving&, const ByeDone&, Scope&) { return {}; }

// clang-format off
using LifeTable = transitions<
    //  from       on        to         do
    row<Early,     Confirm,  Confirmed, confirm>,
    row<Early,     Drop,     Over,      drop>,
    row<Early,     ByeIn,    Over,      leave_early>,
    row<Confirmed, HangUp,   Leaving,   hang_up>,
    row<Confirmed, ByeIn,    Over,      bye>,
    row<Leaving,   ByeIn,    Leaving,   bye_crossed>,
    row<Leaving,   ByeAgain, Leaving,   bye_again>,
    row<Leaving,   ByeDone,  Over,      left>>;
// clang-format on

}  // namespace

bool step(Scope& scope, const LifeEvent& event) { return LifeTable::step(scope.parts.life, event, scope); }

SendAck make_ack(const Dialog& dialog, const LastAck& ack) {
    SendAck made{ack.invite, dialog.ack(ack.cseq)};
    made.request.content_type = ack.answer.type;
    made.request.body = ack.answer.octets;
    return made;
}

Response make_response(const Parts& parts, int status) {
    Response response;
    response.status = status;
    response.to_tag = parts.dialog->id.local_tag;
    return response;
}

Response make_retry_later(const Parts& parts, Context& context) {
    auto response = make_response(parts, 500);
    response.headers.push_back({"Retry-After", std::to_string(context.sources.below(11))});
    return response;
}

}  // namespace stox::sip::session
