// Connections: how many there may be, how long they may be idle or slow, and how much may wait for their peers.

#include "tests/sip/edge_testing.h"

#include <poll.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

TEST(Edge, ConnectionsHaveANumberPerSourceAndInAll) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.connections_per_source = 5;
    settings.limits.connections = 8;
    EdgeRig rig(settings);
    std::vector<Wire> held;
    const auto open = [&](const std::string& name) {
        held.push_back(tcp_to(rig.port(Transport::tcp)));
        ask(held.back(), "TCP", name);
    };
    for (int i = 0; i < 5; ++i) open("c" + std::to_string(i));
    EXPECT_TRUE(tcp_to(rig.port(Transport::tcp)).closed());
    rig.on_loop([](sip::Endpoint& endpoint) { endpoint.trust({Prefix::parse("127.0.0.0/8").value()}); });
    for (int i = 5; i < 8; ++i) open("c" + std::to_string(i));
    EXPECT_TRUE(tcp_to(rig.port(Transport::tcp)).closed());
    const auto counters = rig.counters();
    EXPECT_EQ(counters.refused_source_connections, 1u);
    EXPECT_EQ(counters.refused_total_connections, 1u);
    expect_served(rig, "cap");
}

TEST(Edge, WhoConnectsAllTheTimeIsRefused) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.source_burst = 100;
    settings.limits.source_rate = 1;
    EdgeRig rig(settings);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(tcp_to(rig.port(Transport::tcp)).descriptor() < 0, false);
    EXPECT_TRUE(tcp_to(rig.port(Transport::tcp)).closed());
    EXPECT_NE(rig.log_line("too many in a short time"), "");
    EXPECT_EQ(rig.counters().refused_connection_rate, 1u);
    expect_served(rig, "udp");
}

// A few hosts that hold all that strangers may have: peers get in, and so does the next stranger.
TEST(Edge, AStrangerThatSaysNothingGivesWayToAnother) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.connections = 8;
    EdgeRig rig(settings);
    rig.on_loop([](sip::Endpoint& endpoint) { endpoint.trust({Prefix::parse("127.0.0.9").value()}); });
    const auto port = rig.port(Transport::tcp);
    Wire served = tcp_from(1, port);
    EXPECT_TRUE(serves(served, "served"));
    std::vector<Wire> silent;
    for (std::uint8_t i = 2; i <= 6; ++i) silent.push_back(tcp_from(i, port));
    Wire late = tcp_from(7, port);
    EXPECT_TRUE(serves(late, "late"));
    EXPECT_TRUE(silent.front().closed());
    Wire peer = tcp_from(9, port), same_peer = tcp_from(9, port);
    EXPECT_TRUE(serves(peer, "peer"));
    EXPECT_TRUE(serves(same_peer, "same"));
    EXPECT_TRUE(serves(served, "still"));
    const auto counters = rig.counters();
    EXPECT_EQ(counters.closed_evicted, 1u);
    EXPECT_EQ(counters.refused_total_connections, 0u);
    EXPECT_EQ(counters.connections, 9u);
}

TEST(Edge, AStrangerWhoseRequestWaitsDoesNotGiveWay) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.limits.connections = 1;
    EdgeRig rig(settings);
    Wire waiting = tcp_to(rig.port(Transport::tcp));
    waiting.send(options_text("TCP", "wait1"));
    const auto transaction = rig.request("wait1").transaction;
    EXPECT_TRUE(tcp_to(rig.port(Transport::tcp)).closed());
    rig.on_loop([&](sip::Endpoint& endpoint) { endpoint.respond(transaction, status(200)); });
    EXPECT_TRUE(waiting.read_until("\r\n\r\n").starts_with("SIP/2.0 200 "));
}

TEST(Edge, PingsThatComeTogetherGetOnePongAndCount) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.source_burst = 10;
    settings.limits.source_rate = 10;
    EdgeRig rig(settings);
    Wire peer = tcp_to(rig.port(Transport::tcp));  // uses the burst up
    std::string pings;
    for (int i = 0; i < 500; ++i) pings += "\r\n\r\n";
    peer.send(pings + options_text("TCP", "behind"));
    const auto answer = peer.read_until("Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("SIP/2.0 200 ")) << answer.substr(0, 20);
    EXPECT_EQ(peer.read_until("\r\n"), "\r\n");
    const auto before = Clock::now();
    for (int i = 0; i < 5; ++i) {
        peer.send("\r\n\r\n");
        EXPECT_EQ(peer.read_until("\r\n"), "\r\n");
    }
    EXPECT_GE(Clock::now() - before, milliseconds(300));
}

// RFC 5626 §4.4.1: blank lines keep alive what is there for something.
TEST(Edge, BlankLinesKeepNoConnectionThatHasNeverSaidAnything) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.idle = seconds(1);
    EdgeRig rig(settings);
    Wire pinging = tcp_to(rig.port(Transport::tcp)), speaking = tcp_to(rig.port(Transport::tcp));
    EXPECT_TRUE(serves(speaking, "once"));
    const auto before = Clock::now();
    pollfd closing{pinging.descriptor(), POLLRDHUP, 0};
    while (::poll(&closing, 1, 100) == 0 && Clock::now() - before < seconds(10)) {
        pinging.send("\r\n\r\n");
        speaking.send("\r\n\r\n");
    }
    EXPECT_LT(Clock::now() - before, milliseconds(1'900));
    for (int i = 0; i < 15; ++i) {
        speaking.send("\r\n\r\n");
        std::this_thread::sleep_for(milliseconds(100));
    }
    speaking.send(options_text("TCP", "twice"));
    EXPECT_NE(speaking.read_until("Call-ID: twice\r\n"), "");
    EXPECT_EQ(rig.counters().closed_idle, 1u);
}

TEST(Edge, AnIdleConnectionEndsUnlessItIsHeld) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.idle = seconds(1);
    EdgeRig rig(settings);
    Wire held = tcp_to(rig.port(Transport::tcp)), idle = tcp_to(rig.port(Transport::tcp));
    ask(held, "TCP", "held");
    const auto flow = rig.request("held").flow;
    rig.on_loop([&](sip::Endpoint& endpoint) { endpoint.hold(flow); });
    const auto before = Clock::now();
    EXPECT_TRUE(idle.closed());
    EXPECT_GE(Clock::now() - before, milliseconds(900));
    EXPECT_EQ(rig.counters().closed_idle, 1u);
    Wire later = tcp_to(rig.port(Transport::tcp));  // one more whole idle time
    EXPECT_TRUE(later.closed());
    EXPECT_TRUE(ask(held, "TCP", "still").starts_with("SIP/2.0 200 "));
    rig.on_loop([&](sip::Endpoint& endpoint) { endpoint.release(flow); });
    EXPECT_TRUE(held.closed());
}

TEST(Edge, AMessageHasItsTimeAndGetsNoMoreByFurtherOctets) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.message = seconds(1);
    EdgeRig rig(settings);
    Wire peer = tcp_to(rig.port(Transport::tcp));
    const auto text = options_text("TCP", "drip");
    const auto before = Clock::now();
    pollfd closing{peer.descriptor(), POLLIN, 0};
    for (std::size_t i = 0; i + 1 < text.size() && ::poll(&closing, 1, 100) == 0; ++i) peer.send(text.substr(i, 1));
    EXPECT_TRUE(peer.closed());
    EXPECT_LT(Clock::now() - before, milliseconds(1'800));
    EXPECT_EQ(rig.counters().closed_deadline, 1u);
}

TEST(Edge, APeerThatReadsNothingIsGivenUp) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.write_queue = 200'000;
    EdgeRig rig(settings);
    TcpListener listener;
    for (int i = 0; i < 400 && rig.counters().closed_slow_reader == 0; ++i)
        rig.on_loop([&](sip::Endpoint& endpoint) {
            auto request = message_value(std::string(50'000, 'x'));
            request.call_id = "slow" + std::to_string(i);
            endpoint.send(request, next_hop(Transport::tcp, listener.port()), [](Outcome) {});
        });
    EXPECT_EQ(rig.counters().closed_slow_reader, 1u);
}

/// Large requests over that connection, which nobody reads, until it ends or 20 MB were written.
void write_much(EdgeRig& rig, const NextHop& hop) {
    for (int i = 0; i < 400 && rig.counters().closed_slow_reader == 0; ++i)
        rig.on_loop([&](sip::Endpoint& endpoint) {
            auto request = message_value(std::string(50'000, 'x'));
            request.call_id = "much" + std::to_string(i);
            endpoint.send(request, hop, [](Outcome) {});
        });
}

// Memory is for those to whom something was granted.
TEST(Edge, AStrangersQueueIsShort) {
    for (const bool granted : {false, true}) {
        auto settings = on_loopback({Transport::tcp});
        settings.limits.write_queue = 100'000'000;
        settings.limits.write_queues = 100'000'000;
        EdgeRig rig(settings);
        Wire peer = tcp_to(rig.port(Transport::tcp));
        peer.send(options_text("TCP", "wait"));
        EXPECT_TRUE(!granted || serves(peer, "granted"));
        NextHop hop = next_hop(Transport::tcp, local_port(peer));
        hop.flow = rig.request("wait").flow;
        write_much(rig, hop);
        EXPECT_EQ(rig.counters().closed_slow_reader, granted ? 0u : 1u);
    }
}

// What one turn of the loop gives rise to is more than may wait, and nobody has kept it waiting.
TEST(Edge, APeerThatReadsIsNotSlowHoweverShortTheQueues) {
    for (const bool all_together : {false, true}) {
        auto settings = on_loopback({Transport::tcp});
        auto& limits = settings.limits;
        (all_together ? limits.write_queues : limits.write_queue) = 1'024;
        limits.stranger_write_queue = 1'024;
        EdgeRig rig(settings);
        Wire peer = tcp_to(rig.port(Transport::tcp));
        std::string all;
        for (int i = 0; i < 40; ++i) all += options_text("TCP", "r" + std::to_string(i));
        peer.send(all);
        for (int i = 0; i < 40; ++i) EXPECT_TRUE(peer.read_until("\r\n\r\n").starts_with("SIP/2.0 200 ")) << i;
        EXPECT_EQ(rig.counters().closed_slow_reader, 0u);
    }
}

TEST(Edge, AllQueuesTogetherAreBounded) {
    auto settings = on_loopback({Transport::tcp});
    settings.limits.write_queue = 100'000'000;
    settings.limits.write_queues = 1'000'000;
    EdgeRig rig(settings);
    TcpListener slow, other;
    std::thread answering([&] {
        Wire peer = other.accept();
        for (int i = 0; i < 2; ++i) peer.send(answer_to(peer.read_until("\r\n\r\nhello"), 200));
    });
    EXPECT_EQ(rig.send(message_value(), next_hop(Transport::tcp, other.port())).response.status, 200);
    write_much(rig, next_hop(Transport::tcp, slow.port()));
    EXPECT_EQ(rig.counters().closed_slow_reader, 1u);
    auto request = message_value();
    request.cseq = 2;
    EXPECT_EQ(rig.send(request, next_hop(Transport::tcp, other.port())).response.status, 200);
    answering.join();
    EXPECT_EQ(rig.counters().dialled, 2u);
}

}  // namespace
