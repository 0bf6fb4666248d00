// Messages that come round, and rings of gateways.

#include "plugin/engine/loop_guard.h"
#include "mapping/xmpp/namespaces.h"
#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using xmpp::Condition;

xmpp::HopHeaders hops_of(const xmpp::Message& message) { return xmpp::read_hop_headers(message.payload); }

/// romeo has a copy of that message and sends it on to nurse, by a client that keeps what it knows.
xmpp::Message sent_on(const xmpp::Message& received) {
    auto message = message_stanza("a fresh id");
    message.to = {"nurse", "capulet.test", {}};
    message.thread = received.thread;
    return message;
}

TEST(HopBudget, CORE_68_ARequestThatBeginsHereHas70Hops) {
    Rig rig;
    EXPECT_EQ(rig.stanza(message_stanza()).sent.at(0).request.max_forwards, 70u);
}

TEST(HopBudget, CORE_68_WithoutHopsNothingIsTakenButOptions) {
    Rig rig;
    auto request = message_request();
    request.max_forwards = 0;
    EXPECT_EQ(rig.request(request).answer().status, 483);
    EXPECT_TRUE(rig.stanzas.empty());
    request.method = "OPTIONS";
    EXPECT_EQ(rig.request(request).answer().status, 200);
}

TEST(HopBudget, CORE_68_WhatIsSentOnHasTheHopsThatWereLeft) {
    Rig rig;
    auto request = message_request();
    request.max_forwards = 12;
    const auto received = rig.request(request).messages().at(0);
    EXPECT_EQ(hops_of(received).max_forwards, 11u);
    auto stripped = sent_on(received);
    EXPECT_EQ(rig.stanza(stripped).sent.at(0).request.max_forwards, 11u) << "remembered by the conversation";
    auto reply = sent_on(received);
    reply.to = received.from;
    EXPECT_EQ(rig.stanza(reply).sent.at(0).request.max_forwards, 70u) << "an answer is no message that goes on";
}

TEST(HopBudget, CORE_68_TheLastHopEndsHere) {
    Rig rig;
    auto request = message_request();
    request.max_forwards = 1;
    const auto received = rig.request(request).messages().at(0);
    EXPECT_EQ(hops_of(received).max_forwards, 0u) << "the server of the domain may still have it";
    EXPECT_EQ(rig.stanza(sent_on(received)).error().condition, Condition::not_acceptable);
    EXPECT_TRUE(rig.sent.empty());
}

/// Two gateways, each of which takes the other one's domain for its own XMPP users. Returns how often the message crossed.
unsigned run_round(bool keep_headers) {
    const auto options = [](const std::string& own, const std::string& other) {
        auto made = Rig::default_options();
        made.domain = own;
        made.xmpp_domains = {other};
        made.peers.front().identities = {{own, "", {}}, {other, "", {}}};
        return made;
    };
    Rig one(options("one.test", "two.test")), two(options("two.test", "one.test"));
    auto request = message_request();
    request.from.uri = uri("sip:a@one.test");
    request.uri = request.to.uri = uri("sip:b@two.test");
    unsigned crossings = 0;
    for (; crossings < 1'000; ++crossings) {
        auto stanzas = one.request(request).messages();
        if (stanzas.empty()) break;
        if (!keep_headers)
            std::erase_if(stanzas.front().payload, [](const xml::Element& child) { return child.ns == xmpp::ns::kShim; });
        two.stanza(stanzas.front());
        if (two.sent.empty()) break;
        request = two.sent.front().request;
        two.sip_response(two.sent.front().transaction, 200);
    }
    return crossings;
}

TEST(HopBudget, CORE_68_CORE_70_ARingOfGatewaysComesToItsEnd) { EXPECT_EQ(run_round(true), 69u); }

TEST(HopBudget, CORE_70_TheHeaderOfAStanzaOnlyTakesAway) {
    for (const auto& [said, sent] :
         {std::pair("200", 70u), {"70", 70u}, {"71", 70u}, {"5", 5u}, {"x", 70u}, {"-1", 70u}, {"", 70u}}) {
        Rig rig;
        auto message = message_stanza();
        xml::Element headers(std::string(xmpp::ns::kShim), "headers");
        headers.add({headers.ns, "header"}).set("name", "Max-Forwards").add_text(said);
        message.payload = {headers};
        EXPECT_EQ(rig.stanza(message).sent.at(0).request.max_forwards, sent) << said;
    }
    Rig rig;
    auto request = message_request();
    request.max_forwards = 12;
    auto again = sent_on(rig.request(request).messages().at(0));
    again.payload = {xmpp::encode(xmpp::HopHeaders{60, {}})};
    EXPECT_EQ(rig.stanza(again).sent.at(0).request.max_forwards, 11u) << "its own budget is the smaller one";
}

TEST(LoopGuard, CORE_69_ARequestOfOursThatComesBackIs482) {
    // A proxy that forwards juliet to romeo: the request is the same, whoever it says that it is from.
    for (const bool answered : {false, true}) {
        Rig rig;
        rig.stanza(message_stanza());
        auto back = rig.sent.at(0).request;
        back.uri = uri("sip:romeo@montague.test");
        back.max_forwards -= 2;
        if (answered) rig.sip_response(rig.sent.at(0).transaction, 200);
        EXPECT_EQ(rig.request(back).answer().status, 482);
        EXPECT_TRUE(rig.stanzas.empty());
        back.call_id = "another";
        EXPECT_EQ(rig.request(back).answer().status, 403) << "only what is ours is a loop";
        rig.pass(std::chrono::minutes(6));
        rig.stanza(message_stanza());
    }
}

TEST(LoopGuard, CORE_69_AStanzaOfOursThatComesBackIsRefused) {
    Rig rig;
    const auto received = rig.request(message_request()).messages().at(0);
    auto same_id = sent_on(received);
    same_id.id = received.id;
    EXPECT_EQ(rig.stanza(same_id).error().condition, Condition::policy_violation);
    auto same_origin = sent_on(received);
    same_origin.payload.emplace_back(std::string(xmpp::ns::kStanzaIds), "origin-id").set("id", received.id);
    EXPECT_EQ(rig.stanza(same_origin).error().condition, Condition::policy_violation);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.stanza(sent_on(received)).sent.size(), 1u);
}

TEST(LoopGuard, CORE_69_WithoutBranchesLeftIs440AndTheLimitGoesOn) {
    Rig rig;
    auto request = message_request();
    request.headers = {{"Max-Breadth", "0"}};
    EXPECT_EQ(rig.request(request).answer().status, 440);
    request.headers = {{"Max-Breadth", "7"}};
    const auto received = rig.request(request).messages().at(0);
    const auto& sent = rig.stanza(sent_on(received)).sent.at(0).request;
    ASSERT_TRUE(sent.header("Max-Breadth"));
    EXPECT_EQ(*sent.header("Max-Breadth"), "7");
}

TEST(LoopGuard, ItsMemoryHasABound) {
    LoopGuard guard(KeyedHash::Key{1, 2});
    const TimePoint now{};
    sip::Request request = message_request();
    for (std::size_t i = 0; i <= LoopGuard::kCapacity; ++i) {
        request.call_id = std::to_string(i);
        guard.watch({SendSip{ClientTransaction{i}, request, {}}}, now);
        ASSERT_LE(guard.size(), LoopGuard::kCapacity);
    }
    EXPECT_TRUE(guard.is_ours(request));
    request.call_id = "0";
    EXPECT_FALSE(guard.is_ours(request)) << "the oldest one";
    guard.watch({SendSip{ClientTransaction{1}, message_request(), {}}}, now + LoopGuard::kMemory);
    EXPECT_EQ(guard.size(), 1u) << "the others are too old";
}

TEST(LoopGuard, CORE_69_WhatIsToldInDialogsMakesNoMessageForgotten) {
    LoopGuard guard({1, 2});
    const auto leaves = [&](const char* method, std::size_t number) {
        SendSip sent{};
        sent.request.method = method;
        sent.request.call_id = std::to_string(number);
        sent.request.from.tag = "t";
        guard.watch({sent}, {});
        return sent.request;
    };
    const auto message = leaves("MESSAGE", 0);
    const auto first = leaves("NOTIFY", 1), second = leaves("SUBSCRIBE", 2);
    for (std::size_t i = 3; i <= LoopGuard::kDialogs; ++i) leaves("NOTIFY", i);
    EXPECT_TRUE(guard.is_ours(first));
    EXPECT_TRUE(guard.is_ours(second));
    leaves("NOTIFY", LoopGuard::kDialogs + 1);
    EXPECT_FALSE(guard.is_ours(first)) << "they have a bound of their own";
    EXPECT_TRUE(guard.is_ours(message));
}

}  // namespace
