#pragma once
// What authors on the XMPP side must be told of messages that were ours: until a barrier covers the error.

#include "plugin/engine/barrier.h"
#include "plugin/engine/kept.h"
#include "plugin/engine/records.h"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace stox::engine {

struct OwedError {
    std::string key;            ///< of the message's record
    OutboxRow row;              ///< with the envelope of the message, and what is owed
    bool written_down = false;  ///< the record says that it is owed; until then a restart would send the message again
    bool emergency = false;
    std::size_t octets = 0;                       ///< in the store: until it is written down, of the whole message
    std::optional<Barrier::Position> position{};  ///< on the stream; none: it waits for one
};

class OwedErrors {
public:
    void add(OwedError owed) {
        kept_.add(owed.emergency, owed.octets);
        waiting_.push_back(std::move(owed));
    }
    /// The first that waits for a stream, or null.
    OwedError* next() { return written_ < waiting_.size() ? &waiting_[written_] : nullptr; }
    void written(Barrier::Position position) { waiting_[written_++].position = position; }
    /// The keys of those that a barrier covers; they are gone from here.
    std::vector<std::string> covered(Barrier::Position position) {
        std::vector<std::string> keys;
        while (written_ != 0 && *waiting_.front().position <= position) {
            kept_.remove(waiting_.front().emergency, waiting_.front().octets);
            keys.push_back(std::move(waiting_.front().key));
            waiting_.pop_front();
            --written_;
        }
        return keys;
    }
    void stream_lost() {
        for (std::size_t i = 0; i < written_; ++i) waiting_[i].position.reset();
        written_ = 0;
    }

    /// Its record is another one from now on.
    void resize(OwedError& owed, std::size_t octets) {
        kept_.remove(owed.emergency, owed.octets);
        owed.octets = octets;
        kept_.add(owed.emergency, owed.octets);
    }

    std::size_t size() const { return waiting_.size(); }
    const Kept& kept() const { return kept_; }
    std::deque<OwedError>& all() { return waiting_; }
    const std::deque<OwedError>& all() const { return waiting_; }

private:
    std::deque<OwedError> waiting_;
    Kept kept_;
    std::size_t written_ = 0;  ///< the first ones of them
};

}  // namespace stox::engine
