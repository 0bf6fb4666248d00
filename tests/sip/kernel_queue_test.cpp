// What the kernel drops while the loop stands is known, and counted.   (contracts 6)

#include "tests/sip/edge_testing.h"

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

TEST(EdgeKernelQueue, WhatFindsNoRoomWhileTheLoopStandsIsCounted) {
    EdgeRig rig;
    rig.on_loop([](sip::Endpoint& endpoint) { endpoint.trust({Prefix::parse("127.0.0.0/8").value()}); });
    Wire peer = udp_to(rig.port(Transport::udp));
    // Of what is asked for, 4 MiB, the kernel gives twice as much at most, for its own share.
    const std::string large = "\r\n" + std::string(60'000, 'x');
    constexpr std::uint64_t kSent = 300;
    rig.on_loop([&](sip::Endpoint& endpoint) {
        ASSERT_EQ(endpoint.counters().dropped_by_kernel, 0u);
        for (std::uint64_t i = 0; i < kSent; ++i) peer.send(large);
    });
    // The count comes with a datagram that found room after those that did not.
    Wire asks = udp_to(rig.port(Transport::udp));
    ASSERT_TRUE(rig.counted([](const Counters& counters) { return counters.received > 0; }));
    asks.send(options_text("UDP", "after"));
    EXPECT_EQ(asks.read_until("\r\n\r\n").rfind("SIP/2.0 200", 0), 0u);
    const auto first = rig.counters();
    EXPECT_GT(first.dropped_by_kernel, 0u);
    EXPECT_EQ(first.received + first.dropped_by_kernel, kSent + 1);

    // The kernel counts from the beginning, we what is new.
    rig.on_loop([&](sip::Endpoint&) {
        for (std::uint64_t i = 0; i < kSent; ++i) peer.send(large);
    });
    ASSERT_TRUE(rig.counted([&](const Counters& counters) { return counters.received > first.received; }));
    asks.send(options_text("UDP", "again"));
    EXPECT_EQ(asks.read_until("\r\n\r\n").rfind("SIP/2.0 200", 0), 0u);
    const auto second = rig.counters();
    EXPECT_GT(second.dropped_by_kernel, first.dropped_by_kernel);
    EXPECT_EQ(second.received + second.dropped_by_kernel, 2 * kSent + 2);
}

}  // namespace
