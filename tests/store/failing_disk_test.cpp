// A disk that is full, fails or loses power: what was acknowledged is there, what was not is said.

#include "tests/store/disk.h"
#include "tests/store/rig.h"

#include <sched.h>
#include <sys/mount.h>

#include <thread>

namespace stox::store::test {
namespace {

constexpr unsigned kAlways = 1'000'000;

TEST(FailingDisk, FullSyncsBeforeItAnswersAndNormalDoesNot) {
    const Directory directory;
    Disk disk;
    Rig rig({.path = directory.file(), .vfs = disk.vfs()});
    ASSERT_TRUE(rig.open());
    EXPECT_TRUE(rig.put("head", "of the log", Durability::full));
    auto before = disk.syncs();
    EXPECT_TRUE(rig.put("a", "1", Durability::normal));
    EXPECT_TRUE(rig.erase("a"));
    EXPECT_EQ(disk.syncs(), before);
    EXPECT_TRUE(rig.put("a", "1", Durability::full));
    EXPECT_EQ(disk.syncs(), before + 1);
    EXPECT_TRUE(rig.write({{"test", "b", "1", Durability::normal}, {"test", "c", std::nullopt, Durability::full}}));
    EXPECT_EQ(disk.syncs(), before + 2) << "the strongest of a batch counts";
    EXPECT_TRUE(rig.put("d", "1", Durability::normal));
    EXPECT_EQ(disk.syncs(), before + 2);
}

TEST(FailingDisk, FullIsFullAlsoWhereNothingChanges) {
    const Directory directory;
    Disk disk;
    Rig rig({.path = directory.file(), .vfs = disk.vfs()});
    ASSERT_TRUE(rig.open());
    EXPECT_TRUE(rig.put("a", "1", Durability::normal));
    EXPECT_TRUE(rig.put("b", "1", Durability::normal));
    EXPECT_TRUE(rig.erase("b"));
    EXPECT_TRUE(rig.put("a", "1", Durability::full)) << "as it stands there already";
    std::mt19937_64 random(1);
    for (int cut = 0; cut < 20; ++cut) {
        const Directory elsewhere;
        for (const auto& [name, octets] : disk.after_power_cut(random)) write_file(elsewhere.file(name), octets);
        Rig after(at(elsewhere.file()));
        ASSERT_TRUE(after.open()) << after.error().detail;
        EXPECT_EQ(after.contents(), (Contents{{"a", "1"}}));
    }
}

TEST(FailingDisk, OneErrorIsMendedBeforeTheAnswer) {
    const Directory directory;
    Disk disk;
    Rig rig({.path = directory.file(), .vfs = disk.vfs()});
    ASSERT_TRUE(rig.open());
    EXPECT_TRUE(rig.put("a", "1", Durability::full));
    disk.fail_syncs(1);
    EXPECT_TRUE(rig.put("b", "2", Durability::full));
    disk.fail_writes(1);
    EXPECT_TRUE(rig.put("c", "3", Durability::full));
    rig.close();
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_EQ(rig.contents(), (Contents{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
}

TEST(FailingDisk, APersistentErrorIsSaidAndTheStoreComesBackByItself) {
    for (const bool syncs : {true, false}) {
        const Directory directory;
        Disk disk;
        Rig rig({.path = directory.file(), .vfs = disk.vfs()});
        ASSERT_TRUE(rig.open());
        EXPECT_TRUE(rig.put("a", "1", Durability::full));
        EXPECT_TRUE(rig.put("b", "2", Durability::normal));
        syncs ? disk.fail_syncs(kAlways) : disk.fail_writes(kAlways);
        for (int i = 0; i < 5; ++i) {
            const auto failed = rig.put("c", "3", Durability::full);
            ASSERT_FALSE(failed);
            EXPECT_EQ(failed.error().code, Code::unavailable);
            EXPECT_NE(failed.error().detail.find("disk I/O error"), std::string::npos) << failed.error().detail;
        }
        syncs ? disk.fail_syncs(0) : disk.fail_writes(0);
        EXPECT_TRUE(rig.put("d", "4", Durability::full));
        rig.close();
        ASSERT_TRUE(rig.open()) << rig.error().detail;
        auto contents = rig.contents();
        contents.erase("c");  // a crash may bring it back, an end may not have
        EXPECT_EQ(contents, (Contents{{"a", "1"}, {"b", "2"}, {"d", "4"}}));
    }
}

/// Every way in which reading can fail while a file is proven: it is the disk, and no reason to set the file aside.
TEST(FailingDisk, WhatCannotBeReadIsNoDamage) {
    const Directory directory;
    Disk disk;
    Contents expected;
    {
        Rig rig({.path = directory.file(), .vfs = disk.vfs()});
        ASSERT_TRUE(rig.open());
        for (int i = 0; i < 60; ++i) {
            expected[std::to_string(i)] = std::string(i % 3 == 0 ? 9'000 : 100, 'v');  // some with pages of their own
            ASSERT_TRUE(rig.put(std::to_string(i), expected[std::to_string(i)]));
        }
        for (int i = 0; i < 30; ++i) {  // and pages that are free
            expected.erase(std::to_string(i));
            ASSERT_TRUE(rig.erase(std::to_string(i)));
        }
    }
    auto before = disk.reads();
    Rig rig({.path = directory.file(), .vfs = disk.vfs()});
    ASSERT_TRUE(rig.open());
    rig.close();
    const auto reads = disk.reads() - before;
    unsigned refused = 0;
    for (const unsigned count : {1U, 2U, kAlways}) {
        for (unsigned well = 0; well < reads; ++well) {
            disk.fail_reads(well, count);
            const bool opened = rig.open();
            rig.close();
            if (opened) continue;
            ++refused;
            EXPECT_EQ(rig.error().code, Code::unavailable) << well << ' ' << count << ": " << rig.error().detail;
            EXPECT_NE(rig.error().detail.find("disk I/O error"), std::string::npos) << rig.error().detail;
        }
    }
    disk.fail_reads(0, 0);
    std::printf("%u reads, %u of %u openings refused\n", reads, refused, 3 * reads);
    EXPECT_GT(refused, 2 * reads);
    EXPECT_TRUE(rig.damage().empty()) << rig.damage().front();
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_EQ(rig.contents(), expected);
}

/// Writes at random with faults at random, and looks again and again at what a power cut at that moment would leave.
class PowerCut : public ::testing::TestWithParam<unsigned> {
protected:
    static constexpr int kKeys = 60;

    struct Key {
        int given = 0;    ///< version of the newest put
        int certain = 0;  ///< of the newest put that was acknowledged as full
    };

    void give_some() {
        for (auto count = random_() % 40; count > 0; --count) {
            const auto name = std::to_string(random_() % kKeys);
            const auto durability = random_() % 3 == 0 ? Durability::full : Durability::normal;
            const int version = ++keys_[name].given;
            // Some are longer than a page, so that the file grows and the log is checkpointed within the test.
            const std::string padding(random_() % 5 == 0 ? 9'000 : 100, 'p');
            const auto done = [this, name, version, durability](const Result<void>& result) {
                if (result && durability == Durability::full) keys_[name].certain = version;
                answers_ += result.has_value();
                failures_ += !result;
            };
            ASSERT_TRUE(rig_.open_store()->put("test", name, std::to_string(version) + ' ' + padding, durability, done));
        }
    }

    void look_after_power_cut() {
        const Directory elsewhere;
        for (const auto& [name, octets] : disk_.after_power_cut(random_)) write_file(elsewhere.file(name), octets);
        Rig after(at(elsewhere.file()));
        ASSERT_TRUE(after.open()) << after.error().detail;
        const auto contents = after.contents();
        for (const auto& [name, key] : keys_) {
            const auto found = contents.find(name);
            const int version = found == contents.end() ? 0 : std::stoi(found->second);
            EXPECT_GE(version, key.certain) << name << ": lost although acknowledged";
            EXPECT_LE(version, key.given) << name;
        }
    }

    struct OpenRig : Rig {
        using Rig::Rig;
        Store* open_store() { return operator->(); }
    };

    std::mt19937_64 random_{GetParam()};
    Directory directory_;
    Disk disk_;
    OpenRig rig_{SqliteSettings{.path = directory_.file(), .vfs = disk_.vfs()}};
    std::map<std::string, Key> keys_;
    int answers_ = 0, failures_ = 0;
};

TEST_P(PowerCut, TakesNothingAwayThatWasAcknowledgedAsFull) {
    ASSERT_TRUE(rig_.open());
    if (GetParam() % 2 == 1) disk_.fail_one_in(300);
    for (int round = 0; round < 60; ++round) {
        give_some();
        if (random_() % 2 == 0) rig_.settle();  // else the cut comes in mid-commit
        look_after_power_cut();
        if (HasFatalFailure()) return;
    }
    rig_.settle();
    EXPECT_GT(answers_, 500);
    if (GetParam() % 2 == 1)
        EXPECT_GT(failures_, 0);
    else
        EXPECT_EQ(failures_, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerCut, ::testing::Range(0U, 8U));

/// Fills the store, finds that it says so, makes room with `relieve`, which also says what it erased, and goes on.
void fill_and_recover(Rig& rig, Contents& acknowledged, const std::function<void()>& relieve) {
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    const std::string value(8'000, 'v');
    std::optional<Error> said;
    for (int i = 0; i < 10'000 && !said; ++i) {
        const auto key = std::to_string(i);
        if (const auto result = rig.put(key, value, Durability::full))
            acknowledged[key] = value;
        else
            said = result.error();
    }
    ASSERT_TRUE(said) << "it never was full";
    EXPECT_EQ(said->code, Code::unavailable);
    EXPECT_NE(said->detail.find("full"), std::string::npos) << said->detail;
    EXPECT_GT(acknowledged.size(), 10U);
    EXPECT_FALSE(rig.put("still full", value, Durability::full));
    EXPECT_TRUE(rig.contents() == acknowledged) << "what failed is not there, what was acknowledged is";

    relieve();
    EXPECT_TRUE(rig.put("room", value, Durability::full));
    acknowledged["room"] = value;
    EXPECT_TRUE(rig.contents() == acknowledged);
    rig.close();
}

TEST(FullDisk, AtTheSizeThatIsSetTheStoreSaysSoAndErasingMakesRoom) {
    const Directory directory;
    Rig rig({.path = directory.file(), .max_octets = 1024 * 1024});
    Contents acknowledged;
    fill_and_recover(rig, acknowledged, [&] {
        for (const char* key : {"0", "1", "2"}) {
            EXPECT_TRUE(rig.erase(key));
            acknowledged.erase(key);
        }
    });
    EXPECT_LE(std::filesystem::file_size(directory.file()), 1024U * 1024);
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_TRUE(rig.contents() == acknowledged);
}

TEST(FullDisk, WhatFindsNoRoomKeepsNothingInItsGroupFromErasing) {
    const Directory directory;
    Rig rig({.path = directory.file(), .max_octets = 256 * 1024});
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    const std::string value(8'000, 'v');
    int fits = 0;
    while (rig.put(std::to_string(fits), value)) ++fits;
    ASSERT_GT(fits, 10);
    std::vector<std::string> answers;
    const auto answer = [&](const Result<void>& result) { answers.push_back(result ? "done" : result.error().detail); };
    // Given in one go, so they are one group.
    ASSERT_TRUE(rig->put("test", "large", std::string(100'000, 'v'), Durability::full, answer));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(rig->erase("test", std::to_string(i), Durability::full, answer));
    ASSERT_TRUE(rig->put("test", "fits", value, Durability::full, answer));
    rig.settle();
    EXPECT_EQ(answers, (std::vector<std::string>{"database or disk is full", "done", "done", "done", "done", "done", "done"}));
    auto contents = rig.contents();
    EXPECT_EQ(contents.size(), static_cast<std::size_t>(fits) - 5 + 1);
    EXPECT_TRUE(contents.contains("fits") && !contents.contains("large"));
}

TEST(FullDisk, WhereTheFileCannotGrowTheLogTakesWhatFitsIntoIt) {
    const Directory directory;
    Disk disk;
    Rig rig({.path = directory.file(), .vfs = disk.vfs()});
    ASSERT_TRUE(rig.open());
    disk.refuse_growth(directory.file());
    const std::string value(kMaxValueOctets, 'v');
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(rig.put(std::to_string(i), value, Durability::full));  // the log is due by then
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(rig.erase(std::to_string(i)));
    EXPECT_TRUE(rig.put("more", "m", Durability::full));
    disk.refuse_growth("");
    EXPECT_TRUE(rig.put("again", "a", Durability::full));
    rig.close();
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_TRUE(rig.contents() == (Contents{{"5", value}, {"more", "m"}, {"again", "a"}}));
}

/// A small file system of its own, in a mount namespace that ends with the thread.
void fill_a_small_disk() {
    const Directory directory;
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("stox", directory.path().c_str(), "tmpfs", 0, "size=4m,mode=0700"), 0);
    const auto ballast = directory.file("ballast"), more = directory.file("more");
    write_file(ballast, std::string(512 * 1024, 'b'));
    write_file(more, std::string(2 * 1024 * 1024, 'b'));
    Rig rig(at(directory.file()));
    Contents acknowledged;
    fill_and_recover(rig, acknowledged, [&] { EXPECT_TRUE(std::filesystem::remove(ballast)); });
    // The room is gone again: the log and what of it went into the file. The number of a start has no place.
    EXPECT_FALSE(rig.open());
    EXPECT_EQ(rig.error().code, Code::unavailable);
    EXPECT_EQ(rig.error().detail, directory.file() + ": database or disk is full");
    EXPECT_TRUE(std::filesystem::remove(more));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_TRUE(rig.contents() == acknowledged);
    rig.close();
    ASSERT_EQ(::mount(nullptr, directory.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, "size=4m,mode=0700"), 0);
    EXPECT_FALSE(rig.open());
    EXPECT_EQ(rig.error().code, Code::unavailable);
    EXPECT_EQ(rig.error().detail, directory.file() + ".lock: Read-only file system");
    ASSERT_EQ(::mount(nullptr, directory.path().c_str(), nullptr, MS_REMOUNT, "size=4m,mode=0700"), 0);
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_TRUE(rig.contents() == acknowledged);
    EXPECT_TRUE(rig.damage().empty());
    rig.close();
    EXPECT_EQ(::umount2(directory.path().c_str(), MNT_DETACH), 0);
}

TEST(FullDisk, WithoutSpaceTheStoreSaysSoAndGoesOnWhenThereIsSome) {
    bool allowed = false;
    std::thread([&] {
        allowed = ::unshare(CLONE_NEWNS) == 0;
        if (allowed) fill_a_small_disk();
    }).join();
    if (!allowed) GTEST_SKIP() << "a mount namespace needs root";
}

}  // namespace
}  // namespace stox::store::test
