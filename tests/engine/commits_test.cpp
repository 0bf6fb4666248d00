// What is on its way to the store: how much at once, and that the newest row of a place stays.

#include "plugin/engine/commits.h"

#include "plugin/engine/delivered_requests.h"
#include "plugin/engine/receipts.h"
#include "plugin/engine/row_size.h"
#include "tests/engine/rig.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;

/// A store that answers when it is told to.
class CommitsTest : public testing::Test {
protected:
    Turn turn() { return {now, ids, last_number, out}; }
    /// Those that went out and have no answer.
    std::vector<Commit> open() {
        for (auto& action : std::exchange(out, {}))
            if (auto* commit = std::get_if<Commit>(&action)) open_.push_back(std::move(*commit));
        return open_;
    }
    void answer(Result<void> result = ok()) {
        const auto first = open().at(0);
        open_.erase(open_.begin());
        if (result)
            for (const auto& change : first.changes) {
                if (change.value)
                    disk.insert_or_assign(change.key, *change.value);
                else
                    disk.erase(change.key);
                ++written;
            }
        commits.committed({first.commit, std::move(result)}, turn());
    }
    void answer_all() {
        while (!open().empty()) answer();
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        if (const auto due = commits.next_timeout(); due && *due <= now) commits.tick(turn());
    }
    void erase(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) commits.erase(Collection::receipts, "key" + std::to_string(i), now);
    }

    Commits commits;
    TimePoint now{};
    IdGenerator ids{[](std::span<std::uint8_t> wanted) { std::ranges::fill(wanted, 7); }};
    std::uint64_t last_number = 0;
    Actions out;
    std::map<std::string, RecordValue> disk;
    std::size_t written = 0;

private:
    std::vector<Commit> open_;
};

const auto kFull = fail(Code::unavailable, "disk full");

RecordChange receipt(const std::string& key, const std::string& is) {
    ReceiptRow row;
    row.stanza_id = is;
    return {Collection::receipts, key, row};
}

std::string is_of(const RecordValue& value) { return std::get<ReceiptRow>(value).stanza_id; }

TEST_F(CommitsTest, ManyErasuresGoAFewCommitsAtATime) {
    constexpr std::size_t kRows = 20'000;
    erase(kRows);
    pass(Commits::kRideAfter);
    std::size_t most = 0;
    for (; !open().empty(); answer()) {
        most = std::max(most, open().size());
        EXPECT_FALSE(commits.next_timeout()) << "the next answer says when to go on";
        for (const auto& commit : open()) EXPECT_LE(commit.changes.size(), Commit::kMaxChanges);
    }
    EXPECT_EQ(most, Commits::kAlone);
    EXPECT_EQ(written, kRows);
    EXPECT_TRUE(commits.is_idle());
    EXPECT_FALSE(commits.next_timeout());
}

TEST_F(CommitsTest, WhatIsEverybodysIsNotCrowdedOutByUpdates) {
    for (std::size_t i = 0; i < 5'000; ++i) commits.update(receipt("key" + std::to_string(i), "new"), now);
    pass(Commits::kRideAfter);
    EXPECT_EQ(open().size(), Commits::kAlone);
    commits.accept(1, {receipt("mine", "new")}, turn());
    EXPECT_EQ(open().size(), Commits::kAlone + 1) << "an acceptance waits for none of them";
    answer_all();
    EXPECT_EQ(disk.size(), 5'001u);
}

TEST_F(CommitsTest, AStoreThatFailsIsTriedAgainAfterAWhileAndTheRestGoesOn) {
    erase(5'000);
    pass(Commits::kRideAfter);
    while (!open().empty()) answer(kFull);
    EXPECT_EQ(commits.outstanding(), 0u);
    commits.hurry(turn());
    EXPECT_TRUE(open().empty()) << "it has just failed";
    pass(Commits::kTryAgain - 1ms);
    EXPECT_TRUE(open().empty());
    pass(1ms);
    EXPECT_EQ(open().size(), Commits::kAlone);
    answer_all();
    EXPECT_EQ(written, 5'000u);
    erase(1);
    commits.hurry(turn());
    EXPECT_EQ(open().size(), 1u) << "it works again";
}

TEST_F(CommitsTest, WhatMakesRoomGoesThoughMessageAfterMessageIsRefused) {
    erase(1);
    for (std::uint64_t number = 1; number <= 15; ++number) {
        commits.accept(number, {receipt("m" + std::to_string(number), "new")}, turn());
        pass(100ms);
        while (!open().empty()) answer(open().front().changes.front().value ? Result<void>(kFull) : ok());
    }
    EXPECT_EQ(written, 1u);
    EXPECT_TRUE(commits.is_idle());
}

TEST_F(CommitsTest, ARowThatIsAcceptedOutdatesAnUpdateThatWaits) {
    commits.update(receipt("key", "older"), now);
    commits.accept(1, {receipt("key", "newer")}, turn());
    pass(Commits::kRideAfter);
    answer_all();
    EXPECT_EQ(is_of(disk.at("key")), "newer");
    EXPECT_TRUE(commits.is_idle());
}

TEST_F(CommitsTest, ARowThatIsAcceptedOutdatesAnErasureThatWaits) {
    commits.erase(Collection::receipts, "key", now);
    commits.accept(1, {receipt("key", "newer")}, turn());
    pass(Commits::kRideAfter);
    answer_all();
    EXPECT_TRUE(disk.contains("key"));
}

TEST_F(CommitsTest, AnUpdateCountsAgainWhenTheNewerRowIsNotWritten) {
    commits.update(receipt("key", "older"), now);
    commits.accept(1, {receipt("key", "newer")}, turn());
    answer(kFull);
    pass(Commits::kTryAgain);
    answer_all();
    EXPECT_EQ(is_of(disk.at("key")), "older");
}

TEST_F(CommitsTest, AnUpdateThatFailedIsNotWrittenOverANewerRow) {
    commits.update(receipt("key", "older"), now);
    pass(Commits::kRideAfter);
    ASSERT_EQ(open().size(), 1u);
    commits.accept(1, {receipt("key", "newer")}, turn());
    answer(kFull);
    answer();
    pass(Commits::kTryAgain);
    answer_all();
    EXPECT_EQ(is_of(disk.at("key")), "newer");
}

TEST_F(CommitsTest, AnUpdateThatFailedCountsWhenTheNewerRowFailsToo) {
    commits.update(receipt("key", "older"), now);
    pass(Commits::kRideAfter);
    commits.accept(1, {receipt("key", "newer")}, turn());
    commits.accept(2, {receipt("key", "newest")}, turn());
    answer(kFull);
    answer(kFull);
    answer(kFull);
    pass(Commits::kTryAgain);
    answer_all();
    EXPECT_EQ(is_of(disk.at("key")), "older");
}

/// As long as a row may be.
RecordChange long_row(int number) {
    OutboxRow row;
    row.stanza.from = {"romeo", "montague.test", {}};
    row.stanza.to = {"juliet", "capulet.test", {}};
    row.stanza.id = "m" + std::to_string(number);
    row.stanza.bodies = {{std::string(900'000, 'x'), {}}};
    return {Collection::outbox, row.stanza.id, row};
}

TEST_F(CommitsTest, ACommitHasABoundInOctets) {
    constexpr int kRows = 9;
    for (int i = 0; i < kRows; ++i) commits.update(long_row(i), now);
    pass(Commits::kRideAfter);
    std::size_t rows = 0;
    for (const auto& commit : open()) {
        std::size_t octets = 0;
        for (const auto& change : commit.changes) octets += size_of(*change.value).row;
        EXPECT_LE(octets, Commits::kOctets);
        EXPECT_GT(octets, Commits::kOctets / 5) << "and none goes alone without need";
        rows += commit.changes.size();
    }
    EXPECT_EQ(rows, static_cast<std::size_t>(kRows));
    EXPECT_EQ(open().size(), 3u);
}

/// Rows of messages that were sent to SIP and of which somebody wants to hear.
std::vector<Record> awaited(std::size_t count) {
    std::vector<Record> rows;
    for (std::size_t i = 0; i < count; ++i) {
        ReceiptRow row;
        row.stanza_id = row.imdn_id = "m" + std::to_string(i);
        row.user = {"romeo", "montague.test", {}};
        row.contact = {"juliet", "capulet.test", {}};
        row.report = ReportAsked{};
        row.report->positive = true;
        rows.push_back({Collection::receipts, row.imdn_id, row});
    }
    return rows;
}

TEST(CommitsOfADomain, OneThatIsRemovedErasesItsRowsAFewAtATimeAndEnds) {
    Rig rig;
    rig.feed(Restored{awaited(Receipts::kRows)});
    rig.stores = false;
    rig.feed(Shutdown{Shutdown::Why::removed});
    auto open = rig.commits;
    std::size_t erased = 0;
    while (!open.empty()) {
        ASSERT_LE(open.size(), Commits::kAlone);
        EXPECT_FALSE(rig.engine.drained());
        const auto first = open.front();
        open.erase(open.begin());
        erased += first.changes.size();
        rig.feed(Committed{first.commit, ok()});
        open.insert(open.end(), rig.commits.begin(), rig.commits.end());
    }
    EXPECT_EQ(erased, Receipts::kRows);
    EXPECT_TRUE(rig.engine.drained());
}

TEST(CommitsOfADomain, OneThatLeavesDoesNotPressAStoreThatFails) {
    Rig rig;
    rig.feed(Restored{awaited(1'000)});
    rig.stores = false;
    rig.feed(Shutdown{Shutdown::Why::removed});
    auto open = rig.commits;
    ASSERT_FALSE(open.empty());
    for (const auto& commit : open) {
        rig.feed(Committed{commit.commit, kFull});
        EXPECT_TRUE(rig.commits.empty()) << "not at once";
    }
    EXPECT_FALSE(rig.engine.drained());
    rig.pass(Commits::kTryAgain - 1ms);
    EXPECT_TRUE(rig.commits.empty());
    rig.stores = true;
    rig.pass(1ms);
    EXPECT_FALSE(rig.commits.empty());
    EXPECT_TRUE(rig.engine.drained());
}

}  // namespace
