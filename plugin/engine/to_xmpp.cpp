#include "mapping/error_table.h"
#include "mapping/im/body.h"
#include "mapping/page_message.h"
#include "mapping/xml/limits.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/delay.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/chat_states.h"
#include "plugin/engine/failure_reports.h"
#include "plugin/engine/log.h"
#include "plugin/engine/outbox.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/reports.h"
#include "plugin/engine/row_size.h"
#include "plugin/engine/sender.h"
#include "plugin/engine/sip_checks.h"
#include "plugin/engine/stream_writer.h"

namespace stox::engine {

namespace {

constexpr unsigned kRetryNoStream_s = 10;
constexpr unsigned kRetryBusy_s = 2;

sip::Response status(int code) {
    sip::Response response;
    response.status = code;
    return response;
}

void respond(Actions& out, ServerTransaction transaction, sip::Response response) {
    out.push_back(RespondSip{transaction, std::move(response)});
}

void refuse(State& state, Actions& out, const SipRequestIn& in, Trace trace, const config::Peer& peer, sip::Response response,
            std::string why) {
    state.merged.refused(MergedRequests::key(in.request));
    out.push_back(line(Level::info, trace, "message",
                       {{"direction", "s2x"},
                        {"from", in.request.from.uri.to_string()},
                        {"to", in.request.uri.to_string()},
                        {"status", std::to_string(response.status)},
                        {"reason", std::move(why)}},
                       peer.name));
    respond(out, in.transaction, std::move(response));
}

/// Why a body could not become a message, as SIP says it.
sip::Response body_refused(const Error& error) {
    switch (error.code) {
        case Code::too_large:
            return status(413);
        case Code::unsupported:
            return unsupported_media();
        default:
            return status(400);
    }
}

/// Also with the time that a stanza gets when it goes out later.
bool fits_stream(const config::DomainOptions& options, std::size_t stanza, UtcTime accepted) {
    constexpr auto kMost = xml::Limits{}.stanza_octets;
    if (stanza <= kMost / 2) return true;  // that of most, and the rest is far shorter
    return stanza + kChatStateOctets + xml::write(xmpp::delay(options.domain, accepted)).size() <= kMost;
}

/// Taken, and nothing of it has to be kept.
void accept_at_once(State& state, const SipRequestIn& in, Trace trace, const config::Peer& peer, const char* what, Actions& out) {
    if (state.details) out.push_back(line(Level::debug, trace, "message", {{"direction", "s2x"}, {"state", what}}, peer.name));
    respond(out, in.transaction, status(state.options.message_accept_code));
}

/// The rows that change; of one that changes twice the last form.
std::vector<RecordChange> changes_of(std::vector<Told>& told) {
    std::vector<RecordChange> changes;
    for (auto& one : told) {
        auto& change = one.telling.change;
        std::erase_if(changes,
                      [&](const auto& older) { return older.collection == change.collection && older.key == change.key; });
        changes.push_back(std::move(change));
    }
    return changes;
}

/// What an IMDN says goes the way of messages: it is answered when it is ours, and told until a barrier covers it. All that one
/// request says is ours, or nothing of it.
void notify(State& state, const SipRequestIn& in, std::vector<Told> told, Trace trace, const config::Peer& peer, std::string key,
            TimePoint now, Actions& out) {
    std::size_t octets = 0;
    std::vector<InboxEntry> entries;
    for (auto& [stanza, telling] : told) {
        InboxEntry entry;
        entry.row = {std::move(stanza), in.received, trace, peer.name, {}, {}};
        entry.is_notice = true;
        entry.tells = telling.before;
        octets += size_of(entry.row).row;
        entries.push_back(std::move(entry));
    }
    if (state.inbox.is_full(octets)) {
        // Backwards, for two may tell of one row: it is then what it was before the first.
        for (auto one = told.rbegin(); one != told.rend(); ++one) state.receipts.put_back(std::move(one->telling.before));
        return refuse(state, out, in, trace, peer, try_later(peer.kind, state.stream_up ? kRetryBusy_s : kRetryNoStream_s),
                      "too many messages wait for the XMPP server");
    }
    // The last one answers for all.
    entries.back().transaction = in.transaction;
    entries.back().kind = peer.kind;
    entries.back().row.request_key = std::move(key);
    take_in(state, std::move(entries), changes_of(told), now, out);
}

}  // namespace

void deliver_to_xmpp(State& state, const SipRequestIn& in, const config::Peer& peer, const Author& author, Trace trace,
                     TimePoint now, Actions& out) {
    const auto& options = state.options;
    auto key = MergedRequests::key(in.request);
    auto seen = state.merged.seen(key, state.ids.wire_id(), now);
    if (seen.as == MergedRequests::Seen::As::copy) return respond(out, in.transaction, status(482));
    if (seen.as == MergedRequests::Seen::As::accepted) return respond(out, in.transaction, status(options.message_accept_code));
    const auto to = user_jid(options, in.request.uri);
    if (!to)
        return refuse(state, out, in, trace, peer, status(to.error().code == Code::too_large ? 414 : 404), to.error().detail);
    const auto from = sender_jid(state, author, in.request, trace, out);
    if (!from)
        return refuse(state, out, in, trace, peer, status(from.error().code == Code::incomplete ? 484 : 404),
                      from.error().detail);
    const auto body = im::read_body(in.request);
    if (!body) return refuse(state, out, in, trace, peer, body_refused(body.error()), body.error().detail);
    // Whoever sends CPIM reads it, and the ids in it.   (RFC 5438 §6)
    if (body.value().envelope && !author.anonymous) state.imdn_contacts.learn(from.value());
    const bool is_signal = !std::holds_alternative<im::Text>(body.value().content);
    if (is_signal && !state.signal_rates.take(rate_key(author), now))
        return refuse(state, out, in, trace, peer, try_later(peer.kind, 1), "notifications too fast");
    if (const auto* imdns = std::get_if<std::vector<im::Imdn>>(&body.value().content)) {
        if (state.leaving)
            return refuse(state, out, in, trace, peer, try_later(peer.kind, kRetryNoStream_s), "the gateway stops");
        auto told = take_imdns(state, *imdns, from.value());
        if (told.empty()) return accept_at_once(state, in, trace, peer, "notification", out);
        return notify(state, in, std::move(told), trace, peer, std::move(key), now, out);
    }
    if (is_signal && !state.stream_up)
        return refuse(state, out, in, trace, peer, try_later(peer.kind, kRetryNoStream_s), "no component stream");
    if (const auto* composing = std::get_if<im::IsComposing>(&body.value().content)) {
        take_composing(state, *composing, {from.value(), to.value()}, now, out);
        return accept_at_once(state, in, trace, peer, "composing", out);
    }
    if (const auto expires = im::expiry(in.request, in.received); expires && *expires < in.received)
        return accept_at_once(state, in, trace, peer, "expired", out);

    PageMessageOptions how;
    how.id = std::move(seen.stanza_id);
    how.pager_as_chat = options.pager_as_chat;
    how.xhtml_im = options.xhtml_im;
    how.received = in.received;
    auto message = to_xmpp_message(in.request, body.value(), from.value(), to.value(), how);
    if (!message) return refuse(state, out, in, trace, peer, body_refused(message.error()), message.error().detail);
    if (auto thread = state.threads.thread_of(in.request.call_id, to.value(), from.value()))
        message.value().thread = std::move(thread);
    auto asked = asked_by(body.value(), author, in.request);
    if (asked) ask_client(message.value(), *asked);

    message.value().payload.push_back(xmpp::encode(LoopGuard::left_of(in.request)));

    if (state.leaving) return refuse(state, out, in, trace, peer, try_later(peer.kind, kRetryNoStream_s), "the gateway stops");
    if (state.is_full(peer))
        return refuse(state, out, in, trace, peer, try_later(peer.kind, kRetryBusy_s), "limits.transactions");
    InboxEntry entry;
    entry.row = {std::move(message).value(), in.received, trace, peer.name, std::move(key), std::move(asked)};
    const auto size = size_of(entry.row);
    entry.octets = size.row + kChatStateOctets;
    // Nothing that is accepted may turn out to be too long for the stream.
    if (!fits_stream(options, size.stanza, in.received) || entry.octets > kMaxRowOctets)
        return refuse(state, out, in, trace, peer, status(413), "too long for a stanza");
    if (state.inbox.is_full(entry.octets))
        return refuse(state, out, in, trace, peer, try_later(peer.kind, state.stream_up ? kRetryBusy_s : kRetryNoStream_s),
                      "too many messages wait for the XMPP server");

    state.odd_names.look_at(from.value(), out);
    message_ends_composing(state, entry.row.stanza);
    std::vector<RecordChange> rows;
    if (entry.row.report) rows.push_back(await_receipt(state, entry.row.stanza, *entry.row.report, in.received, now));
    entry.transaction = in.transaction;
    entry.kind = peer.kind;
    if (state.details)
        out.push_back(line(Level::debug, trace, "message",
                           {{"direction", "s2x"},
                            {"state", "came"},
                            {"from", entry.row.stanza.from.to_string()},
                            {"to", entry.row.stanza.to.to_string()},
                            {"call_id", in.request.call_id},
                            {"src", in.source.to_string()}},
                           peer.name));
    take_in(state, std::move(entry), std::move(rows), now, out);
}

namespace {

/// It stands in the line from now on; its row goes to `rows`.
std::uint64_t enter(State& state, InboxEntry entry, std::vector<RecordChange>& rows) {
    entry.key = state.row_keys.next(state.ids);
    if (entry.octets == 0) entry.octets = size_of(entry.row).row;
    const auto number = state.next_number();
    rows.push_back({Collection::inbox, entry.key, entry.row});
    state.inbox.add(number, std::move(entry));
    return number;
}

}  // namespace

void take_in(State& state, InboxEntry entry, std::vector<RecordChange> more, TimePoint now, Actions& out) {
    const auto number = enter(state, std::move(entry), more);
    state.commits.accept(number, std::move(more), state.turn(now, out));
}

void take_in(State& state, std::vector<InboxEntry> entries, std::vector<RecordChange> more, TimePoint now, Actions& out) {
    std::uint64_t number = 0;
    entries.back().stored_with = entries.size() - 1;
    for (auto& entry : entries) number = enter(state, std::move(entry), more);
    state.commits.accept(number, std::move(more), state.turn(now, out));
}

namespace {

void not_stored(State& state, std::uint64_t number, const Result<void>& result, TimePoint now, Actions& out) {
    auto& entry = *state.inbox.find(number);
    if (entry.transaction)
        respond(out, state.inbox.answered(entry), is_for_good(result) ? status(413) : try_later(entry.kind, kRetryNoStream_s));
    auto refused = state.inbox.remove(number);
    if (refused.tells) put_back(state, std::move(*refused.tells));
    await_no_receipt(state, refused.row.stanza, now);
    state.merged.refused(refused.row.request_key);
    // Whether a failed commit is in the store nevertheless, a crash would decide.
    state.commits.erase(Collection::inbox, refused.key, now);
    if (state.details)
        out.push_back(line(Level::debug, refused.row.trace, "message",
                           {{"direction", "s2x"}, {"state", "refused"}, {"reason", "not stored"}}, refused.row.peer));
}

void now_stored(State& state, std::uint64_t number, TimePoint now) {
    auto& entry = *state.inbox.find(number);
    entry.tells.reset();
    entry.stage = InboxEntry::Stage::waiting;
    entry.late = !state.stream_up;
    // Without a stream there is nothing to wait for.   (contract: link down)
    const bool at_once = !state.stream_up || state.options.message_hold_ms == 0;
    state.inbox.answer_at(number, at_once ? now : now + std::chrono::milliseconds(state.options.message_hold_ms));
}

}  // namespace

void inbox_settled(State& state, std::uint64_t last, const Result<void>& result, TimePoint now, Actions& out) {
    // Backwards, for two may tell of one row: it is then what it was before the first.
    const auto first = last - state.inbox.find(last)->stored_with;
    for (auto number = last + 1; number-- > first;)
        if (result)
            now_stored(state, number, now);
        else
            not_stored(state, number, result, now, out);
}

void accept_due(State& state, std::optional<TimePoint> until, Actions& out) {
    for (auto* entry : state.inbox.due(until)) {
        respond(out, state.inbox.answered(*entry), status(state.options.message_accept_code));
        if (state.details)
            out.push_back(
                line(Level::debug, entry->row.trace, "message", {{"direction", "s2x"}, {"state", "accepted"}}, entry->row.peer));
    }
}

namespace {

/// The message is with the server; its request may come again all the same.
void keep_request(State& state, InboxEntry& entry, TimePoint now) {
    if (entry.row.request_key.empty() || state.is_leaving_for_good())
        return state.commits.erase(Collection::inbox, std::move(entry.key), now);
    InboxRow kept;
    kept.stanza = envelope(entry.row.stanza);
    kept.accepted = entry.row.accepted;
    kept.trace = entry.row.trace;
    kept.peer = entry.row.peer;
    kept.request_key = std::move(entry.row.request_key);
    kept.delivered = true;
    state.commits.shrink({Collection::inbox, entry.key, std::move(kept)}, now);
    forget_requests(state, state.delivered.add(std::move(entry.key), now), now);
}

}  // namespace

void forget_requests(State& state, std::vector<std::string> keys, TimePoint now) {
    for (auto& key : keys) state.commits.erase(Collection::inbox, std::move(key), now);
}

void inbox_covered(State& state, Barrier::Position position, TimePoint now, Actions& out) {
    state.inbox.cover(position, [&](InboxEntry& entry) {
        if (entry.transaction) respond(out, state.inbox.answered(entry), status(state.options.message_accept_code));
        keep_request(state, entry, now);
        ++state.carried.to_xmpp;
        if (state.details)
            out.push_back(
                line(Level::debug, entry.row.trace, "message", {{"direction", "s2x"}, {"state", "delivered"}}, entry.row.peer));
    });
}

void message_failed(State& state, const xmpp::Message& error, TimePoint now, Actions& out) {
    const auto number = state.inbox.find_stanza(error.id, error.from);
    if (!number) return report_failure(state, nullptr, error, now, out);
    auto& held = *state.inbox.find(*number);
    std::optional<ServerTransaction> transaction;
    if (held.transaction) transaction = state.inbox.answered(held);
    const auto failed = state.inbox.remove(*number);
    ++state.carried.failed_to_xmpp;
    state.commits.erase(Collection::inbox, failed.key, now);
    if (!transaction) {
        state.merged.failed(failed.row.request_key);
        return report_failure(state, &failed.row, error, now, out);
    }
    if (failed.is_notice) return respond(out, *transaction, status(state.options.message_accept_code));
    await_no_receipt(state, failed.row.stanza, now);

    const auto reason = error.error.value_or(xmpp::StanzaError{});
    const auto failure = to_sip_failure(reason, {!failed.row.stanza.to.is_bare(), state.options.allow_6xx, "MESSAGE",
                                                 state.options.service_unavailable_code == 480});
    auto response = status(failure.status);
    if (!failure.contact.empty()) response.headers.push_back({"Contact", '<' + failure.contact + '>'});
    if (failure.retry_after) response.headers.push_back({"Retry-After", std::to_string(kRetryNoStream_s)});
    if (failure.status == 405) response.headers.push_back({"Allow", "OPTIONS"});
    out.push_back(line(Level::info, failed.row.trace, "message",
                       {{"direction", "s2x"},
                        {"to", error.from.to_string()},
                        {"error", std::string(to_string(reason.condition))},
                        {"status", std::to_string(failure.status)}},
                       failed.row.peer));
    state.merged.refused(failed.row.request_key);
    respond(out, *transaction, std::move(response));
}

}  // namespace stox::engine
