// Calls that come, from a caller written by hand.

#include "tests/sip/rig.h"

#include <gtest/gtest.h>

#include <chrono>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;
using stox::test::tcp_to;
using stox::test::udp_to;
using stox::test::Wire;

const std::string kContact = "Contact: <sip:juliet@127.0.0.1:5999>\r\n";

std::string next_message(Wire& peer) { return peer.read_until("\r\n\r\n"); }
/// The next response of that status; others are repetitions, or the 100 that nta sends when we take our time.
std::string next_of(Wire& peer, int code, const std::string& method = {}) {
    for (;;) {
        auto message = next_message(peer);
        if (message.rfind("SIP/2.0 " + std::to_string(code), 0) != 0) continue;
        if (method.empty() || header_of(message, "CSeq").find(method) != std::string::npos) return message;
    }
}

Response answer(int code, const std::string& to_tag = {}) {
    auto response = status(code);
    response.to_tag = to_tag;
    if (code < 300) response.contacts = {address("sip:romeo@127.0.0.1:5060")};
    return response;
}

/// A request whose answer proves that nothing else is to come before it.
void expect_alive(Rig& rig, Wire& peer, const std::string& transport = "UDP") {
    static int number = 0;
    const auto id = "alive" + std::to_string(++number);
    peer.send(request_text("OPTIONS", id, 1, id, {}, {}, transport));
    const auto in = rig.next_request();
    EXPECT_EQ(in.request.method, "OPTIONS");
    rig.respond(in.transaction, status(200));
    next_of(peer, 200, "OPTIONS");
}

void be_called(Rig& rig, Wire& peer, const std::string& transport) {
    peer.send(request_text("INVITE", "s1", 5, "s1", {},
                           kContact + "Record-Route: <sip:p1.test;lr>\r\nRecord-Route: <sip:p2.test;lr>\r\n", transport));
    const auto invite = rig.next_request();
    EXPECT_EQ(invite.request.method, "INVITE");
    EXPECT_EQ(invite.request.contacts, std::vector{address("sip:juliet@127.0.0.1:5999")});
    ASSERT_EQ(invite.request.record_routes.size(), 2u);
    rig.respond(invite.transaction, answer(180, "ours"));
    const auto ringing = next_of(peer, 180);
    EXPECT_EQ(tag_of(header_of(ringing, "To")), "ours");
    EXPECT_EQ(header_of(ringing, "Contact"), "<sip:romeo@127.0.0.1:5060>");
    rig.respond(invite.transaction, answer(183, "other"));  // the first tag stays
    EXPECT_EQ(tag_of(header_of(next_of(peer, 183), "To")), "ours");
    rig.respond(invite.transaction, answer(200, "ours"));
    const auto ok = next_of(peer, 200);
    EXPECT_EQ(tag_of(header_of(ok, "To")), "ours");
    EXPECT_EQ(header_of(ok, "Record-Route"), "<sip:p1.test;lr>");
    EXPECT_NE(ok.find("<sip:p2.test;lr>"), std::string::npos);
    EXPECT_EQ(header_of(ok, "Contact"), "<sip:romeo@127.0.0.1:5060>");
    rig.respond(invite.transaction, answer(486));  // it has its answer

    peer.send(request_text("ACK", "s1", 5, "s1ack", "ours", {}, transport));
    const auto acknowledged = rig.acknowledged.next();
    EXPECT_EQ(acknowledged.transaction, invite.transaction);
    EXPECT_EQ(acknowledged.ack.method, "ACK");
    EXPECT_EQ(acknowledged.ack.cseq, 5u);
    EXPECT_EQ(acknowledged.ack.to.tag, "ours");
    peer.send(request_text("ACK", "s1", 5, "s1ack", "ours", {}, transport));

    peer.send(request_text("BYE", "s1", 6, "s1bye", "ours", {}, transport));
    const auto bye = rig.next_request();
    EXPECT_EQ(bye.request.method, "BYE");
    EXPECT_EQ(bye.request.to.tag, "ours");
    EXPECT_EQ(bye.request.from.tag, "a1");
    rig.respond(bye.transaction, answer(200, "ignored"));
    EXPECT_EQ(tag_of(header_of(next_of(peer, 200, "BYE"), "To")), "ours");
    EXPECT_TRUE(rig.acknowledged.empty());
    EXPECT_FALSE(rig.has_request());
}

TEST(SipInviteServer, ACallComesAndGoesOverUdp) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    be_called(rig, peer, "UDP");
    expect_alive(rig, peer);
}

TEST(SipInviteServer, ACallComesAndGoesOverTcp) {
    Rig rig;
    Wire peer = tcp_to(rig.tcp_port());
    be_called(rig, peer, "TCP");
    expect_alive(rig, peer, "TCP");
}

/// Calls it and gives what comes back when it accepts.
std::string accepted(Rig& rig, Wire& peer, const std::string& id) {
    peer.send(request_text("INVITE", id, 1, id, {}, kContact));
    const auto invite = rig.next_request();
    rig.respond(invite.transaction, answer(200, "ours"));
    return next_of(peer, 200, "INVITE");
}

TEST(SipInviteServer, CallsOfASourceThatDoesNotAcknowledgeAreRefusedOnesOfOthersNot) {
    Rig rig({.max_open_acks = 3, .max_open_acks_of_source = 2});
    Wire peer = udp_to(rig.udp_port()), other = udp_to(rig.udp_port(), 2);
    accepted(rig, peer, "c1");
    accepted(rig, peer, "c2");
    peer.send(request_text("INVITE", "c3", 1, "c3", {}, kContact));
    const auto refusal = next_of(peer, 503);
    EXPECT_EQ(header_of(refusal, "Call-ID"), "c-c3");
    EXPECT_EQ(header_of(refusal, "Retry-After"), "2");
    expect_alive(rig, peer);
    accepted(rig, other, "o1");
    other.send(request_text("INVITE", "o2", 1, "o2", {}, kContact));
    next_of(other, 503);
    EXPECT_EQ(rig.counters().refused_open_acks, 2u);
    EXPECT_FALSE(rig.has_request());

    peer.send(request_text("ACK", "c1", 1, "c1ack", "ours"));
    rig.acknowledged.next();
    accepted(rig, other, "o3");  // 3 in all again
    peer.send(request_text("ACK", "c2", 1, "c2ack", "ours"));
    rig.acknowledged.next();
    accepted(rig, peer, "c4");
}

// RFC 3261 §13.3.1.4: also over a transport that loses nothing.
TEST(SipInviteServer, A2xxIsRepeatedUntilItsAck) {
    for (const bool udp : {true, false}) {
        Rig rig;
        Wire peer = udp ? udp_to(rig.udp_port()) : tcp_to(rig.tcp_port());
        const std::string transport = udp ? "UDP" : "TCP";
        peer.send(request_text("INVITE", "r1", 1, "r1", {}, kContact, transport));
        const auto invite = rig.next_request();
        rig.respond(invite.transaction, answer(200, "ours"));
        const auto ok = next_of(peer, 200);
        EXPECT_EQ(next_of(peer, 200), ok);
        EXPECT_EQ(next_of(peer, 200), ok);
        peer.send(request_text("ACK", "r1", 1, "r1ack", "ours", {}, transport));
        EXPECT_EQ(rig.acknowledged.next().transaction, invite.transaction);
        EXPECT_TRUE(rig.unacknowledged.empty());
    }
}

// One test for all that takes 64*T1.
TEST(SipInviteServer, AnAckThatNeverComesIsToldAlsoWhenThe2xxHadNowhereToGo) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port()), gone = tcp_to(rig.tcp_port());
    auto lost_text = request_text("INVITE", "x1", 1, "x1", {}, kContact, "TCP");
    gone.send(lost_text.replace(lost_text.find(":5999"), 5, ":1"));
    const auto lost = rig.next_request();
    gone.close();
    expect_alive(rig, peer);
    rig.respond(lost.transaction, answer(200, "ours"));

    peer.send(request_text("INVITE", "u1", 1, "u1", {}, kContact));
    const auto invite = rig.next_request();
    rig.respond(invite.transaction, answer(200, "ours"));
    const auto sent = std::chrono::steady_clock::now();
    peer.send(request_text("ACK", "u1", 1, "u1ack", "another", {}));  // of no dialog of ours
    peer.send(request_text("ACK", "u1", 2, "u1ack2", "ours", {}));    // of no INVITE
    EXPECT_EQ(rig.unacknowledged.next(std::chrono::seconds(45)), lost.transaction);
    EXPECT_EQ(rig.unacknowledged.next(std::chrono::seconds(45)), invite.transaction);
    EXPECT_GE(std::chrono::steady_clock::now() - sent, std::chrono::seconds(31));
    EXPECT_TRUE(rig.acknowledged.empty());
    EXPECT_FALSE(rig.has_request());
}

TEST(SipInviteServer, ACancelIsAnsweredAndToldAndThe487IsOurs) {
    for (const bool udp : {true, false}) {
        Rig rig;
        Wire peer = udp ? udp_to(rig.udp_port()) : tcp_to(rig.tcp_port());
        const std::string transport = udp ? "UDP" : "TCP";
        peer.send(request_text("INVITE", "c1", 1, "c1", {}, kContact, transport));
        const auto invite = rig.next_request();
        rig.respond(invite.transaction, answer(180, "ours"));
        next_of(peer, 180);
        peer.send(request_text("CANCEL", "c1", 1, "c1", {}, {}, transport));
        EXPECT_EQ(tag_of(header_of(next_of(peer, 200, "CANCEL"), "To")), "ours");
        EXPECT_EQ(rig.cancelled.next(), invite.transaction);
        peer.send(request_text("CANCEL", "c1", 1, "c1", {}, {}, transport));  // again: answered, not told
        next_of(peer, 200, "CANCEL");
        rig.respond(invite.transaction, answer(487));
        EXPECT_EQ(header_of(next_of(peer, 487), "CSeq"), "1 INVITE");
        peer.send(request_text("ACK", "c1", 1, "c1", "ours", {}, transport));
        expect_alive(rig, peer, transport);
        EXPECT_TRUE(rig.cancelled.empty());
        EXPECT_TRUE(rig.acknowledged.empty());
    }
}

TEST(SipInviteServer, ACancelOfNothingIs481AndNeverARequest) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(request_text("CANCEL", "n1", 1, "n1"));
    EXPECT_EQ(header_of(next_of(peer, 481), "CSeq"), "1 CANCEL");
    peer.send(request_text("ACK", "n2", 1, "n2", "ours"));
    peer.send(request_text("INVITE", "n3", 1, "n3", {}, kContact));
    rig.respond(rig.next_request().transaction, answer(200, "ours"));
    next_of(peer, 200, "INVITE");
    peer.send(request_text("CANCEL", "n3", 1, "n3"));  // after the 2xx it is too late   (RFC 3261 §9.2)
    next_of(peer, 481, "CANCEL");
    EXPECT_TRUE(rig.cancelled.empty());
    EXPECT_FALSE(rig.has_request());
}

// One that wants none of this (OnRequest alone) must not leave a cancelled INVITE without its final answer.
TEST(SipInviteServer, WithoutAnOwnerOfCancellationsTheEndpointAnswers487) {
    Rig rig({.max_transactions = 10}, Rig::Cancellations::nobodys);
    Wire peer = udp_to(rig.udp_port());
    peer.send(request_text("INVITE", "o1", 1, "o1", {}, kContact));
    const auto invite = rig.next_request();
    peer.send(request_text("CANCEL", "o1", 1, "o1"));
    next_of(peer, 487, "INVITE");
    rig.respond(invite.transaction, answer(200, "ours"));  // too late
    expect_alive(rig, peer);
}

// RFC 3262: the numbers are the dialog layer's; nta answers no PRACK and numbers no provisional by itself.
TEST(SipInviteServer, ReliableProvisionalsAndTheirPracksPassThrough) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(request_text("INVITE", "p1", 1, "p1", {}, kContact + "Require: 100rel\r\n"));
    const auto invite = rig.next_request();
    ASSERT_TRUE(invite.request.header("Require"));
    rig.respond(invite.transaction, answer(180, "ours"));  // without a number it must not leave
    auto progress = answer(183, "ours");
    progress.headers = {{"Require", "100rel"}, {"RSeq", "8"}};
    rig.respond(invite.transaction, progress);
    std::string seen = next_message(peer);
    while (seen.rfind("SIP/2.0 100", 0) == 0) seen = next_message(peer);
    EXPECT_EQ(seen.rfind("SIP/2.0 183", 0), 0u) << seen;
    EXPECT_EQ(header_of(seen, "RSeq"), "8");
    EXPECT_EQ(header_of(seen, "Require"), "100rel");
    rig.respond(invite.transaction, progress);  // repeated by its owner
    EXPECT_EQ(header_of(next_of(peer, 183), "RSeq"), "8");

    peer.send(request_text("PRACK", "p1", 2, "p1prack", "ours", "RAck: 8 1 INVITE\r\n"));
    const auto prack = rig.next_request();
    EXPECT_EQ(prack.request.method, "PRACK");
    EXPECT_EQ(prack.request.to.tag, "ours");
    ASSERT_TRUE(prack.request.header("RAck"));
    EXPECT_EQ(*prack.request.header("RAck"), "8 1 INVITE");
    rig.respond(prack.transaction, status(200));
    EXPECT_EQ(header_of(next_of(peer, 200, "PRACK"), "CSeq"), "2 PRACK");
    peer.send(request_text("PRACK", "p1", 2, "p1prack", "ours", "RAck: 8 1 INVITE\r\n"));  // the same answer again
    next_of(peer, 200, "PRACK");
    EXPECT_FALSE(rig.has_request());
    rig.respond(invite.transaction, answer(200, "ours"));
    next_of(peer, 200, "INVITE");
    peer.send(request_text("ACK", "p1", 1, "p1ack", "ours"));
    rig.acknowledged.next();
}

TEST(SipInviteServer, RequestsInADialogAreOrdinaryRequests) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    unsigned cseq = 10;
    for (const std::string method :
         {"INVITE", "UPDATE", "NOTIFY", "REFER", "SUBSCRIBE", "INFO", "MESSAGE", "OPTIONS", "BYE", "FOO"}) {
        peer.send(request_text(method, "d1", ++cseq, "d" + method, "ours", kContact));
        const auto in = rig.next_request();
        EXPECT_EQ(in.request.method, method);
        EXPECT_EQ(in.request.to.tag, "ours");
        EXPECT_EQ(in.request.cseq, cseq);
        rig.respond(in.transaction, answer(486));
        EXPECT_EQ(tag_of(header_of(next_of(peer, 486, method), "To")), "ours");
    }
}

TEST(SipInviteServer, APeerThatIsGoneLeavesNothingWaiting) {
    Rig rig({.max_transactions = 2});
    for (int i = 0; i < 5; ++i) {
        const auto id = "g" + std::to_string(i);
        {
            Wire peer = tcp_to(rig.tcp_port());
            peer.send(request_text("INVITE", id, 1, id, {}, kContact, "TCP"));
            const auto invite = rig.next_request();
            rig.respond(invite.transaction, answer(180, "ours"));
            peer.close();
            rig.respond(invite.transaction, answer(i % 2 ? 200 : 486, "ours"));
        }
    }
    Wire peer = udp_to(rig.udp_port());
    expect_alive(rig, peer);
}

}  // namespace
