#include "mapping/sip/invite_client.h"

#include "mapping/sip/header_values.h"
#include "mapping/sip/invite_client_table.h"

#include <algorithm>

namespace stox::sip {

using namespace invite_client;

namespace {

Response unreachable() {
    Response response;
    response.status = 502;
    return response;
}

Response make_481(const Request& request) {
    Response response;
    response.status = 481;
    response.to_tag = request.to.tag;
    return response;
}

}  // namespace

InviteClient::InviteClient(UsageKey usage, Request request, Context& context)
    : parts_{usage, std::move(request), {}, {}, {}, 0, {}} {
    if (describes_session(parts_.request.content_type)) parts_.exchange.sent();
    parts_.request.headers.push_back({"Supported", "100rel"});
    parts_.request.headers.push_back({"Allow", context.settings.allow});
    Scope scope{parts_, context};
    send_invite(scope);
}

bool InviteClient::receive(const IncomingResponse& in, Context& context) {
    if (in.key != parts_.key) {
        if (receive_prack_response(in, context)) return true;
        for (auto& [tag, fork] : parts_.forks) {
            if (!fork.accepted || tag == parts_.winner) {
                if (fork.session.receive(in, context)) return true;
                continue;
            }
            // A loser has no requests but its BYE, which is nothing that the application knows of.
            std::vector<Action> quiet;
            Context silent{context.now, context.settings, context.sources, quiet};
            if (fork.session.receive(in, silent)) return true;
        }
        return false;
    }
    Scope scope{parts_, context};
    step(scope, to_event(in));
    return true;
}

/// A PRACK that was only challenged has acknowledged nothing.
bool InviteClient::receive_prack_response(const IncomingResponse& in, Context& context) {
    const auto at = std::ranges::find_if(
        parts_.forks, [&](const auto& entry) { return entry.second.prack && entry.second.prack->key == in.key; });
    if (at == parts_.forks.end()) return false;
    auto& fork = at->second;
    if (in.response.status < 200) return true;
    if (in.credentials.empty() || fork.prack->tries >= session::kMaxTries || fork.session.over()) {
        fork.prack.reset();
        return true;
    }
    auto request = *fork.prack->request;
    request.cseq = ++fork.session.dialog()->local_cseq;
    for (const auto& header : in.credentials) put(request.headers, header);
    fork.prack->key = context.sources.next_key();
    ++fork.prack->tries;
    fork.prack->request = std::make_shared<const Request>(request);
    context.act(SendRequest{fork.prack->key, std::move(request)});
    return true;
}

void InviteClient::receive(TransactionId transaction, const Request& request, Context& context) {
    const auto found = parts_.forks.find(request.from.tag);
    if (found == parts_.forks.end()) return;
    auto& session = found->second.session;
    const bool won = found->second.accepted && found->first == parts_.winner;
    if (request.method == "ACK") return session.receive_ack(request, context);
    // We are no server of reliable provisionals here: there is nothing that a PRACK could be for.
    if (request.method == "PRACK") return context.act(Respond{transaction, make_481(request)});
    // A BYE tells us that the 2xx reached nobody's ACK: it goes now, with no answer.   (RFC 3261 §15.1.2)
    if (request.method == "BYE" && won && parts_.ack_due) {
        Scope scope{parts_, context};
        step(scope, AckReady{});
    }
    if (!found->second.accepted || won) return session.receive(transaction, request, context);
    std::vector<Action> all;  // the application knows nothing of a loser
    Context silent{context.now, context.settings, context.sources, all};
    session.receive(transaction, request, silent);
    for (auto& action : all)
        if (!std::holds_alternative<Ended>(action)) context.act(std::move(action));
}

/// Names what a response to the INVITE is.
Event InviteClient::to_event(const IncomingResponse& in) {
    const auto& response = in.response;
    if (response.status <= 100) return Trying{};
    if (response.status < 200) return to_event_of_provisional(response);
    const bool wanted = std::holds_alternative<Calling>(parts_.state) || std::holds_alternative<Proceeding>(parts_.state);
    if (response.status < 300) {
        const auto found = parts_.forks.find(response.to_tag);
        if (found != parts_.forks.end() && found->second.accepted) return SuccessAgain{response.to_tag};
        if (!can_hold(parts_, response)) return Failure{unreachable()};
        return Success{response};
    }
    const bool may_retry = wanted && parts_.tries < session::kMaxTries;
    if (may_retry && response.status == 422 && parts_.timer.raise(response, parts_.request)) return Again{};
    if (may_retry && !in.credentials.empty()) return Again{in.credentials};
    if (in.others_may_answer) return FailureOfOne{response};
    return Failure{response};
}

/// Of a reliable one out of order, or known already, nothing is read but that it came: from now on a CANCEL may go, and without
/// one the INVITE would never end.   (RFC 3262 §4, RFC 3261 §9.1)
Event InviteClient::to_event_of_provisional(const Response& response) {
    if (!has_token(response.headers, "Require", "100rel")) return Progress{response};
    const auto rseq = leading_number(response.header("RSeq"));
    if (!rseq || *rseq == 0 || response.to_tag.empty()) return Trying{};
    const auto found = parts_.forks.find(response.to_tag);
    const auto last = found == parts_.forks.end() ? 0 : found->second.rseq;
    // The one before waits for the application: its successor cannot be there yet.
    if (last != 0 && (found->second.owed || *rseq - 1 != last)) return Trying{};
    return ReliableProgress{response};
}

Session* InviteClient::session(const std::string& remote_tag) {
    const auto found = parts_.forks.find(remote_tag);
    return found == parts_.forks.end() ? nullptr : &found->second.session;
}

const Session* InviteClient::session() const {
    const auto won = parts_.forks.find(parts_.winner);
    return won != parts_.forks.end() && won->second.accepted ? &won->second.session : nullptr;
}

void InviteClient::hang_up(EndCause cause, std::vector<Header> headers, Context& context) {
    Scope scope{parts_, context};
    if (parts_.ack_due) step(scope, AckReady{});
    const bool done = std::holds_alternative<Accepted>(parts_.state) || std::holds_alternative<Terminated>(parts_.state);
    if (auto* won = done ? session() : nullptr)
        won->hang_up(cause, std::move(headers), context);
    else
        step(scope, Cancel{});
}

void InviteClient::answer_provisional(const std::string& remote_tag, const Description& answer, Context& context) {
    Scope scope{parts_, context};
    step(scope, PrackReady{remote_tag, answer});
}

void InviteClient::answer(TransactionId transaction, const Reply& reply, Context& context) {
    for (auto& [tag, fork] : parts_.forks)
        if (fork.session.answer(transaction, reply, context)) return;
}

void InviteClient::acknowledge(const Description& answer, Context& context) {
    Scope scope{parts_, context};
    if (parts_.ack_due)
        step(scope, AckReady{answer});
    else if (auto* won = session())
        won->acknowledge(answer, context);
}

void InviteClient::tick(Context& context) {
    Scope scope{parts_, context};
    if (parts_.ack_due && *parts_.ack_due <= context.now) step(scope, AckOverdue{});
    if (!std::holds_alternative<Terminated>(parts_.state) && parts_.deadline <= context.now) step(scope, Overdue{});
    for (auto& [tag, fork] : parts_.forks) fork.session.tick(context);
}

std::optional<TimePoint> InviteClient::next_timeout() const {
    auto next = TimePoint::max();
    if (!std::holds_alternative<Terminated>(parts_.state)) next = parts_.deadline;
    if (parts_.ack_due) next = std::min(next, *parts_.ack_due);
    for (const auto& [tag, fork] : parts_.forks)
        if (const auto at = fork.session.next_timeout()) next = std::min(next, *at);
    return next == TimePoint::max() ? std::nullopt : std::optional(next);
}

bool InviteClient::over() const {
    return std::holds_alternative<Terminated>(parts_.state) &&
           std::ranges::all_of(parts_.forks, [](const auto& entry) { return entry.second.session.over(); });
}

bool InviteClient::listens(RequestKey invite) const {
    if (invite == parts_.key && !std::holds_alternative<Terminated>(parts_.state)) return true;
    return std::ranges::any_of(parts_.forks, [&](const auto& entry) { return entry.second.session.listens(invite); });
}

std::vector<DialogRef> InviteClient::dialogs() const {
    std::vector<DialogRef> all;
    for (const auto& [tag, fork] : parts_.forks)
        if (!fork.session.over()) all.push_back(fork.session.dialog());
    return all;
}

}  // namespace stox::sip
