#pragma once
// What is on its way to the store, and what will go along with the next commit.
//
// A message costs two records: one when it is accepted, one when it is erased. Nobody waits for an erasure, so it rides with the
// next acceptance, or goes alone a moment later; a kill before that costs a second copy, never a message.

#include "plugin/engine/records.h"
#include "plugin/engine/turn.h"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stox::engine {

class Commits {
public:
    static constexpr std::chrono::milliseconds kRideAfter{10};  ///< how long an erasure waits for company
    static constexpr std::chrono::seconds kTryAgain{1};         ///< after a failure
    static constexpr std::chrono::seconds kTellAgain{10};       ///< the operator, that it still fails

    /// Rows that make a message ours. What came of it is among the results of committed(), under that number.
    void accept(std::uint64_t number, std::vector<RecordChange> rows, const Turn& turn);
    /// It is not needed any more.
    void erase(Collection collection, std::string key, TimePoint now);
    /// It changes, and nobody waits for that.
    void update(RecordChange row, TimePoint now);

    struct Settled {
        std::uint64_t number;
        Result<void> result;
    };
    /// Acceptances that are decided now, in the order of accept().
    std::vector<Settled> committed(const Committed& in, const Turn& turn);
    void tick(const Turn& turn);
    /// What waits for company goes now.
    void flush(const Turn& turn);
    std::optional<TimePoint> next_timeout() const { return waiting_.empty() ? std::nullopt : ride_at_; }

    std::size_t outstanding() const { return outstanding_.size(); }
    bool is_idle() const { return outstanding_.empty() && waiting_.empty(); }

private:
    using Place = std::pair<Collection, std::string>;
    using Waiting = std::map<Place, std::optional<RecordValue>>;
    struct Outstanding {
        CommitId commit;
        std::optional<std::uint64_t> number;  ///< of an acceptance
        Waiting along;                        ///< what must be written whatever becomes of the acceptance
        std::optional<Result<void>> result;
    };

    void wait(Place place, std::optional<RecordValue> value, TimePoint now);
    Waiting take(std::size_t most);
    void come_back(Waiting along, TimePoint now);
    void judge(const Outstanding& done, const Turn& turn);

    Waiting waiting_;
    std::optional<TimePoint> ride_at_;
    std::deque<Outstanding> outstanding_;
    bool failing_ = false;  ///< acceptances are; what must be written goes without them
    std::optional<TimePoint> told_;
    bool troubled_ = false;  ///< is what the operator heard last
};

}  // namespace stox::engine
