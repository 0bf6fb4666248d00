// The store as one domain sees it: whose life a row is from, and rows that no record holds.

#include "plugin/host/domain_store.h"

#include "plugin/host/store/message_codec.h"
#include "plugin/host/store/sqlite_store.h"
#include "tests/support/directory.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <filesystem>
#include <fstream>
#include <functional>

namespace {

using namespace stox;
using namespace stox::host;
using engine::Collection;

engine::RecordChange row(const std::string& key, std::size_t padding = 0) {
    engine::OutboxRow outbox;
    outbox.stanza.from = {"romeo", "montague.test", {}};
    outbox.stanza.to = {"juliet", "capulet.test", {}};
    outbox.stanza.id = key;
    outbox.stanza.bodies = {{"hello" + std::string(padding, 'x'), {}}};
    return {Collection::outbox, key, outbox};
}

class DomainStoreTest : public testing::Test {
protected:
    void SetUp() override { open(); }
    void open() {
        store_.reset();
        store::SqliteSettings settings;
        settings.path = directory_.file("store.db");
        auto opened = store::SqliteStore::open(loop_, settings);
        ASSERT_TRUE(opened) << opened.error().detail;
        store_ = std::move(opened).value();
    }
    template <class Done>
    void until(const Done& done) {
        loop_.restart();
        while (!done()) ASSERT_NE(loop_.run_one_for(std::chrono::seconds(60)), 0u);
    }
    Result<void> commit(std::vector<engine::RecordChange> changes) {
        DomainStore domain(loop_, *store_, "capulet.test");
        std::optional<Result<void>> result;
        domain.commit(std::move(changes), store::Durability::normal, [&](Result<void> how) { result = std::move(how); });
        until([&] { return result.has_value(); });
        return *result;
    }
    /// As the engine of a domain that was started just now gets them.
    DomainStore::Loaded load_all() {
        DomainStore domain(loop_, *store_, "capulet.test");
        std::optional<DomainStore::Loaded> loaded;
        domain.load([&](Result<DomainStore::Loaded> how) { loaded = std::move(how).value(); });
        until([&] { return loaded.has_value(); });
        return *loaded;
    }
    std::vector<engine::Record> load() { return load_all().records; }
    /// A row as some other program wrote it.
    void put(const std::string& key, std::string text) {
        bool done = false;
        ASSERT_TRUE(store_->put(store::collection_of(Collection::outbox, "capulet.test"), key, std::move(text),
                                store::Durability::normal, [&](Result<void> how) { done = static_cast<bool>(how); }));
        until([&] { return done; });
    }

    test::PrivateDirectory directory_;
    boost::asio::io_context loop_;
    std::unique_ptr<store::SqliteStore> store_;
};

// Many rows take long to read: others have their turn meanwhile.
TEST_F(DomainStoreTest, ManyRowsAreReadInPortionsAndInTheirOrder) {
    std::vector<std::string> keys;
    for (int batch = 0; batch < 5; ++batch) {
        std::vector<engine::RecordChange> rows;
        for (int i = 0; i < 200; ++i) rows.push_back(row(keys.emplace_back("m" + std::to_string(keys.size()))));
        ASSERT_TRUE(commit(std::move(rows)));
    }
    DomainStore domain(loop_, *store_, "capulet.test");
    std::optional<DomainStore::Loaded> loaded;
    domain.load([&](Result<DomainStore::Loaded> how) { loaded = std::move(how).value(); });
    int turns = 0;
    std::function<void()> other = [&] {
        ++turns;
        if (!loaded) boost::asio::post(loop_, other);
    };
    store_->load_all(store::collection_of(Collection::outbox, "capulet.test"), [&](auto) { other(); });
    until([&] { return loaded.has_value(); });
    EXPECT_GE(turns, 4);
    ASSERT_EQ(loaded->records.size(), keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(loaded->records[i].key, keys[i]);
}

TEST_F(DomainStoreTest, EachEngineThatReadsARowIsALaterLifeOfIt) {
    load();
    ASSERT_TRUE(commit({row("m1")}));
    std::uint32_t lives = 0;
    const auto later = [&] {
        const auto rows = load();
        ASSERT_EQ(rows.size(), 1u);
        EXPECT_GT(rows.front().lives, lives);
        lives = rows.front().lives;
    };
    later();  // the domain was taken out and came back
    later();
    open();  // another worker
    later();
    later();
    open();
    later();
}

TEST_F(DomainStoreTest, WhatWasTakenOfAStreamIsWrittenWithTheCommitThatTookIt) {
    const auto take = [this](const std::string& key, const StreamMark& mark) {
        DomainStore domain(loop_, *store_, "capulet.test");
        std::optional<Result<void>> result;
        domain.commit(
            {row(key)}, store::Durability::normal, [&](Result<void> how) { result = std::move(how); }, mark);
        until([&] { return result.has_value(); });
        ASSERT_TRUE(*result);
    };
    const auto taken = [this] {
        DomainStore domain(loop_, *store_, "capulet.test");
        std::optional<DomainStore::Loaded> loaded;
        domain.load([&](Result<DomainStore::Loaded> how) { loaded = std::move(how).value(); });
        until([&] { return loaded.has_value(); });
        return loaded->taken;
    };
    EXPECT_EQ(taken(), std::nullopt);
    take("1", {"a stream", 7});
    take("2", {"a stream", 9});
    EXPECT_EQ(taken(), (StreamMark{"a stream", 9}));
    open();
    EXPECT_EQ(taken(), (StreamMark{"a stream", 9})) << "after a restart";
    take("3", {"another", 1});
    EXPECT_EQ(taken(), (StreamMark{"another", 1}));
    EXPECT_EQ(load().size(), 3u);
    DomainStore(loop_, *store_, "capulet.test").forget_taken();
    EXPECT_EQ(taken(), std::nullopt);
}

TEST_F(DomainStoreTest, HoweverOftenADomainComesBackItIsALaterLife) {
    ASSERT_TRUE(commit({row("m1")}));
    std::uint32_t lives = 0;
    for (int reading = 0; reading < 200; ++reading) {
        const auto rows = load();
        ASSERT_GT(rows.at(0).lives, lives) << reading;
        lives = rows.at(0).lives;
    }
    open();
    EXPECT_GT(load().at(0).lives, lives);
}

TEST_F(DomainStoreTest, ARowOfAVersionThatIsNotKnownStaysAndIsNotGiven) {
    ASSERT_TRUE(commit({row("m1"), row("m2")}));
    auto text = store::to_json(*row("later").value).value();
    const std::string version = "\"v\":1";
    ASSERT_NE(text.find(version), std::string::npos);
    put("later", text.replace(text.find(version), version.size(), "\"v\":3"));
    for (int start = 0; start < 2; ++start) {
        const auto loaded = load_all();
        EXPECT_EQ(loaded.records.size(), 2u);
        EXPECT_EQ(loaded.unreadable, 1u);
        EXPECT_NE(loaded.why.find("version 3"), std::string::npos) << loaded.why;
        open();
    }
}

// A subscription that is only not read must not be taken for one that never was.
TEST_F(DomainStoreTest, AnEngineIsToldWhetherItKnowsAllThatTheStoreHolds) {
    ASSERT_TRUE(commit({row("m1")}));
    const UtcTime read{std::chrono::milliseconds(1'800'000'000'000)};
    auto whole = restored_from(load_all(), read);
    EXPECT_TRUE(whole.complete);
    EXPECT_EQ(whole.records.size(), 1u);
    EXPECT_EQ(whole.read, read);
    put("broken", "{");
    auto part = restored_from(load_all(), read);
    EXPECT_FALSE(part.complete);
    EXPECT_EQ(part.records.size(), 1u);
    EXPECT_FALSE(restored_from(fail(Code::unavailable, "no disk"), read).complete);
    EXPECT_TRUE(restored_from(DomainStore::Loaded{}, read).complete) << "nothing is there, and that is known";
}

// An empty store takes the place of a damaged one, as long as somebody looks after that one.
TEST_F(DomainStoreTest, RowsOfADamagedFileThatWasSetAsideAreMissed) {
    ASSERT_TRUE(commit({row("m1")}));
    EXPECT_TRUE(restored_from(load_all(), {}).complete);
    store_.reset();
    std::ofstream(directory_.file("store.db"), std::ios::trunc) << std::string(8'192, 'x');
    for (int start = 0; start < 2; ++start) {
        open();
        const auto missed = restored_from(load_all(), {});
        EXPECT_TRUE(missed.records.empty());
        EXPECT_FALSE(missed.complete) << start;
    }
    std::filesystem::remove(directory_.file("store.db.damaged-1"));
    open();
    EXPECT_TRUE(restored_from(load_all(), {}).complete);
}

TEST_F(DomainStoreTest, ARowThatNoRecordHoldsIsRefusedForGood) {
    const auto refused = commit({row("m1"), row("m2", store::kMaxValueOctets)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::too_large) << "not unavailable, which is tried again";
    EXPECT_TRUE(load().empty()) << "all or nothing";
    EXPECT_TRUE(commit({row("m1")}));
}

}  // namespace
