#pragma once
// What is on its way to the store, and what will go along with the next commit.
//
// A message costs two records: one when it is accepted, one when it is erased. Nobody waits for an erasure, so it rides with the
// next acceptance, or goes alone a moment later; a kill before that costs a second copy, never a message.
//
// What fails for want of room is tried again until there is some. A row that no store can hold fails alone and once.
//
// What waits for nobody goes a few commits at a time, the next ones when those are answered: a domain that is removed may have
// tens of thousands of rows to erase, and the store is everybody's.

#include "plugin/engine/records.h"
#include "plugin/engine/turn.h"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stox::engine {

/// Whether such a row can never be written, so that trying again is no use: anything else may pass.
inline bool is_for_good(const Result<void>& result) { return !result && result.error().code != Code::unavailable; }

class Commits {
public:
    static constexpr std::chrono::milliseconds kRideAfter{10};  ///< how long an erasure waits for company
    static constexpr std::chrono::seconds kTryAgain{1};         ///< after a failure
    static constexpr std::chrono::seconds kTellAgain{10};       ///< the operator, that it still fails

    /// Octets of the rows of one commit, unless a single one is longer.
    static constexpr std::size_t kOctets = 4u << 20;

    /// Commits without an acceptance that are with the store at once; the rest waits here.
    static constexpr std::size_t kAlone = 8;

    /// Rows that make a message ours, Commit::kMaxChanges at most. What came of it is among the results of committed(), under
    /// that number. What waited to be written in their places is outdated, unless these fail.
    void accept(std::uint64_t number, std::vector<RecordChange> rows, const Turn& turn);
    /// It is not needed any more.
    void erase(Collection collection, std::string key, TimePoint now);
    /// Less than before stands in its place from now on. It rides like an erasure, and is one where there is no room for it.
    void shrink(RecordChange row, TimePoint now);
    /// It changes, and nobody waits for that.
    void update(RecordChange row, TimePoint now);

    struct Settled {
        std::uint64_t number;
        Result<void> result;
    };
    /// Acceptances that are decided now, in the order of accept().
    std::vector<Settled> committed(const Committed& in, const Turn& turn);
    void tick(const Turn& turn);
    /// What waits for company goes now; not what waits for a store that failed.
    void hurry(const Turn& turn);
    std::optional<TimePoint> next_timeout() const { return is_waiting() && !goes_on_ ? ride_at_ : std::nullopt; }

    std::size_t outstanding() const { return outstanding_.size(); }
    bool is_idle() const { return outstanding_.empty() && !is_waiting(); }

private:
    using Place = std::pair<Collection, std::string>;
    struct Update {
        RecordValue value;
        bool alone = false;  ///< one of those it went with cannot be written, and nobody knows which
    };
    using Replaced = std::map<Place, std::optional<Update>>;
    struct Outstanding {
        CommitId commit;
        std::optional<std::uint64_t> number{};  ///< of an acceptance
        /// Places of its rows where an update waits, or is on its way in an earlier commit (none): it counts if these rows fail.
        Replaced replaced{};
        std::set<Place> erasures{};             ///< must be written whatever becomes of the acceptance
        std::map<Place, RecordValue> shrunk{};  ///< the same
        std::map<Place, Update> updates{};      ///< never with an acceptance, which would share their fate
        std::optional<Result<void>> result{};

        bool is_updating() const { return !updates.empty() || !replaced.empty(); }
    };

    bool is_waiting() const { return !erasures_.empty() || !shrunk_.empty() || !updates_.empty(); }
    void flush(const Turn& turn);
    Outstanding take_waiting(const Turn& turn);
    void ride_along(const Place& place, TimePoint now);
    Replaced outdate(const std::vector<RecordChange>& rows);
    Replaced* replaced_later(const Place& place);
    std::map<Place, Update> take_updates();
    void send(Outstanding made, std::vector<RecordChange> rows, const Turn& turn);
    void come_back(Outstanding failed, const Turn& turn);
    void judge(const Outstanding& done, const Turn& turn);

    // A place is in one of them at most.
    std::set<Place> erasures_;
    std::map<Place, RecordValue> shrunk_;
    std::map<Place, Update> updates_;
    std::optional<TimePoint> ride_at_;
    bool goes_on_ = false;                 ///< with the next answer: there was more than may be with the store at once
    std::optional<TimePoint> not_before_;  ///< the store failed; nothing goes alone until then
    std::deque<Outstanding> outstanding_;
    std::size_t alone_ = 0;     ///< of them, without an acceptance
    std::size_t updating_ = 0;  ///< of them, with updates or what replaces some
    bool failing_ = false;  ///< acceptances are; what must be written goes without them
    std::optional<TimePoint> told_;
    bool troubled_ = false;  ///< is what the operator heard last
};

}  // namespace stox::engine
