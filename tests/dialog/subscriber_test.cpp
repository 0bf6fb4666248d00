// Subscriptions of ours, row by row as RFC 6665 §4.1 and RFC 3515 §2.4 want it.

#include "tests/dialog/rig.h"

namespace stox::test {
namespace {

using namespace sip;

struct Subscribing : testing::Test {
    Rig rig;
    UsageKey key{};
    void subscribe(const std::string& expires = "3600", bool several = false) {
        key = rig.subscribe({{"Event", "presence"}, {"Expires", expires}}, several);
    }
    Words response(int status, std::vector<Header> headers = {}, std::vector<Header> credentials = {}) {
        return rig.response("SUBSCRIBE", status, {.headers = std::move(headers), .credentials = std::move(credentials)});
    }
    Words notify(const std::string& state, const std::string& tag = "b", const std::string& event = "presence") {
        return rig.inside("NOTIFY", {.tag = tag, .headers = {{"Event", event}, {"Subscription-State", state}}});
    }
    Words unsubscribe() {
        return rig.does([&](auto& out) { rig.agent.unsubscribe(key, rig.now, out); });
    }
    void stand() {
        subscribe();
        response(200, {{"Expires", "3600"}});
        notify("active;expires=3600");
    }
};

TEST_F(Subscribing, NotifyMakesTheDialogAndMayComeFirst) {
    subscribe();
    EXPECT_EQ(rig.agent.dialogs(), 0u);
    EXPECT_EQ(rig.inside("NOTIFY", {.headers = {{"Event", "presence"}, {"Subscription-State", "active;expires=3600"}},
                                    .contact = "notifier.example",
                                    .record_routes = {address("proxy.example;lr")}}),
              (Words{"respond 200", "Notified active;expires=3600"}));
    EXPECT_EQ(rig.agent.dialogs(), 1u);
    EXPECT_EQ(rig.response("SUBSCRIBE", 200, {.tag = "other", .contact = "moved.example"}), Words{});
    unsubscribe();
    const auto& last = rig.sent("SUBSCRIBE").request;
    EXPECT_EQ(last.to.tag, "b");  // of the NOTIFY, not of the 2xx
    EXPECT_EQ(last.routes.size(), 1u);
    EXPECT_EQ(last.cseq, 2u);
}

TEST_F(Subscribing, NoNotifyBeforeTimerN) {
    subscribe();
    response(200, {{"Expires", "3600"}});
    EXPECT_EQ(rig.pass(milliseconds(31'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"Failed 408"});
    EXPECT_EQ(notify("active"), Words{"respond 481"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, TimerNRunsWhateverTheFirst2xxSays) {
    subscribe();
    EXPECT_EQ(response(204), Words{});  // only a refresh can be told that no NOTIFY comes
    EXPECT_EQ(rig.pass(seconds(32)), Words{"Failed 408"});
    subscribe();
    EXPECT_EQ(response(200, {{"Expires", "1"}}), Words{});
    EXPECT_EQ(rig.pass(seconds(32)), Words{"Failed 408"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, RefreshNeedsItsNotifyToo) {
    stand();
    EXPECT_EQ(rig.pass(seconds(1800)), Words{"send SUBSCRIBE"});
    response(200, {{"Expires", "3600"}});
    EXPECT_EQ(rig.pass(seconds(32)), Words{"SubscriptionEnded unanswered"});
    EXPECT_EQ(notify("active"), Words{"respond 481"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, RefreshMaySayThatNoNotifyComes) {
    stand();
    rig.pass(seconds(1800));
    response(204, {{"Expires", "3600"}});
    EXPECT_EQ(rig.pass(seconds(1799)), Words{});
    EXPECT_EQ(rig.pass(seconds(1)), Words{"send SUBSCRIBE"});
}

TEST_F(Subscribing, ARefreshWhilePendingLastsAnew) {
    subscribe();
    response(200, {{"Expires", "3600"}});
    notify("pending;expires=3600");
    EXPECT_EQ(rig.pass(seconds(1800)), Words{"send SUBSCRIBE"});
    response(204, {{"Expires", "3600"}});
    EXPECT_EQ(rig.pass(seconds(1799)), Words{});
    EXPECT_EQ(rig.pass(seconds(1)), Words{"send SUBSCRIBE"});
}

TEST_F(Subscribing, ItIsLeftOnceHoweverOftenItIsToldOf) {
    for (const auto* state : {"active", "pending"}) {
        subscribe();
        unsubscribe();
        EXPECT_EQ(notify(state), (Words{"respond 200", "send SUBSCRIBE"}));
        EXPECT_EQ(notify(state), Words{"respond 200"});
        EXPECT_EQ(notify("active"), Words{"respond 200"});
        EXPECT_EQ(notify("terminated"), (Words{"respond 200", "Notified terminated"}));
        EXPECT_TRUE(rig.empty());
    }
}

TEST_F(Subscribing, APendingOneIsLeftOnceAndSaysWhyItEnded) {
    subscribe();
    notify("pending;expires=3600");
    EXPECT_EQ(unsubscribe(), Words{"send SUBSCRIBE"});
    EXPECT_EQ(unsubscribe(), Words{});
    response(200);
    EXPECT_EQ(rig.pass(seconds(32)), Words{"SubscriptionEnded unsubscribed"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, APendingOneWhoseRefreshIsUnansweredIsOver) {
    subscribe();
    notify("pending;expires=3600");
    EXPECT_EQ(rig.pass(seconds(1800)), Words{"send SUBSCRIBE"});
    response(200, {{"Expires", "3600"}});
    EXPECT_EQ(rig.pass(seconds(32)), Words{"SubscriptionEnded unanswered"});
    EXPECT_EQ(notify("active"), Words{"respond 481"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, WhatIsRefusedBeforeItIsLeftIsOver) {
    for (const int status : {403, 404}) {
        subscribe();
        unsubscribe();
        EXPECT_EQ(response(status), Words{"SubscriptionEnded unsubscribed"});
        EXPECT_TRUE(rig.empty());
        EXPECT_EQ(notify("active"), Words{"respond 481"});
    }
}

TEST_F(Subscribing, ItsEndHasItsOwnTries) {
    const std::vector<Header> credentials{{"Authorization", "x"}};
    subscribe();
    EXPECT_EQ(response(401, {}, credentials), Words{"send SUBSCRIBE"});
    EXPECT_EQ(response(401, {}, credentials), Words{"send SUBSCRIBE"});
    unsubscribe();
    EXPECT_EQ(response(202), Words{});
    EXPECT_EQ(notify("active").back(), "send SUBSCRIBE");
    EXPECT_EQ(response(401, {}, credentials), Words{"send SUBSCRIBE"});
    EXPECT_EQ(response(401, {}, credentials), Words{"send SUBSCRIBE"});
}

TEST_F(Subscribing, RefusalsOfTheFirst) {
    for (const int status : {403, 404, 408, 481, 489, 500, 603}) {
        subscribe();
        EXPECT_EQ(response(status), Words{"Failed " + std::to_string(status)});
        EXPECT_TRUE(rig.empty()) << status;
    }
}

TEST_F(Subscribing, CORE_54_CORE_S423_IntervalTooBriefIsAskedForAgain) {
    subscribe("60");
    EXPECT_EQ(response(423, {{"Min-Expires", "600"}}), Words{"send SUBSCRIBE"});
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Expires"), "600");
    EXPECT_EQ(rig.sent("SUBSCRIBE").request.cseq, 2u);
    EXPECT_EQ(response(423, {{"Min-Expires", "600"}}), Words{"Failed 423"});  // we had asked for that
}

TEST_F(Subscribing, ChallengeIsAnswered) {
    subscribe();
    EXPECT_EQ(response(401, {}, {{"Authorization", "x"}}), Words{"send SUBSCRIBE"});
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Authorization"), "x");
    EXPECT_EQ(response(401), Words{"Failed 401"});
}

TEST_F(Subscribing, RefreshBeforeTheEnd) {
    subscribe();
    response(200, {{"Expires", "60"}});
    notify("active");  // says no expires: the 2xx has said it
    EXPECT_EQ(rig.pass(milliseconds(27'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send SUBSCRIBE"});
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Expires"), "3600");
    response(200, {{"Expires", "60"}});
    notify("active;expires=300");  // has the last word
    EXPECT_EQ(rig.pass(milliseconds(149'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send SUBSCRIBE"});
}

TEST_F(Subscribing, NeverLongerThanAskedUnlessANotifySaysSo) {
    subscribe("100");
    response(200, {{"Expires", "3600"}});
    notify("active");
    EXPECT_EQ(rig.pass(seconds(50)), Words{"send SUBSCRIBE"});
    response(200, {{"Expires", "100"}});
    notify("active;expires=1000");
    EXPECT_EQ(rig.pass(seconds(499)), Words{});
    EXPECT_EQ(rig.pass(seconds(1)), Words{"send SUBSCRIBE"});
}

/// A refresh that fails.   (RFC 6665 §4.1.2.2; PRES-104)
TEST_F(Subscribing, SomeRefusalsOfARefreshEndIt) {
    for (const int status : {404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604}) {
        stand();
        rig.pass(seconds(1800));
        EXPECT_EQ(response(status), Words{"SubscriptionEnded refused"}) << status;
        EXPECT_TRUE(rig.empty()) << status;
    }
}

TEST_F(Subscribing, OthersLeaveItUntilItsTimeIsOver) {
    for (const int status : {400, 403, 408, 500, 503, 603}) {
        stand();
        rig.pass(seconds(1800));
        EXPECT_EQ(response(status), Words{}) << status;
        EXPECT_EQ(notify("active"), (Words{"respond 200", "Notified active"}));
        EXPECT_EQ(rig.pass(seconds(900)), Words{"send SUBSCRIBE"});  // half of what is left
        response(status);
        Words words;
        while ((words = rig.pass(seconds(1))) != Words{"SubscriptionEnded expired"} && !rig.empty())
            if (!words.empty()) response(status);
        EXPECT_EQ(words, Words{"SubscriptionEnded expired"}) << status;
        EXPECT_TRUE(rig.empty());
    }
}

TEST_F(Subscribing, PhasesAndTheirEnd) {
    subscribe();
    response(200, {{"Expires", "3600"}});
    EXPECT_EQ(notify("pending;expires=600"), (Words{"respond 200", "Notified pending;expires=600"}));
    EXPECT_EQ(notify("active;expires=600"), (Words{"respond 200", "Notified active;expires=600"}));
    EXPECT_EQ(notify("pending;expires=600"), (Words{"respond 200", "Notified pending;expires=600"}));
    EXPECT_EQ(notify("waiting;expires=600"), (Words{"respond 200", "Notified active;expires=600"}));  // an extension
    EXPECT_EQ(notify("terminated;reason=rejected"), (Words{"respond 200", "Notified terminated;reason=rejected"}));
    EXPECT_EQ(notify("active"), Words{"respond 481"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, PollIsAnsweredByOneNotify) {
    subscribe("0");
    response(200, {{"Expires", "0"}});
    EXPECT_EQ(notify("terminated;reason=timeout"), (Words{"respond 200", "Notified terminated;reason=timeout"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, UnsubscribingWaitsForTheLastNotify) {
    stand();
    EXPECT_EQ(unsubscribe(), Words{"send SUBSCRIBE"});
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Expires"), "0");
    EXPECT_EQ(unsubscribe(), Words{});
    EXPECT_EQ(notify("active"), Words{"respond 200"});  // crossed; nobody wants it
    EXPECT_EQ(response(200, {{"Expires", "0"}}), Words{});
    EXPECT_EQ(notify("terminated;reason=timeout"), (Words{"respond 200", "Notified terminated;reason=timeout"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, UnsubscribingEndsByTimerN) {
    stand();
    unsubscribe();
    response(200);
    EXPECT_EQ(rig.pass(seconds(32)), Words{"SubscriptionEnded unsubscribed"});
    EXPECT_EQ(notify("terminated"), Words{"respond 481"});
    stand();
    unsubscribe();
    EXPECT_EQ(response(500), Words{"SubscriptionEnded unsubscribed"});
    stand();
    unsubscribe();
    EXPECT_EQ(response(481), Words{"SubscriptionEnded unsubscribed"});
    stand();
    unsubscribe();
    EXPECT_EQ(response(407, {}, {{"Proxy-Authorization", "x"}}), Words{"send SUBSCRIBE"});
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Expires"), "0");
}

TEST_F(Subscribing, UnsubscribingBeforeTheDialogWaitsForIt) {
    subscribe();
    EXPECT_EQ(unsubscribe(), Words{});
    response(200, {{"Expires", "3600"}});
    EXPECT_EQ(notify("active;expires=3600"), (Words{"respond 200", "send SUBSCRIBE"}));
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Expires"), "0");
    subscribe();
    unsubscribe();
    EXPECT_EQ(response(403), Words{"SubscriptionEnded unsubscribed"});
    subscribe();
    unsubscribe();
    EXPECT_EQ(rig.pass(seconds(32)).back(), "SubscriptionEnded unsubscribed");
}

TEST_F(Subscribing, UnsubscribedBeforeTheDialogItEndsWithoutOne) {
    subscribe();
    unsubscribe();
    response(200, {{"Expires", "3600"}});
    EXPECT_EQ(rig.pass(seconds(32)), Words{"SubscriptionEnded unsubscribed"});
    subscribe();
    unsubscribe();
    EXPECT_EQ(response(404), Words{"SubscriptionEnded unsubscribed"});
    subscribe();
    unsubscribe();
    EXPECT_EQ(response(401, {}, {{"Authorization", "x"}}), Words{"send SUBSCRIBE"});
    EXPECT_EQ(notify("terminated"), (Words{"respond 200", "Notified terminated"}));
    EXPECT_TRUE(rig.empty());
    subscribe();
    unsubscribe();
    EXPECT_EQ(notify("pending"), (Words{"respond 200", "send SUBSCRIBE"}));
    EXPECT_EQ(notify("pending"), Words{"respond 200"});
    EXPECT_EQ(notify("terminated"), (Words{"respond 200", "Notified terminated"}));
    EXPECT_TRUE(rig.empty());
}

/// Waiting for its user the subscription is kept as an active one is.
TEST_F(Subscribing, PendingIsRefreshedEndedAndLeftLikeActive) {
    const auto wait = [&] {
        subscribe();
        response(200, {{"Expires", "3600"}});
        EXPECT_EQ(notify("pending;expires=3600"), (Words{"respond 200", "Notified pending;expires=3600"}));
    };
    wait();
    EXPECT_EQ(notify("pending;expires=3600"), (Words{"respond 200", "Notified pending;expires=3600"}));
    EXPECT_EQ(rig.pass(seconds(1800)), Words{"send SUBSCRIBE"});
    EXPECT_EQ(response(401, {}, {{"Authorization", "x"}}), Words{"send SUBSCRIBE"});
    EXPECT_EQ(response(200, {{"Expires", "600"}}), Words{});
    EXPECT_EQ(rig.pass(seconds(32)), Words{"SubscriptionEnded unanswered"});
    wait();
    rig.pass(seconds(1800));
    EXPECT_EQ(response(500), Words{});
    EXPECT_EQ(rig.pass(seconds(900)), Words{"send SUBSCRIBE"});
    EXPECT_EQ(response(481), Words{"SubscriptionEnded refused"});
    wait();
    EXPECT_EQ(notify("terminated;reason=rejected"), (Words{"respond 200", "Notified terminated;reason=rejected"}));
    wait();
    EXPECT_EQ(unsubscribe(), Words{"send SUBSCRIBE"});
    notify("terminated");
    subscribe();
    EXPECT_EQ(notify("pending;expires=0"), (Words{"respond 200", "Notified pending;expires=0"}));
    EXPECT_EQ(rig.pass(seconds(0)), Words{"SubscriptionEnded expired"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, ChallengedRefreshGoesAgain) {
    stand();
    rig.pass(seconds(1800));
    EXPECT_EQ(response(407, {}, {{"Proxy-Authorization", "x"}}), Words{"send SUBSCRIBE"});
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Proxy-Authorization"), "x");
    EXPECT_EQ(*rig.sent("SUBSCRIBE").request.header("Expires"), "3600");
}

TEST_F(Subscribing, BadNotifies) {
    stand();
    EXPECT_EQ(notify("active", "stranger"), Words{"respond 481"});
    EXPECT_EQ(notify("active", "b", "dialog"), Words{"respond 489"});
    EXPECT_TRUE(rig.last<Respond>().response.header("Allow-Events"));
    EXPECT_EQ(notify("active", "b", "presence;id=7"), Words{"respond 481"});
    EXPECT_EQ(rig.inside("NOTIFY", {.headers = {{"Event", "presence"}}}), Words{"respond 400"});
    EXPECT_EQ(rig.inside("NOTIFY", {.headers = {{"Subscription-State", "active"}}}), Words{"respond 489"});
    EXPECT_EQ(rig.inside("NOTIFY", {.headers = {{"Event", "presence"}, {"Subscription-State", "active"}}}, 1),
              Words{"respond 500"});
    EXPECT_EQ(notify("active"), (Words{"respond 200", "Notified active"}));  // the dialog stands
}

TEST_F(Subscribing, NotifyAndItsAnswersRefreshTheTarget) {
    stand();
    rig.inside("NOTIFY",
               {.headers = {{"Event", "presence"}, {"Subscription-State", "active;expires=3600"}}, .contact = "moved.example"});
    rig.pass(seconds(1800));
    EXPECT_EQ(rig.sent("SUBSCRIBE").request.uri.host, "moved.example");
    rig.response("SUBSCRIBE", 200, {.headers = {{"Expires", "3600"}}, .contact = "again.example"});
    unsubscribe();
    EXPECT_EQ(rig.sent("SUBSCRIBE").request.uri.host, "again.example");
}

// ---- Forks ----

TEST_F(Subscribing, OneNotifierAloneWhereThePackageSaysSo) {
    subscribe();
    notify("active;expires=3600");
    EXPECT_EQ(notify("active;expires=3600", "c"), Words{"respond 481"});
    EXPECT_EQ(rig.agent.usages(), 1u);
}

TEST_F(Subscribing, EachNotifierIsASubscriptionOfItsOwn) {
    subscribe("3600", true);
    EXPECT_EQ(notify("active;expires=3600"), (Words{"respond 200", "Notified active;expires=3600"}));
    EXPECT_EQ(notify("pending;expires=600", "c"), (Words{"Forked", "respond 200", "Notified pending;expires=600"}));
    const auto fork = rig.last<Forked>();
    EXPECT_EQ(fork.subscription, key);
    EXPECT_EQ(rig.agent.dialogs(), 2u);
    EXPECT_EQ(notify("active;expires=600", "c"), (Words{"respond 200", "Notified active;expires=600"}));
    EXPECT_EQ(rig.last<Notified>().subscription, fork.fork);
    EXPECT_EQ(rig.does([&](auto& out) { rig.agent.unsubscribe(fork.fork, rig.now, out); }), Words{"send SUBSCRIBE"});
    EXPECT_EQ(rig.sent("SUBSCRIBE").request.to.tag, "c");
    notify("terminated", "c");
    EXPECT_EQ(rig.agent.usages(), 1u);  // the first one stands
    EXPECT_EQ(rig.agent.dialogs(), 1u);
}

TEST_F(Subscribing, ForksCountUntilTimerNHoweverTheFirstOneFares) {
    subscribe("3600", true);
    notify("terminated;reason=noresource");
    EXPECT_EQ(rig.agent.dialogs(), 0u);
    rig.pass(milliseconds(31'999));
    EXPECT_EQ(notify("active;expires=3600", "c"), (Words{"Forked", "respond 200", "Notified active;expires=3600"}));
    rig.pass(milliseconds(1));
    EXPECT_EQ(notify("active;expires=3600", "d"), Words{"respond 481"});
    EXPECT_EQ(rig.agent.usages(), 1u);
    EXPECT_EQ(rig.agent.dialogs(), 1u);
}

TEST_F(Subscribing, WhoUnsubscribesTakesNoMoreForks) {
    subscribe("3600", true);
    notify("active;expires=3600");
    unsubscribe();
    EXPECT_EQ(notify("active;expires=3600", "c"), Words{"respond 481"});
}

TEST_F(Subscribing, SixteenForksAtMost) {
    subscribe("3600", true);
    for (int i = 0; i < 30; ++i) notify("active;expires=3600", "f" + std::to_string(i));
    EXPECT_EQ(rig.agent.dialogs(), 17u);
}

// ---- REFER ----

TEST_F(Subscribing, ReferMakesASubscriptionThatIsNotRefreshed) {
    key = rig.subscribe({{"Refer-To", "<sip:c@else.example>"}}, false, "REFER");
    EXPECT_EQ(rig.response("REFER", 202), Words{});
    EXPECT_EQ(notify("active;expires=60", "b", "refer"), (Words{"respond 200", "Notified active;expires=60"}));
    EXPECT_EQ(notify("active;expires=60", "b", "refer;id=1"), (Words{"respond 200", "Notified active;expires=60"}));
    EXPECT_EQ(notify("active;expires=60", "b", "refer;id=99"), Words{"respond 481"});
    EXPECT_EQ(rig.pass(seconds(60)), Words{"SubscriptionEnded expired"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, ReferInACallSharesItsDialog) {
    const auto call = rig.call();
    rig.response("INVITE", 200, {.body = "A"});
    Request refer;
    refer.method = "REFER";
    refer.headers = {{"Refer-To", "<sip:c@else.example>"}};
    rig.does([&](auto& out) { key = rig.agent.subscribe_inside(call, refer, rig.now, out); });
    EXPECT_EQ(rig.response("REFER", 200), Words{});
    EXPECT_EQ(notify("active;expires=60", "b", "refer"), (Words{"respond 200", "Notified active;expires=60"}));
    EXPECT_EQ(rig.agent.dialogs(), 1u);
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Ended remote"}));
    EXPECT_EQ(notify("terminated;reason=noresource", "b", "refer"),
              (Words{"respond 200", "Notified terminated;reason=noresource"}));  // outlives the call (RFC 5057)
    rig.pass(seconds(33));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Subscribing, RefusedReferLeavesTheCall) {
    const auto call = rig.call();
    rig.response("INVITE", 200, {.body = "A"});
    Request refer;
    refer.method = "REFER";
    refer.headers = {{"Refer-To", "<sip:c@else.example>"}};
    rig.does([&](auto& out) { key = rig.agent.subscribe_inside(call, refer, rig.now, out); });
    EXPECT_EQ(rig.response("REFER", 404), Words{"Failed 404"});
    EXPECT_EQ(rig.inside("INFO"), Words{"Requested INFO"});
}

}  // namespace
}  // namespace stox::test
