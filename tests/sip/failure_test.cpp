// Requests of ours that fail on the way, and what must not change on the way.

#include "tests/sip/rig.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;
using stox::test::local_port;
using stox::test::TcpListener;
using stox::test::udp_to;
using stox::test::Wire;

TEST(SipFailure, CORE_55_AClosedUdpPortIsATransportFailure) {
    Rig rig;
    const unsigned port = [&] {
        const Wire gone = udp_to(rig.udp_port());
        return local_port(gone);
    }();
    const auto outcome = rig.send(message_value(), next_hop(Transport::udp, port));
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::transport);
}

TEST(SipFailure, CORE_55_AConnectionThatClosesBeforeItsAnswerIsATransportFailure) {
    Rig rig;
    TcpListener listener;
    std::thread closing([&] {
        Wire peer = listener.accept();
        peer.read_until("\r\n\r\nhello");
    });
    const auto outcome = rig.send(message_value(), next_hop(Transport::tcp, listener.port()));
    closing.join();
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::transport);
}

// The kernel refuses it at once, and ICMP is not asked: the socket's own address is loopback's.
TEST(SipFailure, CORE_55_WhatTheKernelRefusesToSendIsUnsent) {
    Rig rig;
    NextHop nowhere{Transport::udp, {Address::v4({192, 0, 2, 1}), 5060}};
    const auto outcome = rig.send(message_value(), nowhere);
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::unsent);
    nowhere.transport = Transport::tcp;
    EXPECT_EQ(rig.send(message_value(), nowhere).local, Outcome::Local::unsent);
}

// The request waited for the connection: what was never opened has carried nothing, what was has perhaps.
TEST(SipFailure, CORE_55_ConnectionsThatEndTellWhetherTheyWereEverOpen) {
    Rig rig;
    TcpListener listener;
    const auto to_listener = [&](Transport transport) { return next_hop(transport, listener.port()); };
    std::thread closing([&] {
        listener.accept().read_until("\x16");  // the first octet of a TLS handshake
        listener.accept().read_until("MESSAGE ");
    });
    auto tls = to_listener(Transport::tls);
    tls.tls_name = "peer.test";
    EXPECT_EQ(rig.send(message_value(), tls).local, Outcome::Local::unsent);
    EXPECT_EQ(rig.send(message_value(), to_listener(Transport::tcp)).local, Outcome::Local::transport);
    closing.join();
}

// A 503 from the wire is the peer's word and not a failure to reach it.
TEST(SipFailure, A503FromThePeerIsNoLocalOutcome) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    std::thread answering([&] { peer.send(answer_to(peer.read_until("\r\n\r\nhello"), 503)); });
    const auto outcome = rig.send(message_value(), next_hop(Transport::udp, local_port(peer)));
    answering.join();
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.response.reason, "Whatever");
    EXPECT_EQ(outcome.local, Outcome::Local::none);
}

// RFC 3261 §18.1.1 is the caller's to apply: the endpoint never changes the transport that it was told.
TEST(SipFailure, ALargeRequestStaysOnUdpWhenToldSo) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    rig.start_sending(message_value(std::string(20'000, 'x') + "end"), next_hop(Transport::udp, local_port(peer)));
    const auto seen = peer.read_until("xend");
    EXPECT_NE(seen.find("Via: SIP/2.0/UDP "), std::string::npos) << seen.substr(0, 500);
}

TEST(SipFailure, AnEndpointThatEndsTellsNoOutcomeAndAnswersNothingTwice) {
    bool told = false;
    {
        Rig rig;
        Wire peer = udp_to(rig.udp_port());
        rig.start_sending(message_value(), next_hop(Transport::udp, local_port(peer)), [&](const Outcome&) { told = true; });
        peer.read_until("\r\n\r\nhello");
        peer.send(message_text("e1"));
        rig.next_request();
    }
    EXPECT_FALSE(told);
}

}  // namespace
