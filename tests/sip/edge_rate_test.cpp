// How much one source may send, and what comes of sending more or of being refused.

#include "tests/sip/edge_testing.h"

#include <poll.h>

#include <chrono>
#include <string>
#include <thread>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

TEST(Edge, ASourceOverItsRateIsNotHeard) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.source_rate = 1;
    settings.limits.source_burst = 3;
    EdgeRig rig(settings);
    Wire peer = udp_to(rig.port(Transport::udp));
    for (int i = 0; i < 10; ++i) peer.send(options_text("UDP", "r" + std::to_string(i)));
    for (int i = 0; i < 3; ++i) peer.read_until("\r\n\r\n");
    EXPECT_TRUE(rig.counted([](const Counters& counters) { return counters.received == 10; }));
    rig.on_loop([](sip::Endpoint& endpoint) { endpoint.trust({Prefix::parse("127.0.0.1").value()}); });
    peer.send(options_text("UDP", "trusted"));
    rig.request("trusted");
    EXPECT_GE(rig.counters().dropped_source_rate, 6u);
    EXPECT_LE(rig.requests().size(), 5u);
}

// A connection over its rate waits: nothing is lost.
TEST(Edge, AConnectionOverItsRateIsReadLater) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.source_rate = 10;
    settings.limits.source_burst = 3;
    EdgeRig rig(settings);
    Wire peer = tcp_to(rig.port(Transport::tcp));
    std::string all;
    for (int i = 0; i < 6; ++i) all += options_text("TCP", "w" + std::to_string(i));
    const auto before = Clock::now();
    peer.send(all);
    for (int i = 0; i < 6; ++i) EXPECT_NE(peer.read_until("\r\n\r\n").find("Call-ID: w" + std::to_string(i)), std::string::npos);
    EXPECT_GE(Clock::now() - before, milliseconds(200));
}

TEST(Edge, ASourceThatWasRefusedTooOftenIsDroppedInSilence) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.ban->length = seconds(1);
    EdgeRig rig(settings);
    Wire held = tcp_to(rig.port(Transport::tcp));
    ask(held, "TCP", "before");
    rig.on_loop([](sip::Endpoint& endpoint) {
        for (int i = 0; i < 20; ++i) endpoint.refused(Address::v4({127, 0, 0, 1}), Transport::tcp);
    });
    EXPECT_NE(rig.log_line("security event=banned src=127.0.0.1"), "");
    Wire fresh = tcp_to(rig.port(Transport::tcp));
    EXPECT_TRUE(fresh.closed());
    held.send(options_text("TCP", "banned"));
    EXPECT_TRUE(held.closed());
    const auto counters = rig.counters();
    EXPECT_EQ(counters.bans, 1u);
    EXPECT_EQ(counters.banned_sources, 1u);
    EXPECT_EQ(counters.refused_banned, 1u);
    EXPECT_EQ(counters.closed_banned, 1u);
    EXPECT_EQ(counters.open_connections, 0u);
    // It ends: then the same source is served again.
    Wire peer = udp_to(rig.port(Transport::udp));
    const auto before = Clock::now();
    pollfd answer{peer.descriptor(), POLLIN, 0};
    do {
        peer.send(options_text("UDP", "again"));
    } while (::poll(&answer, 1, 50) == 0 && Clock::now() - before < seconds(10));
    EXPECT_TRUE(peer.read_until("\r\n\r\n").starts_with("SIP/2.0 200 "));
    for (const auto& in : rig.requests()) EXPECT_NE(in.request.call_id, "banned");
    EXPECT_EQ(rig.counters().banned_sources, 0u);
}

std::uint64_t dropped(const Counters& counters) {
    return counters.dropped_source_rate + counters.dropped_total_rate + counters.dropped_banned + counters.dropped_noise +
           counters.dropped_malformed + counters.dropped_limits + counters.dropped_queue;
}

TEST(Edge, EveryDatagramIsCountedOnceWhereItWent) {
    auto settings = on_loopback({Transport::udp});
    settings.limits.source_rate = 0;  // nothing comes back
    settings.limits.source_burst = 7;
    EdgeRig rig(settings);
    Wire peer = udp_to(rig.port(Transport::udp));
    const auto trust = [&](const std::string& source) {
        rig.on_loop([&](sip::Endpoint& endpoint) { endpoint.trust({Prefix::parse(source).value()}); });
    };
    /// Once so many datagrams have come.
    const auto counted = [&](std::uint64_t received) {
        const auto until = Clock::now() + seconds(10);
        auto counters = rig.counters();
        for (; counters.received < received && Clock::now() < until; counters = rig.counters()) std::this_thread::yield();
        EXPECT_EQ(counters.received, received);
        EXPECT_EQ(counters.received, counters.datagrams + dropped(counters));
        return counters;
    };
    std::string headers;
    for (int i = 0; i < 200; ++i) headers += "X: 1\r\n";
    for (const auto& octets :
         {options_text("UDP", "one"), std::string("\r\n\r\n"), std::string("\0\1\0\0", 4), std::string("GET / HTTP/1.1\r\n\r\n"),
          message_text("many", headers), options_text("UDP", "two"), options_text("UDP", "three")})
        peer.send(octets);
    auto counters = counted(7);
    EXPECT_EQ(counters.datagrams, 3u);
    EXPECT_EQ(counters.dropped_noise, 2u);
    EXPECT_EQ(counters.dropped_malformed, 1u);
    EXPECT_EQ(counters.dropped_limits, 1u);
    for (int i = 0; i < 5; ++i) peer.send(options_text("UDP", "over"));
    EXPECT_EQ(counted(12).dropped_source_rate, 5u);
    rig.on_loop([](sip::Endpoint& endpoint) {
        for (int i = 0; i < 20; ++i) endpoint.refused(Address::v4({127, 0, 0, 1}), Transport::udp);
    });
    for (int i = 0; i < 4; ++i) peer.send(options_text("UDP", "banned"));
    EXPECT_EQ(counted(16).dropped_banned, 4u);
    trust("127.0.0.0/8");
    peer.send(options_text("UDP", "trusted"));
    EXPECT_EQ(counted(17).datagrams, 4u);
}

// What came first is a flood that the loop has not come to yet.
TEST(Edge, APeerDoesNotWaitForTheStrangersBeforeIt) {
    EdgeRig rig(on_loopback({Transport::udp}));
    Wire peer = udp_to(rig.port(Transport::udp));
    Wire stranger = udp_from(2, rig.port(Transport::udp));
    constexpr std::size_t kStrangers = 100;
    rig.on_loop([&](sip::Endpoint& endpoint) {
        endpoint.trust({Prefix::parse("127.0.0.1/32").value()});
        for (std::size_t i = 0; i < kStrangers; ++i) stranger.send(options_text("UDP", "stranger" + std::to_string(i)));
        peer.send(options_text("UDP", "peer"));
    });
    rig.request("stranger" + std::to_string(kStrangers - 1));
    const auto requests = rig.requests();
    ASSERT_EQ(requests.size(), kStrangers + 1);
    EXPECT_EQ(requests[0].request.call_id, "peer");
    for (std::size_t i = 0; i < kStrangers; ++i) EXPECT_EQ(requests[i + 1].request.call_id, "stranger" + std::to_string(i));
    EXPECT_EQ(rig.counters().datagrams, kStrangers + 1);
}

// Over its rate it costs little, and is read as fast as that allows: the peer's does not wait for that either.
TEST(Edge, WhatIsDroppedIsNotReadAsSlowlyAsWhatIsServed) {
    auto settings = on_loopback({Transport::udp});
    settings.limits.source_rate = 0;
    settings.limits.source_burst = 1;
    EdgeRig rig(settings);
    Wire peer = udp_to(rig.port(Transport::udp));
    Wire stranger = udp_from(2, rig.port(Transport::udp));
    rig.on_loop([&](sip::Endpoint& endpoint) {
        endpoint.trust({Prefix::parse("127.0.0.1/32").value()});
        for (int i = 0; i < 100; ++i) stranger.send(options_text("UDP", "stranger" + std::to_string(i)));
        peer.send(options_text("UDP", "peer"));
    });
    rig.request("stranger0");
    const auto requests = rig.requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_EQ(requests[0].request.call_id, "peer");
    EXPECT_EQ(rig.counters().dropped_source_rate, 99u);
}

// Anybody can send datagrams in our next hop's name: it still answers us, and its connections stay.
TEST(Edge, ABanThatDatagramsEarnedSparesResponsesAndConnections) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.source_burst = 4;
    settings.limits.source_rate = 1;
    EdgeRig rig(settings);
    Wire held = tcp_to(rig.port(Transport::tcp));
    rig.on_loop([](sip::Endpoint& endpoint) {
        for (int i = 0; i < 20; ++i) endpoint.refused(Address::v4({127, 0, 0, 1}), Transport::udp);
    });
    EXPECT_NE(rig.log_line("security event=banned src=127.0.0.1 transport=udp"), "");
    Wire peer = udp_to(rig.port(Transport::udp));
    for (int i = 0; i < 20; ++i) peer.send(options_text("UDP", "forged"));
    for (int i = 0; i < 3; ++i) {
        std::thread answering([&] {
            const auto seen = peer.read_until("\r\n\r\nhello");
            for (int repeated = 0; repeated < 5; ++repeated) peer.send(answer_to(seen, 200));
        });
        auto request = message_value();
        request.cseq = static_cast<std::uint32_t>(i + 1);
        EXPECT_EQ(rig.send(request, next_hop(Transport::udp, local_port(peer))).response.status, 200);
        answering.join();
    }
    held.send(options_text("TCP", "held"));
    EXPECT_TRUE(held.read_until("\r\n\r\n").starts_with("SIP/2.0 200 "));
    EXPECT_EQ(rig.counters().dropped_banned, 20u);
    EXPECT_EQ(rig.requests().size(), 1u);
}

// What a connection did, its source did: nobody forges that.
TEST(Edge, BrokenFramingIsARefusalOfTheConnectionsSource) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.ban->refusals = 3;
    EdgeRig rig(settings);
    for (int i = 0; i < 3; ++i) {
        Wire peer = tcp_to(rig.port(Transport::tcp));
        peer.send("GET / HTTP/1.1\r\n\r\n");
        EXPECT_TRUE(peer.closed());
    }
    EXPECT_NE(rig.log_line("security event=banned src=127.0.0.1 transport=tcp"), "");
    EXPECT_TRUE(tcp_to(rig.port(Transport::tcp)).closed());
    EXPECT_EQ(rig.counters().bans, 1u);
    EXPECT_EQ(rig.counters().refused_banned, 1u);
}

// The library wants no more of a connection whose request it refused. What comes meanwhile is read and dropped: closed with
// octets unread it would be reset, and the answer be lost.
TEST(Edge, AConnectionThatIsClosedWhileItWaitsForItsRateIsReadToItsEnd) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.source_rate = 1;
    settings.limits.source_burst = 2;
    settings.limits.accept_cost = 1;
    EdgeRig rig(settings);
    Wire peer = tcp_to(rig.port(Transport::tcp));
    auto odd = options_text("TCP", "odd");
    odd.replace(odd.find("Call-ID"), 7, "X-Odd");
    const auto before = Clock::now();
    peer.send(odd + options_text("TCP", "over its rate"));
    EXPECT_TRUE(peer.read_until("\r\n\r\n").starts_with("SIP/2.0 400 "));
    peer.send(std::string(16 << 20, 'x'));
    EXPECT_TRUE(peer.read_until("").empty());
    EXPECT_LT(Clock::now() - before, milliseconds(1'500));
}

}  // namespace
