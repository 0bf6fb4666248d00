// Subscriptions that we serve, row by row as RFC 6665 §4.2 and RFC 3515 §2.4 want it.

#include "tests/dialog/rig.h"

namespace stox::test {
namespace {

using namespace sip;

struct Serving : testing::Test {
    Rig rig;
    UsageKey key{};
    Words asked(std::vector<Header> headers = {{"Event", "presence"}, {"Expires", "600"}}) {
        rig.call_id += "+";
        auto words = rig.first("SUBSCRIBE", {.headers = std::move(headers)});
        if (words == Words{"SubscriptionWanted presence"}) key = rig.last<SubscriptionWanted>().subscription;
        return words;
    }
    Words grant(const std::string& body = "", SubscriptionPhase phase = SubscriptionPhase::active) {
        return rig.does([&](auto& out) { rig.agent.grant(key, {{phase}, "text/plain", body}, rig.now, out); });
    }
    Words publish(const std::string& body, SubscriptionState state = {}) {
        return rig.does([&](auto& out) { rig.agent.publish(key, {state, "text/plain", body}, rig.now, out); });
    }
    Words deny(int status) {
        return rig.does([&](auto& out) { rig.agent.deny(key, Reply{status}, rig.now, out); });
    }
    Words answered(int status, std::vector<Header> credentials = {}) {
        return rig.response("NOTIFY", status, {.credentials = std::move(credentials)});
    }
    Words subscribe(const std::string& expires) {
        return rig.inside("SUBSCRIBE", {.headers = {{"Event", "presence"}, {"Expires", expires}}, .contact = "moved.example"});
    }
    std::string state() { return *rig.sent("NOTIFY").request.header("Subscription-State"); }
    void stand() {
        asked();
        grant("1");
        answered(200);
    }
    const SubscriptionState kGone{SubscriptionPhase::terminated, {}, "noresource", {}};
};

TEST_F(Serving, GrantIsA200AndANotifyAtOnce) {
    EXPECT_EQ(asked(), Words{"SubscriptionWanted presence"});
    EXPECT_EQ(grant("1", SubscriptionPhase::pending), (Words{"respond 200", "send NOTIFY [1]"}));
    EXPECT_EQ(state(), "pending;expires=600");
    EXPECT_EQ(*rig.sent("NOTIFY").request.header("Event"), "presence");
    EXPECT_EQ(rig.sent("NOTIFY").request.contacts.size(), 1u);
    EXPECT_EQ(rig.sent("NOTIFY").request.to.tag, "b");
    EXPECT_EQ(grant("2"), Words{});
}

TEST_F(Serving, LengthsAreBounded) {
    const auto expires = [&] { return *rig.last<Respond>().response.header("Expires"); };
    asked({{"Event", "presence"}});
    grant();
    EXPECT_EQ(expires(), "3600");
    asked({{"Event", "presence"}, {"Expires", "86400"}});
    grant();
    EXPECT_EQ(expires(), "3600");  // never longer than we allow, and never than asked
    asked({{"Event", "presence"}, {"Expires", "60"}});
    grant();
    EXPECT_EQ(expires(), "60");
    EXPECT_EQ(asked({{"Event", "presence"}, {"Expires", "59"}}), Words{"respond 423"});
    EXPECT_EQ(*rig.last<Respond>().response.header("Min-Expires"), "60");
    EXPECT_EQ(asked({{"Expires", "600"}}), Words{"respond 489"});
    EXPECT_EQ(asked({{"Event", ";x"}}), Words{"respond 489"});
    EXPECT_EQ(asked({{"Event", "refer"}}), Words{"respond 403"});  // made by REFER alone (RFC 3515 §2.4.4)
}

TEST_F(Serving, CORE_58_WhatIsRefusedIsToldWhatWouldDo) {
    asked({{"Event", "presence"}, {"Expires", "59"}});
    EXPECT_EQ(*rig.last<Respond>().response.header("Min-Expires"), "60");
    asked({{"Expires", "600"}});
    ASSERT_TRUE(rig.last<Respond>().response.header("Allow-Events"));
    EXPECT_EQ(*rig.last<Respond>().response.header("Allow-Events"), "refer");
}

TEST_F(Serving, DenialAndSilence) {
    asked();
    EXPECT_EQ(deny(403), Words{"respond 403"});
    EXPECT_TRUE(rig.empty());
    asked();
    EXPECT_EQ(rig.pass(seconds(20)), (Words{"respond 480", "SubscriptionEnded unanswered"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, PollIsAnsweredAndOver) {
    asked({{"Event", "presence"}, {"Expires", "0"}});
    EXPECT_EQ(grant("1"), (Words{"respond 200", "send NOTIFY [1]"}));
    EXPECT_EQ(*rig.last<Respond>().response.header("Expires"), "0");
    EXPECT_EQ(state(), "terminated;reason=timeout");
    EXPECT_EQ(answered(200), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, OneNotifyAtATimeAndTheLatestFollows) {
    asked();
    grant("1");
    EXPECT_EQ(publish("2"), Words{});
    EXPECT_EQ(publish("3"), Words{});
    EXPECT_EQ(answered(200), Words{"send NOTIFY [3]"});
    EXPECT_EQ(answered(200), Words{});
    EXPECT_EQ(publish("4"), Words{"send NOTIFY [4]"});
}

TEST_F(Serving, RefreshTellsTheStateAnewAndMovesTheEnd) {
    stand();
    rig.pass(seconds(300));
    EXPECT_EQ(subscribe("600"), (Words{"respond 200", "send NOTIFY [1]"}));
    EXPECT_EQ(rig.sent("NOTIFY").request.uri.host, "moved.example");
    EXPECT_EQ(state(), "active;expires=600");
    answered(200);
    EXPECT_EQ(subscribe("59"), Words{"respond 423"});
    EXPECT_EQ(rig.pass(milliseconds(599'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), (Words{"SubscriptionEnded expired", "send NOTIFY [1]"}));
}

TEST_F(Serving, ExpiryIsToldByTheLastNotify) {
    stand();
    EXPECT_EQ(rig.pass(seconds(600)), (Words{"SubscriptionEnded expired", "send NOTIFY [1]"}));
    EXPECT_EQ(state(), "terminated;reason=timeout");
    EXPECT_EQ(subscribe("600"), Words{"respond 481"});
    EXPECT_EQ(publish("2"), Words{});
    EXPECT_EQ(answered(200), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, UnsubscribingIsAnsweredByTheLastNotify) {
    stand();
    EXPECT_EQ(subscribe("0"), (Words{"respond 200", "SubscriptionEnded unsubscribed", "send NOTIFY [1]"}));
    EXPECT_EQ(*rig.last<Respond>().response.header("Expires"), "0");
    EXPECT_EQ(state(), "terminated;reason=timeout");
    answered(200);
    EXPECT_TRUE(rig.empty());
}

/// Of a subscription whose application says the last word.
struct ServingInOwnWords : Serving {
    void SetUp() override {
        asked();
        rig.does([&](auto& out) { rig.agent.grant(key, {{}, "text/plain", "1", {}, true}, rig.now, out); });
        answered(200);
    }
};

TEST_F(ServingInOwnWords, UnsubscribingIsAnsweredAndTheLastNotifyIsTheApplications) {
    EXPECT_EQ(subscribe("0"), (Words{"respond 200", "SubscriptionEnded unsubscribed"}));
    EXPECT_EQ(publish("ignored"), Words{}) << "only a last word is wanted";
    EXPECT_EQ(publish("closed", kGone), Words{"send NOTIFY [closed]"});
    EXPECT_EQ(state(), "terminated;reason=noresource");
    EXPECT_EQ(publish("again", kGone), Words{});
    answered(200);
    EXPECT_TRUE(rig.empty());
}

TEST_F(ServingInOwnWords, ExpiryAsWellAlsoBehindOneUnderWay) {
    publish("2");
    EXPECT_EQ(rig.pass(seconds(600)), Words{"SubscriptionEnded expired"});
    EXPECT_EQ(publish("closed", kGone), Words{});
    EXPECT_EQ(answered(200), Words{"send NOTIFY [closed]"});
    answered(200);
    EXPECT_TRUE(rig.empty());
}

TEST_F(ServingInOwnWords, ARefreshIsAnsweredAndTheStateIsTheApplicationsToTell) {
    EXPECT_EQ(subscribe("300"), (Words{"respond 200", "SubscriptionRefreshed"}));
    EXPECT_EQ(publish("2"), Words{"send NOTIFY [2]"});
    EXPECT_EQ(state(), "active;expires=300");
}

TEST_F(ServingInOwnWords, AWordThatIsNeverSaidIsNotWaitedForLong) {
    subscribe("0");
    rig.pass(seconds(64));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, APollCanBeAnsweredFirstAndToldLater) {
    asked({{"Event", "presence"}, {"Expires", "0"}});
    EXPECT_EQ(rig.does([&](auto& out) { rig.agent.accept(key, rig.now, out); }), Words{"respond 200"});
    EXPECT_EQ(*rig.last<Respond>().response.header("Expires"), "0");
    EXPECT_EQ(subscribe("600"), Words{"respond 481"}) << "it is no subscription";
    EXPECT_EQ(publish("1"), Words{}) << "nor becomes one";
    EXPECT_EQ(publish("closed", kGone), Words{"send NOTIFY [closed]"});
    answered(200);
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, APollInADialogThatBreaksIsOver) {
    stand();
    const auto first = key;
    rig.inside("SUBSCRIBE", {.headers = {{"Event", "presence;id=2"}, {"Expires", "0"}}});
    rig.does([&](auto& out) { rig.agent.accept(rig.last<SubscriptionWanted>().subscription, rig.now, out); });
    rig.does([&](auto& out) { rig.agent.publish(first, {}, rig.now, out); });
    answered(404);
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, APollOfWhichNothingIsKnownIsToldNothing) {
    asked({{"Event", "presence"}, {"Expires", "0"}});
    rig.does([&](auto& out) { rig.agent.accept(key, rig.now, out); });
    EXPECT_EQ(rig.pass(seconds(20)), Words{"send NOTIFY"});
    EXPECT_EQ(state(), "terminated;reason=timeout");
}

TEST_F(Serving, TheApplicationEndsIt) {
    stand();
    EXPECT_EQ(publish("bye", {SubscriptionPhase::terminated, {}, "rejected", {}}),
              (Words{"SubscriptionEnded ended", "send NOTIFY [bye]"}));
    EXPECT_EQ(state(), "terminated;reason=rejected");
    EXPECT_EQ(subscribe("600"), Words{"respond 481"});
}

TEST_F(Serving, LastNotifyFollowsTheOneUnderWay) {
    asked();
    grant("1");
    EXPECT_EQ(publish("bye", kGone), Words{"SubscriptionEnded ended"});
    EXPECT_EQ(answered(500), Words{"send NOTIFY [bye]"});
    EXPECT_EQ(answered(500), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, LastNotifyMayBeRefused) {
    stand();
    publish("bye", kGone);
    EXPECT_EQ(answered(481), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, LastNotifyThatNobodyAnswersIsForgotten) {
    stand();
    publish("bye", kGone);
    EXPECT_EQ(rig.pass(seconds(64)), Words{});
    EXPECT_TRUE(rig.empty());
}

/// RFC 6665 §4.2.2: which answers to a NOTIFY end the subscription. 408 is no answer at all.
TEST_F(Serving, SomeRefusalsEndIt) {
    for (const int status : {404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604}) {
        asked();
        grant("1");
        EXPECT_EQ(answered(status), Words{"SubscriptionEnded refused"}) << status;
        EXPECT_TRUE(rig.empty());
    }
    for (const int status : {400, 403, 415, 487, 500, 503, 600, 603}) {
        asked();
        grant("1");
        EXPECT_EQ(answered(status), Words{}) << status;
        EXPECT_EQ(publish("2"), Words{"send NOTIFY [2]"});
    }
}

TEST_F(Serving, ChallengedNotifyGoesAgainAndNotForEver) {
    asked();
    grant("1");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(answered(407, {{"Proxy-Authorization", "x"}}), Words{"send NOTIFY [1]"});
    EXPECT_EQ(*rig.sent("NOTIFY").request.header("Proxy-Authorization"), "x");
    EXPECT_EQ(state(), "active;expires=600");
    EXPECT_EQ(answered(407, {{"Proxy-Authorization", "x"}}), Words{});
    publish("bye", kGone);
    EXPECT_EQ(answered(407, {{"Proxy-Authorization", "x"}}), Words{"send NOTIFY [bye]"});
    EXPECT_EQ(state(), "terminated;reason=noresource");
    EXPECT_EQ(answered(200), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, AnswerToNotifyRefreshesTheTarget) {
    asked();
    grant("1");
    rig.response("NOTIFY", 200, {.contact = "there.example"});
    publish("2");
    EXPECT_EQ(rig.sent("NOTIFY").request.uri.host, "there.example");
}

// ---- REFER ----

TEST_F(Serving, ReferIsToldOfUntilItsFinal) {
    EXPECT_EQ(rig.first("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}}), Words{"ReferWanted <sip:c@else.example>"});
    key = rig.last<ReferWanted>().subscription;
    EXPECT_EQ(rig.does([&](auto& out) { rig.agent.grant(key, refer_news(100), rig.now, out); }),
              (Words{"respond 200", "send NOTIFY [SIP/2.0 100 Trying\r\n]"}));
    EXPECT_FALSE(rig.last<Respond>().response.header("Expires"));
    EXPECT_EQ(*rig.sent("NOTIFY").request.header("Event"), "refer");
    EXPECT_EQ(rig.sent("NOTIFY").request.content_type, "message/sipfrag;version=2.0");
    EXPECT_EQ(state(), "active;expires=180");
    answered(200);
    EXPECT_EQ(rig.does([&](auto& out) { rig.agent.publish(key, refer_news(486), rig.now, out); }),
              (Words{"SubscriptionEnded ended", "send NOTIFY [SIP/2.0 486 Busy Here\r\n]"}));
    EXPECT_EQ(state(), "terminated;reason=noresource");
    answered(200);
    EXPECT_TRUE(rig.empty());
}

TEST_F(Serving, SecondReferOfADialogHasAnId) {
    rig.first("INVITE", {.body = "O"});
    const auto call = rig.last<Invited>().call;
    rig.does([&](auto& out) { rig.agent.answer(call, {200, {}, sdp("A")}, rig.now, out); });
    rig.ack(rig.peer_cseq);
    for (const std::string event : {"refer", "refer;id=103"}) {
        rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}});
        EXPECT_EQ(rig.last<ReferWanted>().call, call);
        key = rig.last<ReferWanted>().subscription;
        rig.does([&](auto& out) { rig.agent.grant(key, refer_news(100), rig.now, out); });
        EXPECT_EQ(*rig.sent("NOTIFY").request.header("Event"), event);
    }
    EXPECT_EQ(rig.agent.dialogs(), 1u);
}

TEST_F(Serving, NotOneReferToIsRefused) {
    EXPECT_EQ(rig.first("REFER"), Words{"respond 400"});
    EXPECT_EQ(rig.first("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}, {"Refer-To", "<sip:d@else.example>"}}}),
              Words{"respond 400"});
    EXPECT_EQ(rig.first("REFER", {.headers = {{"Refer-To", "<http://else.example>"}}}), Words{"respond 416"});
    EXPECT_EQ(rig.first("REFER", {.headers = {{"Refer-To", "<sip:c@else.example?Route=x>"}}}), Words{"respond 403"});
    EXPECT_TRUE(rig.empty());
}

}  // namespace
}  // namespace stox::test
