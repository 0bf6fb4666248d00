#include "plugin/engine/commits.h"

#include "mapping/core/assert.h"
#include "plugin/engine/log.h"
#include "plugin/engine/row_size.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// So many of them, the first ones.
template <class Places>
Places take(Places& waiting, std::size_t most) {
    if (waiting.size() <= most) return std::exchange(waiting, {});
    Places taken;
    while (taken.size() < most) taken.insert(waiting.extract(waiting.begin()));
    return taken;
}

}  // namespace

void Commits::accept(std::uint64_t number, std::vector<RecordChange> rows, const Turn& turn) {
    // A full disk refuses new rows and still takes erasures, which then must not share their fate.
    STOX_ASSERT(rows.size() <= Commit::kMaxChanges);
    Outstanding made{turn.next_commit(), number};
    made.replaced = outdate(rows);
    if (!failing_) {
        const auto room = Commit::kMaxChanges - rows.size();
        made.erasures = take(erasures_, room);
        made.shrunk = take(shrunk_, room - made.erasures.size());
    }
    send(std::move(made), std::move(rows), turn);
}

void Commits::erase(Collection collection, std::string key, TimePoint now) {
    Place place{collection, std::move(key)};
    ride_along(place, now);
    erasures_.insert(std::move(place));
}

void Commits::shrink(RecordChange row, TimePoint now) {
    if (failing_) return erase(row.collection, std::move(row.key), now);
    Place place{row.collection, std::move(row.key)};
    ride_along(place, now);
    shrunk_.emplace(std::move(place), std::move(*row.value));
}

void Commits::update(RecordChange row, TimePoint now) {
    Place place{row.collection, std::move(row.key)};
    ride_along(place, now);
    updates_.emplace(std::move(place), Update{std::move(*row.value)});
}

/// What waited in that place is outdated.
void Commits::ride_along(const Place& place, TimePoint now) {
    if (!is_waiting()) ride_at_ = now + (failing_ ? std::chrono::milliseconds(kTryAgain) : kRideAfter);
    erasures_.erase(place);
    shrunk_.erase(place);
    updates_.erase(place);
}

/// Whatever is to be written in the places of these rows is older than they are.
Commits::Replaced Commits::outdate(const std::vector<RecordChange>& rows) {
    Replaced replaced;
    if (!is_waiting() && out_.empty()) return replaced;
    for (const auto& row : rows) {
        const Place place{row.collection, row.key};
        erasures_.erase(place);
        shrunk_.erase(place);
        if (auto waiting = updates_.extract(place))
            replaced.emplace(place, std::move(waiting.mapped()));
        else if (const auto out = out_.find(place); out != out_.end() && out->second.is_updated())
            replaced.emplace(place, std::nullopt);
    }
    return replaced;
}

/// Those that may go together.
std::map<Commits::Place, Commits::Update> Commits::take_updates() {
    std::map<Place, Update> taken;
    for (std::size_t octets = 0; !updates_.empty() && taken.size() < Commit::kMaxChanges;) {
        const auto& next = updates_.begin()->second;
        octets += size_of(next.value).row;
        if (!taken.empty() && (next.alone || octets > kOctets)) break;
        const bool alone = next.alone;
        taken.insert(updates_.extract(updates_.begin()));
        if (alone) break;
    }
    return taken;
}

void Commits::send(Outstanding made, std::vector<RecordChange> rows, const Turn& turn) {
    for (const auto& [collection, key] : made.erasures) rows.push_back({collection, key, std::nullopt});
    for (const auto& [place, value] : made.shrunk) rows.push_back({place.first, place.second, value});
    for (const auto& [place, update] : made.updates) rows.push_back({place.first, place.second, update.value});
    turn.out.push_back(Commit{made.commit, std::move(rows)});
    if (!made.number) ++alone_;
    for_each_place(made, [&](const Place& place, What what) { out_[place].enter(made.commit, what); });
    outstanding_.push_back(std::move(made));
}

template <class Visit>
void Commits::for_each_place(const Outstanding& one, Visit visit) {
    for (const auto& place : one.erasures) visit(place, What::written);
    for (const auto& [place, value] : one.shrunk) visit(place, What::written);
    for (const auto& [place, update] : one.updates) visit(place, What::updated);
    for (const auto& [place, update] : one.replaced) visit(place, What::replaced);
}

void Commits::Out::enter(CommitId commit, What what) {
    if (what == What::replaced) return replacing.push_back(commit);
    ++written;
    if (what == What::updated) ++updated;
}

void Commits::Out::leave(CommitId commit, What what) {
    if (what == What::replaced) return void(std::erase(replacing, commit));
    --written;
    if (what == What::updated) --updated;
}

void Commits::forget_places(const Outstanding& done) {
    for_each_place(done, [&](const Place& place, What what) {
        const auto out = out_.find(place);
        out->second.leave(done.commit, what);
        if (out->second.is_nothing()) out_.erase(out);
    });
}

void Commits::tick(const Turn& turn) {
    if (is_waiting() && ride_at_ && *ride_at_ <= turn.now) flush(turn);
}

void Commits::hurry(const Turn& turn) {
    if (!not_before_ || *not_before_ <= turn.now) flush(turn);
}

void Commits::flush(const Turn& turn) {
    while (is_waiting() && alone_ < kAlone) send(take_waiting(turn), {}, turn);
    goes_on_ = is_waiting();
    ride_at_.reset();
}

/// As much as one commit holds. Erasures first: they make room.
Commits::Outstanding Commits::take_waiting(const Turn& turn) {
    Outstanding made{turn.next_commit()};
    made.erasures = take(erasures_, Commit::kMaxChanges);
    if (made.erasures.empty() || !failing_) made.shrunk = take(shrunk_, Commit::kMaxChanges - made.erasures.size());
    if (made.erasures.empty() && made.shrunk.empty()) made.updates = take_updates();
    return made;
}

std::vector<Commits::Settled> Commits::committed(const Committed& in, const Turn& turn) {
    const auto found = find(in.commit);
    if (found == outstanding_.end() || found->result) return {};
    found->result = in.result;
    std::vector<Settled> settled;
    while (!outstanding_.empty() && outstanding_.front().result) {
        auto done = std::move(outstanding_.front());
        outstanding_.pop_front();
        if (!done.number) --alone_;
        forget_places(done);
        judge(done, turn);
        if (done.number) settled.push_back({*done.number, *done.result});
        if (!*done.result) come_back(std::move(done), turn);
    }
    if (goes_on_) flush(turn);
    return settled;
}

/// The newest rows on their way to that place which something older must not outlive.
Commits::Replaced* Commits::replaced_later(const Place& place) {
    const auto out = out_.find(place);
    if (out == out_.end() || out->second.replacing.empty()) return nullptr;
    return &find(out->second.replacing.back())->replaced;
}

std::deque<Commits::Outstanding>::iterator Commits::find(CommitId commit) {
    const auto found = std::ranges::lower_bound(outstanding_, commit, {}, &Outstanding::commit);
    return found != outstanding_.end() && found->commit == commit ? found : outstanding_.end();
}

/// What failed is tried again, unless something newer is to be written, or is being written, in its place.
void Commits::come_back(Outstanding failed, const Turn& turn) {
    const auto outdated = [&](const Place& place) {
        const auto out = out_.find(place);
        return erasures_.contains(place) || shrunk_.contains(place) || updates_.contains(place) ||
               (out != out_.end() && out->second.written != 0);
    };
    const bool for_good = is_for_good(*failed.result), alone = failed.updates.size() == 1;
    for (auto& place : failed.erasures)
        if (!outdated(place)) erasures_.insert(place);
    for (auto& [place, value] : failed.shrunk)
        if (!outdated(place)) erasures_.insert(place);
    const auto update_again = [&](const Place& place, Update update) {
        if (outdated(place)) return;
        if (auto* later = replaced_later(place))
            (*later)[place] = std::move(update);
        else
            updates_.emplace(place, std::move(update));
    };
    for (auto& [place, update] : failed.updates) {
        if (for_good && alone) continue;
        update.alone = for_good;
        update_again(place, std::move(update));
    }
    for (auto& [place, update] : failed.replaced)
        if (update) update_again(place, std::move(*update));
    goes_on_ = false;
    // However often something fails meanwhile: what makes room must not wait for ever.
    const auto later = [&](std::optional<TimePoint> due) { return due && *due > turn.now ? *due : turn.now + kTryAgain; };
    not_before_ = later(not_before_);
    if (is_waiting()) ride_at_ = later(ride_at_);
}

void Commits::judge(const Outstanding& done, const Turn& turn) {
    if (*done.result) {
        not_before_.reset();
        if (!done.number) return;  // that there is room for erasing says nothing
        failing_ = false;
        if (std::exchange(troubled_, false)) turn.out.push_back(line(Level::info, {}, "messages can be stored again", {}));
        return;
    }
    if (is_for_good(*done.result)) {
        turn.out.push_back(
            line(Level::error, {}, "a row that no store can hold is given up", {{"reason", done.result->error().detail}}));
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
