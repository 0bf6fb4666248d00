#include "plugin/engine/restore.h"

#include "plugin/engine/log.h"
#include "plugin/engine/outbox.h"
#include "plugin/engine/owed.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watch_contacts.h"
#include "plugin/engine/row_size.h"
#include "plugin/engine/stream_writer.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// Room for what was sent after the row was written: credentials, a second try, and other messages of one thread, which share a
/// Call-ID if the operator wants that. Since each life has numbers of its own, none of them has to be written down.
constexpr std::uint64_t kCseqLeap = 1'024;
constexpr std::uint64_t kMaxCseq = 0x7fff'ffff;  // RFC 3261 §8.1.1.5

std::uint32_t leap(std::uint32_t cseq, std::uint32_t lives) {
    return static_cast<std::uint32_t>(std::min(cseq + kCseqLeap * lives, kMaxCseq - kCseqLeap));
}

/// How many requests are forgotten for it.
std::size_t restore_inbox(State& state, std::string key, InboxRow row, TimePoint now) {
    if (row.delivered) {
        forget_requests(state, state.delivered.add(std::move(key), now), now);
        return state.merged.restored(row.request_key, row.stanza.id, now);
    }
    // A commit that failed may be there all the same, and its request came again: one of the two is enough.
    const bool known = row.stanza.type != xmpp::MessageType::error && state.inbox.holds_stanza(row.stanza.id);
    if (known) {
        state.commits.erase(Collection::inbox, std::move(key), now);
        return 0;
    }
    const auto forgotten = state.merged.restored(row.request_key, row.stanza.id, now);
    InboxEntry entry;
    entry.key = std::move(key);
    entry.octets = size_of(row).row;
    entry.row = std::move(row);
    entry.stage = InboxEntry::Stage::waiting;
    entry.late = true;
    state.inbox.add(state.next_number(), std::move(entry));
    return forgotten;
}

void restore_outbox(State& state, std::string key, OutboxRow row, std::uint32_t lives, TimePoint now, Actions& out) {
    if (row.stanza.type == xmpp::MessageType::error) return state.commits.erase(Collection::outbox, std::move(key), now);
    const auto octets = size_of(row).row;
    if (row.owed) return state.owed.add({std::move(key), std::move(row), true, false, octets});
    row.cseq = leap(row.cseq, lives);
    auto prepared = prepare(state, row.stanza, row, now);
    Outgoing outgoing;
    if (auto* ready = std::get_if<Outgoing>(&prepared)) outgoing = std::move(*ready);
    outgoing.id = state.next_request();
    outgoing.key = key;
    outgoing.octets = octets;
    if (auto* why = std::get_if<xmpp::StanzaError>(&prepared)) {
        row.stanza = envelope(row.stanza);
        outgoing.row = std::move(row);
        return owe(state, std::move(outgoing), std::move(*why), now, out);
    }
    if (std::holds_alternative<NothingToSend>(prepared)) return state.commits.erase(Collection::outbox, std::move(key), now);
    outgoing.stored = true;
    outgoing.octets = std::max(held_octets(outgoing), octets);
    state.messages.add(std::move(outgoing));
}

void restore_receipt(State& state, std::string key, ReceiptRow row, TimePoint now) {
    for (auto& forgotten : state.receipts.add({std::move(key), std::move(row)}))
        state.commits.erase(Collection::receipts, std::move(forgotten), now);
}

}  // namespace

void restore(State& state, Restored in, TimePoint now, Actions& out) {
    state.knows_relations = in.complete;
    std::size_t forgotten = 0;
    for (auto& [collection, key, value, lives] : in.records) {
        if (auto* inbox = std::get_if<InboxRow>(&value))
            forgotten += restore_inbox(state, std::move(key), std::move(*inbox), now);
        if (auto* outbox = std::get_if<OutboxRow>(&value))
            restore_outbox(state, std::move(key), std::move(*outbox), lives, now, out);
        if (auto* receipt = std::get_if<ReceiptRow>(&value)) restore_receipt(state, std::move(key), std::move(*receipt), now);
        if (auto* contact = std::get_if<ContactRow>(&value))
            restore_contact(state, std::move(key), std::move(*contact), now, out);
        if (auto* watcher = std::get_if<WatcherRow>(&value))
            restore_watcher(state, std::move(key), std::move(*watcher), now, out);
    }
    if (!in.records.empty())
        out.push_back(line(Level::info, {}, "messages restored",
                           {{"to_xmpp", std::to_string(state.inbox.size())},
                            {"to_sip", std::to_string(state.messages.size())},
                            {"errors", std::to_string(state.owed.size())}}));
    if (forgotten != 0)
        out.push_back(line(Level::warn, {},
                           "more requests were accepted than are remembered; a copy of one of these is a second message",
                           {{"forgotten", std::to_string(forgotten)}}));
    for (const auto& line : state.messages.lines()) send_next(state, line, now, out);
    write_stream(state, now, out);
}

}  // namespace stox::engine
