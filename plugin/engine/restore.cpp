#include "plugin/engine/restore.h"

#include "plugin/engine/log.h"
#include "plugin/engine/outbox.h"
#include "plugin/engine/owed.h"
#include "plugin/engine/stream_writer.h"

#include <algorithm>
#include <map>

namespace stox::engine {

namespace {

/// Room for what was sent after the row was written: credentials, a second try.
constexpr std::uint32_t kCseqLeap = 100;
constexpr std::uint32_t kMaxCseq = 0x7fff'ffff;  // RFC 3261 §8.1.1.5

void restore_inbox(State& state, std::string key, InboxRow row, TimePoint now) {
    // A commit that failed may be there all the same, and its request came again: one of the two is enough.
    if (state.inbox.holds_stanza(row.stanza.id)) return state.commits.erase(Collection::inbox, std::move(key), now);
    state.merged.restored(row.request_key, row.stanza.id, now);
    InboxEntry entry;
    entry.key = std::move(key);
    entry.octets = stanza_octets(row.stanza);
    entry.row = std::move(row);
    entry.stage = InboxEntry::Stage::waiting;
    entry.late = true;
    state.inbox.add(state.next_number(), std::move(entry));
}

/// The rows with the numbers that their requests have now, a group at a time.
class Rewriting {
public:
    Rewriting(State& state, const Turn& turn) : state_(state), turn_(turn) {}
    void add(RequestId id, RecordChange row) {
        ids_.push_back(id);
        rows_.push_back(std::move(row));
        if (rows_.size() == Commit::kMaxChanges) flush();
    }
    void flush() {
        if (rows_.empty()) return;
        const auto number = ++turn_.last_number;
        state_.restored.emplace(number, std::exchange(ids_, {}));
        state_.commits.accept(number, std::exchange(rows_, {}), turn_);
    }

private:
    State& state_;
    Turn turn_;
    std::vector<RequestId> ids_;
    std::vector<RecordChange> rows_;
};

void restore_outbox(State& state, std::string key, OutboxRow row, Rewriting& rewriting, TimePoint now, Actions& out) {
    if (row.stanza.type == xmpp::MessageType::error) return state.commits.erase(Collection::outbox, std::move(key), now);
    if (row.owed) return state.owed.add({std::move(key), std::move(row), true});
    row.cseq = std::min(row.cseq, kMaxCseq - kCseqLeap) + kCseqLeap;
    auto prepared = prepare(state, row.stanza, row, now);
    Outgoing outgoing;
    if (auto* ready = std::get_if<Outgoing>(&prepared)) outgoing = std::move(*ready);
    outgoing.id = state.next_request();
    outgoing.key = key;
    if (auto* why = std::get_if<xmpp::StanzaError>(&prepared)) {
        outgoing.ids = row;
        outgoing.original = row.stanza;
        outgoing.original.payload.clear();
        return owe(state, std::move(outgoing), std::move(*why), now, out);
    }
    if (std::holds_alternative<NothingToSend>(prepared)) return state.commits.erase(Collection::outbox, std::move(key), now);
    rewriting.add(outgoing.id, {Collection::outbox, std::move(key), std::move(row)});
    state.messages.add(std::move(outgoing));
}

void restore_receipt(State& state, std::string key, ReceiptRow row, TimePoint now) {
    for (auto& forgotten : state.receipts.add({std::move(key), std::move(row)}))
        state.commits.erase(Collection::receipts, std::move(forgotten), now);
}

}  // namespace

void restore(State& state, Restored in, TimePoint now, Actions& out) {
    Rewriting rewriting(state, state.turn(now, out));
    for (auto& [collection, key, value] : in.records) {
        if (auto* inbox = std::get_if<InboxRow>(&value)) restore_inbox(state, std::move(key), std::move(*inbox), now);
        if (auto* outbox = std::get_if<OutboxRow>(&value))
            restore_outbox(state, std::move(key), std::move(*outbox), rewriting, now, out);
        if (auto* receipt = std::get_if<ReceiptRow>(&value)) restore_receipt(state, std::move(key), std::move(*receipt), now);
    }
    rewriting.flush();
    if (!in.records.empty())
        out.push_back(line(Level::info, {}, "messages restored",
                           {{"to_xmpp", std::to_string(state.inbox.size())},
                            {"to_sip", std::to_string(state.messages.size())},
                            {"errors", std::to_string(state.owed.size())}}));
    write_stream(state, now, out);
}

void restored_settled(State& state, const std::vector<RequestId>& requests, TimePoint now, Actions& out) {
    for (const auto id : requests) outbox_settled(state, id, ok(), now, out);
}

}  // namespace stox::engine
