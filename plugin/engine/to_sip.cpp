#include "mapping/error_table.h"
#include "mapping/im/cpim.h"
#include "mapping/im/extensions.h"
#include "mapping/page_message.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/destination.h"
#include "plugin/engine/log.h"
#include "plugin/engine/moved.h"
#include "plugin/engine/outbox.h"
#include "plugin/engine/owed.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/reports.h"
#include "plugin/engine/row_size.h"

#include <algorithm>

namespace stox::engine {

namespace {

xmpp::StanzaError error(xmpp::ErrorType type, xmpp::Condition condition, std::string text) {
    xmpp::StanzaError made;
    made.type = type;
    made.condition = condition;
    if (!text.empty()) made.text = std::move(text);
    return made;
}

/// A failure of ours as the response that stands for it.   (RFC 3261 §8.1.3.1, CORE-55)
xmpp::StanzaError local(int status, std::string text) {
    auto why = to_stanza_error(status, {}, {}, false);
    why.text = std::move(text);
    return why;
}

/// What the author of a message hears when it was not delivered.
xmpp::StanzaError undelivered(const config::DomainOptions& options, const Outcome& outcome) {
    using xmpp::Condition, xmpp::ErrorType;
    switch (outcome.kind) {
        case Outcome::Kind::answered:
            if (outcome.response.status == 408) return local(408, "The SIP side gave up; the message may have been delivered.");
            break;
        // A request that left and was not answered may have arrived all the same; its author decides whether to repeat it.
        case Outcome::Kind::timeout:
            return local(408, "No answer from the SIP side; the message may have been delivered.");
        case Outcome::Kind::transport:
            return local(408, "The connection to the SIP side was lost; the message may have been delivered.");
        case Outcome::Kind::unsent:
            return local(503, "The SIP side cannot be reached.");
        case Outcome::Kind::down:
            return error(ErrorType::wait, Condition::remote_server_timeout,
                         "The SIP side cannot be reached: " + outcome.why + '.');
        case Outcome::Kind::nowhere:
            return error(ErrorType::cancel, Condition::remote_server_not_found, "The SIP side was not found.");
        case Outcome::Kind::too_large:
            return error(ErrorType::modify, Condition::policy_violation, outcome.why);
    }
    const auto& response = outcome.response;
    return to_stanza_error(response.status, response.reason, new_address(options, response),
                           response.header("Retry-After") != nullptr);
}

/// Nobody knows whether it arrived.   (contract: delivery)
bool may_have_arrived(const Outcome& outcome) {
    using Kind = Outcome::Kind;
    return outcome.kind == Kind::timeout || outcome.kind == Kind::transport ||
           (outcome.kind == Kind::answered && outcome.response.status == 408);
}

bool is_delivered(const Outcome& outcome) {
    return outcome.kind == Outcome::Kind::answered && outcome.response.status >= 200 && outcome.response.status < 300;
}

/// Whether this is the one time that it goes out again: to a contact who shows it once all the same, by its imdn.Message-ID.
bool is_repeated(const State& state, const Outgoing& outgoing, const Outcome& outcome) {
    return may_have_arrived(outcome) && !outgoing.repeated && outgoing.request.content_type == im::kCpimType &&
           state.imdn_contacts.understands(outgoing.row.stanza.to);
}

std::optional<Outcome> start(State& state, const Outgoing& outgoing, TimePoint now, Actions& out) {
    return state.outbound.start(outgoing.id, outgoing.request, outgoing.peer, state.hops, state.turn(now, out));
}

/// Whether a message to the contact may stand in message/cpim.   (IM-15, IM-40)
bool may_wrap(const State& state, const config::Peer& peer, const xmpp::Jid& contact, TimePoint now) {
    if (peer.cpim == config::CpimUse::never) return false;
    if (peer.cpim == config::CpimUse::automatic && peer.kind == config::PeerKind::trunk) return false;
    return !state.formats.has(contact, Habit::refuses_wrapping, now);
}

/// Refusals of a form that another form may escape.   (RFC 3261 §8.1.3.5, CORE-57)
bool is_refused_form(const Outcome& outcome) {
    const int status = outcome.kind == Outcome::Kind::answered ? outcome.response.status : 0;
    const bool later = outcome.response.header("Retry-After") != nullptr;
    return status == 415 || status == 406 || (status == 413 && !later);
}

/// A server that knows no tel takes a number as sip.   (RFC 3261 §8.1.3.5, CORE-57)
bool is_refused_scheme(const Outcome& outcome) {
    return outcome.kind == Outcome::Kind::answered && outcome.response.status == 416;
}

/// What the contact's client has shown by it; a length says nothing about forms, nor does the refusal of plain text.
void learn_refusal(State& state, const Outgoing& outgoing, const Outcome& outcome, TimePoint now) {
    const bool composing = outgoing.what == Outgoing::What::composing;
    if (outcome.response.status == 413 || (!composing && outgoing.request.content_type != im::kCpimType)) return;
    state.formats.learn(outgoing.row.stanza.to, composing ? Habit::refuses_composing : Habit::refuses_wrapping, now);
}

/// What is to be known of a message that arrived.
void delivered(State& state, const Outgoing& done, const Outcome& outcome, TimePoint now, Actions& out) {
    // A 202 is somebody's promise, not an arrival.   (IM-13, IM-45)
    if (done.receipt_by_200 && outcome.response.status == 200) give_receipt(state, done, now, out);
    if (!done.key.empty()) state.commits.erase(Collection::outbox, done.key, now);
    if (done.what == Outgoing::What::message) ++state.carried.to_sip;
    if (state.details)
        out.push_back(line(Level::debug, done.row.trace, "message", {{"direction", "x2s"}, {"state", "delivered"}}, done.peer));
}

}  // namespace

xmpp::Message envelope(const xmpp::Message& in) {
    xmpp::Message kept;
    kept.from = in.from;
    kept.to = in.to;
    kept.id = in.id;
    kept.type = in.type;
    kept.lang = in.lang;
    return kept;
}

Prepared prepare(const State& state, const xmpp::Message& in, const OutboxRow& ids, TimePoint now) {
    using xmpp::Condition, xmpp::ErrorType;
    if (is_report(in)) return prepare_report(state, in, ids);
    const auto& options = state.options;
    if (in.type == xmpp::MessageType::groupchat) return error(ErrorType::modify, Condition::not_acceptable, "not a room");
    if (im::read_extensions(in).is_encrypted && !options.e2e_fallback)
        return error(ErrorType::modify, Condition::not_acceptable,
                     "This contact is reached over SIP, where encrypted messages cannot be read. Switch encryption off.");
    auto way = destination(state, in.to);
    if (auto* why = std::get_if<xmpp::StanzaError>(&way)) return std::move(*why);
    const auto& [target, peer, key, emergency] = std::get<Destination>(way);
    const auto from = user_uri(options, in.from);
    if (!from) return error(ErrorType::cancel, Condition::not_acceptable, "your address has no SIP form");

    PageMessageOptions how;
    how.call_id = ids.call_id;
    how.from_tag = ids.from_tag;
    how.cseq = ids.cseq;
    how.correction_mark = options.correction_mark;
    const auto left = state.loops.left_of(in);
    if (left.max_forwards == 0u)
        return error(ErrorType::modify, Condition::not_acceptable, "This message was sent on too often.");
    const auto write = [&, &to = target] {
        auto request = to_sip_message(in, from.value(), to, how);
        if (!request) return request;
        request.value().max_forwards = left.max_forwards.value_or(LoopGuard::kHops);
        if (left.max_breadth) request.value().headers.push_back({"Max-Breadth", std::to_string(*left.max_breadth)});
        return request;
    };
    auto request = write();
    if (!request) return NothingToSend{};
    const auto limit = peer->large_message ? Outbound::kMaxRequest : Outbound::kMaxUdpRequest;
    if (wire_size(request.value()) > limit)
        return error(ErrorType::modify, Condition::policy_violation, "too long for any way of delivery");

    Prepared made{std::in_place_type<Outgoing>};
    auto& outgoing = std::get<Outgoing>(made);
    outgoing.line = key;
    const auto asked = wanted(in);
    // A contact who understands it can tell a second copy from a second message.   (contract: delivery)
    const bool wrap = ids.wrapped.value_or(asked.any() || state.imdn_contacts.understands(in.to));
    if (wrap && may_wrap(state, *peer, in.to, now)) {
        how.wrapping = Wrapping{ids.imdn_id, ids.accepted, asked};
        auto wrapped = write();
        // A text that goes by every way is not made too long for some by what stands around it.
        const bool fits = wrapped && (wire_size(wrapped.value()) <= Outbound::kMaxUdpRequest ||
                                      wire_size(request.value()) > Outbound::kMaxUdpRequest);
        if (fits && wire_size(wrapped.value()) <= limit) {
            outgoing.asked = asked;
            request = std::move(wrapped);
        }
    }
    outgoing.receipt_by_200 =
        asked.positive_delivery && !outgoing.asked.any() && state.formats.has(in.to, Habit::refuses_wrapping, now);
    outgoing.request = std::move(request).value();
    outgoing.row = ids;
    outgoing.row.stanza = envelope(in);
    outgoing.row.wrapped = outgoing.request.content_type == im::kCpimType;
    outgoing.peer = peer->name;
    outgoing.emergency = emergency;
    return made;
}

namespace {

/// No row holds it.
xmpp::StanzaError too_long() {
    return error(xmpp::ErrorType::modify, xmpp::Condition::policy_violation, "This message is too long to be kept.");
}

/// Nothing: it is on its way into the store.
struct Refused {
    std::optional<xmpp::StanzaError> why;  ///< none: there is nothing to send
    std::string peer;
};

std::optional<Refused> take(State& state, const xmpp::Message& in, UtcTime received, std::optional<Telling> telling, Trace trace,
                            TimePoint now, Actions& out) {
    using xmpp::Condition, xmpp::ErrorType;
    OutboxRow row;
    row.accepted = received;
    row.trace = trace;
    const auto ids = state.threads.next(in, state.options.unique_call_id, state.ids);
    row.call_id = ids.call_id;
    row.from_tag = ids.from_tag;
    row.cseq = ids.cseq;
    row.imdn_id = state.ids.wire_id();
    auto prepared = prepare(state, in, row, now);
    if (auto* why = std::get_if<xmpp::StanzaError>(&prepared)) return Refused{std::move(*why), {}};
    auto* outgoing = std::get_if<Outgoing>(&prepared);
    if (!outgoing) return Refused{};
    const auto* peer = state.options.find_peer(outgoing->peer);
    // What a client says of a message it says once: it is kept for the next start.
    if (state.leaving && (!telling || state.leaving->for_good))
        return Refused{error(ErrorType::wait, Condition::recipient_unavailable, "The gateway stops; the message was not sent."),
                       outgoing->peer};
    row.stanza = in;
    row.wrapped = outgoing->row.wrapped;
    const auto octets = size_of(row).row;
    if (octets > kMaxRowOctets) return Refused{too_long(), outgoing->peer};
    outgoing->octets = std::max(held_octets(*outgoing), octets);
    const bool peer_is_full = !outgoing->emergency && !state.messages.is_busy(outgoing->line) && state.is_full(*peer);
    if (peer_is_full || state.messages.is_full(*outgoing, state.owed.kept()))
        return Refused{error(ErrorType::wait, Condition::resource_constraint, "too many messages wait for this contact"),
                       outgoing->peer};

    state.writing.end({in.to.bare(), in.from.bare()});  // a message says so by itself   (RFC 3994 §3.2)
    outgoing->id = state.next_request();
    outgoing->key = state.row_keys.next(state.ids);
    if (state.details)
        out.push_back(line(Level::debug, trace, "message",
                           {{"direction", "x2s"},
                            {"state", "came"},
                            {"from", in.from.to_string()},
                            {"to", in.to.to_string()},
                            {"id", in.id},
                            {"call_id", outgoing->request.call_id}},
                           outgoing->peer));
    std::vector<RecordChange> rows;
    if (telling) {
        rows.push_back(std::move(telling->change));
        outgoing->tells = std::move(telling->before);
    }
    if (auto awaited = await_imdn(state, row, *outgoing, now)) rows.push_back(std::move(*awaited));
    rows.push_back({Collection::outbox, outgoing->key, std::move(row)});
    state.commits.accept(static_cast<std::uint64_t>(outgoing->id), std::move(rows), state.turn(now, out));
    state.messages.add(std::move(*outgoing));
    return std::nullopt;
}

}  // namespace

void deliver_to_sip(State& state, const xmpp::Message& in, UtcTime received, Trace trace, TimePoint now, Actions& out) {
    auto refused = take(state, in, received, {}, trace, now, out);
    if (refused && refused->why) bounce(in, std::move(*refused->why), trace, refused->peer, out);
}

Taken deliver_report(State& state, const xmpp::Message& report, Telling telling, Trace trace, TimePoint now, Actions& out) {
    const auto refused = take(state, report, state.utc, std::move(telling), trace, now, out);
    if (!refused) return Taken::yes;
    return refused->why ? Taken::no : Taken::nothing_to_send;
}

void send_next(State& state, const std::string& line, TimePoint now, Actions& out) {
    if (state.leaving) return;
    // What could not even be sent is over at once, and the one behind it begins.
    while (const auto* next = state.messages.begin_next(line)) {
        auto outcome = start(state, *next, now, out);
        if (!outcome) return;
        settle(state, std::move(*outcome), now, out);
    }
}

void outbox_settled(State& state, RequestId id, const Result<void>& result, TimePoint now, Actions& out) {
    using xmpp::Condition, xmpp::ErrorType;
    const auto* outgoing = state.messages.find(id);
    if (!outgoing) return;
    const auto line = outgoing->line;
    if (result) {
        state.messages.stored(id);
        state.messages.find(id)->tells.reset();
        if (state.is_leaving_for_good()) return abandon(state, id, now, out);
    } else {
        auto refused = state.messages.remove(id);
        // Whether a failed commit is in the store nevertheless, a crash would decide.
        state.commits.erase(Collection::outbox, refused.key, now);
        await_no_imdn(state, refused, now);
        if (refused.tells) put_back(state, std::move(*refused.tells));
        if (refused.what == Outgoing::What::message)
            bounce(refused.row.stanza,
                   is_for_good(result) ? too_long()
                                       : error(ErrorType::wait, Condition::resource_constraint,
                                               "The gateway cannot keep messages now; it was not sent."),
                   refused.row.trace, refused.peer, out);
    }
    send_next(state, line, now, out);
}

namespace {

/// Once more in another form, with the same ids; a domain that stops leaves it to its next start.
void try_again(State& state, Outgoing& outgoing, std::uint32_t cseq, TimePoint now, Actions& out) {
    outgoing.request.cseq = cseq + 1;
    if (state.leaving && !state.leaving->for_good) return state.messages.put_back(outgoing.id);
    if (auto again = start(state, outgoing, now, out)) settle(state, std::move(*again), now, out);
}

}  // namespace

void settle(State& state, Outcome outcome, TimePoint now, Actions& out) {
    auto* outgoing = state.messages.find(outcome.request);
    if (!outgoing) return;
    if (is_refused_scheme(outcome)) {
        if (auto uri = in_sip_scheme(state.options, outgoing->peer, outgoing->request.uri)) {
            outgoing->request.uri = std::move(*uri);
            return try_again(state, *outgoing, outcome.cseq, now, out);
        }
    }
    if (is_refused_form(outcome) && !is_delivered(outcome)) {
        learn_refusal(state, *outgoing, outcome, now);
        if (auto plain = outgoing->what == Outgoing::What::message ? im::as_plain_text(outgoing->request) : std::nullopt) {
            await_no_imdn(state, *outgoing, now);
            outgoing->receipt_by_200 = outgoing->asked.positive_delivery;
            outgoing->request = std::move(*plain);
            return try_again(state, *outgoing, outcome.cseq, now, out);
        }
    }
    if (!is_delivered(outcome) && outgoing->what != Outgoing::What::composing && is_repeated(state, *outgoing, outcome)) {
        outgoing->repeated = true;
        if (!state.leaving || state.leaving->for_good)
            out.push_back(line(Level::info, outgoing->row.trace, "message", {{"direction", "x2s"}, {"state", "sent again"}},
                               outgoing->peer));
        return try_again(state, *outgoing, outcome.cseq, now, out);
    }
    auto done = state.messages.remove(outcome.request);
    if (is_delivered(outcome)) return delivered(state, done, outcome, now, out);
    if (done.what == Outgoing::What::message) ++state.carried.failed_to_sip;
    await_no_imdn(state, done, now);
    owe(state, std::move(done), undelivered(state.options, outcome), now, out);
}

void message_over(State& state, Outcome outcome, TimePoint now, Actions& out) {
    const auto* outgoing = state.messages.find(outcome.request);
    if (!outgoing) return;
    const auto line = outgoing->line;
    settle(state, std::move(outcome), now, out);
    send_next(state, line, now, out);
}

void abandon(State& state, RequestId id, TimePoint now, Actions& out) {
    using xmpp::Condition, xmpp::ErrorType;
    auto why =
        state.messages.is_in_progress(id) && state.outbound.has_left(id)
            ? error(ErrorType::wait, Condition::remote_server_timeout,
                    "The gateway was removed before the SIP side answered; the message may have been delivered.")
            : error(ErrorType::wait, Condition::recipient_unavailable, "The gateway was removed; the message was not sent.");
    auto abandoned = state.messages.remove(id);
    await_no_imdn(state, abandoned, now);
    owe(state, std::move(abandoned), std::move(why), now, out);
}

}  // namespace stox::engine
