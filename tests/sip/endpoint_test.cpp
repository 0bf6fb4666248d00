#include "tests/sip/rig.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;
using stox::test::local_port;
using stox::test::tcp_to;
using stox::test::TcpListener;
using stox::test::udp_to;
using stox::test::Wire;

std::string via_of(const std::string& request) {
    const auto at = request.find("Via: ");
    return request.substr(at, request.find("\r\n", at) + 2 - at);
}

TEST(SipEndpoint, ARequestArrivesWithEveryField) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(message_text("f1", "Max-Forwards: 12\r\ns: caf\xc3\xa9\r\nContent-Language: it\r\nX-Odd: kept\r\n"));
    const auto in = rig.next_request();
    EXPECT_EQ(in.request.method, "MESSAGE");
    EXPECT_EQ(in.request.uri.to_string(), "sip:romeo@montague.test");
    EXPECT_EQ(in.request.from.display_name, "Juliet \"J\"");
    EXPECT_EQ(in.request.from.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(in.request.from.tag, "a1");
    EXPECT_EQ(in.request.to.uri.to_string(), "sip:romeo@montague.test");
    EXPECT_EQ(in.request.call_id, "cf1");
    EXPECT_EQ(in.request.cseq, 7u);
    EXPECT_EQ(in.request.max_forwards, 12u);
    EXPECT_EQ(in.request.content_type, "text/plain;charset=utf-8");
    EXPECT_EQ(in.request.body, "hello");
    ASSERT_TRUE(in.request.header("Subject"));
    EXPECT_EQ(*in.request.header("Subject"), "caf\xc3\xa9");
    ASSERT_TRUE(in.request.header("Content-Language"));
    EXPECT_EQ(*in.request.header("Content-Language"), "it");
    ASSERT_TRUE(in.request.header("x-odd"));
    EXPECT_EQ(*in.request.header("x-odd"), "kept");
    EXPECT_FALSE(in.request.header("Via"));
    EXPECT_EQ(in.transport, Transport::udp);
    EXPECT_EQ(in.source.to_string(), "127.0.0.1:" + std::to_string(local_port(peer)));
}

TEST(SipEndpoint, WhoAsksForItsPortIsToldItsAddressAsWell) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto port = std::to_string(local_port(peer));
    auto text = message_text("rport");
    const auto via = text.find("Via: "), end = text.find("\r\n", via);
    text.replace(via, end - via, "Via: SIP/2.0/UDP 127.0.0.1:" + port + ";rport;branch=z9hG4bKrport");
    for (const int code : {403, 202}) {
        rig.answer_at_once = code;
        peer.send(text);
        const auto told = header_of(peer.read_until("\r\n\r\n"), "Via");
        EXPECT_NE(told.find(";received=127.0.0.1"), std::string::npos) << told;
        EXPECT_NE(told.find(";rport=" + port), std::string::npos) << told;
    }
}

TEST(SipEndpoint, HeadersOfTheCatalogueKeepTheirLongNamesAndTheUriItsParameters) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    auto text = message_text("f2", "e: gzip\r\nRequire: 100rel\r\nExpires: 60\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n");
    const std::string uri = "sip:romeo@montague.test";
    text.replace(text.find(uri), uri.size(), uri + ";user=phone;gr=a1");
    peer.send(text);
    const auto in = rig.next_request();
    EXPECT_EQ(in.request.uri.to_string(), uri + ";user=phone;gr=a1");
    EXPECT_EQ(in.request.max_forwards, 70u);
    const std::vector<Header> expected{
        {"Content-Encoding", "gzip"}, {"Require", "100rel"}, {"Expires", "60"}, {"Date", "Tue, 24 Nov 2026 12:00:00 GMT"}};
    EXPECT_EQ(in.request.headers, expected);
}

// The lengths around the library's own buffers, where its text loses its end.
TEST(SipEndpoint, LongHeaderValuesArriveWhole) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    for (const std::size_t size : {127u, 128u, 129u, 255u, 256u, 257u, 511u, 512u, 5'000u}) {
        const std::string value(size, 'x'), id = "w" + std::to_string(size);
        auto text = message_text(id, "Subject: " + value + "\r\nX-Odd: " + value + "\r\n");
        text.replace(text.find("charset=utf-8"), 13, "charset=" + value);
        peer.send(text);
        const auto in = rig.next_request();
        ASSERT_TRUE(in.request.header("Subject"));
        EXPECT_EQ(*in.request.header("Subject"), value);
        ASSERT_TRUE(in.request.header("X-Odd"));
        EXPECT_EQ(*in.request.header("X-Odd"), value);
        EXPECT_EQ(in.request.content_type, "text/plain;charset=" + value);
    }
}

TEST(SipEndpoint, AResponseGoesBackOnceWithItsHeaders) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(message_text("r1"));
    const auto in = rig.next_request();
    auto response = status(503);
    response.headers = {{"Retry-After", "10"}};
    rig.respond(in.transaction, response);
    const auto text = peer.read_until("\r\n\r\n");
    EXPECT_EQ(text.rfind("SIP/2.0 503 Service Unavailable\r\n", 0), 0u) << text;
    EXPECT_NE(text.find("Retry-After: 10\r\n"), std::string::npos) << text;
    EXPECT_NE(text.find("Server: stox-test\r\n"), std::string::npos) << text;
    EXPECT_NE(text.find("rport=" + std::to_string(local_port(peer))), std::string::npos) << text;
    EXPECT_NE(text.find(";tag="), std::string::npos) << text;
    EXPECT_EQ(text.find("Contact:"), std::string::npos) << text;
    rig.respond(in.transaction, status(202));  // ignored
    peer.send(message_text("r1"));             // a retransmission gets the first answer again
    EXPECT_EQ(peer.read_until("\r\n\r\n").rfind("SIP/2.0 503", 0), 0u);
    EXPECT_FALSE(rig.has_request());
}

std::string over_tcp(std::string request) { return request.replace(request.find("SIP/2.0/UDP"), 11, "SIP/2.0/TCP"); }

TEST(SipEndpoint, TcpCarriesRequestsBothPiecemealAndInOneBlock) {
    Rig rig;
    Wire peer = tcp_to(rig.tcp_port());
    const auto first = over_tcp(message_text("t1")), second = over_tcp(message_text("t2", {}, std::string(20'000, 'x')));
    peer.send(first.substr(0, 40));
    peer.send(first.substr(40) + second);
    const auto one = rig.next_request();
    EXPECT_EQ(one.transport, Transport::tcp);
    EXPECT_EQ(one.source.port, local_port(peer));
    const auto two = rig.next_request();
    EXPECT_EQ(two.request.body.size(), 20'000u);
    rig.respond(two.transaction, status(200));
    EXPECT_NE(peer.read_until("\r\n\r\n").find("Call-ID: ct2"), std::string::npos);
}

TEST(SipEndpoint, IM_01_SendsARequestExactlyToTheNextHopAndWithoutContact) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    std::string seen;
    std::thread answering([&] {
        seen = peer.read_until("\r\n\r\nhello");
        peer.send(answer_to(seen, 200));
    });
    auto request = message_value();
    request.headers = {{"Subject", "one\r\nEvil: two"}, {"Content-Language", "it"}};
    request.max_forwards = 33;
    const auto outcome = rig.send(request, next_hop(Transport::udp, local_port(peer)));
    answering.join();
    EXPECT_EQ(outcome.response.status, 200);
    EXPECT_EQ(outcome.local, Outcome::Local::none);
    EXPECT_EQ(seen.rfind("MESSAGE sip:juliet@capulet.test SIP/2.0\r\n", 0), 0u) << seen;
    for (const std::string part :
         {"From: <sip:romeo@montague.test>;tag=ft1\r\n", "To: <sip:juliet@capulet.test>\r\n", "Call-ID: call1\r\n",
          "CSeq: 1 MESSAGE\r\n", "Max-Forwards: 33\r\n", "Subject: one  Evil: two\r\n", "Content-Language: it\r\n",
          "Content-Type: text/plain;charset=utf-8\r\n", "Content-Length: 5\r\n", "User-Agent: stox-test\r\n"})
        EXPECT_NE(seen.find(part), std::string::npos) << part << seen;
    EXPECT_EQ(seen.find("Contact:"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("Route:"), std::string::npos) << seen;
    EXPECT_NE(via_of(seen).find("branch=z9hG4bK"), std::string::npos) << seen;
}

TEST(SipEndpoint, SendsOverTcpWhenTheNextHopSaysSo) {
    Rig rig;
    TcpListener listener;
    std::thread answering([&] {
        Wire peer = listener.accept();
        const auto request = peer.read_until("\r\n\r\nhello");
        EXPECT_NE(via_of(request).find("SIP/2.0/TCP"), std::string::npos) << request;
        peer.send(answer_to(request, 486));
    });
    const auto outcome = rig.send(message_value(), next_hop(Transport::tcp, listener.port()));
    EXPECT_EQ(outcome.response.status, 486);
    EXPECT_EQ(outcome.response.reason, "Whatever");
    EXPECT_EQ(outcome.local, Outcome::Local::none);
    answering.join();
}

TEST(SipEndpoint, CORE_55_WhatNoConnectionWasOpenedForIsUnsent) {
    Rig rig;
    unsigned port;
    {
        TcpListener listener;
        port = listener.port();
    }
    const auto outcome = rig.send(message_value(), next_hop(Transport::tcp, port));
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::unsent);
}

TEST(SipEndpoint, CORE_55_SilenceIsATimeoutAfterTimerF) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto before = std::chrono::steady_clock::now();
    const auto outcome = rig.send(message_value(), next_hop(Transport::udp, local_port(peer)));
    EXPECT_EQ(outcome.response.status, 408);
    EXPECT_EQ(outcome.local, Outcome::Local::timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::seconds(31));
}

TEST(SipEndpoint, IM_50_ProvisionalResponsesAreNoOutcome) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    std::thread answering([&] {
        const auto request = peer.read_until("\r\n\r\nhello");
        peer.send(answer_to(request, 100));
        peer.send(answer_to(request, 183));
        peer.send(answer_to(request, 603));
    });
    EXPECT_EQ(rig.send(message_value(), next_hop(Transport::udp, local_port(peer))).response.status, 603);
    answering.join();
}

// What a peer repeats to one who never answers is held, and looked through, for 32 s.
TEST(SipEndpoint, WhoWasOnlyHeardOfAndAnswersNothingGetsABoundedNumberOfRequests) {
    Rig rig({.max_unanswered_of_address = 2});
    Wire peer = udp_to(rig.udp_port());
    auto hop = next_hop(Transport::udp, local_port(peer));
    hop.configured = false;
    hop.heard = {Transport::udp, hop.endpoint};
    rig.start_sending(message_value(), hop);
    const auto first = peer.read_until("\r\n\r\nhello");
    rig.start_sending(message_value(), hop);
    const auto refused = rig.send(message_value(), hop);
    EXPECT_EQ(refused.response.status, 503);
    EXPECT_EQ(refused.local, Outcome::Local::unsent);
    peer.send(answer_to(first, 200));
    rig.start_sending(message_value(), hop);
    for (auto seen = first;; seen = peer.read_until("\r\n\r\nhello")) {
        if (header_of(seen, "Via") == header_of(first, "Via")) continue;
        peer.send(answer_to(seen, 202));
        break;
    }
    auto configured = hop;
    configured.configured = true;
    for (int i = 0; i < 3; ++i) rig.start_sending(message_value(), configured);
    for (int i = 0; i < 3; ++i) peer.read_until("\r\n\r\nhello");
}

TEST(SipEndpoint, WhoNamesManyAddressesThatAnswerNothingIsOneAllTheSame) {
    Rig rig({.max_unanswered_of_name = 2});
    const auto hop_to = [](const Wire& peer) {
        auto hop = next_hop(Transport::udp, local_port(peer));
        hop.configured = false;
        hop.heard = {Transport::udp, hop.endpoint};
        return hop;
    };
    Wire one = udp_to(rig.udp_port()), two = udp_to(rig.udp_port()), three = udp_to(rig.udp_port());
    std::promise<int> answered;
    rig.start_sending(message_value(), hop_to(one), [&](const Outcome& outcome) { answered.set_value(outcome.response.status); });
    rig.start_sending(message_value(), hop_to(two));
    const auto first = one.read_until("\r\n\r\nhello");
    two.read_until("\r\n\r\nhello");
    EXPECT_EQ(rig.send(message_value(), hop_to(three)).local, Outcome::Local::unsent);
    auto other = message_value();
    other.to.uri.user = "nurse";
    rig.start_sending(other, hop_to(three));
    three.read_until("\r\n\r\nhello");
    one.send(answer_to(first, 200));
    ASSERT_EQ(answered.get_future().get(), 200);
    rig.start_sending(message_value(), hop_to(three));
    three.read_until("\r\n\r\nhello");
}

TEST(SipEndpoint, OverItsLimitOfTransactionsItAnswers503ByItself) {
    Rig rig({.max_transactions = 2});
    Wire peer = udp_to(rig.udp_port());
    peer.send(message_text("l1"));
    peer.send(message_text("l2"));
    rig.next_request();
    const auto second = rig.next_request();
    peer.send(message_text("l3"));
    const auto refused = peer.read_until("\r\n\r\n");
    EXPECT_EQ(refused.rfind("SIP/2.0 503", 0), 0u) << refused;
    EXPECT_NE(refused.find("Retry-After: 2"), std::string::npos) << refused;
    rig.respond(second.transaction, status(200));
    peer.read_until("\r\n\r\n");
    peer.send(message_text("l4"));
    EXPECT_EQ(rig.next_request().request.call_id, "cl4");
}

TEST(SipEndpoint, AnAddressInUseIsNamedInTheError) {
    Rig rig;
    boost::asio::io_context loop;
    sip::Endpoint::Settings settings;
    settings.listen = {{Transport::udp, {Address::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(rig.udp_port())}}};
    const auto second = sip::Endpoint::start(loop, settings, [](IncomingRequest) {});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().detail.find("udp:127.0.0.1:" + std::to_string(rig.udp_port())), std::string::npos)
        << second.error().detail;
}

}  // namespace
