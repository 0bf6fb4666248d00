// Where requests and answers of ours go: flows, next hops, and what becomes of those that nobody takes.

#include "tests/sip/edge_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

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

}  // namespace
