// When a request goes to the next target, as a table; and in which order the targets stand.

#include "plugin/engine/failover.h"

#include "plugin/engine/hop_order.h"
#include "plugin/engine/token_bucket.h"

#include <random>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace std::chrono_literals;
using Step = Failover::Step;
using TimePoint = Failover::TimePoint;

Target target(std::uint16_t port, Transport transport = Transport::tcp) {
    return {transport, {Address::v4({10, 0, 0, 1}), port}};
}

TEST(Failover, WhatLeadsToTheNextTargetAndWhatEnds) {
    struct Case {
        const char* what;
        const char* method;
        Transport transport;
        int status;
        LocalFailure local;
        std::chrono::milliseconds after;
        Step step;
    };
    constexpr auto kTcp = Transport::tcp, kUdp = Transport::udp;
    const std::vector<Case> cases{
        {"accepted", "MESSAGE", kTcp, 200, LocalFailure::none, 1ms, Step::final},
        {"refused by the user", "MESSAGE", kTcp, 486, LocalFailure::none, 1ms, Step::final},
        {"broken there", "MESSAGE", kTcp, 500, LocalFailure::none, 1ms, Step::final},
        {"408 of the peer's own", "MESSAGE", kTcp, 408, LocalFailure::none, 1ms, Step::final},
        {"busy there", "MESSAGE", kTcp, 503, LocalFailure::none, 1ms, Step::next},
        {"nothing left", "MESSAGE", kTcp, 503, LocalFailure::unsent, 5s, Step::next},
        {"cut off on its way", "MESSAGE", kTcp, 503, LocalFailure::transport, 1ms, Step::final},
        {"the only datagram came back", "MESSAGE", kUdp, 503, LocalFailure::transport, 499ms, Step::next},
        {"one of two datagrams came back", "MESSAGE", kUdp, 503, LocalFailure::transport, 500ms, Step::final},
        {"nobody answered", "MESSAGE", kUdp, 408, LocalFailure::timeout, 32s, Step::final},
        {"busy there", "OPTIONS", kUdp, 503, LocalFailure::none, 1ms, Step::next},
        {"cut off on its way", "OPTIONS", kTcp, 503, LocalFailure::transport, 1ms, Step::next},
        {"nobody answered", "OPTIONS", kUdp, 408, LocalFailure::timeout, 32s, Step::next},
        {"refused", "OPTIONS", kUdp, 404, LocalFailure::none, 1ms, Step::final},
        {"cut off on its way", "INVITE", kTcp, 503, LocalFailure::transport, 20s, Step::next},
        {"refused", "INVITE", kUdp, 600, LocalFailure::none, 1ms, Step::final},
        {"cut off on its way", "SUBSCRIBE", kTcp, 503, LocalFailure::transport, 1ms, Step::next},
        {"cut off on its way", "NOTIFY", kTcp, 503, LocalFailure::transport, 1ms, Step::final},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(std::string(one.method) + " " + one.what);
        Failover failover(one.method, {target(1, one.transport), target(2)});
        failover.sent(TimePoint{});
        EXPECT_EQ(failover.on_final(one.status, one.local, TimePoint{} + one.after), one.step);
        EXPECT_EQ(failover.target(), one.step == Step::next ? target(2) : target(1, one.transport));
    }
}

TEST(Failover, OnlyWhatMayReachTwoLeavesASilentTarget) {
    for (const std::string method : {"INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY"}) {
        SCOPED_TRACE(method);
        Failover failover(method, {target(1), target(2)});
        failover.sent(TimePoint{});
        const bool moves = method == "INVITE" || method == "OPTIONS" || method == "SUBSCRIBE";
        EXPECT_EQ(failover.deadline(), moves ? std::optional(TimePoint{} + 4s) : std::nullopt);
        EXPECT_EQ(failover.on_time(TimePoint{} + 3'999ms), Step::wait);
        EXPECT_EQ(failover.on_time(TimePoint{} + 4s), moves ? Step::next : Step::wait);
        if (!moves) continue;
        failover.sent(TimePoint{} + 4s);
        EXPECT_FALSE(failover.deadline()) << "the last one has all its time";
        EXPECT_EQ(failover.on_time(TimePoint{} + 9s), Step::wait);
        EXPECT_EQ(failover.on_final(503, LocalFailure::none, TimePoint{} + 9s), Step::final);
    }
}

TEST(Failover, AnyResponseEndsTheSilence) {
    Failover failover("INVITE", {target(1), target(2)});
    failover.sent(TimePoint{});
    EXPECT_EQ(failover.on_provisional(), Step::wait);
    EXPECT_FALSE(failover.deadline());
    EXPECT_EQ(failover.on_time(TimePoint{} + 60s), Step::wait);
    EXPECT_EQ(failover.on_final(503, LocalFailure::none, TimePoint{} + 61s), Step::next) << "it still counts when it refuses";
}

TEST(Failover, TargetsThatWentDownAreSkipped) {
    Failover failover("MESSAGE", {target(1), target(2), target(3)});
    failover.sent(TimePoint{});
    failover.skip([](const Target& one) { return one.endpoint.port <= 2; });
    EXPECT_EQ(failover.target(), target(1)) << "the one that works on it is not taken away";
    EXPECT_EQ(failover.on_final(503, LocalFailure::none, TimePoint{}), Step::next);
    EXPECT_EQ(failover.target(), target(3));
}

config::NextHop at(unsigned priority, unsigned weight) {
    config::NextHop hop;
    hop.priority = priority;
    hop.weight = weight;
    return hop;
}

TEST(HopOrder, PriorityFirstThenShareByWeight) {
    std::mt19937_64 random(7);
    const std::vector hops{at(1, 1), at(0, 30), at(0, 10), at(0, 0)};
    unsigned first[4] = {};
    for (int i = 0; i < 4'000; ++i) {
        const auto order = hop_order(hops, [&] { return random(); });
        ASSERT_EQ(order.size(), 4u);
        EXPECT_EQ(order.back(), 0u) << "a higher number is for when all others failed";
        ++first[order.front()];
    }
    EXPECT_EQ(first[0], 0u);
    EXPECT_NEAR(first[1], 3'000, 150);
    EXPECT_NEAR(first[2], 1'000, 150);
    EXPECT_GT(first[3], 0u) << "rarely, not never";
    EXPECT_LT(first[3], 200u);
    EXPECT_TRUE(hop_order({}, [&] { return random(); }).empty());
}

TEST(TokenBucket, OneSecondsWorthAtOnceThenTheRate) {
    TokenBucket bucket(5);
    TimePoint now = TimePoint{} + 100s;
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(now)) << i;
    EXPECT_FALSE(bucket.take(now));
    EXPECT_FALSE(bucket.take(now + 199ms));
    EXPECT_TRUE(bucket.take(now + 200ms));
    EXPECT_FALSE(bucket.take(now + 200ms));
    now += 1h;
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(now));
    EXPECT_FALSE(bucket.take(now)) << "saved up for no longer than a second";
    TokenBucket none(0);
    for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(none.take(now));
}

}  // namespace
