#pragma once
// MESSAGE requests of ours: at most one out-of-dialog transaction for each contact, the next ones in order behind it.
// (RFC 3428 §8, IM-12, CORE-77)

#include "mapping/im/imdn.h"
#include "plugin/engine/kept.h"
#include "plugin/engine/outbound.h"
#include "plugin/engine/receipts.h"
#include "plugin/engine/records.h"

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace stox::engine {

struct Outgoing {
    RequestId id;
    std::string key;   ///< of its record
    std::string line;  ///< in which it stands: the contact's address, whatever device of theirs the request is for
    sip::Request request;
    OutboxRow row{};  ///< its record; of the stanza only the envelope, which is what an error answers
    std::string peer;
    bool stored = false;  ///< its record is written: it may be sent
    enum class What {
        message,
        report,     ///< a notification about a message from SIP: nobody hears whether it arrived
        composing,  ///< somebody writes: not kept, not tried again
    } what = What::message;
    im::DispositionRequest asked{};  ///< of the contact, with the message
    bool receipt_by_200 = false;     ///< its author wants a receipt that the contact's client cannot be asked for (IM-45)
    std::optional<Receipts::Before> tells{};  ///< a report: the row that it is of, until it is stored
    bool repeated = false;
    bool emergency = false;  ///< a call for help: bounded apart from everything else
    std::size_t octets = 0;  ///< in memory or in the store, wherever it takes more
};

/// In memory: whatever a writer can make long.
std::size_t held_octets(const Outgoing& outgoing);

class MessageQueue {
public:
    static constexpr std::size_t kQueuedPerTarget = 50;
    static constexpr std::size_t kInAll = 10'000;           ///< with those in progress
    static constexpr std::size_t kOctetsInAll = 64u << 20;  ///< of all that they hold
    /// Calls for help, which no other limit holds up.
    static constexpr std::size_t kEmergencies = 1'000;
    static constexpr std::size_t kEmergencyOctets = 16u << 20;

    /// Whether the next one in that line would have to wait.
    bool is_busy(const std::string& line) const { return lines_.contains(line); }
    /// Whether there is room for another one.
    /// owed   what is kept of those that failed
    bool is_full(const Outgoing& outgoing, const Kept& owed) const;
    /// At the end of its line, whether there is room or not: what is stored already is not refused.
    void add(Outgoing&& outgoing);

    /// Null: not here (any more).
    Outgoing* find(RequestId id);
    /// The first of that line if it may be sent now; it is in progress from then on.
    Outgoing* begin_next(const std::string& line);
    bool is_in_progress(RequestId id) const { return in_progress_.contains(id); }
    /// That one is over, sent or not.
    Outgoing remove(RequestId id);
    /// It is not in progress any more and stays the first.
    void put_back(RequestId id) { in_progress_.erase(id); }

    std::vector<std::string> lines() const;
    /// All of them, line by line in order.
    std::vector<const Outgoing*> all() const;
    std::size_t size() const { return by_id_.size(); }
    std::size_t in_progress() const { return in_progress_.size(); }
    std::size_t queued() const { return by_id_.size() - in_progress_.size(); }
    static constexpr std::size_t kUnstored = 1'024;  ///< then nothing more is read
    /// Those that wait for the store.
    std::size_t unstored() const { return unstored_; }
    void stored(RequestId id);

private:
    std::map<std::string, std::list<Outgoing>> lines_;  ///< never empty; only the front may be in progress
    std::map<RequestId, std::string> by_id_;
    std::set<RequestId> in_progress_;
    Kept kept_;
    std::size_t unstored_ = 0;
};

}  // namespace stox::engine
