// The edge on real sockets: what it takes for SIP, and what it says of itself.

#include "tests/sip/edge_testing.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

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
