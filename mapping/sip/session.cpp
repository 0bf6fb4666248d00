#include "mapping/sip/session.h"

#include "mapping/sip/header_values.h"

#include <algorithm>

namespace stox::sip {

using namespace session;

namespace {

constexpr std::size_t kMaxRequests = 16;

/// Whether a final response to a request in the call's dialog ends the call. What belongs to the call (INFO, and what changes
/// it) ends it too where it was not answered, or not known any more; a MESSAGE or OPTIONS belongs to no usage.
/// (RFC 5057 §5.1 to §5.3, RFC 3261 §12.2.1.2)
bool peer_lost(int status, std::string_view method) {
    if (destroys_dialog(status)) return true;
    const bool of_call = method == "INVITE" || method == "UPDATE" || method == "PRACK" || method == "INFO";
    if (of_call && (status == 408 || status == 480 || status == 481)) return true;
    return method == "INVITE" && (status == 405 || status == 501);
}

constexpr std::chrono::seconds kLongestRetryAfter{32};

/// Of a 500, which says that the peer is in the middle of a change.   (RFC 3261 §14.2, RFC 3311 §5.2)
std::optional<std::chrono::seconds> retry_after(const Response& response) {
    const auto number = response.status == 500 ? leading_number(response.header("Retry-After")) : std::nullopt;
    if (!number || std::chrono::seconds(*number) > kLongestRetryAfter) return std::nullopt;
    return std::chrono::seconds(*number);
}

/// Event of a final response to our re-INVITE or UPDATE.
template <class State>
ClientEvent to_event_of_response(const State& state, const IncomingResponse& in, Parts& parts) {
    const auto& response = in.response;
    const bool may_retry = state.tries < kMaxTries && std::holds_alternative<Confirmed>(parts.life);
    if (response.status < 300) {
        const bool offer = std::is_same_v<State, ReInviting> && describes_session(response.content_type) &&
                           parts.exchange.state() != OfferExchange::State::offered;
        if (offer && std::holds_alternative<Confirmed>(parts.life)) return SuccessWithOffer{response};
        return Success{response};
    }
    if (may_retry && response.status == 422 && parts.timer.raise(response, *state.request)) return Again{};
    if (may_retry && !in.credentials.empty()) return Again{in.credentials};
    if (may_retry && response.status == 491) return Glare{};
    if (const auto pause = retry_after(response); may_retry && pause) return Glare{pause};
    return Refused{response};
}

}  // namespace

ClientEvent session::to_event(Modify modify, int tries) {
    if (modify.method == "INVITE") return ReInviteWanted{std::move(modify), tries};
    return UpdateWanted{std::move(modify), tries};
}

Session::Session(UsageKey usage, DialogRef dialog, OfferExchange exchange) : parts_{usage, std::move(dialog), exchange, {}} {}

void Session::learn(const std::vector<Header>& headers) {
    const bool says = std::ranges::any_of(headers, [](const Header& header) { return same_token(header.name, "Allow"); });
    if (says) parts_.peer_updates = has_token(headers, "Allow", "UPDATE");
}

// ---- From below ----

void Session::receive(TransactionId transaction, const Request& request, Context& context) {
    Scope scope{parts_, context};
    if (auto response = refusal(request, context)) return scope.act(Respond{transaction, std::move(*response)});
    learn(request.headers);
    if (request.method == "BYE") {
        step(scope, ClientEvent(AckReady{}));  // a 2xx that waits for our answer gets its ACK all the same
        step(scope, LifeEvent(ByeIn{transaction, request.headers}));
    } else if (request.method == "INVITE") {
        step(scope, ServerEvent(InviteIn{transaction, request}));
    } else if (request.method == "UPDATE" && describes_session(request.content_type)) {
        step(scope, ServerEvent(UpdateIn{transaction, request}));
    } else if (request.method == "UPDATE") {
        auto response = make_response(parts_, 200);
        response.contacts = {parts_.dialog->contact};
        parts_.timer.accept(request, response, context.settings, context.now);
        parts_.dialog->refresh_target(request.contacts);
        scope.act(Respond{transaction, std::move(response)});
    } else {
        scope.act(Requested{parts_.usage, transaction, request});
    }
}

/// The answer to a request that changes nothing here.
std::optional<Response> Session::refusal(const Request& request, Context& context) const {
    const bool invite = request.method == "INVITE", update = request.method == "UPDATE", bye = request.method == "BYE";
    if (std::holds_alternative<Over>(parts_.life)) return make_response(parts_, 481);
    if (std::holds_alternative<Leaving>(parts_.life) && !bye) return make_response(parts_, 481);
    // The callee must not leave an early dialog by BYE (RFC 3261 §15): to us there is no call yet.
    if (bye && early() && parts_.dialog->caller) return make_response(parts_, 481);
    if (!invite && !update) return std::nullopt;
    if (auto too_small = SessionTimer::refuse(request, context.settings)) {
        too_small->to_tag = parts_.dialog->id.local_tag;
        return too_small;
    }
    if (invite) {
        // Our own INVITE is under way, the first one included; or the peer's is.   (RFC 3261 §14.2)
        const bool ours = std::holds_alternative<ReInviting>(parts_.client) || std::holds_alternative<AckOwed>(parts_.client);
        if (ours || (early() && parts_.dialog->caller)) return make_response(parts_, 491);
        if (early() || !std::holds_alternative<Free>(parts_.server)) return make_retry_later(parts_, context);
    }
    const bool offer = describes_session(request.content_type);
    if (update && offer && !std::holds_alternative<Free>(parts_.server)) return make_retry_later(parts_, context);
    return refusal_of_offer(offer || invite, context);
}

/// An offer has no place while another is open, or before the first exchange of an early dialog.   (RFC 3311 §5)
std::optional<Response> Session::refusal_of_offer(bool offer, Context& context) const {
    if (!offer) return std::nullopt;
    const auto state = parts_.exchange.state();
    const bool first_missing = early() && state == OfferExchange::State::none;
    if (state == OfferExchange::State::offered || (first_missing && parts_.dialog->caller)) return make_response(parts_, 491);
    if (state == OfferExchange::State::asked || first_missing) return make_retry_later(parts_, context);
    return std::nullopt;
}

void Session::receive_prack(TransactionId transaction, const Request& prack, Context& context) {
    Scope scope{parts_, context};
    const bool open = parts_.exchange.open() || (!early() && !confirmed());
    if (open || !step(scope, ServerEvent(UpdateIn{transaction, prack})))
        scope.act(Respond{transaction, make_retry_later(parts_, context)});
}

void Session::receive_ack(const Request& ack, Context& context) {
    Scope scope{parts_, context};
    const auto* awaited = std::get_if<AckAwaited>(&parts_.server);
    if (awaited && awaited->cseq == ack.cseq) step(scope, ServerEvent(AckIn{ack}));
}

void Session::cancelled(TransactionId invite, Context& context) {
    Scope scope{parts_, context};
    const auto* waiting = std::get_if<ReInvited>(&parts_.server);
    if (waiting && waiting->transaction == invite) step(scope, ServerEvent(Cancelled{}));
}

bool Session::receive(const IncomingResponse& in, Context& context) {
    Scope scope{parts_, context};
    if (receive_modify_response(in, context)) return true;
    if (const auto* leaving = std::get_if<Leaving>(&parts_.life); leaving && leaving->bye == in.key) {
        if (in.response.status < 200) return true;
        if (!in.credentials.empty() && leaving->tries < kMaxTries)
            step(scope, LifeEvent(ByeAgain{in.credentials}));
        else
            step(scope, LifeEvent(ByeDone{}));
        return true;
    }
    const auto found = std::ranges::find(parts_.requests, in.key, &std::pair<RequestKey, std::string>::first);
    if (found == parts_.requests.end()) return false;
    if (in.response.status < 200) return true;
    const auto method = found->second;
    parts_.requests.erase(found);
    if (!confirmed() && !early()) return true;
    scope.act(RequestAnswered{parts_.usage, in.key, in.response});
    if (peer_lost(in.response.status, method)) step(scope, LifeEvent(HangUp{EndCause::peer_lost}));
    return true;
}

bool Session::receive_modify_response(const IncomingResponse& in, Context& context) {
    Scope scope{parts_, context};
    const auto& response = in.response;
    if (parts_.last_ack && parts_.last_ack->invite == in.key) {  // the 2xx again: our ACK was lost
        if (response.status >= 200 && response.status < 300) scope.act(make_ack(*parts_.dialog, *parts_.last_ack));
        return true;
    }
    if (const auto* owed = std::get_if<AckOwed>(&parts_.client); owed && owed->key == in.key) return true;
    std::optional<ClientEvent> event;
    if (const auto* inviting = std::get_if<ReInviting>(&parts_.client); inviting && inviting->key == in.key)
        event = response.status < 200 ? ClientEvent(Heard{}) : to_event_of_response(*inviting, in, parts_);
    if (const auto* updating = std::get_if<Updating>(&parts_.client); updating && updating->key == in.key) {
        if (response.status < 200) return true;
        event = to_event_of_response(*updating, in, parts_);
    }
    if (!event) return false;
    if (response.status < 300) learn(response.headers);
    const bool invite = std::holds_alternative<ReInviting>(parts_.client);
    step(scope, *event);
    if (peer_lost(response.status, invite ? "INVITE" : "UPDATE")) step(scope, LifeEvent(HangUp{EndCause::peer_lost}));
    return true;
}

bool Session::listens(RequestKey invite) const {
    if (parts_.last_ack && parts_.last_ack->invite == invite) return true;
    const auto* owed = std::get_if<AckOwed>(&parts_.client);
    return owed && owed->key == invite;
}

// ---- From the first INVITE ----

void Session::confirm(Context& context) {
    Scope scope{parts_, context};
    step(scope, LifeEvent(Confirm{}));
}

void Session::drop(Context& context) {
    Scope scope{parts_, context};
    step(scope, LifeEvent(Drop{}));
}

// ---- From above ----

bool Session::can_modify(bool update, bool offer) const {
    const bool server_free = std::holds_alternative<Free>(parts_.server);
    if (!std::holds_alternative<Quiet>(parts_.client) && !std::holds_alternative<GlareWait>(parts_.client)) return false;
    if (update && !offer) return confirmed() || early();
    // A re-INVITE of the peer is as much in the way as one of ours.   (RFC 3261 §14.1)
    if (!server_free || parts_.exchange.open() || (!update && parts_.first_ack_awaited)) return false;
    if (update && early()) return parts_.exchange.state() == OfferExchange::State::agreed;
    return confirmed();
}

void Session::modify(Modify modify, Context& context) {
    Scope scope{parts_, context};
    const bool update = modify.method == "UPDATE";
    const bool idle = std::holds_alternative<Quiet>(parts_.client) && (update || modify.method == "INVITE");
    if (idle && can_modify(update, describes_session(modify.description.type)))
        step(scope, to_event(std::move(modify), 0));
    else
        scope.act(ModifyFailed{parts_.usage, make_response(parts_, 491)});
}

bool Session::answer(TransactionId transaction, const Reply& reply, Context& context) {
    Scope scope{parts_, context};
    const auto* invited = std::get_if<ReInvited>(&parts_.server);
    const auto* updated = std::get_if<Updated>(&parts_.server);
    const bool waits = (invited && invited->transaction == transaction) || (updated && updated->transaction == transaction);
    if (!waits || reply.status < 200 || reply.status > 699) return false;
    return step(scope, reply.status < 300 ? ServerEvent(AcceptedByUs{reply}) : ServerEvent(RefusedByUs{reply}));
}

void Session::acknowledge(const Description& answer, Context& context) {
    Scope scope{parts_, context};
    step(scope, ClientEvent(AckReady{answer}));
}

RequestKey Session::send(std::string_view method, std::vector<Header> headers, std::string type, std::string body,
                         Context& context) {
    if ((!confirmed() && !early()) || parts_.requests.size() >= kMaxRequests) return RequestKey::none;
    auto request = parts_.dialog->request(method);
    request.headers = std::move(headers);
    request.content_type = std::move(type);
    request.body = std::move(body);
    const auto key = context.sources.next_key();
    parts_.requests.emplace_back(key, std::string(method));
    context.act(SendRequest{key, std::move(request)});
    return key;
}

void Session::hang_up(EndCause cause, std::vector<Header> headers, Context& context) {
    Scope scope{parts_, context};
    // A 2xx that waits for our answer gets its ACK before the BYE.   (RFC 3261 §13.2.2.4)
    if (confirmed()) step(scope, ClientEvent(AckReady{}));
    step(scope, LifeEvent(HangUp{cause, std::move(headers)}));
}

}  // namespace stox::sip
