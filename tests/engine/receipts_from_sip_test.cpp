// Receipts and markers that a user asked for: they are asked of SIP, and its delivery notifications are told once.

#include "mapping/xmpp/namespaces.h"
#include "tests/engine/reports_rig.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;

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

}  // namespace
