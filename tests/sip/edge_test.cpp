// The edge on real sockets: what strangers send, limits, deadlines, flows.

#include "tests/sip/edge_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <optional>
#include <stdexcept>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

/// From 127.0.0.`host`.
Wire tcp_from(std::uint8_t host, unsigned port) {
    Wire peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in from{}, to{};
    from.sin_family = to.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl((127u << 24) + host);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::bind(peer.descriptor(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(peer.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("no connection");
    return peer;
}

/// The same by UDP.
Wire udp_from(std::uint8_t host, unsigned port) {
    Wire peer(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in from{}, to{};
    from.sin_family = to.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl((127u << 24) + host);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::bind(peer.descriptor(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(peer.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("no socket");
    return peer;
}

bool serves(Wire& peer, const std::string& call_id) {
    peer.send(options_text("TCP", call_id));
    return peer.read_until("\r\n\r\n").starts_with("SIP/2.0 200 ");
}

void expect_served(EdgeRig& rig, const std::string& branch) {
    Wire peer = udp_to(rig.port(Transport::udp));
    EXPECT_TRUE(ask(peer, "UDP", branch).starts_with("SIP/2.0 200 ")) << branch;
}

TEST(Edge, NothingIsAnsweredToWhatIsNoSip) {
    EdgeRig rig;
    Wire peer = udp_to(rig.port(Transport::udp));
    const std::string stun(
        "\x00\x01\x00\x00\x21\x12\xa4\x42"
        "abcdefghijkl",
        20);
    for (const auto& noise : {stun, std::string("\xf8\x01\x02\x03"), std::string("\r\n\r\n"), std::string("x"),
                              std::string("GET / HTTP/1.1\r\n\r\n")})
        peer.send(noise);
    // Datagrams of one sender stay in order on loopback: the first answer is the one to the request behind them.
    EXPECT_NE(ask(peer, "UDP", "after").find("Call-ID: after\r\n"), std::string::npos);
    const auto counters = rig.counters();
    EXPECT_EQ(counters.dropped_noise, 4u);
    EXPECT_EQ(counters.dropped_malformed, 1u);
    EXPECT_EQ(counters.datagrams, 1u);
}

// Nothing of it is believed: not what lies before the odd field and not what a lenient reader sees behind it.
TEST(Edge, ADatagramWithAnOddHeaderFieldIsRefused) {
    EdgeRig rig;
    Wire peer = udp_to(rig.port(Transport::udp));
    int number = 0;
    for (const auto& odd : {std::string("nothing\r\n"), std::string("X: 1\r\r"), std::string("X: a") + '\0' + "\r\n",
                            std::string("Content-Length: -1\r\n"), std::string("l: 5\r\nl: 5\r\n")}) {
        const auto branch = "odd" + std::to_string(++number);
        peer.send(message_text(branch, odd));
        const auto answer = peer.read_until("\r\n\r\n");
        EXPECT_TRUE(answer.starts_with("SIP/2.0 400 ")) << odd << '\n' << answer;
        EXPECT_NE(answer.find("branch=z9hG4bK" + branch), std::string::npos) << answer;
    }
    auto later = options_text("UDP", "later");
    peer.send(later.replace(later.find("SIP/2.0\r\n"), 7, "SIP/3.0"));
    const auto answer = peer.read_until("\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("SIP/2.0 400 ")) << answer;
    EXPECT_TRUE(rig.requests().empty());
    EXPECT_EQ(rig.counters().dropped_malformed, 0u);
}

// RFC 3261 §18.3: a request that ends before its body does gets 400, a response is dropped; nobody answers an ACK.
TEST(Edge, ADatagramThatEndsBeforeItsBodyIsRefused) {
    EdgeRig rig;
    Wire peer = udp_to(rig.port(Transport::udp));
    const auto promising = [](std::string text, const std::string& length) {
        return text.replace(text.find("Content-Length: 5"), 17, "Content-Length: " + length);
    };
    for (const auto* length : {"6", "65537", "4294967295", "4294967301", "99999999999999999999999999999999"}) {
        peer.send(promising(message_text(std::string("short") + length), length));
        const auto answer = peer.read_until("\r\n\r\n");
        EXPECT_TRUE(answer.starts_with("SIP/2.0 400 ")) << length << '\n' << answer;
        EXPECT_NE(answer.find("branch=z9hG4bKshort" + std::string(length)), std::string::npos) << answer;
    }
    auto ack = promising(message_text("ack"), "6");
    ack.replace(ack.find("7 MESSAGE"), 9, "7 ACK");
    ack.replace(0, 7, "ACK");
    peer.send(ack);
    // In one datagram with its body and more: that is no part of it.
    peer.send(message_text("surplus") + " and more");
    EXPECT_TRUE(peer.read_until("\r\n\r\n").starts_with("SIP/2.0 200 "));
    ASSERT_EQ(rig.requests().size(), 1u);
    EXPECT_EQ(rig.requests().front().request.body, "hello");
    std::thread answering([&] {
        const auto seen = peer.read_until("\r\n\r\nhello");
        auto cut = answer_to(seen, 200);
        peer.send(cut.replace(cut.find("Content-Length: 0"), 17, "Content-Length: 1"));
        peer.send(answer_to(seen, 486));
    });
    EXPECT_EQ(rig.send(message_value(), next_hop(Transport::udp, local_port(peer))).response.status, 486);
    answering.join();
}

TEST(Edge, StreamsThatBreakTheFramingAreClosed) {
    EdgeRig rig;
    const auto start = options_text("TCP", "v");
    const auto with = [&](const std::string& length) {
        auto text = start;
        return text.replace(text.find("Content-Length: 0"), 17, length);
    };
    std::vector<std::string> streams = {with("Content-Length: 0\r\nl: 0"),
                                        with("Content-Length: -1"),
                                        with("X-None: 1"),
                                        with("Content-Length: 99999999999"),
                                        "GET / HTTP/1.1\r\n\r\n",
                                        "OPTIONS sip:a@b SIP/2.0\r\nX: " + std::string(40'000, 'x')};
    for (const auto& stream : streams) {
        Wire peer = tcp_to(rig.port(Transport::tcp));
        peer.send(stream);
        EXPECT_TRUE(peer.closed()) << stream.substr(0, 200);
    }
    EXPECT_EQ(rig.counters().closed_violation, streams.size());
    EXPECT_TRUE(rig.requests().empty());
    EXPECT_NE(rig.log_line("two Content-Length").find("peer=127.0.0.1:"), std::string::npos);
}

// What follows the body of one message is another message, whatever it says; what was smuggled in a body is none.
TEST(Edge, ABodyIsNeverReadAsAMessage) {
    EdgeRig rig;
    auto outer = options_text("TCP", "outer");
    const auto inner = options_text("TCP", "smuggled");
    outer.replace(outer.find("Content-Length: 0\r\n\r\n"), 21,
                  "Content-Length: " + std::to_string(inner.size()) + "\r\n\r\n" + inner);
    Wire peer = tcp_to(rig.port(Transport::tcp));
    peer.send(outer + options_text("TCP", "next"));
    rig.request("next");
    for (const auto& in : rig.requests()) EXPECT_NE(in.request.call_id, "smuggled");
}

TEST(Edge, SplitMessagesAndPingsAreAnswered) {
    EdgeRig rig;
    Wire peer = tcp_to(rig.port(Transport::tcp));
    const auto text = options_text("TCP", "split");
    for (std::size_t at = 0; at < text.size(); at += 50) peer.send(text.substr(at, 50));
    const auto answer = peer.read_until("\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("SIP/2.0 200 ")) << answer;
    EXPECT_NE(answer.find("received=127.0.0.1"), std::string::npos) << answer;
    EXPECT_NE(answer.find("rport=" + std::to_string(local_port(peer))), std::string::npos) << answer;
    peer.send("\r\n\r\n");
    EXPECT_EQ(peer.read_until("\r\n"), "\r\n");
}

// RFC 5923, RFC 5626 §5.3: the Contact's host does not exist; the request goes where the flow goes.
TEST(Edge, ARequestOfOursGoesOverTheFlowThatItIsToldTo) {
    EdgeRig rig;
    Wire peer = tcp_to(rig.port(Transport::tcp));
    ask(peer, "TCP", "flow");
    const auto in = rig.request("flow");
    ASSERT_NE(in.flow, Flow::none);
    std::string seen;
    std::thread answering([&] { seen = answer_message(peer); });
    const auto outcome = rig.send(message_value(), over_flow_of(in, Transport::tcp));
    answering.join();
    EXPECT_EQ(outcome.response.status, 200);
    EXPECT_TRUE(seen.starts_with("MESSAGE sip:juliet@capulet.test SIP/2.0\r\n")) << seen;
    EXPECT_EQ(seen.find("Route:"), std::string::npos) << seen;
    EXPECT_EQ(rig.counters().dialled, 0u);
}

TEST(Edge, OneConnectionCarriesAllRequestsToTheSameNextHop) {
    EdgeRig rig;
    TcpListener listener;
    std::thread answering([&] {
        Wire peer = listener.accept();
        for (int i = 0; i < 3; ++i) answer_message(peer);
    });
    for (int i = 0; i < 3; ++i) {
        auto request = message_value();
        request.cseq = static_cast<std::uint32_t>(i + 1);
        EXPECT_EQ(rig.send(request, next_hop(Transport::tcp, listener.port())).response.status, 200);
    }
    answering.join();
    EXPECT_EQ(rig.counters().dialled, 1u);
}

TEST(Edge, ATargetThatAStrangerNamedIsNotDialledWhereNobodyMay) {
    EdgeRig rig;
    TcpListener listener;
    Wire datagrams = udp_to(rig.port(Transport::udp));
    for (auto hop : {next_hop(Transport::tcp, listener.port()), next_hop(Transport::udp, local_port(datagrams)),
                     next_hop(Transport::tls, listener.port()), next_hop(Transport::tcp, rig.port(Transport::tcp))}) {
        hop.configured = false;
        const auto before = Clock::now();
        const auto outcome = rig.send(message_value(), hop);
        EXPECT_EQ(outcome.response.status, 503);
        EXPECT_EQ(outcome.local, Outcome::Local::unsent);
        EXPECT_LT(Clock::now() - before, seconds(1));
    }
    const auto counters = rig.counters();
    EXPECT_EQ(counters.dialled, 0u);
    EXPECT_EQ(counters.dials_refused, 3u);
    EXPECT_GE(counters.sends_refused, 1u);
    pollfd nothing{datagrams.descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&nothing, 1, 0), 0);
    EXPECT_NE(rig.log_line("loopback address"), "");
}

TEST(Edge, WhatComesBackToUsIsNotDialled) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    for (auto& address : settings.listen) address.endpoint.address = Address();
    settings.public_address = Address::v4({203, 0, 113, 77});
    EdgeRig rig(settings);
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        NextHop hop{transport, {*settings.public_address, static_cast<std::uint16_t>(rig.port(transport))}};
        hop.configured = false;
        EXPECT_EQ(rig.send(message_value(), hop).local, Outcome::Local::unsent);
    }
    EXPECT_NE(rig.log_line("an address of our own"), "");
    EXPECT_EQ(rig.counters().dials_refused, 1u);
    EXPECT_GE(rig.counters().sends_refused, 1u);
}

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

// Anybody can send datagrams in our next hop's name: it still answers us, and its connections stay.
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

TEST(Edge, AClosingPeerFailsTheRequestAtOnce) {
    EdgeRig rig;
    TcpListener listener;
    std::thread closing([&] { listener.accept().read_until("\r\n\r\nhello"); });
    const auto before = Clock::now();
    const auto outcome = rig.send(message_value(), next_hop(Transport::tcp, listener.port()));
    closing.join();
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::transport);
    EXPECT_LT(Clock::now() - before, seconds(1));
}

TEST(Edge, AUdpPortWhereNobodyListensFailsTheRequestAtOnce) {
    EdgeRig rig;
    unsigned port;
    {
        Wire gone = udp_to(rig.port(Transport::udp));
        port = local_port(gone);
    }
    const auto before = Clock::now();
    const auto outcome = rig.send(message_value(), next_hop(Transport::udp, port));
    EXPECT_EQ(outcome.local, Outcome::Local::transport);
    EXPECT_LT(Clock::now() - before, seconds(5));
    EXPECT_EQ(rig.counters().dropped_unproven_errors, 0u);
}

std::uint16_t internet_checksum(const std::string& octets) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
        std::uint16_t word;
        std::memcpy(&word, octets.data() + i, sizeof word);
        sum += word;
    }
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

/// "Nobody listens on port `to`", about a datagram from port `from` that begins with `quoted`. False: we may not.
bool send_unreachable(unsigned from, unsigned to, const std::string& quoted) {
    const int raw = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (raw < 0) return false;
    const Wire closing(raw);
    icmphdr icmp{};
    icmp.type = ICMP_DEST_UNREACH;
    icmp.code = ICMP_PORT_UNREACH;
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.tot_len = htons(static_cast<std::uint16_t>(sizeof ip + sizeof(udphdr) + quoted.size()));
    ip.ttl = 64;
    ip.protocol = IPPROTO_UDP;
    ip.saddr = ip.daddr = htonl(INADDR_LOOPBACK);
    const std::array<std::uint16_t, 4> udp{htons(static_cast<std::uint16_t>(from)), htons(static_cast<std::uint16_t>(to)),
                                           htons(static_cast<std::uint16_t>(sizeof(udphdr) + quoted.size())), 0};
    std::string packet(reinterpret_cast<const char*>(&icmp), sizeof icmp);
    packet.append(reinterpret_cast<const char*>(&ip), sizeof ip);
    packet.append(reinterpret_cast<const char*>(&udp), sizeof udp);
    packet += quoted + std::string(quoted.size() % 2, 'x');
    icmp.checksum = internet_checksum(packet);
    packet.replace(0, sizeof icmp, reinterpret_cast<const char*>(&icmp), sizeof icmp);
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::sendto(raw, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&target), sizeof target) > 0;
}

// RFC 5927: whoever knows our address and the next hop's can send errors about what we sent there, but has not seen it.
TEST(Edge, AnIcmpErrorIsBelievedOnlyWithWhatWeSent) {
    EdgeRig rig;
    Wire peer = udp_to(rig.port(Transport::udp));
    const auto ours = rig.port(Transport::udp);
    const auto told = [&](bool proven) {
        std::string seen;
        bool may = true;
        std::thread peering([&] {
            seen = peer.read_until("\r\n\r\nhello");
            const auto guess = seen.substr(0, seen.find("branch=")) + "branch=z9hG4bKguessed;rport\r\n" + std::string(400, 'x');
            for (const auto& quoted : {guess, seen.substr(0, 28), std::string()})
                may &= send_unreachable(ours, local_port(peer), quoted);
            if (proven) may &= send_unreachable(ours, local_port(peer), seen);
            if (!proven) peer.send(answer_to(seen, 200));
        });
        const auto outcome = rig.send(message_value(), next_hop(Transport::udp, local_port(peer)));
        peering.join();
        return std::pair(may, outcome);
    };
    const auto [may, forged] = told(false);
    if (!may) GTEST_SKIP() << "raw sockets are not ours to open";
    EXPECT_EQ(forged.response.status, 200);
    EXPECT_EQ(rig.counters().dropped_unproven_errors, 3u);
    const auto before = Clock::now();
    EXPECT_EQ(told(true).second.local, Outcome::Local::transport);
    EXPECT_LT(Clock::now() - before, seconds(5));
    EXPECT_EQ(rig.counters().dropped_unproven_errors, 6u);
}

TEST(Edge, WhatTheEndpointSaysAtItsEndArrives) {
    std::optional<EdgeRig> rig(on_loopback({Transport::tcp}));
    Wire peer = tcp_to(rig->port(Transport::tcp));
    peer.send(options_text("TCP", "wait1"));
    rig->request("wait1");
    ask(peer, "TCP", "later");  // it was told, and waits
    rig.reset();
    EXPECT_TRUE(peer.read_until("\r\n\r\n").starts_with("SIP/2.0 500 "));
    EXPECT_TRUE(peer.closed());
}

// The library wants no more of a connection whose request it refused. What comes meanwhile is read and dropped: closed with octets
// unread it would be reset, and the answer be lost.
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

// RFC 3261 §18.2.2 would have us connect to what the request's Via says: to wherever a stranger wants.
TEST(Edge, AnAnswerWhoseConnectionIsGoneGoesNowhere) {
    EdgeRig rig;
    TcpListener trap;
    std::uint64_t transaction = 0;
    {
        Wire peer = tcp_to(rig.port(Transport::tcp));
        auto text = options_text("TCP", "wait1");
        const std::string via = "nowhere.invalid:5999";
        text.replace(text.find(via), via.size(), "127.0.0.1:" + std::to_string(trap.port()));
        peer.send(text);
        transaction = rig.request("wait1").transaction;
    }
    Wire later = tcp_to(rig.port(Transport::tcp));  // what it gets answered, the end of the other came before
    ask(later, "TCP", "later");
    rig.on_loop([&](sip::Endpoint& endpoint) { endpoint.respond(transaction, status(200)); });
    expect_served(rig, "alive");
    EXPECT_EQ(rig.counters().dialled, 0u);
}

TEST(Edge, SeveralAddressesAndBothFamilies) {
    sip::Endpoint::Settings settings;
    for (const char* address : {"127.0.0.1", "127.0.0.2", "::1"})
        for (const auto transport : {Transport::udp, Transport::tcp})
            settings.listen.push_back({transport, {Address::parse(address).value(), 0}});
    EdgeRig one(settings), two(settings);
    std::vector<ListenAddress> targets;
    two.on_loop([&](sip::Endpoint& endpoint) { targets = endpoint.listening(); });
    ASSERT_EQ(targets.size(), 6u);
    for (const auto& [transport, endpoint] : targets) {
        auto request = message_value();
        request.call_id = endpoint.to_string() + '/' + std::string(to_string(transport));
        request.call_id.erase(
            std::remove_if(request.call_id.begin(), request.call_id.end(), [](char c) { return c == '[' || c == ']'; }),
            request.call_id.end());
        EXPECT_EQ(one.send(request, {transport, endpoint}).response.status, 200) << request.call_id;
        const auto in = two.request(request.call_id);
        EXPECT_EQ(in.transport, transport);
        EXPECT_EQ(in.source.address.is_v4(), endpoint.address.is_v4());
    }
}

TEST(Edge, BehindANatThePublicAddressIsTold) {
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    settings.public_address = Address::v4({203, 0, 113, 77});
    EdgeRig rig(settings);
    Wire peer = udp_to(rig.port(Transport::udp));
    std::string seen;
    std::thread answering([&] { seen = answer_message(peer); });
    EXPECT_EQ(rig.send(message_value(), next_hop(Transport::udp, local_port(peer))).response.status, 200);
    answering.join();
    EXPECT_NE(seen.find("Via: SIP/2.0/UDP 203.0.113.77:" + std::to_string(rig.port(Transport::udp)) + ";"), std::string::npos)
        << seen;
}

TEST(Edge, AnotherLibraryIsRefusedAtStart) {
    auto settings = on_loopback({Transport::udp});
    for (const LibraryLayout layout : {LibraryLayout{600, 488}, LibraryLayout{592, 480}, LibraryLayout{0, 0}}) {
        settings.library = layout;
        boost::asio::io_context loop;
        const auto started = sip::Endpoint::start(loop, settings, [](IncomingRequest) {});
        ASSERT_FALSE(started);
        EXPECT_EQ(started.error().code, Code::unavailable);
        EXPECT_NE(started.error().detail.find("libsofia-sip-ua0"), std::string::npos) << started.error().detail;
    }
    settings.library = LibraryLayout{592, 488};
    EXPECT_NO_THROW(EdgeRig{settings});
}

}  // namespace
