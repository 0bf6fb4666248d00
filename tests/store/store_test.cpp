// What the interface promises: records, order, bounds, answers.

#include "tests/store/disk.h"
#include "tests/store/rig.h"

#include <algorithm>
#include <csignal>
#include <functional>
#include <thread>

namespace stox::store::test {
namespace {

TEST(Store, KeepsOverARestartWhatWasPutAndNotErased) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    const auto first = rig->epoch();
    EXPECT_TRUE(rig.put("a", "1"));
    EXPECT_TRUE(rig.put("b", "2", Durability::full));
    EXPECT_TRUE(rig.put("c", "3"));
    EXPECT_TRUE(rig.erase("b"));
    EXPECT_TRUE(rig.erase("never there"));
    EXPECT_TRUE(rig.write({{"other", "a", "elsewhere", Durability::normal}}));
    rig.close();

    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_GT(rig->epoch(), first);
    EXPECT_EQ(rig.records(), (std::vector<Record>{{"a", "1", first}, {"c", "3", first}}));
    EXPECT_TRUE(rig.put("a", "4"));
    EXPECT_EQ(rig.records(), (std::vector<Record>{{"a", "4", rig->epoch()}, {"c", "3", first}})) << "a key keeps its place";
    EXPECT_EQ(rig.contents("other"), (Contents{{"a", "elsewhere"}}));
    EXPECT_TRUE(rig.contents("nothing").empty());
}

TEST(Store, GivesKeysInTheOrderTheyCame) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    std::vector<std::string> keys;
    for (int i = 0; i < 300; ++i) keys.push_back(std::to_string((i * 7919) % 1000));
    for (const auto& key : keys) EXPECT_TRUE(rig->put("test", key, "v", Durability::normal, {}));
    for (int i = 0; i < 300; i += 3) EXPECT_TRUE(rig->erase("test", keys[static_cast<std::size_t>(i)], Durability::normal, {}));
    rig.settle();
    rig.close();
    ASSERT_TRUE(rig.open());
    std::vector<std::string> found, expected;
    for (const auto& record : rig.records()) found.push_back(record.key);
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (i % 3 != 0) expected.push_back(keys[i]);
    EXPECT_EQ(found, expected);
}

TEST(Store, TakesAnyOctetsAsNamesKeysAndValues) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    const std::vector<std::string> hostile{"'); DROP TABLE record; --",
                                           "\" OR 1=1 --",
                                           std::string("nul\0inside", 10),
                                           std::string(1, '\0'),
                                           "\xff\xfe\x80",
                                           "%s%n",
                                           "../../etc/passwd",
                                           "?1",
                                           "\r\n",
                                           "\xf0\x9f\x92\xa9",
                                           std::string(kMaxCollectionOctets, '\'')};
    for (const auto& name : hostile)
        for (const auto& key : hostile) EXPECT_TRUE(rig->put(name, key, key + name, Durability::normal, {}));
    EXPECT_TRUE(rig->put("test", "empty", "", Durability::normal, {}));
    rig.settle();
    rig.close();
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    for (const auto& name : hostile) {
        const auto contents = rig.contents(name);
        EXPECT_EQ(contents.size(), hostile.size());
        for (const auto& [key, value] : contents) EXPECT_EQ(value, key + name);
    }
    EXPECT_EQ(rig.contents(), (Contents{{"empty", ""}}));
}

TEST(Store, AnswersOnTheLoopInOrderAndNeverFromInsideACall) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    const auto loop_thread = std::this_thread::get_id();
    bool inside = true;
    std::vector<int> answers;
    for (int i = 0; i < 1000; ++i)
        ASSERT_TRUE(rig->put("test", std::to_string(i), "v", Durability::normal, [&, i](Result<void> result) {
            EXPECT_TRUE(result);
            EXPECT_FALSE(inside);
            EXPECT_EQ(std::this_thread::get_id(), loop_thread);
            answers.push_back(i);
        }));
    rig->load_all("test", [&](Result<std::vector<Record>> result) {
        EXPECT_FALSE(inside);
        ASSERT_TRUE(result);
        EXPECT_EQ(result.value().size(), 1000U) << "a read sees what was written before it";
        answers.push_back(1000);
    });
    ASSERT_TRUE(rig->put("test", "after", "v", Durability::normal, [&](const Result<void>&) { answers.push_back(1001); }));
    inside = false;
    rig.settle();
    ASSERT_EQ(answers.size(), 1002U);
    EXPECT_TRUE(std::ranges::is_sorted(answers));
}

TEST(Store, ABatchIsWholeAndHasOneAnswer) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    int answers = 0;
    std::vector<Change> batch;
    for (std::size_t i = 0; i < kMaxGroupRecords; ++i) batch.push_back({"test", std::to_string(i), "v", Durability::normal});
    ASSERT_TRUE(rig->write(batch, [&](const Result<void>& result) { answers += result.has_value(); }));
    rig.settle();
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(rig.records().size(), kMaxGroupRecords);
}

/// The sum of its syncs tells how many commits a disk has seen.
TEST(Store, CommitsAtMost256RecordsTogether) {
    const Directory directory;
    Disk disk;
    Rig rig({.path = directory.file(), .vfs = disk.vfs()});
    ASSERT_TRUE(rig.open());
    EXPECT_TRUE(rig.put("first", "v", Durability::full)) << "it also writes the head of the log";
    int key = 0;  // a new one each time: what is there already is not written again
    const auto commits = [&](std::size_t records) {
        const auto before = disk.syncs();
        for (std::size_t i = 0; i < records; ++i) EXPECT_TRUE(rig->put("test", std::to_string(++key), "v", Durability::full, {}));
        rig.settle();
        return disk.syncs() - before;
    };
    EXPECT_EQ(commits(1), 1U);
    // A slow machine may let the 5 ms pass while this test still puts; then there are more groups, never fewer.
    EXPECT_GE(commits(257), 2U);
    EXPECT_GE(commits(1025), 5U);
    EXPECT_LE(commits(2000), 200U) << "puts that come together share commits";
}

TEST(Store, RefusesWhatIsOverABound) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    const std::string collection(kMaxCollectionOctets, 'c'), key(kMaxKeyOctets, 'k'), value(kMaxValueOctets, 'v');
    const auto code = [&](std::vector<Change> batch) {
        const auto result = rig.write(std::move(batch));
        return result ? std::optional<Code>() : result.error().code;
    };
    EXPECT_EQ(code({{collection, key, value, Durability::normal}}), std::nullopt);
    EXPECT_EQ(code({{collection + 'c', key, value, Durability::normal}}), Code::too_large);
    EXPECT_EQ(code({{collection, key + 'k', value, Durability::normal}}), Code::too_large);
    EXPECT_EQ(code({{collection, key, value + 'v', Durability::normal}}), Code::too_large);
    EXPECT_EQ(code({{"", "k", "v", Durability::normal}}), Code::too_large);
    EXPECT_EQ(code({{"test", "", "v", Durability::normal}}), Code::too_large);
    EXPECT_EQ(code({}), Code::too_large);
    EXPECT_EQ(code(std::vector<Change>(kMaxGroupRecords, Change{"test", "k", "v", Durability::normal})), std::nullopt);
    EXPECT_EQ(code(std::vector<Change>(kMaxGroupRecords + 1, Change{"test", "k", "v", Durability::normal})), Code::too_large);
    rig.close();
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_EQ(rig.contents(collection), (Contents{{key, value}})) << "the largest record can be read again";
}

TEST(Store, IsFullAt10000UncommittedRecordsAndTakesAgainAfterwards) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    std::size_t answers = 0;
    const auto put = [&](std::size_t i) {
        return rig->put("test", std::to_string(i), "v", Durability::normal,
                        [&](const Result<void>& result) { answers += result.has_value(); });
    };
    for (std::size_t i = 0; i < kMaxUncommittedRecords; ++i) ASSERT_TRUE(put(i)) << i;
    const auto refused = put(kMaxUncommittedRecords);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_NE(refused.error().detail.find("full"), std::string::npos);
    rig.settle();
    EXPECT_EQ(answers, kMaxUncommittedRecords);
    EXPECT_TRUE(put(kMaxUncommittedRecords));
    rig.settle();
    EXPECT_EQ(rig.records().size(), kMaxUncommittedRecords + 1);
}

TEST(Store, IsFullAt64MebibytesUncommitted) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    const std::string value(kMaxValueOctets - 100, 'v');
    const auto fits = kMaxUncommittedOctets / (value.size() + 6);  // "test" and two digits
    for (std::size_t i = 0; i < fits; ++i)
        ASSERT_TRUE(rig->put("test", std::to_string(10 + i), value, Durability::normal, {})) << i;
    const auto refused = rig->put("test", "10", value, Durability::normal, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    rig.settle();
    EXPECT_TRUE(rig.put("10", value));
}

TEST(Store, TakesAThousandReadsAtATime) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    EXPECT_TRUE(rig.put("a", "1"));
    std::size_t answered = 0, refused = 0;
    bool inside = true;
    for (std::size_t i = 0; i < kMaxLoads + 1; ++i)
        rig->load_all("test", [&](const Result<std::vector<Record>>& result) {
            EXPECT_FALSE(inside);
            answered += result && result.value().size() == 1;
            refused += !result && result.error().code == Code::unavailable;
        });
    inside = false;
    rig.settle();
    EXPECT_EQ(answered, kMaxLoads);
    EXPECT_EQ(refused, 1U);
    EXPECT_EQ(rig.records().size(), 1U) << "and takes again afterwards";
}

TEST(Store, ItsEndCommitsWhatWasTakenAndAnswersNoMore) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    int answers = 0;
    for (int i = 0; i < 1000; ++i)
        ASSERT_TRUE(rig->put("test", std::to_string(i), "v", Durability::normal, [&](const Result<void>&) { ++answers; }));
    rig->load_all("test", [&](const Result<std::vector<Record>>&) { ++answers; });
    rig.close();
    rig.settle();
    EXPECT_EQ(answers, 0);
    ASSERT_TRUE(rig.open());
    EXPECT_EQ(rig.records().size(), 1000U);
}

TEST(Store, AnAnswerMayEndTheStore) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    int answers = 0;
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(rig->put("test", std::to_string(i), "v", Durability::normal, [&](const Result<void>&) {
            ++answers;
            rig.close();
        }));
    rig.settle();
    EXPECT_EQ(answers, 1);
    ASSERT_TRUE(rig.open());
    EXPECT_EQ(rig.records().size(), 10U);
}

TEST(Store, ItsThreadTakesNoSignals) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    EXPECT_TRUE(rig.put("a", "1"));
    unsigned found = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        if (read_file(task.path() / "comm") != "stox-store\n") continue;
        ++found;
        const auto status = read_file(task.path() / "status");
        const auto mask = std::stoull(status.substr(status.find("SigBlk:") + 7), nullptr, 16);
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE, SIGALRM})
            EXPECT_TRUE(mask >> (signal - 1) & 1) << signal;
    }
    EXPECT_EQ(found, 1U);
    sigset_t ours;
    pthread_sigmask(SIG_SETMASK, nullptr, &ours);
    EXPECT_FALSE(sigismember(&ours, SIGTERM)) << "the caller's mask is as it was";
}

/// Printed, not judged.
TEST(Store, TakesAllThatOneWriterGivesIt) {
    for (const auto durability : {Durability::normal, Durability::full}) {
        const Directory directory;
        Rig rig(at(directory.file()));
        ASSERT_TRUE(rig.open());
        constexpr int kRecords = 20'000, kWaiting = 2'000;
        int given = 0, answers = 0;
        const auto start = std::chrono::steady_clock::now();
        const std::function<void()> give = [&] {
            for (; given < kRecords && given - answers < kWaiting; ++given)
                ASSERT_TRUE(
                    rig->put("test", std::to_string(given), std::string(600, 'm'), durability, [&](const Result<void>& result) {
                        answers += result.has_value();
                        give();
                    }));
        };
        give();
        rig.settle();
        EXPECT_EQ(answers, kRecords);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        std::printf("%s: %.0f records of 600 octets per second, 2,000 waiting\n",
                    durability == Durability::full ? "full" : "normal", kRecords / took.count());
    }
}

}  // namespace
}  // namespace stox::store::test
