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
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
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
    };
    enum class What { written, updated, replaced };
    /// What outstanding commits do with one place. It is known without walking through them: with a store that answers late there
    /// are thousands.
    struct Out {
        std::size_t written = 0;            ///< commits with its erasure, less than it was, or an update
        std::size_t updated = 0;            ///< those with an update
        std::vector<CommitId> replacing{};  ///< those with rows that replace an update, the newest last

        void enter(CommitId commit, What what);
        void leave(CommitId commit, What what);
        bool is_updated() const { return updated != 0 || !replacing.empty(); }
        bool is_nothing() const { return written == 0 && replacing.empty(); }
    };
    struct PlaceHash {
        /// Keys are ours, none is chosen by a stranger.
        std::size_t operator()(const Place& place) const { return std::hash<std::string>()(place.second); }
    };

    bool is_waiting() const { return !erasures_.empty() || !shrunk_.empty() || !updates_.empty(); }
    void flush(const Turn& turn);
    Outstanding take_waiting(const Turn& turn);
    void ride_along(const Place& place, TimePoint now);
    Replaced outdate(const std::vector<RecordChange>& rows);
    Replaced* replaced_later(const Place& place);
    std::deque<Outstanding>::iterator find(CommitId commit);
    template <class Visit>
    static void for_each_place(const Outstanding& one, Visit visit);
    void forget_places(const Outstanding& done);
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
    std::unordered_map<Place, Out, PlaceHash> out_;
    std::size_t alone_ = 0;  ///< of them, without an acceptance
    bool failing_ = false;   ///< acceptances are; what must be written goes without them
    std::optional<TimePoint> told_;
    bool troubled_ = false;  ///< is what the operator heard last
};

}  // namespace stox::engine
