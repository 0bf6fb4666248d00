// What a message carries beside its text, both ways: threads, sizes, chat states, other types, what is not for SIP.

#include "mapping/im/body.h"
#include "mapping/im/extensions.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/outbound.h"
#include "tests/engine/rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;

const UtcTime kNow = UtcTime(std::chrono::sys_days(std::chrono::year(2026) / 4 / 4)) + 12h;

Rig& from_sip(Rig& rig, sip::Request request) {
    static std::uint64_t number = 1'000;
    return rig.feed(SipRequestIn{
        ServerTransaction{++number}, std::move(request), {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp, {}, kNow});
}

config::DomainOptions options(auto change) {
    auto made = Rig::default_options();
    change(made);
    return made;
}

xmpp::Message in_thread(const std::string& thread, const std::string& id = "m1") {
    auto message = message_stanza(id);
    message.thread = thread;
    return message;
}

/// Sends it, has it accepted, and gives the request.
sip::Request sent(Rig& rig, const xmpp::Message& message) {
    rig.stanza(message);
    if (rig.sent.size() != 1) return {};
    auto request = rig.sent[0].request;
    rig.sip_response(rig.sent[0].transaction, 200);
    return request;
}

sip::Request composing(bool active, std::uint32_t refresh_s = 120) {
    auto request = message_request(im::write_is_composing({active, refresh_s}));
    request.content_type = "application/im-iscomposing+xml";
    return request;
}

xmpp::Message state_of(im::ChatState state) {
    auto message = message_stanza("c1");
    message.bodies.clear();
    message.payload.push_back(im::chat_state(state));
    return message;
}

std::string shown(const Rig& rig) {
    const auto messages = rig.messages();
    if (messages.size() != 1) return "(" + std::to_string(messages.size()) + ")";
    const auto state = im::read_extensions(messages[0]).state;
    return !messages[0].bodies.empty() ? "(text)" : state ? im::chat_state(*state).name : "(none)";
}

}  // namespace

TEST(Formats, IM_05_AThreadIsACallIdWithATagAndARisingCseq) {
    Rig rig(options([](auto& o) { o.unique_call_id = false; }));
    const auto first = sent(rig, in_thread("t1")), second = sent(rig, in_thread("t1", "m2"));
    EXPECT_EQ(first.call_id, "t1");
    EXPECT_EQ(second.call_id, "t1");
    EXPECT_EQ(second.from.tag, first.from.tag);
    EXPECT_GT(second.cseq, first.cseq);
    auto other = in_thread("t1", "m3");
    other.from.local = "mercutio";
    EXPECT_NE(sent(rig, other).from.tag, first.from.tag) << "another pair";
    EXPECT_NE(sent(rig, message_stanza("m4")).call_id, "t1");
}

TEST(Formats, IM_05_SecondTriesNeverMeetTheNextMessage) {
    Rig rig(options([](auto& o) { o.unique_call_id = false; }));
    auto first = in_thread("t1");
    first.payload.push_back(im::receipt_request());
    rig.stanza(first);
    std::set<std::uint32_t> used{rig.sent.at(0).request.cseq};
    const auto transaction = rig.sent[0].transaction;
    rig.stanza(in_thread("t1", "m2"));
    rig.sip_response(transaction, 415);
    EXPECT_TRUE(used.insert(rig.sent.at(0).request.cseq).second);
    rig.sip_response(rig.sent[0].transaction, 200);
    EXPECT_TRUE(used.insert(rig.sent.at(0).request.cseq).second);
}

TEST(Formats, IM_05_ByDefaultEachMessageHasACallIdOfItsOwn) {
    Rig rig;
    const auto first = sent(rig, in_thread("t1")), second = sent(rig, in_thread("t1", "m2"));
    EXPECT_NE(first.call_id, "t1");
    EXPECT_NE(first.call_id, second.call_id);
}

TEST(Formats, IM_06_OtherThreadsAreRememberedWithTheirCallId) {
    for (const bool unique : {true, false}) {
        Rig rig(options([unique](auto& o) { o.unique_call_id = unique; }));
        const auto request = sent(rig, in_thread("a b"));
        EXPECT_NE(request.call_id, "a b");
        EXPECT_EQ(request.call_id.find_first_of(" @"), std::string::npos);
        EXPECT_EQ(request.call_id.find("montague"), std::string::npos);
        auto reply = message_request();
        reply.call_id = request.call_id;
        from_sip(rig, reply);
        EXPECT_EQ(rig.messages().at(0).thread, "a b");
        rig.answer_ping();
        reply.from.uri = uri("sip:tybalt@capulet.test");
        reply.cseq = 2;
        from_sip(rig, reply);
        EXPECT_EQ(rig.messages().at(0).thread, request.call_id) << "another pair";
    }
}

TEST(Formats, IM_07_IdsOfStanzasStayOnTheirSide) {
    Rig rig;
    const std::string id(300, 'i');
    auto message = message_stanza(id);
    message.payload.push_back(im::receipt_request());
    rig.stanza(message);
    const auto& request = rig.sent.at(0).request;
    for (const auto& text : {request.call_id, request.from.tag, request.body, request.uri.to_string()})
        EXPECT_EQ(text.find("iii"), std::string::npos);
    for (const auto& header : request.headers) EXPECT_EQ(header.value.find("iii"), std::string::npos);
    rig.sip_response(rig.sent[0].transaction, 404);
    EXPECT_EQ(std::get<xmpp::Message>(rig.stanzas.at(0)).id, id);
}

TEST(Formats, IM_10_1300OctetsForAPeerThatMayHaveNoMore) {
    const auto with = [](std::size_t octets, bool large, Transport transport) {
        Rig rig(options([&](auto& o) {
            o.peers[0].large_message = large;
            o.peers[0].next_hops = {hop(1, 5060, transport)};
        }));
        rig.stanza(message_stanza("m1", "x"));
        const auto overhead = wire_size(rig.sent.at(0).request) - 1;
        rig.sip_response(rig.sent[0].transaction, 200);
        rig.stanza(message_stanza("m2", std::string(octets - overhead, 'x')));
        if (rig.sent.size() == 1) return std::string("sent");
        EXPECT_EQ(rig.error().type, xmpp::ErrorType::modify);
        return std::string(to_string(rig.error().condition));
    };
    EXPECT_EQ(with(1'300, false, Transport::tcp), "sent");
    EXPECT_EQ(with(1'301, false, Transport::tcp), "policy-violation");
    EXPECT_EQ(with(1'300, true, Transport::udp), "sent");
    EXPECT_EQ(with(1'301, true, Transport::udp), "policy-violation");
    EXPECT_EQ(with(1'301, true, Transport::tcp), "sent");
}

TEST(Formats, IM_18_CopiesAreNobodysMessage) {
    for (const auto& [ns, name] :
         {std::pair(xmpp::ns::kCarbons, "sent"), {xmpp::ns::kCarbons, "received"}, {xmpp::ns::kArchive, "result"}}) {
        Rig rig;
        auto copy = message_stanza();
        copy.payload.emplace_back(std::string(ns), name);
        rig.stanza(copy);
        EXPECT_TRUE(rig.sent.empty() && rig.stanzas.empty()) << name;
    }
    Rig rig;
    auto ours = message_stanza();
    ours.from = {"tybalt", "capulet.test", {}};
    rig.stanza(ours);
    EXPECT_TRUE(rig.sent.empty() && rig.stanzas.empty());
}

TEST(Formats, IM_27_EncryptedMessagesAreRefusedOrTheirHintIsSent) {
    auto encrypted = message_stanza("m1", "I sent you an OMEMO message.");
    encrypted.payload.emplace_back(std::string(xmpp::ns::kOmemo), "encrypted");
    Rig strict;
    strict.stanza(encrypted);
    EXPECT_EQ(strict.error().condition, xmpp::Condition::not_acceptable);
    EXPECT_TRUE(strict.error().text && !strict.error().text->empty());
    EXPECT_TRUE(strict.sent.empty());
    Rig lenient(options([](auto& o) { o.e2e_fallback = true; }));
    EXPECT_EQ(sent(lenient, encrypted).body, "I sent you an OMEMO message.");
}

TEST(Formats, IM_25_HtmlArrivesAsItsTextUnlessMoreIsWanted) {
    const auto payload = [](bool xhtml) {
        Rig rig(options([xhtml](auto& o) { o.xhtml_im = xhtml; }));
        auto request = message_request("<p>a <b>b</b></p><script>c</script>");
        request.content_type = "text/html";
        from_sip(rig, request);
        const auto message = rig.messages().at(0);
        EXPECT_EQ(message.bodies.at(0).text, "a b");
        return std::ranges::any_of(message.payload, [](const xml::Element& one) { return one.name == "html"; });
    };
    EXPECT_FALSE(payload(false));
    EXPECT_TRUE(payload(true));
}

TEST(Formats, IM_16_RichTextAloneIsSentAsItsText) {
    Rig rig;
    auto message = message_stanza();
    message.bodies.clear();
    xml::Element html("http://jabber.org/protocol/xhtml-im", "html");
    xml::Element body("http://www.w3.org/1999/xhtml", "body");
    xml::Element paragraph("http://www.w3.org/1999/xhtml", "p"), strong("http://www.w3.org/1999/xhtml", "strong");
    strong.add_text("O Romeo & Juliet");
    paragraph.add(std::move(strong));
    body.add(std::move(paragraph));
    html.add(std::move(body));
    message.payload = {im::chat_state(im::ChatState::active), html};
    const auto request = sent(rig, message);
    EXPECT_EQ(request.body, "O Romeo & Juliet");
    EXPECT_EQ(request.content_type, "text/plain;charset=utf-8");
    message.bodies = {{"*as written*", {}}};
    EXPECT_EQ(sent(rig, message).body, "*as written*");
    message.bodies.clear();
    message.payload = {im::chat_state(im::ChatState::active), xml::Element("http://jabber.org/protocol/xhtml-im", "html")};
    EXPECT_EQ(sent(rig, message).body, "") << "there is nothing in it";
}

TEST(Formats, IM_28_415NamesWhatIsRead) {
    Rig rig;
    auto request = message_request("x");
    request.content_type = "image/png";
    from_sip(rig, request);
    EXPECT_EQ(rig.answer().status, 415);
    ASSERT_TRUE(rig.answer().header("Accept"));
    for (const auto* type :
         {"text/plain", "text/html", "message/cpim", "message/imdn+xml", "application/im-iscomposing+xml", "multipart/mixed"})
        EXPECT_NE(rig.answer().header("Accept")->find(type), std::string::npos) << type;
    EXPECT_EQ(*rig.answer().header("Accept-Encoding"), "identity, deflate");
}

TEST(Formats, IM_26_WhoIsInsideIsNotBelieved) {
    Rig rig;
    auto request = message_request("From: <sip:prince@capulet.test>\r\n\r\nContent-Type: text/plain\r\n\r\nobey");
    request.content_type = "message/cpim";
    from_sip(rig, request);
    EXPECT_EQ(rig.messages().at(0).from.to_string(), "juliet@capulet.test");
    request.body = "no cpim";
    request.cseq = 2;
    from_sip(rig, request);
    EXPECT_EQ(rig.answer().status, 400);
}

TEST(Formats, IM_31_TooLargeIsRefused) {
    Rig rig;
    from_sip(rig, message_request(std::string(10'001, 'x')));
    EXPECT_EQ(rig.answer().status, 413);
    EXPECT_TRUE(rig.messages().empty());
}

TEST(Formats, IM_33_WhatHasExpiredIsTakenAndNotDelivered) {
    const auto with = [](std::vector<sip::Header> headers) {
        Rig rig;
        auto request = message_request();
        request.headers = std::move(headers);
        from_sip(rig, request);
        const bool delivered = !rig.messages().empty();
        if (delivered) rig.answer_ping();
        EXPECT_EQ(rig.answer().status, 202);
        return delivered;
    };
    EXPECT_FALSE(with({{"Expires", "0"}, {"Date", "Sat, 04 Apr 2026 11:00:00 GMT"}}));
    EXPECT_FALSE(with({{"Expires", "3599"}, {"Date", "Sat, 04 Apr 2026 11:00:00 GMT"}}));
    EXPECT_TRUE(with({{"Expires", "3601"}, {"Date", "Sat, 04 Apr 2026 11:00:00 GMT"}}));
    EXPECT_TRUE(with({{"Expires", "10"}}));
    EXPECT_TRUE(with({{"Date", "Sat, 04 Apr 2020 11:00:00 GMT"}}));
}

TEST(Formats, IM_28_ComposingIsAChatState) {
    Rig rig;
    from_sip(rig, composing(true));
    EXPECT_EQ(rig.answer().status, 202);
    EXPECT_EQ(shown(rig), "composing");
    EXPECT_EQ(rig.messages()[0].type, xmpp::MessageType::chat);
    from_sip(rig, composing(true));
    EXPECT_EQ(shown(rig), "(0)") << "it is known";
    from_sip(rig, composing(false));
    EXPECT_EQ(shown(rig), "paused");
    from_sip(rig, composing(false));
    EXPECT_EQ(shown(rig), "(0)");
}

TEST(Formats, IM_28_ComposingLapsesOrEndsInAMessage) {
    Rig rig;
    from_sip(rig, composing(true, 60));
    rig.now += 59s;
    EXPECT_EQ(shown(rig.feed(Tick{})), "(0)");
    rig.pass(1s);
    EXPECT_EQ(shown(rig), "paused");
    from_sip(rig, composing(true, 60));
    from_sip(rig, message_request());
    ASSERT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(im::read_extensions(rig.messages()[0]).state, im::ChatState::active);
    rig.answer_ping();
    rig.now += 2min;
    EXPECT_EQ(shown(rig.feed(Tick{})), "(0)");
}

TEST(Formats, ChatStatesGoToContactsThatTellTheirs) {
    Rig rig;
    rig.stanza(state_of(im::ChatState::composing));
    EXPECT_TRUE(rig.sent.empty()) << "nobody has asked for that";
    from_sip(rig, composing(false));
    rig.stanza(state_of(im::ChatState::composing));
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent[0].request.content_type, "application/im-iscomposing+xml");
    EXPECT_TRUE(im::read_is_composing(rig.sent[0].request.body).value().active);
    const auto transaction = rig.sent[0].transaction;
    rig.stanza(state_of(im::ChatState::paused));
    EXPECT_TRUE(rig.sent.empty()) << "one transaction at a time, and a state does not wait";
    rig.sip_response(transaction, 200);
    EXPECT_TRUE(rig.stanzas.empty() && rig.commits.empty());
    rig.stanza(state_of(im::ChatState::paused));
    EXPECT_FALSE(im::read_is_composing(rig.sent.at(0).request.body).value().active);
}

TEST(Formats, IM_21_IdleIsSaidOnlyOfWhoWasActive) {
    Rig rig;
    from_sip(rig, composing(false));
    rig.stanza(state_of(im::ChatState::paused));
    EXPECT_TRUE(rig.sent.empty()) << "nobody heard that they wrote";
    const auto says = [&](im::ChatState what) {
        rig.stanza(state_of(what));
        if (rig.sent.empty()) return false;
        rig.sip_response(rig.sent.front().transaction, 200);
        return true;
    };
    EXPECT_TRUE(says(im::ChatState::composing));
    EXPECT_TRUE(says(im::ChatState::paused));
    EXPECT_FALSE(says(im::ChatState::paused)) << "once";
    EXPECT_TRUE(says(im::ChatState::composing));
    rig.sip_response(rig.stanza(message_stanza()).sent.at(0).transaction, 200);
    EXPECT_FALSE(says(im::ChatState::active)) << "the message has ended it";
    EXPECT_TRUE(says(im::ChatState::composing));
    rig.now += 121s;
    EXPECT_FALSE(says(im::ChatState::paused)) << "its time has ended it";
}

TEST(Formats, CORE_71_StatesHaveAShareOfTheirOwn) {
    Rig rig;
    from_sip(rig, composing(false));
    unsigned said = 0;
    for (int i = 0; i < 300; ++i) {
        rig.stanza(state_of(im::ChatState::composing));
        if (rig.sent.empty()) continue;
        ++said;
        rig.sip_response(rig.sent.front().transaction, 200);
    }
    EXPECT_EQ(said, 100u);
    EXPECT_EQ(rig.stanza(message_stanza()).sent.size(), 1u) << "texts have another";
    unsigned taken = 0;
    for (int i = 0; i < 300; ++i)
        if (from_sip(rig, composing(i % 2 == 0)).answer().status == 202) ++taken;
    EXPECT_EQ(taken, 99u) << "and one was taken before";
    EXPECT_EQ(rig.answer().status, 503);
}

TEST(Formats, ChatStatesStopWhenTheyAreRefused) {
    Rig rig;
    from_sip(rig, composing(false));
    rig.stanza(state_of(im::ChatState::composing));
    rig.sip_response(rig.sent.at(0).transaction, 415);
    EXPECT_TRUE(rig.stanzas.empty() && rig.sent.empty());
    rig.stanza(state_of(im::ChatState::composing));
    EXPECT_TRUE(rig.sent.empty());
    // Messages are not touched by that.
    auto message = message_stanza();
    message.payload.push_back(im::receipt_request());
    rig.stanza(message);
    EXPECT_EQ(rig.sent.at(0).request.content_type, "message/cpim");
    Rig off(options([](auto& o) { o.chat_states = false; }));
    from_sip(off, composing(false));
    off.stanza(state_of(im::ChatState::composing));
    EXPECT_TRUE(off.sent.empty());
}

TEST(Formats, IM_21_WhatIsNoMessageSendsNothing) {
    Rig rig;
    for (const auto& element :
         {xml::Element("urn:xmpp:reactions:0", "reactions"), im::displayed_marker("m0"), im::receipt("m0")}) {
        auto message = message_stanza();
        message.bodies.clear();
        message.payload.push_back(element);
        rig.stanza(message);
        EXPECT_TRUE(rig.sent.empty() && rig.stanzas.empty());
    }
}

TEST(Formats, IM_52_AResourceNobodyKnowsChangesNothing) {
    Rig rig;
    auto to_device = message_stanza();
    to_device.to.resource = "unknown";
    const auto request = sent(rig, to_device);
    EXPECT_EQ(request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(request.uri, sent(rig, message_stanza("m2")).uri);
}

TEST(Formats, IM_53_WhereTlsIsOfferedNothingElseIsTaken) {
    Rig rig(options([](auto& o) {
        o.peers[0].next_hops = {hop(1, 5061, Transport::tls), hop(2, 5061, Transport::tls)};
        o.peers[0].next_hops[1].priority = 1;
    }));
    rig.stanza(message_stanza());
    EXPECT_EQ(rig.sent.at(0).target.text(), "tls:10.0.0.1:5061");
    rig.sip_response(rig.sent[0].transaction, 503, LocalFailure::unsent);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent[0].target.text(), "tls:10.0.0.2:5061");
    for (const auto& header : rig.sent[0].request.headers) EXPECT_NE(header.name, "Content-Encoding");
    rig.sip_response(rig.sent[0].transaction, 503, LocalFailure::unsent);
    EXPECT_TRUE(rig.sent.empty()) << "not in the clear either";
    EXPECT_EQ(rig.stanzas.size(), 1u);
}

TEST(Formats, CORE_15_AContactHasTheFeaturesThatItsClientHasShown) {
    Rig rig;
    const auto features = [&rig] {
        xmpp::Iq ask;
        ask.from = {"romeo", "montague.test", "garden"};
        ask.to = {"juliet", "capulet.test", {}};
        ask.id = "d1";
        ask.payload = xml::Element(std::string(xmpp::ns::kDiscoInfo), "query");
        rig.stanza(ask);
        std::set<std::string> all;
        for (const auto& node : std::get<xmpp::Iq>(rig.stanzas.at(0)).payload->children)
            if (const auto* one = std::get_if<xml::Element>(&node); one && one->name == "feature")
                all.insert(*one->attribute("var"));
        return all;
    };
    const std::string disco(xmpp::ns::kDiscoInfo), receipts(xmpp::ns::kReceipts), markers(xmpp::ns::kMarkers),
        states(xmpp::ns::kChatStates);
    EXPECT_EQ(features(), (std::set{disco}));
    from_sip(rig, composing(false));
    EXPECT_EQ(features(), (std::set{disco, states}));
    auto wrapped = message_request("From: <sip:juliet@capulet.test>\r\n\r\nContent-Type: text/plain\r\n\r\nx");
    wrapped.content_type = "message/cpim";
    from_sip(rig, wrapped);
    EXPECT_EQ(features(), (std::set{disco, receipts, markers, states}));
    rig.stanza(message_stanza());
    rig.sip_response(rig.sent.at(0).transaction, 415);
    EXPECT_EQ(features(), (std::set{disco, states}));
}
