#include "mapping/sip/invite_client_table.h"

#include "mapping/core/transitions.h"
#include "mapping/sip/header_values.h"

#include <algorithm>

namespace stox::sip::invite_client {

namespace {

Response make_local(int status) {
    Response response;
    response.status = status;
    return response;
}

/// What a fork's message holds, told by the exchange of that fork. The first description that cannot be lost counts; whatever
/// stands in later responses to the INVITE is ignored, for many repeat it.   (RFC 3261 §13.2.1)
DescriptionRole role_of(const Response& response, Fork& fork, bool reliable) {
    if (!describes_session(response.content_type) || fork.described) return DescriptionRole::none;
    if (!reliable) return DescriptionRole::preview;
    fork.described = true;
    return fork.session.exchange().received();
}

void send_prack(Scope& scope, Fork& fork, std::uint32_t rseq, const Description& answer) {
    auto prack = fork.session.dialog()->request("PRACK");
    prack.headers.push_back({"RAck", std::to_string(rseq) + " " + std::to_string(scope.parts.request.cseq) + " INVITE"});
    if (!answer.type.empty() && fork.session.exchange().sent() == DescriptionRole::answer) {
        prack.content_type = answer.type;
        prack.body = answer.octets;
        fork.session.sent(answer);
    }
    const auto key = scope.context.sources.next_key();
    fork.prack = Prack{key, std::make_shared<const Request>(prack), 0};
    scope.act(SendRequest{key, std::move(prack)});
}

void drop_early(Scope& scope) {
    for (auto& [tag, fork] : scope.parts.forks)
        if (!fork.accepted) fork.session.drop(scope.context);
}

// ---- Provisionals ----

template <class From>
Proceeding trying(const From&, const Trying&, Scope& scope) {
    scope.parts.deadline = scope.context.now + scope.context.settings.ring;
    return {};
}

/// From the first provisional on the ring time counts.
template <class From>
void start_ringing(Scope& scope) {
    if (std::is_same_v<From, Calling>) scope.parts.deadline = scope.context.now + scope.context.settings.ring;
}

template <class From>
Proceeding progress(const From&, const Progress& event, Scope& scope) {
    start_ringing<From>(scope);
    auto* fork = fork_of(scope, event.response);
    const auto role = fork ? role_of(event.response, *fork, false) : DescriptionRole::none;
    scope.act(Progressed{scope.parts.usage, event.response, role, false});
    return {};
}

/// An offer in it waits for the application's answer, which goes into the PRACK.   (RFC 3262 §5)
template <class From>
Proceeding reliable_progress(const From&, const ReliableProgress& event, Scope& scope) {
    start_ringing<From>(scope);
    auto* fork = fork_of(scope, event.response);
    if (!fork) return {};
    fork->rseq = *leading_number(event.response.header("RSeq"));
    const auto role = role_of(event.response, *fork, true);
    if (role == DescriptionRole::offer)
        fork->owed = fork->rseq;
    else
        send_prack(scope, *fork, fork->rseq, {});
    scope.act(Progressed{scope.parts.usage, event.response, role, true});
    return {};
}

Proceeding prack_ready(const Proceeding&, const PrackReady& event, Scope& scope) {
    const auto found = scope.parts.forks.find(event.remote_tag);
    if (found == scope.parts.forks.end() || !found->second.owed) return {};
    send_prack(scope, found->second, *found->second.owed, event.description);
    found->second.owed.reset();
    return {};
}

// ---- The end without an answer ----

Terminated end(Scope& scope, const Response& response) {
    drop_early(scope);
    scope.act(Failed{scope.parts.usage, response});
    return {};
}

template <class From>
Terminated fail(const From&, const Failure& event, Scope& scope) {
    return end(scope, event.response);
}

/// The application has its answer; what another target says later is acknowledged and ended.   (RFC 3261 §13.2.2.4)
template <class From>
Discarding fail_and_listen(const From&, const FailureOfOne& event, Scope& scope) {
    end(scope, event.response);
    scope.parts.deadline = scope.context.now + scope.context.settings.give_up();
    return {};
}

template <class From>
Terminated never_ended(const From&, const Overdue&, Scope& scope) {
    return end(scope, make_local(487));
}

/// The transactions below were silent for longer than they may be: no CANCEL can go, but a late answer still can come.
CancelPending unheard(const Calling&, const Overdue&, Scope& scope) {
    scope.parts.deadline = scope.context.now + scope.context.settings.give_up();
    return {};
}

template <class From>
Calling again(const From&, const Again& event, Scope& scope) {
    auto& parts = scope.parts;
    drop_early(scope);
    parts.forks.clear();
    for (const auto& header : event.credentials) {
        std::erase_if(parts.request.headers, [&](const Header& old) { return same_token(old.name, header.name); });
        parts.request.headers.push_back(header);
    }
    ++parts.request.cseq;
    ++parts.tries;
    send_invite(scope);
    return {};
}

// ---- CANCEL ----

CancelPending wish_to_cancel(const Calling&, const Cancel&, Scope& scope) {
    scope.parts.deadline = scope.context.now + scope.context.settings.give_up();
    return {};
}

Cancelling send_cancel(Scope& scope) {
    scope.act(SendCancel{scope.parts.key});
    scope.parts.deadline = scope.context.now + scope.context.settings.give_up();
    return {};
}

template <class On>
Cancelling cancel(const Proceeding&, const On&, Scope& scope) {
    auto next = send_cancel(scope);
    // A PRACK that waits for an answer goes without: the callee may hold its final back for it.
    for (auto& [tag, fork] : scope.parts.forks)
        if (fork.owed) send_prack(scope, fork, *fork.owed, {});
    for (auto& [tag, fork] : scope.parts.forks) fork.owed.reset();
    return next;
}

template <class On>
Cancelling cancel_now(const CancelPending&, const On&, Scope& scope) {
    return send_cancel(scope);
}

template <class From>
Cancelling prack_while_cancelling(const From&, const ReliableProgress& event, Scope& scope) {
    if (std::is_same_v<From, CancelPending>) send_cancel(scope);
    if (auto* fork = fork_of(scope, event.response)) {
        fork->rseq = *leading_number(event.response.header("RSeq"));
        send_prack(scope, *fork, fork->rseq, {});
    }
    return {};
}

// ---- 2xx ----

void discard(Scope& scope, Fork& fork) {
    send_ack(scope, fork, {});
    fork.session.hang_up(EndCause::local, {}, scope.context);
}

template <class From>
Accepted win(const From&, const Success& event, Scope& scope) {
    auto& parts = scope.parts;
    auto* fork = fork_of(scope, event.response);
    parts.deadline = scope.context.now + scope.context.settings.give_up();
    fork->accepted = true;
    parts.winner = event.response.to_tag;
    fork->session.confirm(scope.context);
    fork->session.learn(event.response.headers);
    fork->session.timer().agreed(event.response, parts.request, scope.context.now);
    const auto role = role_of(event.response, *fork, true);
    drop_early(scope);
    if (role == DescriptionRole::offer)
        parts.ack_due = scope.context.now + std::min(scope.context.settings.description, scope.context.settings.give_up());
    else
        send_ack(scope, *fork, {});
    scope.act(Answered{parts.usage, event.response, role});
    return {};
}

/// The losers are not the application's: their sessions end without a word to it.
void discard_loser(Scope& scope, const Response& response) {
    auto* fork = fork_of(scope, response);
    if (!fork) return;
    fork->accepted = true;
    std::vector<Action> quiet;
    Context context{scope.context.now, scope.context.settings, scope.context.sources, quiet};
    Scope inner{scope.parts, context};
    fork->session.confirm(context);
    discard(inner, *fork);
    for (auto& action : quiet)
        if (!std::holds_alternative<Ended>(action)) scope.act(std::move(action));
}

Accepted lose(const Accepted&, const Success& event, Scope& scope) {
    discard_loser(scope, event.response);
    return {};
}

template <class From>
Discarding too_late(const From&, const Success& event, Scope& scope) {
    scope.parts.deadline = scope.context.now + scope.context.settings.give_up();
    drop_early(scope);
    discard_loser(scope, event.response);
    scope.act(Failed{scope.parts.usage, make_local(487)});
    return {};
}

Discarding discard_too(const Discarding&, const Success& event, Scope& scope) {
    discard_loser(scope, event.response);
    return {};
}

template <class From>
From acknowledge_again(const From& state, const SuccessAgain& event, Scope& scope) {
    const auto& fork = scope.parts.forks.at(event.to_tag);
    const auto& parts = scope.parts;
    if (fork.ack) scope.act(session::make_ack(*fork.session.dialog(), {parts.key, parts.request.cseq, *fork.ack}));
    return state;
}

Accepted ack_ready(const Accepted&, const AckReady& event, Scope& scope) {
    send_ack(scope, scope.parts.forks.at(scope.parts.winner), event.description);
    scope.parts.ack_due.reset();
    return {};
}

Accepted ack_overdue(const Accepted&, const AckOverdue&, Scope& scope) {
    auto& fork = scope.parts.forks.at(scope.parts.winner);
    scope.parts.ack_due.reset();
    send_ack(scope, fork, {});
    fork.session.hang_up(EndCause::no_answer_given, {}, scope.context);
    return {};
}

/// From here on the call is the winner's session: what else the INVITE needed goes.
template <class From>
Terminated all_came(const From&, const Overdue&, Scope& scope) {
    auto& parts = scope.parts;
    std::erase_if(parts.forks, [&](const auto& entry) { return entry.first != parts.winner && entry.second.session.over(); });
    for (auto& [tag, fork] : parts.forks) fork.ack.reset(), fork.prack.reset();
    const auto cseq = parts.request.cseq;
    parts.request = Request{};
    parts.request.cseq = cseq;
    return {};
}

// clang-format off
using Table = transitions<
    //  from           on                to             do
    row<Calling,       Trying,           Proceeding,    trying<Calling>>,
    row<Calling,       Progress,         Proceeding,    progress<Calling>>,
    row<Calling,       ReliableProgress, Proceeding,    reliable_progress<Calling>>,
    row<Calling,       Success,          Accepted,      win<Calling>>,
    row<Calling,       Again,            Calling,       again<Calling>>,
    row<Calling,       Failure,          Terminated,    fail<Calling>>,
    row<Calling,       FailureOfOne,     Discarding,    fail_and_listen<Calling>>,
    row<Calling,       Cancel,           CancelPending, wish_to_cancel>,
    row<Calling,       Overdue,          CancelPending, unheard>,
    row<Proceeding,    Progress,         Proceeding,    progress<Proceeding>>,
    row<Proceeding,    ReliableProgress, Proceeding,    reliable_progress<Proceeding>>,
    row<Proceeding,    PrackReady,       Proceeding,    prack_ready>,
    row<Proceeding,    Success,          Accepted,      win<Proceeding>>,
    row<Proceeding,    Again,            Calling,       again<Proceeding>>,
    row<Proceeding,    Failure,          Terminated,    fail<Proceeding>>,
    row<Proceeding,    FailureOfOne,     Discarding,    fail_and_listen<Proceeding>>,
    row<Proceeding,    Cancel,           Cancelling,    cancel<Cancel>>,
    row<Proceeding,    Overdue,          Cancelling,    cancel<Overdue>>,
    row<CancelPending, Trying,           Cancelling,    cancel_now<Trying>>,
    row<CancelPending, Progress,         Cancelling,    cancel_now<Progress>>,
    row<CancelPending, ReliableProgress, Cancelling,    prack_while_cancelling<CancelPending>>,
    row<CancelPending, Success,          Discarding,    too_late<CancelPending>>,
    row<CancelPending, Failure,          Terminated,    fail<CancelPending>>,
    row<CancelPending, FailureOfOne,     Discarding,    fail_and_listen<CancelPending>>,
    row<CancelPending, Overdue,          Terminated,    never_ended<CancelPending>>,
    row<Cancelling,    ReliableProgress, Cancelling,    prack_while_cancelling<Cancelling>>,
    row<Cancelling,    Success,          Discarding,    too_late<Cancelling>>,
    row<Cancelling,    Failure,          Terminated,    fail<Cancelling>>,
    row<Cancelling,    FailureOfOne,     Discarding,    fail_and_listen<Cancelling>>,
    row<Cancelling,    Overdue,          Terminated,    never_ended<Cancelling>>,
    row<Accepted,      Success,          Accepted,      lose>,
    row<Accepted,      SuccessAgain,     Accepted,      acknowledge_again<Accepted>>,
    row<Accepted,      AckReady,         Accepted,      ack_ready>,
    row<Accepted,      AckOverdue,       Accepted,      ack_overdue>,
    row<Accepted,      Overdue,          Terminated,    all_came<Accepted>>,
    row<Discarding,    Success,          Discarding,    discard_too>,
    row<Discarding,    SuccessAgain,     Discarding,    acknowledge_again<Discarding>>,
    row<Discarding,    Overdue,          Terminated,    all_came<Discarding>>>;
// clang-format on

}  // namespace

void send_invite(Scope& scope) {
    auto& parts = scope.parts;
    auto& headers = parts.request.headers;
    // Those of the try before stand no more.
    std::erase_if(headers, [](const Header& header) {
        return same_token(header.name, "Session-Expires") || same_token(header.name, "Min-SE") ||
               (same_token(header.name, "Supported") && header.value == "timer");
    });
    parts.timer.ask(parts.request, scope.context.settings);
    parts.key = scope.context.sources.next_key();
    parts.deadline = scope.context.now + scope.context.settings.give_up() + scope.context.settings.t2;
    scope.act(SendRequest{parts.key, parts.request});
}

/// A 2xx that says nothing usable of where the callee is leads to where the INVITE went: it needs its ACK and BYE.
static Result<Dialog> make_dialog(const Parts& parts, const Response& response) {
    auto dialog = Dialog::as_uac(parts.request, response);
    if (dialog || response.status < 200) return dialog;
    auto reachable = response;
    reachable.contacts = {{{}, parts.request.uri, {}}};
    reachable.record_routes.clear();
    return Dialog::as_uac(parts.request, reachable);
}

bool can_hold(const Parts& parts, const Response& success) {
    if (parts.forks.contains(success.to_tag)) return true;
    const bool room = parts.forks.size() < kMaxForks ||
                      std::ranges::any_of(parts.forks, [](const auto& entry) { return !entry.second.accepted; });
    return room && make_dialog(parts, success);
}

Fork* fork_of(Scope& scope, const Response& response) {
    auto& parts = scope.parts;
    const bool success = response.status >= 200;
    const auto found = parts.forks.find(response.to_tag);
    if (found != parts.forks.end()) {
        auto& fork = found->second;
        if (success) fork.session.dialog()->confirm(response);
        // An early session that was dropped when another fork won, and is answered all the same.
        if (success && !fork.accepted && !fork.session.early())
            fork.session = Session(parts.usage, fork.session.dialog(), fork.session.exchange());
        return &fork;
    }
    if (!success && (parts.forks.size() >= kMaxForks || response.to_tag.empty())) return nullptr;
    auto dialog = make_dialog(parts, response);
    if (!dialog) return nullptr;
    if (parts.forks.size() >= kMaxForks) {
        const auto early = std::ranges::find_if(parts.forks, [](const auto& entry) { return !entry.second.accepted; });
        if (early == parts.forks.end()) return nullptr;
        parts.forks.erase(early);
    }
    auto shared = std::make_shared<Dialog>(std::move(dialog).value());
    Session session(parts.usage, std::move(shared), parts.exchange);
    if (describes_session(parts.request.content_type))
        session.sent({DescriptionRole::offer, parts.request.content_type, parts.request.body});
    session.learn(response.headers);
    return &parts.forks.emplace(response.to_tag, Fork{std::move(session)}).first->second;
}

void send_ack(Scope& scope, Fork& fork, const Description& answer) {
    session::LastAck ack{scope.parts.key, scope.parts.request.cseq, {}};
    if (!answer.type.empty() && fork.session.exchange().sent() == DescriptionRole::answer) {
        ack.answer = answer;
        fork.session.sent(answer);
    }
    // What this INVITE left open never will be closed. An UPDATE's offer may be open too, which is not meant.
    if (!fork.described || (scope.parts.ack_due && fork.accepted)) fork.session.exchange().undo();
    scope.act(session::make_ack(*fork.session.dialog(), ack));
    fork.ack = std::move(ack.answer);
}

bool step(Scope& scope, const Event& event) { return Table::step(scope.parts.state, event, scope); }

}  // namespace stox::sip::invite_client
