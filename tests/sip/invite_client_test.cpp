// INVITEs of ours against a callee written by hand: what leaves, what is told, and above all what must not happen.

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

const std::string kContact = "Contact: <sip:juliet@127.0.0.1:5997>\r\n";

std::string next_message(Wire& peer) { return peer.read_until("\r\n\r\n"); }
/// The next request of that method; what comes before it are repetitions.
std::string next_of(Wire& peer, const std::string& method) {
    for (;;)
        if (auto message = next_message(peer); message.rfind(method + ' ', 0) == 0) return message;
}
std::string cseq_of(const std::string& message) { return header_of(message, "CSeq"); }

Request ack_for(const Request& invite, const std::string& to_tag) {
    auto ack = invite;
    ack.method = "ACK";
    ack.uri = Uri::parse("sip:juliet@127.0.0.1:5997").value();
    ack.to.tag = to_tag;
    ack.contacts.clear();
    return ack;
}

/// The caller sends something else, whose answer proves that whatever was to come before it has come.
void expect_alive(Rig& rig, Wire& peer) {
    auto options = invite_value("alive");
    options.method = "OPTIONS";
    options.contacts.clear();
    const auto call = rig.start(options, next_hop(Transport::udp, local_port(peer)));
    peer.send(answer_to(next_of(peer, "OPTIONS"), 200));
    EXPECT_EQ(call->finals.next().response.status, 200);
}

void set_up_and_tear_down(Rig& rig, Wire& peer, const NextHop& hop, const std::shared_ptr<Call>& call, Request invite) {
    const auto seen = next_message(peer);
    EXPECT_EQ(seen.rfind("INVITE sip:juliet@capulet.test SIP/2.0\r\n", 0), 0u) << seen;
    EXPECT_EQ(header_of(seen, "Contact"), "<sip:romeo@127.0.0.1:5998>");
    EXPECT_EQ(cseq_of(seen), "7 INVITE");
    peer.send(answer_to(seen, 100));
    EXPECT_EQ(call->provisionals.next().status, 100);
    peer.send(answer_to(seen, 180, "one"));
    const auto ringing = call->provisionals.next();
    EXPECT_EQ(ringing.status, 180);
    EXPECT_EQ(ringing.to_tag, "one");
    peer.send(answer_to(seen, 200, "one", kContact + "Record-Route: <sip:p2.test;lr>, <sip:p1.test;lr>\r\n"));
    const auto outcome = call->finals.next();
    EXPECT_EQ(outcome.local, Outcome::Local::none);
    EXPECT_EQ(outcome.response.status, 200);
    EXPECT_EQ(outcome.response.to_tag, "one");
    EXPECT_EQ(outcome.response.contacts, std::vector{address("sip:juliet@127.0.0.1:5997")});
    ASSERT_EQ(outcome.response.record_routes.size(), 2u);
    EXPECT_EQ(outcome.response.record_routes[0].uri.to_string(), "sip:p2.test;lr");

    auto ack = ack_for(invite, "one");
    ack.routes = {address("sip:p1.test;lr"), address("sip:p2.test;lr")};
    rig.acknowledge(ack, hop);
    const auto acknowledged = next_of(peer, "ACK");
    EXPECT_EQ(acknowledged.rfind("ACK sip:juliet@127.0.0.1:5997 SIP/2.0\r\n", 0), 0u) << acknowledged;
    EXPECT_EQ(cseq_of(acknowledged), "7 ACK");
    EXPECT_EQ(tag_of(header_of(acknowledged, "To")), "one");
    EXPECT_NE(acknowledged.find("\r\nRoute: <sip:p1.test;lr>\r\nRoute: <sip:p2.test;lr>\r\n"), std::string::npos) << acknowledged;
    EXPECT_NE(header_of(acknowledged, "Via"), header_of(seen, "Via"));
    EXPECT_EQ(acknowledged.find("Contact:"), std::string::npos);

    auto bye = ack;
    bye.method = "BYE";
    bye.cseq = 8;
    const auto hanging_up = rig.start(bye, hop);
    const auto heard = next_of(peer, "BYE");
    EXPECT_NE(heard.find("\r\nRoute: <sip:p1.test;lr>\r\nRoute: <sip:p2.test;lr>\r\n"), std::string::npos) << heard;
    EXPECT_EQ(cseq_of(heard), "8 BYE");
    peer.send(answer_to(heard, 200));
    EXPECT_EQ(hanging_up->finals.next().response.status, 200);
    EXPECT_TRUE(hanging_up->ended.next());
    EXPECT_TRUE(call->finals.empty());
}

TEST(SipInviteClient, ACallIsSetUpAndTornDownOverUdp) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto hop = next_hop(Transport::udp, local_port(peer));
    const auto invite = invite_value();
    set_up_and_tear_down(rig, peer, hop, rig.start(invite, hop), invite);
}

TEST(SipInviteClient, ACallIsSetUpAndTornDownOverOneTcpConnection) {
    Rig rig;
    TcpListener listener;
    const auto hop = next_hop(Transport::tcp, listener.port());
    const auto invite = invite_value();
    const auto call = rig.start(invite, hop);
    Wire peer = listener.accept();
    set_up_and_tear_down(rig, peer, hop, call, invite);
}

TEST(SipInviteClient, ARepeated2xxGetsTheSameAckAgainAndIsToldOnce) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto hop = next_hop(Transport::udp, local_port(peer));
    const auto invite = invite_value();
    const auto call = rig.start(invite, hop);
    const auto ok = answer_to(next_message(peer), 200, "one", kContact);
    peer.send(ok);
    call->finals.next();
    peer.send(ok);  // its ACK is not made yet
    rig.acknowledge(ack_for(invite, "one"), hop);
    const auto first = next_of(peer, "ACK");
    for (int i = 0; i < 3; ++i) {
        peer.send(ok);
        EXPECT_EQ(next_of(peer, "ACK"), first);
    }
    EXPECT_TRUE(call->finals.empty());
    expect_alive(rig, peer);
}

TEST(SipInviteClient, ARepeated2xxOverTcpGetsItsAckAgain) {
    Rig rig;
    TcpListener listener;
    const auto hop = next_hop(Transport::tcp, listener.port());
    const auto invite = invite_value();
    const auto call = rig.start(invite, hop);
    Wire peer = listener.accept();
    const auto ok = answer_to(next_message(peer), 200, "one", kContact);
    peer.send(ok);
    call->finals.next();
    rig.acknowledge(ack_for(invite, "one"), hop);
    const auto first = next_of(peer, "ACK");
    peer.send(ok);
    EXPECT_EQ(next_of(peer, "ACK"), first);
    EXPECT_TRUE(call->finals.empty());
}

// RFC 3261 §13.2.2.4: each branch's 2xx makes a dialog of its own. Left to itself nta would ACK and BYE the second one.
void expect_forks(Rig& rig, Wire& peer, const NextHop& hop, const std::shared_ptr<Call>& call, const Request& invite) {
    const auto seen = next_message(peer);
    peer.send(answer_to(seen, 180, "one", kContact));
    peer.send(answer_to(seen, 183, "two", kContact));
    EXPECT_EQ(call->provisionals.next().to_tag, "one");
    EXPECT_EQ(call->provisionals.next().to_tag, "two");
    for (const std::string tag : {"two", "one", "three"}) {
        peer.send(answer_to(seen, 200, tag, kContact));
        const auto outcome = call->finals.next();
        EXPECT_EQ(outcome.response.status, 200);
        EXPECT_EQ(outcome.response.to_tag, tag);
    }
    for (const std::string tag : {"three", "one", "two"}) {
        rig.acknowledge(ack_for(invite, tag), hop);
        EXPECT_EQ(tag_of(header_of(next_of(peer, "ACK"), "To")), tag);
    }
    for (const std::string tag : {"one", "three"}) {
        peer.send(answer_to(seen, 200, tag, kContact));
        EXPECT_EQ(tag_of(header_of(next_of(peer, "ACK"), "To")), tag);
    }
    EXPECT_TRUE(call->finals.empty());
}

TEST(SipInviteClient, EachForkIsToldAndAcknowledgedOverUdp) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto hop = next_hop(Transport::udp, local_port(peer));
    const auto invite = invite_value();
    expect_forks(rig, peer, hop, rig.start(invite, hop), invite);
    expect_alive(rig, peer);  // and neither BYE nor ACK of nta's own came before it
}

TEST(SipInviteClient, EachForkIsToldAndAcknowledgedOverTcp) {
    Rig rig;
    TcpListener listener;
    const auto hop = next_hop(Transport::tcp, listener.port());
    const auto invite = invite_value();
    const auto call = rig.start(invite, hop);
    Wire peer = listener.accept();
    expect_forks(rig, peer, hop, call, invite);
}

TEST(SipInviteClient, MoreForksThanAnybodyHasAreNotTold) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto call = rig.start(invite_value(), next_hop(Transport::udp, local_port(peer)));
    const auto seen = next_message(peer);
    for (int i = 0; i < 100; ++i) peer.send(answer_to(seen, 200, "t" + std::to_string(i), kContact));
    for (int i = 0; i < 16; ++i) call->finals.next();
    expect_alive(rig, peer);
    EXPECT_TRUE(call->finals.empty());
}

// nta keeps such a CANCEL back but ends the process when a peer answers it all the same: it knows the branch.
TEST(SipInviteClient, ACancelWaitsForTheFirstProvisional) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto call = rig.start(invite_value(), next_hop(Transport::udp, local_port(peer)));
    const auto seen = next_message(peer);
    rig.cancel(*call, {{"Reason", "SIP;cause=200;text=\"Call completed elsewhere\""}});
    auto never_sent = answer_to(seen, 200);
    never_sent.replace(never_sent.find("7 INVITE"), 8, "7 CANCEL");
    for (int i = 0; i < 3; ++i) peer.send(never_sent);
    expect_alive(rig, peer);  // nothing but repetitions of the INVITE came before this
    peer.send(answer_to(seen, 100));
    const auto cancel = next_of(peer, "CANCEL");
    EXPECT_EQ(cseq_of(cancel), "7 CANCEL");
    EXPECT_EQ(header_of(cancel, "Via"), header_of(seen, "Via"));
    EXPECT_EQ(header_of(cancel, "To"), header_of(seen, "To"));
    EXPECT_EQ(header_of(cancel, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    peer.send(answer_to(cancel, 200));
    peer.send(answer_to(seen, 487, "one"));
    EXPECT_EQ(cseq_of(next_of(peer, "ACK")), "7 ACK");
    const auto outcome = call->finals.next();
    EXPECT_EQ(outcome.response.status, 487);
    EXPECT_EQ(outcome.local, Outcome::Local::none);
    peer.send(answer_to(seen, 487, "one"));  // repeated: acknowledged again and not told
    EXPECT_EQ(cseq_of(next_of(peer, "ACK")), "7 ACK");
    expect_alive(rig, peer);
    EXPECT_TRUE(call->finals.empty());
}

TEST(SipInviteClient, ACancelAfterAProvisionalLeavesAtOnceAndOnce) {
    Rig rig;
    TcpListener listener;
    const auto call = rig.start(invite_value(), next_hop(Transport::tcp, listener.port()));
    Wire peer = listener.accept();
    const auto seen = next_message(peer);
    peer.send(answer_to(seen, 180, "one", kContact));
    call->provisionals.next();
    rig.cancel(*call);
    rig.cancel(*call);
    const auto cancel = next_message(peer);
    EXPECT_EQ(cseq_of(cancel), "7 CANCEL");
    peer.send(answer_to(cancel, 200));
    peer.send(answer_to(seen, 487, "one"));
    EXPECT_EQ(cseq_of(next_message(peer)), "7 ACK");
    EXPECT_EQ(call->finals.next().response.status, 487);
}

TEST(SipInviteClient, A2xxThatCrossesTheCancelIsTold) {
    for (const bool udp : {true, false}) {
        Rig rig;
        TcpListener listener;
        Wire peer = udp_to(rig.udp_port());
        const auto hop = udp ? next_hop(Transport::udp, local_port(peer)) : next_hop(Transport::tcp, listener.port());
        const auto invite = invite_value();
        const auto call = rig.start(invite, hop);
        if (!udp) peer = listener.accept();
        const auto seen = next_message(peer);
        peer.send(answer_to(seen, 180, "one", kContact));
        call->provisionals.next();
        rig.cancel(*call);
        const auto cancel = next_of(peer, "CANCEL");
        peer.send(answer_to(seen, 200, "one", kContact));
        peer.send(answer_to(cancel, 481));
        EXPECT_EQ(call->finals.next().response.status, 200);
        rig.acknowledge(ack_for(invite, "one"), hop);
        EXPECT_EQ(tag_of(header_of(next_of(peer, "ACK"), "To")), "one");
        rig.cancel(*call);  // too late to matter
        EXPECT_TRUE(call->finals.empty());
    }
}

TEST(SipInviteClient, ACancelAfterTheAnswerOrOfAnythingElseIsNothing) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto hop = next_hop(Transport::udp, local_port(peer));
    const auto call = rig.start(invite_value(), hop);
    peer.send(answer_to(next_message(peer), 486));
    EXPECT_EQ(call->finals.next().response.status, 486);
    rig.cancel(*call);
    const auto message = rig.start(message_value(), hop);
    const auto seen = next_of(peer, "MESSAGE");
    peer.send(answer_to(seen, 100));
    message->provisionals.next();
    rig.cancel(*message);
    rig.cancel(Call{});
    peer.send(answer_to(seen, 200));
    EXPECT_EQ(message->finals.next().response.status, 200);
    expect_alive(rig, peer);
}

// A response whose CSeq names another method belongs to no request of ours, whatever its branch.
TEST(SipInviteClient, AResponseWithAnotherMethodIsNotHeard) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto call = rig.start(invite_value(), next_hop(Transport::udp, local_port(peer)));
    const auto seen = next_message(peer);
    for (const std::string method : {"BYE", "CANCEL", "ACK", "PRACK", "UPDATE", "FOO"}) {
        for (const int code : {180, 200, 202, 404, 603}) {
            auto odd = answer_to(seen, code, "one", kContact);
            odd.replace(odd.find("7 INVITE"), 8, "7 " + method);
            peer.send(odd);
        }
    }
    for (const std::string change : {"CSeq: 8 INVITE", "CSeq: 4294967295 INVITE"}) {
        auto odd = answer_to(seen, 200, "one", kContact);
        peer.send(odd.replace(odd.find("CSeq: 7 INVITE"), 14, change));
    }
    auto other_from = answer_to(seen, 200, "one", kContact);
    peer.send(other_from.replace(other_from.find("tag=ft1"), 7, "tag=ft2"));
    auto other_branch = answer_to(seen, 200, "one", kContact);
    peer.send(other_branch.replace(other_branch.find("z9hG4bK"), 7, "z9hG4bKx"));
    auto two_vias = answer_to(seen, 200, "one", kContact + "Via: SIP/2.0/UDP x.test;branch=z9hG4bKx\r\n");
    peer.send(two_vias);
    expect_alive(rig, peer);
    EXPECT_TRUE(call->finals.empty());
    EXPECT_TRUE(call->provisionals.empty());
    peer.send(answer_to(seen, 200, "one", kContact));
    EXPECT_EQ(call->finals.next().response.status, 200);
}

TEST(SipInviteClient, AConnectionLostBeforeTheAnswerIsATransportFailureAtOnce) {
    Rig rig;
    for (const bool ringing : {false, true}) {
        TcpListener listener;
        const auto call = rig.start(invite_value(ringing ? "r" : "n"), next_hop(Transport::tcp, listener.port()));
        {
            Wire peer = listener.accept();
            const auto seen = next_message(peer);
            if (ringing) {
                peer.send(answer_to(seen, 180, "one", kContact));
                call->provisionals.next();
            }
        }
        const auto outcome = call->finals.next();
        EXPECT_EQ(outcome.response.status, 503);
        EXPECT_EQ(outcome.local, Outcome::Local::transport);
        rig.cancel(*call);
    }
}

// RFC 3261 §16.11 and contract 4: the callee that we gave up may answer after all.
TEST(SipInviteClient, A2xxAfterAnotherOutcomeIsTold) {
    Rig rig;
    TcpListener listener;
    const auto call = rig.start(invite_value(), next_hop(Transport::tcp, listener.port()));
    std::string seen;
    {
        Wire gone = listener.accept();
        seen = next_message(gone);
    }
    EXPECT_EQ(call->finals.next().local, Outcome::Local::transport);
    Wire back = stox::test::tcp_to(rig.tcp_port());
    back.send(answer_to(seen, 200, "late", kContact));
    const auto late = call->finals.next();
    EXPECT_EQ(late.response.status, 200);
    EXPECT_EQ(late.response.to_tag, "late");
}

TEST(SipInviteClient, WhatCannotBeWrittenIsUnsent) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto hop = next_hop(Transport::udp, local_port(peer));
    const auto refused = [&](auto&& change) {
        auto invite = invite_value();
        change(invite);
        const auto call = rig.start(invite, hop);
        EXPECT_EQ(call->finals.next().local, Outcome::Local::unsent);
        rig.cancel(*call);
    };
    refused([](Request& r) { r.contacts[0].uri.user = "a>\r\nEvil: yes"; });
    refused([](Request& r) { r.contacts[0].uri = Uri::parse("tel:+123").value(); });
    refused([](Request& r) { r.contacts[0].uri.has_headers = true; });
    refused([](Request& r) { r.contacts[0].parameters = {{"x", "1;evil=2"}}; });
    refused([](Request& r) { r.contacts[0].parameters = {{"x", "\"a\" b\""}}; });
    refused([](Request& r) { r.contacts[0].parameters = {{"x y", "1"}}; });
    refused([](Request& r) { r.routes = {address("sip:p.test;lr")}, r.routes[0].uri.host = "p.test, sip:evil.test"; });
    refused([](Request& r) { r.routes = {address("im:a@p.test")}; });
    refused([](Request& r) { r.from.parameters = {{"x", "\r\nEvil: yes"}}; });
    refused([](Request& r) { r.to.tag = "a b"; });
    expect_alive(rig, peer);
}

TEST(SipInviteClient, ParametersOfContactAndFromAreWritten) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    auto invite = invite_value();
    invite.contacts[0].display_name = "Romeo";
    invite.contacts[0].parameters = {{"+sip.instance", "\"<urn:uuid:1>\""}, {"expires", "60"}, {"x", std::nullopt}};
    rig.start(invite, next_hop(Transport::udp, local_port(peer)));
    EXPECT_EQ(header_of(next_message(peer), "Contact"),
              "\"Romeo\" <sip:romeo@127.0.0.1:5998>;+sip.instance=\"<urn:uuid:1>\";expires=60;x");
}

// One test for all that takes 64*T1.
TEST(SipInviteClient, SilenceIsATimeoutAndNothingIsToldAfterTheEnd) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto hop = next_hop(Transport::udp, local_port(peer));
    const auto answered = rig.start(invite_value("a"), hop);
    const auto seen = next_message(peer);
    peer.send(answer_to(seen, 200, "one", kContact));
    answered->finals.next();
    const auto cancelled = rig.start(invite_value("c"), hop);
    peer.send(answer_to(next_of(peer, "INVITE"), 180, "one", kContact));
    cancelled->provisionals.next();
    rig.cancel(*cancelled);
    next_of(peer, "CANCEL");
    const auto never_answered = rig.start(invite_value("n"), hop);
    rig.cancel(*never_answered);
    for (const auto& call : {never_answered, cancelled}) {
        const auto outcome = call->finals.next(std::chrono::seconds(40));
        EXPECT_EQ(outcome.response.status, 408);
        EXPECT_EQ(outcome.local, Outcome::Local::timeout);
    }
    EXPECT_TRUE(answered->ended.next(std::chrono::seconds(40)));
    peer.send(answer_to(seen, 200, "two", kContact));
    expect_alive(rig, peer);
    EXPECT_TRUE(answered->finals.empty());
}

}  // namespace
