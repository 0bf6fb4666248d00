#pragma once
// How many stanzas of a component stream are dealt with: answered, refused, or stored. A module keeps copies of the others, for a worker
// that is killed.

#include "plugin/engine/engine.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>

namespace stox::host {

/// The first `count` stanzas of the stream that had this id.
struct StreamMark {
    std::string stream;
    std::uint64_t count = 0;

    friend bool operator==(const StreamMark&, const StreamMark&) = default;
};

class TakenStanzas {
public:
    void begin(std::string stream) {
        stream_ = std::move(stream);
        came_ = 0;
        waiting_.clear();
    }
    /// The engine gets the next one, and has it until handled().
    void came() {
        ++came_;
        in_hand_ = true;
    }
    void handled() { in_hand_ = false; }
    /// The engine wants something written. Of the stanza that it has in hand that must be waited for.
    void commit(engine::CommitId id) {
        if (in_hand_) waiting_.push_back({id, came_ - 1});
    }
    void committed(engine::CommitId id) {
        std::erase_if(waiting_, [id](const Waiting& one) { return one.commit == id; });
    }

    bool in_hand() const { return in_hand_; }
    /// With the one in hand.
    StreamMark all() const { return {stream_, came_}; }
    /// For good.
    StreamMark taken() const { return {stream_, waiting_.empty() ? came_ - (in_hand_ ? 1 : 0) : waiting_.front().before}; }

private:
    struct Waiting {
        engine::CommitId commit;
        std::uint64_t before;  ///< stanzas that came before the one that it is of
    };
    std::string stream_;
    std::uint64_t came_ = 0;
    bool in_hand_ = false;
    std::deque<Waiting> waiting_;
};

}  // namespace stox::host
