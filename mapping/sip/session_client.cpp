// Our re-INVITE and UPDATE.   (RFC 3261 §14.1, RFC 3311 §5, RFC 4028 §7)

#include "mapping/core/transitions.h"
#include "mapping/sip/header_values.h"
#include "mapping/sip/session_state.h"

#include <algorithm>

namespace stox::sip::session {

namespace {

using std::chrono::milliseconds;

/// The request of a Modify, sent: its description is an offer, or leaves no room for one and is not sent.
RequestRef send(const Modify& modify, RequestKey key, Scope& scope) {
    auto& parts = scope.parts;
    auto request = parts.dialog->request(modify.method);
    request.contacts = {parts.dialog->contact};
    request.headers = modify.headers;
    request.headers.push_back({"Allow", scope.context.settings.allow});
    parts.timer.ask(request, scope.context.settings);
    if (!modify.description.type.empty() && parts.exchange.sent() == DescriptionRole::offer) {
        request.content_type = modify.description.type;
        request.body = modify.description.octets;
    }
    scope.act(SendRequest{key, request});
    return std::make_shared<const Request>(std::move(request));
}

ReInviting send_invite(Modify modify, int tries, Scope& scope) {
    const auto key = scope.context.sources.next_key();
    auto request = send(modify, key, scope);
    return {key, std::move(request), std::move(modify), tries, false, false, scope.context.now + scope.context.settings.modify};
}

Updating send_update(Modify modify, int tries, Scope& scope) {
    const auto key = scope.context.sources.next_key();
    auto request = send(modify, key, scope);
    return {key, std::move(request), std::move(modify), tries};
}

/// An offer that the request carried is void. One that is open for another reason stays.
void withdraw(const Request& request, Scope& scope) {
    if (!request.content_type.empty()) scope.parts.exchange.undo();
}

template <class From>
ReInviting re_invite(const From&, const ReInviteWanted& event, Scope& scope) {
    return send_invite(event.modify, event.tries, scope);
}

template <class From>
Updating update(const From&, const UpdateWanted& event, Scope& scope) {
    return send_update(event.modify, event.tries, scope);
}

/// The headers that heal the refusal stand beside those of the Modify, in the place of older ones.
template <class From>
Modify healed(const From& state, const Again& again, Scope& scope) {
    withdraw(*state.request, scope);
    auto modify = state.modify;
    for (const auto& header : again.credentials) put(modify.headers, header);
    return modify;
}

ReInviting re_invite_again(const ReInviting& state, const Again& event, Scope& scope) {
    return send_invite(healed(state, event, scope), state.tries + 1, scope);
}

Updating update_again(const Updating& state, const Again& event, Scope& scope) {
    return send_update(healed(state, event, scope), state.tries + 1, scope);
}

ReInviting heard(const ReInviting& state, const Heard&, Scope& scope) {
    auto next = state;
    if (next.cancelled && !next.heard) scope.act(SendCancel{next.key});
    next.heard = true;
    return next;
}

void acknowledge(Scope& scope, RequestKey invite, std::uint32_t cseq, const Description& answer) {
    LastAck ack{invite, cseq, {}};
    if (!answer.type.empty() && scope.parts.exchange.sent() == DescriptionRole::answer) {
        ack.answer = answer;
        scope.parts.last_sent = answer;
    }
    scope.act(make_ack(*scope.parts.dialog, ack));
    scope.parts.last_ack = std::move(ack);
}

void accepted(Scope& scope, const Request& request, const Modify& modify, const Response& response) {
    auto& parts = scope.parts;
    parts.dialog->refresh_target(response.contacts);
    parts.timer.agreed(response, request, scope.context.now);
    if (!request.content_type.empty()) parts.last_sent = modify.description;
    auto role = DescriptionRole::none;
    // The 2xx to an UPDATE can answer but not offer.   (RFC 6337 §2.1)
    const bool has_place = modify.method == "INVITE" || parts.exchange.state() == OfferExchange::State::offered;
    if (has_place && describes_session(response.content_type)) role = parts.exchange.received();
    if (!modify.refresh || role != DescriptionRole::none) scope.act(Modified{parts.usage, response, role});
}

/// A 2xx without the answer it owes closes the exchange all the same.
Quiet re_invite_accepted(const ReInviting& state, const Success& event, Scope& scope) {
    if (std::holds_alternative<Confirmed>(scope.parts.life)) accepted(scope, *state.request, state.modify, event.response);
    withdraw(*state.request, scope);
    acknowledge(scope, state.key, state.request->cseq, {});
    return {};
}

AckOwed re_invite_offers(const ReInviting& state, const SuccessWithOffer& event, Scope& scope) {
    accepted(scope, *state.request, state.modify, event.response);
    return {state.key, state.request->cseq, scope.context.now + scope.context.settings.description};
}

Quiet update_accepted(const Updating& state, const Success& event, Scope& scope) {
    const bool lives = std::holds_alternative<Early>(scope.parts.life) || std::holds_alternative<Confirmed>(scope.parts.life);
    if (lives) accepted(scope, *state.request, state.modify, event.response);
    withdraw(*state.request, scope);
    return {};
}

/// The owner of the Call-ID waits the longer, so that the two do not meet again. In units of 10 ms.   (RFC 3261 §14.1)
milliseconds glare_pause(Scope& scope) {
    auto& below = scope.context.sources.below;
    return scope.parts.dialog->caller ? milliseconds(2100 + 10 * below(191)) : milliseconds(10 * below(201));
}

GlareWait pause(const Modify& modify, int tries, const Glare& glare, Scope& scope) {
    const auto pause = glare.retry_after ? milliseconds(*glare.retry_after) : glare_pause(scope);
    return {scope.context.now + pause, modify, tries + 1};
}

template <class From>
GlareWait wait(const From& state, const Glare& event, Scope& scope) {
    withdraw(*state.request, scope);
    return pause(state.modify, state.tries, event, scope);
}

GlareWait wait_on(const GlareWait& state, const Glare& event, Scope& scope) {
    return pause(state.modify, state.tries, event, scope);
}

/// A refresh that failed changes nothing but its next try: the session lives until its time is over.   (RFC 4028 §10)
void tell(const Modify& modify, const Refused& event, Scope& scope) {
    const auto status = event.response.status;
    if (modify.method == "UPDATE" && (status == 405 || status == 501)) scope.parts.peer_updates = false;
    if (modify.refresh) scope.parts.timer.retry(scope.context.now);
    const bool over = std::holds_alternative<Leaving>(scope.parts.life) || std::holds_alternative<Over>(scope.parts.life);
    if (!modify.refresh && !over) scope.act(ModifyFailed{scope.parts.usage, event.response});
}

template <class From>
Quiet refused(const From& state, const Refused& event, Scope& scope) {
    withdraw(*state.request, scope);
    tell(state.modify, event, scope);
    return {};
}

Quiet give_up(const GlareWait& state, const Refused& event, Scope& scope) {
    tell(state.modify, event, scope);
    return {};
}

/// Asked to be cancelled: now if a provisional came, else with the first one.   (RFC 3261 §9.1)
ReInviting cancel(const ReInviting& state, const CancelDue&, Scope& scope) {
    auto next = state;
    if (next.heard) scope.act(SendCancel{next.key});
    next.cancelled = true;
    next.deadline = scope.context.now + scope.context.settings.give_up();
    return next;
}

Quiet send_ack(const AckOwed& state, const AckReady& event, Scope& scope) {
    acknowledge(scope, state.key, state.cseq, event.description);
    scope.parts.exchange.undo();
    return {};
}

Quiet ack_overdue(const AckOwed& state, const AckOverdue&, Scope& scope) {
    acknowledge(scope, state.key, state.cseq, {});
    scope.parts.exchange.undo();
    step(scope, LifeEvent(HangUp{EndCause::no_answer_given}));
    return {};
}

// clang-format off
using ClientTable = transitions<
    //  from        on                to          do
    row<Quiet,      ReInviteWanted,   ReInviting, re_invite<Quiet>>,
    row<Quiet,      UpdateWanted,     Updating,   update<Quiet>>,
    row<GlareWait,  ReInviteWanted,   ReInviting, re_invite<GlareWait>>,
    row<GlareWait,  UpdateWanted,     Updating,   update<GlareWait>>,
    row<GlareWait,  Glare,            GlareWait,  wait_on>,
    row<GlareWait,  Refused,          Quiet,      give_up>,
    row<ReInviting, Heard,            ReInviting, heard>,
    row<ReInviting, Success,          Quiet,      re_invite_accepted>,
    row<ReInviting, SuccessWithOffer, AckOwed,    re_invite_offers>,
    row<ReInviting, Again,            ReInviting, re_invite_again>,
    row<ReInviting, Glare,            GlareWait,  wait<ReInviting>>,
    row<ReInviting, Refused,          Quiet,      refused<ReInviting>>,
    row<ReInviting, CancelDue,        ReInviting, cancel>,
    row<Updating,   Success,          Quiet,      update_accepted>,
    row<Updating,   Again,            Updating,   update_again>,
    row<Updating,   Glare,            GlareWait,  wait<Updating>>,
    row<Updating,   Refused,          Quiet,      refused<Updating>>,
    row<AckOwed,    AckReady,         Quiet,      send_ack>,
    row<AckOwed,    AckOverdue,       Quiet,      ack_overdue>>;
// clang-format on

}  // namespace

bool step(Scope& scope, const ClientEvent& event) { return ClientTable::step(scope.parts.client, event, scope); }

}  // namespace stox::sip::session
