#include "plugin/engine/commits.h"

#include "plugin/engine/log.h"

#include <algorithm>

namespace stox::engine {

namespace {

std::vector<RecordChange> changes_of(const auto& waiting) {
    std::vector<RecordChange> changes;
    for (const auto& [place, value] : waiting) changes.push_back({place.first, place.second, value});
    return changes;
}

}  // namespace

void Commits::accept(std::uint64_t number, std::vector<RecordChange> rows, const Turn& turn) {
    // A full disk refuses new rows and still takes erasures, which then must not share their fate.
    Outstanding made{turn.next_commit(), number, failing_ ? Waiting() : take(Commit::kMaxChanges - rows.size()), {}};
    auto changes = std::move(rows);
    std::ranges::move(changes_of(made.along), std::back_inserter(changes));
    turn.out.push_back(Commit{made.commit, std::move(changes)});
    outstanding_.push_back(std::move(made));
}

void Commits::erase(Collection collection, std::string key, TimePoint now) { wait({collection, std::move(key)}, {}, now); }

void Commits::update(RecordChange row, TimePoint now) { wait({row.collection, std::move(row.key)}, std::move(row.value), now); }

void Commits::wait(Place place, std::optional<RecordValue> value, TimePoint now) {
    if (waiting_.empty()) ride_at_ = now + (failing_ ? std::chrono::milliseconds(kTryAgain) : kRideAfter);
    waiting_.insert_or_assign(std::move(place), std::move(value));
}

Commits::Waiting Commits::take(std::size_t most) {
    if (waiting_.size() <= most) return std::exchange(waiting_, {});
    Waiting taken;
    while (taken.size() < most) taken.insert(waiting_.extract(waiting_.begin()));
    return taken;
}

void Commits::tick(const Turn& turn) {
    if (!waiting_.empty() && *ride_at_ <= turn.now) flush(turn);
}

void Commits::flush(const Turn& turn) {
    while (!waiting_.empty()) {
        Outstanding made{turn.next_commit(), {}, take(Commit::kMaxChanges), {}};
        turn.out.push_back(Commit{made.commit, changes_of(made.along)});
        outstanding_.push_back(std::move(made));
    }
}

std::vector<Commits::Settled> Commits::committed(const Committed& in, const Turn& turn) {
    const auto found = std::ranges::lower_bound(outstanding_, in.commit, {}, &Outstanding::commit);
    if (found == outstanding_.end() || found->commit != in.commit || found->result) return {};
    found->result = in.result;
    std::vector<Settled> settled;
    while (!outstanding_.empty() && outstanding_.front().result) {
        auto done = std::move(outstanding_.front());
        outstanding_.pop_front();
        judge(done, turn);
        if (done.number) settled.push_back({*done.number, *done.result});
        if (!*done.result) come_back(std::move(done.along), turn.now);
    }
    return settled;
}

/// What failed is tried again, unless something newer is to be written, or is being written, in its place.
void Commits::come_back(Waiting along, TimePoint now) {
    for (auto& [place, value] : along) {
        const bool outdated =
            waiting_.contains(place) ||
            std::ranges::any_of(outstanding_, [&, &at = place](const Outstanding& later) { return later.along.contains(at); });
        if (!outdated) wait(place, std::move(value), now);
    }
    if (!waiting_.empty()) ride_at_ = now + kTryAgain;
}

void Commits::judge(const Outstanding& done, const Turn& turn) {
    if (*done.result) {
        if (!done.number) return;  // that there is room for erasing says nothing
        failing_ = false;
        if (std::exchange(troubled_, false)) turn.out.push_back(line(Level::info, {}, "messages can be stored again", {}));
        return;
    }
    failing_ = true;
    if (told_ && turn.now < *told_ + kTellAgain) return;
    told_ = turn.now;
    troubled_ = true;
    turn.out.push_back(line(Level::error, {}, "messages cannot be stored and are refused until they can",
                            {{"reason", done.result->error().detail}}));
}

}  // namespace stox::engine
