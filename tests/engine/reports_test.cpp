// Receipts and markers of XMPP against delivery notifications of SIP: who is told what, and that nobody is told twice.

#include "mapping/im/body.h"
#include "mapping/im/cpim.h"
#include "mapping/im/extensions.h"
#include "mapping/xmpp/namespaces.h"
#include "tests/engine/rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using im::Disposition, im::DispositionStatus;

const UtcTime kNow = UtcTime(std::chrono::sys_days(std::chrono::year(2026) / 4 / 4)) + 12h;

Rig& from_sip(Rig& rig, sip::Request request) {
    static std::uint64_t number = 1'000;
    return rig.feed(SipRequestIn{
        ServerTransaction{++number}, std::move(request), {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp, {}, kNow});
}

Rig& from_xmpp(Rig& rig, xmpp::Message message) { return rig.feed(StanzaIn{std::move(message), kNow}); }

// What goes to SIP

xmpp::Message asking(const std::string& id = "m1", bool markable = false) {
    auto message = message_stanza(id);
    message.payload.push_back(im::receipt_request());
    if (markable) message.payload.push_back(im::markable());
    return message;
}

/// The Message-ID under which the last message went out.
std::string imdn_id(const Rig& rig) {
    const auto body = im::read_body(rig.sent.at(0).request);
    return body && body.value().envelope ? body.value().envelope->message_id : "(none)";
}

im::DispositionRequest asked(const Rig& rig) {
    const auto body = im::read_body(rig.sent.at(0).request);
    return body && body.value().envelope ? body.value().envelope->asks : im::DispositionRequest{};
}

/// Sends a message of romeo's to juliet, whose phone takes it; its Message-ID.
std::string accepted(Rig& rig, const xmpp::Message& message, int status = 200) {
    from_xmpp(rig, message);
    const auto id = imdn_id(rig);
    rig.sip_response(rig.sent.at(0).transaction, status);
    return id;
}

sip::Request notification(const std::string& id, DispositionStatus status, Disposition disposition = Disposition::delivery) {
    auto request = message_request(
        "From: <sip:juliet@capulet.test>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: other\r\n\r\nContent-Type: "
        "message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n" +
        im::write_imdn({id, "", "", "", "", disposition, status}));
    request.content_type = "message/cpim";
    return request;
}

/// The only element that the last input sent in a message without a body.
xml::Element told(const Rig& rig) {
    const auto messages = rig.messages();
    if (messages.size() != 1 || messages[0].payload.size() != 1 || !messages[0].bodies.empty()) return {};
    return messages[0].payload[0];
}

xmpp::Message receipt_of(const xml::Element& element, const std::string& from = "romeo") {
    xmpp::Message message;
    message.from = {from, "montague.test", "garden"};
    message.to = {"juliet", "capulet.test", {}};
    message.type = xmpp::MessageType::chat;
    message.payload.push_back(element);
    return message;
}

// What comes from SIP

sip::Request wrapped(const std::string& asks, const std::string& more = {}, const std::string& id = "q1") {
    auto request = message_request(
        "From: <sip:juliet@capulet.test>\r\nTo: <sip:romeo@montague.test>\r\nDateTime: 2026-04-04T11:59:59Z\r\n"
        "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: " +
        id + "\r\n" + more + "imdn.Disposition-Notification: " + asks + "\r\n\r\nContent-Type: text/plain\r\n\r\nhello");
    request.content_type = "message/cpim";
    return request;
}

/// Delivers it to romeo; the stanza.
xmpp::Message delivered(Rig& rig, sip::Request request) {
    from_sip(rig, std::move(request));
    const auto stanza = rig.messages().at(0);
    rig.answer_ping();
    return stanza;
}

struct Reported {
    im::Imdn imdn;
    sip::Request request;
};
std::vector<Reported> reports(const Rig& rig) {
    std::vector<Reported> all;
    for (const auto& sent : rig.sent) {
        const auto body = im::read_body(sent.request);
        const auto* imdns = body ? std::get_if<std::vector<im::Imdn>>(&body.value().content) : nullptr;
        if (imdns) all.push_back({imdns->at(0), sent.request});
    }
    return all;
}

xmpp::Message error_for(const xmpp::Message& stanza) {
    xmpp::StanzaError why;
    why.condition = xmpp::Condition::service_unavailable;
    return std::get<xmpp::Message>(*xmpp::make_error(stanza, why));
}

}  // namespace

TEST(Reports, IM_40_ARequestedReceiptIsAskedOfSip) {
    Rig rig;
    from_xmpp(rig, asking("m1", true));
    ASSERT_EQ(rig.sent.size(), 1u);
    const auto& request = rig.sent[0].request;
    EXPECT_EQ(request.content_type, "message/cpim");
    EXPECT_EQ(asked(rig), (im::DispositionRequest{true, true, true}));
    const auto body = im::read_body(request);
    EXPECT_EQ(body.value().envelope->sent, kNow);
    EXPECT_NE(imdn_id(rig), "m1");
    EXPECT_GE(imdn_id(rig).size(), 16u);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, asking("m2"));
    EXPECT_EQ(asked(rig), (im::DispositionRequest{true, true, false}));
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, message_stanza("m3"));
    EXPECT_EQ(rig.sent.at(0).request.content_type, "text/plain;charset=utf-8");
}

TEST(Reports, IM_40_NotWhereItIsNotWanted) {
    const auto content_type = [](config::PeerKind kind, config::CpimUse use) {
        auto options = Rig::default_options();
        options.peers[0].kind = kind;
        options.peers[0].cpim = use;
        Rig rig(options);
        from_xmpp(rig, asking());
        return rig.sent.at(0).request.content_type.substr(0, 10);
    };
    using config::CpimUse, config::PeerKind;
    EXPECT_EQ(content_type(PeerKind::proxy, CpimUse::automatic), "message/cp");
    EXPECT_EQ(content_type(PeerKind::phone, CpimUse::automatic), "message/cp");
    EXPECT_EQ(content_type(PeerKind::trunk, CpimUse::automatic), "text/plain");
    EXPECT_EQ(content_type(PeerKind::trunk, CpimUse::always), "message/cp");
    EXPECT_EQ(content_type(PeerKind::proxy, CpimUse::never), "text/plain");
}

TEST(Reports, IM_40_ATextIsNotMadeTooLongByAsking) {
    Rig rig;
    auto long_text = asking();
    long_text.bodies[0].text = std::string(800, 'x');
    from_xmpp(rig, long_text);
    EXPECT_EQ(rig.sent.at(0).request.content_type, "text/plain;charset=utf-8");
}

TEST(Reports, IM_41_DeliveredIsAReceipt) {
    Rig rig;
    const auto id = accepted(rig, asking("m1"));
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1"));
    const auto message = rig.messages().at(0);
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
    EXPECT_EQ(message.type, xmpp::MessageType::chat);
    EXPECT_EQ(message.from.to_string(), "juliet@capulet.test");
    EXPECT_EQ(message.to.to_string(), "romeo@montague.test/garden");
    auto normal = asking("m2");
    normal.type = xmpp::MessageType::normal;
    from_sip(rig, notification(accepted(rig, normal), DispositionStatus::delivered));
    EXPECT_EQ(rig.messages().at(0).type, xmpp::MessageType::normal);
}

TEST(Reports, IM_42_FailedIsAnError) {
    Rig rig;
    from_sip(rig, notification(accepted(rig, asking("m1")), DispositionStatus::failed));
    EXPECT_EQ(rig.error().condition, xmpp::Condition::recipient_unavailable);
    EXPECT_EQ(std::get<xmpp::Message>(rig.stanzas[0]).id, "m1");
    // That one may not know, or that nobody can tell, is no failure.
    for (const auto status : {DispositionStatus::forbidden, DispositionStatus::error}) {
        from_sip(rig, notification(accepted(rig, asking("m2")), status));
        EXPECT_TRUE(rig.stanzas.empty());
    }
}

TEST(Reports, IM_43_DisplayedIsAMarkerWhereOneWasWanted) {
    Rig rig;
    const auto id = accepted(rig, asking("m1", true));
    from_sip(rig, notification(id, DispositionStatus::displayed, Disposition::display));
    EXPECT_EQ(told(rig), im::displayed_marker("m1"));
    from_sip(rig, notification(accepted(rig, asking("m2", false)), DispositionStatus::displayed, Disposition::display));
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Reports, IM_49_OfSeveralTheFirstPositiveCounts) {
    Rig rig;
    const auto id = accepted(rig, asking("m1", true));
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(rig.messages().size(), 1u);
    for (const auto status : {DispositionStatus::delivered, DispositionStatus::failed}) {
        from_sip(rig, notification(id, status));
        EXPECT_TRUE(rig.stanzas.empty());
        EXPECT_EQ(rig.answer().status, 202);
    }
    from_sip(rig, notification(id, DispositionStatus::displayed, Disposition::display));
    EXPECT_EQ(rig.messages().size(), 1u);
    from_sip(rig, notification(id, DispositionStatus::displayed, Disposition::display));
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Reports, IM_49_ANegativeOneIsTheLastWord) {
    Rig rig;
    const auto id = accepted(rig, asking("m1"));
    from_sip(rig, notification(id, DispositionStatus::failed));
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Reports, ANotificationCountsFromItsContactAlone) {
    Rig rig;
    const auto id = accepted(rig, asking("m1"));
    auto forged = notification(id, DispositionStatus::delivered);
    forged.from.uri = uri("sip:tybalt@capulet.test");
    from_sip(rig, forged);
    EXPECT_TRUE(rig.stanzas.empty());
    from_sip(rig, notification("nobody-knows", DispositionStatus::delivered));
    EXPECT_TRUE(rig.stanzas.empty());
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1"));
}

TEST(Reports, IM_46_NothingAnswersAReceipt) {
    Rig rig;
    auto receipt = receipt_of(im::receipt("q1"));
    receipt.id = "r1";
    receipt.payload.push_back(im::receipt_request());
    receipt.payload.push_back(im::markable());
    from_xmpp(rig, receipt);
    EXPECT_TRUE(rig.sent.empty() && rig.stanzas.empty());
    receipt.bodies = {{"with a text", ""}};
    from_xmpp(rig, receipt);
    EXPECT_EQ(rig.sent.at(0).request.content_type, "text/plain;charset=utf-8");
    // Nor does anything answer an IMDN that asks for one.
    auto imdn = notification("m1", DispositionStatus::delivered);
    imdn.body.insert(imdn.body.find("\r\n\r\n"), "\r\nimdn.Disposition-Notification: positive-delivery, negative-delivery");
    from_sip(rig, imdn);
    EXPECT_TRUE(rig.sent.empty() && rig.stanzas.empty());
}

TEST(Reports, IM_20_TheReceiptOfACorrectionIsTheCorrections) {
    Rig rig;
    accepted(rig, asking("m1"));
    auto correction = asking("m2");
    correction.payload.push_back(xml::Element(std::string(xmpp::ns::kReplace), "replace").set("id", "m1"));
    from_xmpp(rig, correction);
    EXPECT_NE(rig.sent.at(0).request.body.find("\r\n\r\n* hello"), std::string::npos);
    const auto id = imdn_id(rig);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m2"));
}

TEST(Reports, IM_15_RefusedFormsAreTriedOnceAsTextAndRemembered) {
    for (const int status : {415, 406}) {
        Rig rig;
        from_xmpp(rig, asking("m1"));
        const auto first = rig.sent.at(0).request;
        rig.sip_response(rig.sent[0].transaction, status);
        ASSERT_EQ(rig.sent.size(), 1u);
        EXPECT_TRUE(rig.stanzas.empty());
        const auto second = rig.sent[0].request;
        EXPECT_EQ(second.content_type, "text/plain;charset=utf-8");
        EXPECT_EQ(second.body, "hello");
        EXPECT_EQ(second.call_id, first.call_id);
        EXPECT_EQ(second.from, first.from);
        EXPECT_GT(second.cseq, first.cseq);
        rig.sip_response(rig.sent[0].transaction, 202);
        from_xmpp(rig, asking("m2"));
        EXPECT_EQ(rig.sent.at(0).request.content_type, "text/plain;charset=utf-8") << "remembered";
        // A text is tried once.
        rig.sip_response(rig.sent[0].transaction, status);
        EXPECT_TRUE(rig.sent.empty());
        EXPECT_EQ(rig.error().sip_status, status);
        rig.pass(24h);
        from_xmpp(rig, asking("m3"));
        EXPECT_EQ(rig.sent.at(0).request.content_type, "message/cpim") << "for a day";
    }
}

TEST(Reports, CORE_57_TooLargeMayFitWithoutItsWrapper) {
    Rig rig;
    from_xmpp(rig, asking("m1"));
    rig.sip_response(rig.sent[0].transaction, 413);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent[0].request.body, "hello");
    rig.sip_response(rig.sent[0].transaction, 413);
    EXPECT_EQ(rig.error().sip_status, 413);
    from_xmpp(rig, asking("m2"));
    EXPECT_EQ(rig.sent.at(0).request.content_type, "message/cpim") << "a length says nothing about forms";
    // With Retry-After it is a matter of time and not of form.
    sip::Response later;
    later.status = 413;
    later.headers = {{"Retry-After", "10"}};
    rig.feed(SipResponseIn{rig.sent[0].transaction, later});
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.stanzas.size(), 1u);
}

TEST(Reports, CORE_57_AServerThatKnowsNoTelGetsTheNumberAsSip) {
    auto options = Rig::default_options();
    options.scheme = config::AddressScheme::phone;
    options.sip_domain = "trunk.test";
    Rig rig(options);
    auto request = wrapped("positive-delivery");
    request.from.uri = uri("tel:+15551230000");
    auto receipt = receipt_of(im::receipt(delivered(rig, request).id));
    receipt.to = {"+15551230000", "capulet.test", {}};
    from_xmpp(rig, receipt);
    ASSERT_EQ(rig.sent.size(), 1u);
    const auto first = rig.sent.front().request;
    EXPECT_EQ(first.uri.to_string(), "tel:+15551230000");
    rig.sip_response(rig.sent.front().transaction, 416);
    ASSERT_EQ(rig.sent.size(), 1u);
    const auto second = rig.sent.front().request;
    EXPECT_EQ(second.uri.to_string(), "sip:+15551230000@trunk.test;user=phone");
    EXPECT_EQ(second.call_id, first.call_id);
    EXPECT_EQ(second.from, first.from);
    EXPECT_EQ(second.to, first.to);
    EXPECT_EQ(second.body, first.body);
    EXPECT_GT(second.cseq, first.cseq);
    rig.sip_response(rig.sent.front().transaction, 416);
    EXPECT_TRUE(rig.sent.empty()) << "once";
    EXPECT_TRUE(rig.stanzas.empty()) << "nobody wrote it";
}

TEST(Reports, CORE_57_AnotherTryNeedsAnotherForm) {
    for (const int status : {416, 420}) {
        Rig rig;
        rig.sip_response(rig.stanza(message_stanza()).sent.at(0).transaction, status);
        EXPECT_TRUE(rig.sent.empty()) << "it was a sip URI, and required nothing";
        EXPECT_EQ(rig.error().condition,
                  status == 416 ? xmpp::Condition::not_acceptable : xmpp::Condition::feature_not_implemented);
    }
}

TEST(Reports, IM_45_OfAClientWithoutNotificationsA200IsAReceipt) {
    Rig rig;
    from_xmpp(rig, asking("m1"));
    rig.sip_response(rig.sent[0].transaction, 415);
    rig.sip_response(rig.sent.at(0).transaction, 200);
    EXPECT_EQ(told(rig), im::receipt("m1"));
    from_xmpp(rig, asking("m2"));
    rig.sip_response(rig.sent.at(0).transaction, 202);
    EXPECT_TRUE(rig.stanzas.empty()) << "a promise is no arrival";
    from_xmpp(rig, asking("m3"));
    rig.sip_response(rig.sent.at(0).transaction, 200);
    EXPECT_EQ(told(rig), im::receipt("m3"));
    from_xmpp(rig, message_stanza("m4"));
    rig.sip_response(rig.sent.at(0).transaction, 200);
    EXPECT_TRUE(rig.stanzas.empty()) << "nobody asked";
}

TEST(Reports, IM_13_AnAnswerToAWrappedMessageIsNoReceipt) {
    Rig rig;
    from_xmpp(rig, asking("m1"));
    rig.sip_response(rig.sent[0].transaction, 200);
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Reports, IM_44_AReceiptOfTheClientIsANotification) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery, negative-delivery"));
    EXPECT_TRUE(im::read_extensions(stanza).wants_receipt);
    EXPECT_FALSE(im::read_extensions(stanza).is_markable);
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    const auto all = reports(rig);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].imdn, (im::Imdn{"q1", "2026-04-04T11:59:59Z", "sip:romeo@montague.test", "", "", Disposition::delivery,
                                     DispositionStatus::delivered}));
    const auto& request = all[0].request;
    EXPECT_EQ(request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(request.to.uri, request.uri);
    EXPECT_EQ(request.from.uri.to_string(), "sip:romeo@montague.test");
    const auto cpim = im::read_cpim(request.body).value();
    EXPECT_EQ(*cpim.content.header("Content-Disposition"), "notification");
    EXPECT_FALSE(cpim.header(im::kImdnHeaderNs, "Disposition-Notification"));
    EXPECT_NE(cpim.header(im::kImdnHeaderNs, "Message-ID")->value, "q1");
    // Nobody on the XMPP side hears what becomes of it.
    rig.sip_response(rig.sent[0].transaction, 404);
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Reports, IM_44_OnlyWhatWasAskedForIsAskedOfTheClient) {
    const auto extensions = [](const std::string& asks) {
        Rig rig;
        return im::read_extensions(delivered(rig, wrapped(asks)));
    };
    EXPECT_TRUE(extensions("display").is_markable);
    EXPECT_FALSE(extensions("display").wants_receipt);
    EXPECT_FALSE(extensions("negative-delivery").wants_receipt);
    EXPECT_FALSE(extensions("processing, later").wants_receipt);
}

TEST(Reports, IM_54_OneOfEachKindAndNeverBoth) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery, negative-delivery, display"));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    ASSERT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty());
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty()) << "delivered and then failed";
    const auto failed = delivered(rig, wrapped("positive-delivery, negative-delivery", {}, "q2"));
    rig.stanza(error_for(failed));
    ASSERT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, receipt_of(im::receipt(failed.id)));
    EXPECT_TRUE(rig.sent.empty()) << "failed and then delivered";
}

TEST(Reports, IM_54_ByTheWayThatTheMessageCame) {
    const std::string routes =
        "imdn.IMDN-Record-Route: <sip:p1@capulet.test>\r\nimdn.IMDN-Record-Route: <sip:p2@capulet.test>\r\n"
        "imdn.Original-To: <sip:montague@montague.test>\r\n";
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery", routes));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    const auto all = reports(rig);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].request.uri.to_string(), "sip:p1@capulet.test");
    const auto cpim = im::read_cpim(all[0].request.body).value();
    EXPECT_EQ(cpim.values(im::kImdnHeaderNs, "IMDN-Route"),
              (std::vector<std::string>{"<sip:p1@capulet.test>", "<sip:p2@capulet.test>"}));
    EXPECT_TRUE(cpim.values(im::kImdnHeaderNs, "IMDN-Record-Route").empty());
    EXPECT_EQ(im::cpim_uri(cpim.header(im::kCpimNs, "To")->value), "sip:juliet@capulet.test");
    EXPECT_EQ(all[0].imdn.original_recipient_uri, "sip:montague@montague.test");
}

TEST(Reports, IM_54_ARouteToAnotherPeerIsNotTaken) {
    auto options = Rig::default_options();
    config::Peer victim;
    victim.name = "victim";
    victim.next_hops = {hop(9)};
    victim.probe = false;
    victim.targets = {{"victim.test", {}}};
    options.peers.push_back(victim);
    options.peers[0].is_default = true;
    Rig rig(options);
    const auto stanza = delivered(rig, wrapped("positive-delivery", "imdn.IMDN-Record-Route: <sip:x@victim.test>\r\n"));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    ASSERT_EQ(reports(rig).size(), 1u);
    EXPECT_EQ(rig.sent[0].request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(rig.sent[0].target.text(), "udp:10.0.0.1:5060");
}

TEST(Reports, IM_54_ARouteIsTakenOnlyWhereTheOperatorSaysThatThePeerLeads) {
    for (const auto* elsewhere : {"<sip:x@victim.test>", "<sip:x@192.0.2.1>", "<sip:x@relay.test>"}) {
        auto options = Rig::default_options();
        options.peers[0].is_default = true;
        options.peers[0].targets = {{"relay.test", {}}};
        Rig rig(options);
        const auto stanza = delivered(rig, wrapped("positive-delivery", "imdn.IMDN-Record-Route: " + std::string(elsewhere) + "\r\n"));
        from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
        ASSERT_EQ(reports(rig).size(), 1u);
        const bool known = std::string(elsewhere).find("relay.test") != std::string::npos;
        EXPECT_EQ(rig.sent[0].request.uri.to_string(), known ? "sip:x@relay.test" : "sip:juliet@capulet.test") << elsewhere;
    }
}

TEST(Reports, IM_54_WhatWasSeenHasNotFailed) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("negative-delivery, display"));
    from_xmpp(rig, receipt_of(im::displayed_marker(stanza.id)));
    ASSERT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(reports(rig).empty());
}

TEST(Reports, IM_41_AReceiptIsOursOnceItIsStored) {
    Rig rig;
    const auto id = accepted(rig, asking("m1"));
    rig.broken_disk = true;
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(rig.answer().status, 503);
    EXPECT_TRUE(rig.stanzas.empty());
    rig.broken_disk = false;
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1")) << "nothing was told the first time";
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
}

TEST(Reports, IM_41_AReceiptIsToldUntilTheServerHasIt) {
    Rig rig;
    from_sip(rig, notification(accepted(rig, asking("m1")), DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1"));
    rig.feed(StreamDown{});
    EXPECT_EQ(rig.answer().status, 202) << "it is ours";
    rig.feed(StreamUp{});
    ASSERT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(rig.messages()[0].payload.at(0), im::receipt("m1"));
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.messages().size(), 1u);
    rig.answer_ping();
    rig.pass(33s);
    EXPECT_TRUE(rig.disk.empty());
}

/// Several notifications in one request.
sip::Request notifications(const std::vector<im::Imdn>& imdns) {
    auto request = message_request();
    request.content_type = "multipart/mixed;boundary=b";
    request.body.clear();
    for (const auto& imdn : imdns)
        request.body += "--b\r\nContent-Type: message/imdn+xml\r\n\r\n" + im::write_imdn(imdn) + "\r\n";
    request.body += "--b--\r\n";
    return request;
}

TEST(Reports, IM_41_NotificationsOfOneRequestAreOursTogether) {
    Rig rig;
    const auto one = accepted(rig, asking("m1", true)), other = accepted(rig, asking("m2"));
    const auto request = notifications({{one, "", "", "", "", Disposition::delivery, DispositionStatus::delivered},
                                        {other, "", "", "", "", Disposition::delivery, DispositionStatus::delivered},
                                        {one, "", "", "", "", Disposition::display, DispositionStatus::displayed}});
    rig.broken_disk = true;
    from_sip(rig, request);
    EXPECT_EQ(rig.answer().status, 503);
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_EQ(rig.engine.pending().to_xmpp, 0u);
    rig.broken_disk = false;
    from_sip(rig, request);
    EXPECT_EQ(rig.commits.size(), 1u) << "all or nothing";
    std::set<std::string> places;
    for (const auto& change : rig.commits.at(0).changes) EXPECT_TRUE(places.insert(change.key).second) << "each row once";
    std::vector<xml::Element> all;
    for (const auto& message : rig.messages()) all.push_back(message.payload.at(0));
    EXPECT_EQ(all, (std::vector{im::receipt("m1"), im::receipt("m2"), im::displayed_marker("m1")}))
        << "nothing was told the first time";
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
    rig.restart();
    rig.feed(StreamUp{});
    from_sip(rig, notifications({{one, "", "", "", "", Disposition::display, DispositionStatus::displayed}}));
    EXPECT_TRUE(rig.messages().empty()) << "nobody is told twice";
}

TEST(Reports, AReportIsNotMadeOfAddressesLongerThanAnybodyHas) {
    const auto named = [](const std::string& user, const std::string& to) {
        auto request = wrapped("positive-delivery");
        request.from.uri = uri("sip:" + user + "@capulet.test");
        const std::string before = "To: <sip:romeo@montague.test>";
        request.body.replace(request.body.find(before), before.size(), "To: <" + to + ">");
        return request;
    };
    const auto is_asked = [&](const std::string& user, const std::string& to) {
        Rig rig;
        const auto stanza = delivered(rig, named(user, to));
        const bool asked = im::read_extensions(stanza).wants_receipt;
        const auto is_receipt = [](const Record& record) { return record.collection == Collection::receipts; };
        EXPECT_EQ(std::ranges::count_if(rig.disk, is_receipt), asked ? 1 : 0);
        return asked;
    };
    const auto of_length = [](std::size_t octets) { return "sip:" + std::string(octets - 13, 'x') + "@verona.x"; };
    ASSERT_EQ(of_length(512).size(), 512u);
    EXPECT_TRUE(is_asked("juliet", of_length(512)));
    EXPECT_FALSE(is_asked("juliet", of_length(513)));
    const auto longest = std::string(512 - std::string("sip:@capulet.test").size(), 'j');
    EXPECT_TRUE(is_asked(longest, "sip:romeo@montague.test"));
    EXPECT_FALSE(is_asked(longest + 'j', "sip:romeo@montague.test"));
}

TEST(Reports, IM_42_AFailureSurvivesARestart) {
    Rig rig(Rig::default_options(), false);
    from_sip(rig, notification(accepted(rig, asking("m1")), DispositionStatus::failed));
    EXPECT_EQ(rig.answer().status, 202);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.error().condition, xmpp::Condition::recipient_unavailable);
    EXPECT_EQ(std::get<xmpp::Message>(rig.stanzas[0]).id, "m1");
}

TEST(Reports, IM_45_TheReceiptForA200IsToldUntilTheServerHasIt) {
    Rig rig;
    from_xmpp(rig, asking("m1"));
    rig.sip_response(rig.sent[0].transaction, 415);
    rig.sip_response(rig.sent.at(0).transaction, 200);
    EXPECT_EQ(told(rig), im::receipt("m1"));
    rig.feed(StreamDown{});
    rig.restart();
    rig.feed(StreamUp{});
    ASSERT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(rig.messages()[0].payload.at(0), im::receipt("m1"));
}

TEST(Reports, IM_54_ARefusedReportMayStillBeMade) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery, negative-delivery"));
    for (int i = 0; i < 51; ++i) rig.stanza(message_stanza("m" + std::to_string(i)));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_EQ(rig.engine.pending().queued_messages, 50u) << "there is no room for it";
    Rig fresh;
    fresh.disk = rig.undelivered();
    std::erase_if(fresh.disk, [](const auto& record) { return record.collection != Collection::receipts; });
    ASSERT_EQ(fresh.disk.size(), 1u) << "its row stands";
    fresh.restart();
    fresh.feed(StreamUp{});
    from_xmpp(fresh, receipt_of(im::receipt(stanza.id)));
    ASSERT_EQ(reports(fresh).size(), 1u);
    EXPECT_EQ(reports(fresh)[0].imdn.status, DispositionStatus::delivered);
}

TEST(Reports, IM_54_AReportThatCannotBeStoredSettlesNothing) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery"));
    rig.broken_disk = true;
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty());
    rig.broken_disk = false;
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty()) << "once";
}

TEST(Reports, IM_54_AReceiptDuringAStopIsReportedByTheNextStart) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery"));
    rig.feed(Shutdown{});
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty());
    rig.restart();
    ASSERT_EQ(reports(rig).size(), 1u);
    EXPECT_EQ(reports(rig)[0].imdn.status, DispositionStatus::delivered);
}

TEST(Reports, IM_54_AfterAnotherAnswerThan2xxThereIsNothingToReport) {
    Rig rig;
    from_sip(rig, wrapped("positive-delivery, negative-delivery"));
    const auto stanza = rig.messages().at(0);
    rig.stanza(error_for(stanza));
    EXPECT_GE(rig.answer().status, 400);
    EXPECT_TRUE(rig.sent.empty());
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty());
}

TEST(Reports, IM_47_IM_55_AnErrorAfterThe2xxIsReportedIfAskedFor) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("negative-delivery"));
    rig.stanza(error_for(stanza));
    const auto all = reports(rig);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].imdn.status, DispositionStatus::failed);
    EXPECT_EQ(all[0].imdn.message_id, "q1");
    rig.sip_response(rig.sent[0].transaction, 200);
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty());
    for (const auto* asks : {"positive-delivery", "display"}) {
        rig.stanza(error_for(delivered(rig, wrapped(asks))));
        EXPECT_TRUE(rig.sent.empty()) << asks;
    }
    rig.stanza(error_for(delivered(rig, message_request())));
    EXPECT_TRUE(rig.sent.empty());
}

TEST(Reports, IM_55_DisplayedOnlyWhenTheClientSaysSo) {
    Rig rig;
    const auto first = delivered(rig, wrapped("display", {}, "q1")), second = delivered(rig, wrapped("display", {}, "q2")),
               third = delivered(rig, wrapped("display", {}, "q3"));
    from_xmpp(rig, receipt_of(im::receipt(first.id)));
    EXPECT_TRUE(rig.sent.empty());
    // One marker is for the ones above it.
    from_xmpp(rig, receipt_of(im::displayed_marker(second.id)));
    ASSERT_EQ(reports(rig).size(), 1u) << "one transaction at a time";
    EXPECT_EQ(reports(rig)[0].imdn.message_id, "q1");
    EXPECT_EQ(reports(rig)[0].imdn.status, DispositionStatus::displayed);
    rig.sip_response(rig.sent[0].transaction, 200);
    ASSERT_EQ(reports(rig).size(), 1u);
    EXPECT_EQ(reports(rig)[0].imdn.message_id, "q2");
    rig.sip_response(rig.sent[0].transaction, 200);
    EXPECT_TRUE(rig.sent.empty());
    from_xmpp(rig, receipt_of(im::displayed_marker(third.id)));
    EXPECT_EQ(reports(rig).at(0).imdn.message_id, "q3");
}

TEST(Reports, AReceiptCountsFromItsReaderAlone) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery"));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id), "mercutio"));
    EXPECT_TRUE(rig.sent.empty());
    auto elsewhere = receipt_of(im::receipt(stanza.id));
    elsewhere.to.local = "tybalt";
    from_xmpp(rig, elsewhere);
    EXPECT_TRUE(rig.sent.empty());
    auto room = receipt_of(im::receipt(stanza.id));
    room.type = xmpp::MessageType::groupchat;
    from_xmpp(rig, room);
    EXPECT_TRUE(rig.sent.empty());
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_EQ(reports(rig).size(), 1u);
}

TEST(Reports, NobodySendsANotificationOfTheirOwnMaking) {
    Rig rig;
    auto forged = message_stanza();
    forged.payload.push_back(xml::Element(std::string(xmpp::ns::kReport), "report").set("to", "sip:victim@capulet.test"));
    from_xmpp(rig, forged);
    EXPECT_TRUE(rig.sent.empty());
}

TEST(Reports, IM_44_WhoHidesHearsNothing) {
    Rig rig;
    auto hidden = wrapped("positive-delivery, negative-delivery");
    hidden.headers.push_back({"Privacy", "id"});
    const auto stanza = delivered(rig, hidden);
    EXPECT_FALSE(im::read_extensions(stanza).wants_receipt);
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty());
}

TEST(Reports, IM_41_IM_44_AfterARestartReceiptsFindTheirMessages) {
    std::vector<Record> store;
    const auto write = [&store](const Rig& rig) {
        for (const auto& commit : rig.commits)
            for (const auto& change : commit.changes) {
                std::erase_if(store,
                              [&](const Record& one) { return one.collection == change.collection && one.key == change.key; });
                if (change.value) store.push_back({change.collection, change.key, *change.value});
            }
    };
    std::string id, stanza_id;
    {
        Rig rig;
        from_xmpp(rig, asking("m1"));
        write(rig);
        id = imdn_id(rig);
        rig.sip_response(rig.sent[0].transaction, 200);
        write(rig);
        from_sip(rig, wrapped("positive-delivery"));
        write(rig);
        stanza_id = rig.messages().at(0).id;
        rig.answer_ping();
        write(rig);
        rig.pass(1s);
        write(rig);
    }
    EXPECT_EQ(std::ranges::count(store, Collection::receipts, &Record::collection), 2) << "receipts are awaited";
    EXPECT_EQ(std::ranges::count(store, Collection::outbox, &Record::collection), 0) << "messages are over";
    Rig rig(Rig::default_options(), false);
    rig.feed(Restored{store});
    rig.feed(StreamUp{});
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1"));
    from_xmpp(rig, receipt_of(im::receipt(stanza_id)));
    EXPECT_EQ(reports(rig).size(), 1u);
}

TEST(Reports, RowsGoWhenNothingIsLeftToTell) {
    Rig rig;
    const auto id = accepted(rig, asking("m1"));
    rig.pass(1s);
    EXPECT_EQ(rig.disk.size(), 1u);
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(std::ranges::count(rig.disk, Collection::receipts, &Record::collection), 0) << "with what is told";
}
