// What a contact's client, or a server on the way, does not take is sent once more in another form; what a 200 says of it.

#include "tests/engine/reports_rig.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;

TEST(Reports, IM_15_CORE_S415_RefusedFormsAreTriedOnceAsTextAndRemembered) {
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

TEST(Reports, CORE_57_CORE_S416_AServerThatKnowsNoTelGetsTheNumberAsSip) {
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

TEST(Reports, CORE_57_CORE_S416_CORE_S420_AnotherTryNeedsAnotherForm) {
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

}  // namespace
