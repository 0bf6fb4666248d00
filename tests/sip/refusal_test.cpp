// What a request that is refused, or answered, leaves behind: strangers cost no memory and are sent no more than one answer.

#include "tests/sip/rig.h"
#include "tests/support/heap.h"

#include <gtest/gtest.h>

namespace {

using namespace stox::sip;
using namespace stox::sip::test;
using stox::test::heap_octets;
using stox::test::tcp_to;
using stox::test::udp_to;
using stox::test::Wire;

const std::string kContact = "Contact: <sip:juliet@127.0.0.1:5999>\r\n";

std::string next_message(Wire& peer) { return peer.read_until("\r\n\r\n"); }

TEST(SipRefusal, AnInviteIsRefusedOnceHoweverLongItsAckIsMissing) {
    Rig rig;
    rig.answer_at_once = 403;
    Wire peer = udp_to(rig.udp_port());
    peer.send(request_text("INVITE", "r1", 1, "r1", {}, kContact));
    EXPECT_TRUE(next_message(peer).starts_with("SIP/2.0 403 "));
    // With a transaction it would be repeated after 0.5 s (T1), and at 1.5 s.
    EXPECT_FALSE(peer.comes("SIP/2.0 403 ", std::chrono::seconds(2)));
    peer.send(request_text("ACK", "r1", 1, "r1", "any"));
    peer.send(request_text("CANCEL", "r1", 1, "r1"));
    EXPECT_TRUE(next_message(peer).starts_with("SIP/2.0 481 ")) << "there is nothing to cancel";
}

TEST(SipRefusal, ARepetitionIsRefusedTheSameWay) {
    Rig rig;
    rig.answer_at_once = 404;
    Wire peer = udp_to(rig.udp_port());
    peer.send(message_text("r2"));
    const auto first = next_message(peer);
    peer.send(message_text("r2"));
    EXPECT_EQ(next_message(peer), first) << "with the same To tag (RFC 3261 §8.2.7)";
    peer.send(message_text("r3"));
    EXPECT_NE(tag_of(header_of(next_message(peer), "To")), tag_of(header_of(first, "To")));
}

TEST(SipRefusal, WhatWasAcceptedAtOnceIsNotToldTwice) {
    Rig rig;
    rig.answer_at_once = 202;
    Wire peer = udp_to(rig.udp_port());
    peer.send(message_text("r4"));
    const auto first = next_message(peer);
    rig.next_request();
    peer.send(message_text("r4"));
    EXPECT_EQ(next_message(peer), first);
    EXPECT_FALSE(rig.has_request());
}

TEST(SipRefusal, InADialogAnAnswerThatDependsOnItsStateIsRemembered) {
    Rig rig;
    rig.answer_at_once = 491;
    Wire peer = udp_to(rig.udp_port());
    peer.send(request_text("UPDATE", "r5", 2, "r5", "ours", kContact));
    EXPECT_TRUE(next_message(peer).starts_with("SIP/2.0 491 "));
    rig.next_request();
    peer.send(request_text("UPDATE", "r5", 2, "r5", "ours", kContact));
    EXPECT_TRUE(next_message(peer).starts_with("SIP/2.0 491 "));
    EXPECT_FALSE(rig.has_request());
    rig.answer_at_once = 481;
    for (int time = 0; time < 2; ++time) {
        peer.send(request_text("BYE", "r6", 2, "r6", "unknown"));
        const auto refused = next_message(peer);
        EXPECT_TRUE(refused.starts_with("SIP/2.0 481 "));
        EXPECT_EQ(tag_of(header_of(refused, "To")), "unknown");
        rig.next_request();
    }
}

TEST(SipRefusal, RefusedRequestsHoldNoMemory) {
    Rig rig;
    rig.on_loop(
        [](Endpoint* endpoint) { endpoint->trust({stox::Prefix::parse("127.0.0.0/8").value()}); });  // faster than one may
    rig.answer_at_once = 403;
    Wire peer = udp_to(rig.udp_port());
    const std::string large = "X-Large: " + std::string(20'000, 'x') + "\r\n";
    const auto refuse = [&](int from, int to) {
        for (int number = from; number < to; ++number) {
            const auto id = "m" + std::to_string(number);
            peer.send(request_text("INVITE", id, 1, id, {}, kContact + large));
            next_message(peer);
            rig.next_request();
        }
    };
    refuse(0, 500);
    const auto before = heap_octets();
    refuse(500, 3'000);
    // As transactions they would hold 2,500 times the 20 kB of the message and more.
    EXPECT_LT(heap_octets(), before + (5u << 20));
}

TEST(SipRefusal, OverItsMemoryItTakesNoMoreUntilRepetitionsCanNotCome) {
    Rig rig({.max_transaction_octets = 17'000});
    rig.answer_at_once = 200;
    Wire peer = udp_to(rig.udp_port());
    Wire stream = tcp_to(rig.tcp_port());
    for (int number = 0; number < 5; ++number) {
        stream.send(request_text("OPTIONS", "s" + std::to_string(number), 1, "s" + std::to_string(number), {}, {}, "TCP"));
        EXPECT_TRUE(next_message(stream).starts_with("SIP/2.0 200 ")) << "nothing repeats on a stream";
    }
    int accepted = 0;
    for (int number = 0; number < 5; ++number) {
        peer.send(request_text("OPTIONS", "o" + std::to_string(number), 1, "o" + std::to_string(number)));
        const auto answer = next_message(peer);
        if (answer.starts_with("SIP/2.0 200 "))
            ++accepted;
        else
            EXPECT_TRUE(answer.starts_with("SIP/2.0 503 ") && header_of(answer, "Retry-After") == "2") << answer;
    }
    EXPECT_EQ(accepted, 2);
}

}  // namespace
