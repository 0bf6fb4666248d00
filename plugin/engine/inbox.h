#pragma once
// Messages from SIP on their way to the XMPP server: in the order in which they came, each until a barrier covers it.
//
//   committing   its row is being written; it is not ours yet
//   waiting      ours; it goes out when there is a stream with room
//   written      on the stream; a barrier will cover it, an error stanza may come first
//
// They stand in the line in this order from the back to the front, since the line is only ever written from its front.

#include "plugin/engine/barrier.h"
#include "plugin/engine/receipts.h"
#include "plugin/engine/records.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stox::engine {

struct InboxEntry {
    std::string key;  ///< of its record
    InboxRow row;
    std::optional<ServerTransaction> transaction;  ///< its request, as long as that is not answered
    config::PeerKind kind = config::PeerKind::proxy;
    std::size_t octets = 0;  ///< in the store, which is no less than on the stream
    enum class Stage { committing, waiting, written } stage = Stage::committing;
    bool late = false;  ///< what goes out says when it came
    Barrier::Position position = 0;
    std::optional<TimePoint> answer_by{};
    bool is_notice = false;                   ///< a receipt: nobody hears whether it arrived
    std::optional<Receipts::Before> tells{};  ///< the row that it is of, until it is stored
    std::size_t stored_with = 0;              ///< so many right before it are in the same commit, under its number
};

class Inbox {
public:
    static constexpr std::size_t kEntries = 10'000;
    static constexpr std::size_t kOctets = 64u << 20;

    using Number = std::uint64_t;

    bool is_full(std::size_t octets) const { return entries_.size() >= kEntries || octets_ + octets > kOctets; }
    /// number   greater than any before
    void add(Number number, InboxEntry entry);
    /// Null: not there (any more).
    InboxEntry* find(Number number);
    InboxEntry remove(Number number);
    /// The one whose stanza has that id and went to that account: only from there an error can be its fate.
    std::optional<Number> find_stanza(const std::string& id, const xmpp::Jid& from) const;
    bool holds_stanza(const std::string& id) const { return by_stanza_.contains(id); }

    /// The first that waits to be written, unless a stream has taken all that may go.
    InboxEntry* next();
    /// That one is on the stream now.
    void written(Barrier::Position position);
    /// What the barrier covers, in order: each is handed to `last_use` and is gone from here after that.
    template <class LastUse>
    void cover(Barrier::Position position, LastUse last_use) {
        while (!entries_.empty()) {
            const auto first = entries_.begin();
            if (first->second.stage != InboxEntry::Stage::written || first->second.position > position) break;
            last_use(first->second);
            forget(first->second, first->first);
            entries_.erase(first);
        }
    }
    /// What was written may never have arrived: it waits again.
    void stream_lost();

    /// Its request is answered at that time if nothing answers it before.
    void answer_at(Number number, TimePoint at);
    /// The request is answered now.
    ServerTransaction answered(InboxEntry& entry);
    /// Ours, its request unanswered, and due by then (none: all of them); in order of time.
    std::vector<InboxEntry*> due(std::optional<TimePoint> now);
    std::optional<TimePoint> next_timeout() const;

    std::size_t size() const { return entries_.size(); }
    std::size_t octets() const { return octets_; }
    std::size_t unanswered() const { return unanswered_; }
    std::size_t unanswered_from(const std::string& peer) const;
    /// All of them, in order, for what looks after invariants.
    const std::map<Number, InboxEntry>& entries() const { return entries_; }

private:
    using Entries = std::map<Number, InboxEntry>;
    void forget(const InboxEntry& entry, Number number);

    Entries entries_;
    std::unordered_map<std::string, Number> by_stanza_;
    std::set<std::pair<TimePoint, Number>> answers_;
    std::map<std::string, std::size_t> unanswered_from_;
    std::size_t unanswered_ = 0, octets_ = 0;
    Number written_until_ = 0;  ///< of the last one on the stream
};

}  // namespace stox::engine
