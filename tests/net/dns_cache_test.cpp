#include "net/dns_cache.h"
#include "tests/net/dns_wire.h"

#include <gtest/gtest.h>

namespace stox::net::test {
namespace {

using std::chrono::seconds;

Answer found(seconds ttl, std::uint8_t last = 1) {
    Answer answer = no_answer(AnswerStatus::found);
    answer.records = {Address::v4({192, 0, 2, last})};
    answer.ttl = ttl;
    return answer;
}

const TimePoint kStart = TimePoint{} + std::chrono::hours(10'000);
const Question kAsked = question("a.example", RecordType::a);

TEST(DnsCache, KeptForTheirTtlWithinBounds) {
    const struct {
        Answer answer;
        seconds kept;
    } rows[] = {
        {found(seconds(60)), seconds(60)},
        {found(seconds(0)), seconds(1)},
        {found(seconds(1 << 30)), seconds(86'400)},
        {no_answer(AnswerStatus::no_data), seconds(30)},
        {no_answer(AnswerStatus::no_such_name), seconds(30)},
        {no_answer(AnswerStatus::failed), seconds(1)},
        {no_answer(AnswerStatus::timed_out), seconds(1)},
    };
    for (const auto& row : rows) {
        DnsCache cache;
        cache.store(kAsked, row.answer, kStart);
        EXPECT_EQ(cache.find(kAsked, kStart + row.kept - std::chrono::nanoseconds(1)), row.answer) << row.kept.count();
        EXPECT_EQ(cache.find(kAsked, kStart + row.kept), std::nullopt) << row.kept.count();
    }
}

TEST(DnsCache, TypeAndProvisioningDomainArePartOfTheKey) {
    DnsCache cache;
    cache.store(kAsked, found(seconds(60)), kStart);
    EXPECT_FALSE(cache.find(question("a.example", RecordType::aaaa), kStart));
    auto elsewhere = kAsked;
    elsewhere.domain = static_cast<ProvisioningDomain>(1);
    EXPECT_FALSE(cache.find(elsewhere, kStart));
    EXPECT_FALSE(cache.find_stale(elsewhere, kStart));
}

TEST(DnsCache, StaleForAnHour) {
    DnsCache cache;
    cache.store(kAsked, found(seconds(60)), kStart);
    const auto expiry = kStart + seconds(60);
    auto stale = found(seconds(60));
    stale.stale = true;
    EXPECT_EQ(cache.find_stale(kAsked, expiry + seconds(3'599)), stale);
    EXPECT_EQ(cache.find_stale(kAsked, expiry + seconds(3'600)), std::nullopt);
}

TEST(DnsCache, FailureLeavesTheStaleAnswerAndHoldsIt) {
    DnsCache cache;
    cache.store(kAsked, found(seconds(60)), kStart);
    const auto failure = kStart + seconds(100);
    ASSERT_FALSE(cache.find(kAsked, failure));
    cache.store(kAsked, no_answer(AnswerStatus::timed_out), failure);
    const auto held = cache.find(kAsked, failure + seconds(29));
    ASSERT_TRUE(held);
    EXPECT_TRUE(held->stale);
    EXPECT_EQ(held->status, AnswerStatus::found);
    EXPECT_FALSE(cache.find(kAsked, failure + seconds(30)));
    EXPECT_TRUE(cache.find_stale(kAsked, failure + seconds(30)));
    cache.store(kAsked, found(seconds(5), 2), failure + seconds(31));
    EXPECT_EQ(cache.find(kAsked, failure + seconds(31)), found(seconds(5), 2));
}

TEST(DnsCache, FailureIsNeverStale) {
    DnsCache cache;
    cache.store(kAsked, no_answer(AnswerStatus::failed), kStart);
    EXPECT_FALSE(cache.find_stale(kAsked, kStart));
}

TEST(DnsCache, WhatWasUsedLongestAgoGoesFirst) {
    DnsCache cache;  // 10,000
    const auto nth = [](unsigned i) { return question("n" + std::to_string(i) + ".example", RecordType::a); };
    for (unsigned i = 0; i < 10'000; ++i) cache.store(nth(i), found(seconds(60)), kStart);
    EXPECT_EQ(cache.size(), 10'000U);
    ASSERT_TRUE(cache.find(nth(0), kStart));
    cache.store(nth(10'000), found(seconds(60)), kStart);
    EXPECT_EQ(cache.size(), 10'000U);
    EXPECT_TRUE(cache.find(nth(0), kStart));
    EXPECT_FALSE(cache.find(nth(1), kStart));
    EXPECT_TRUE(cache.find(nth(2), kStart));
}

TEST(DnsCache, OctetsAreBounded) {
    DnsCache cache({.entries = 10'000, .octets = 100'000});
    Answer large = no_answer(AnswerStatus::found);
    large.ttl = seconds(60);
    large.records.assign(kMaxRecords, NaptrRecord{1, 1, "s", std::string(200, 'x'), {}});
    for (unsigned i = 0; i < 100; ++i) {
        cache.store(question("n" + std::to_string(i) + ".example", RecordType::naptr), large, kStart);
        ASSERT_LE(cache.octets(), 100'000U);
    }
    EXPECT_GT(cache.size(), 2U);
    EXPECT_LT(cache.size(), 10U);
}

TEST(DnsCache, ExpireAllLeavesThemStale) {
    DnsCache cache;
    cache.store(kAsked, found(seconds(60)), kStart);
    cache.expire_all(kStart + seconds(1));
    EXPECT_FALSE(cache.find(kAsked, kStart + seconds(1)));
    EXPECT_TRUE(cache.find_stale(kAsked, kStart + seconds(1)));
}

}  // namespace
}  // namespace stox::net::test
