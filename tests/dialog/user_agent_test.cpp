// Where requests and responses belong: dialogs, usages that share one, Replaces, limits.
// (RFC 3261 §12.2.2, RFC 5057, RFC 3891)

#include "tests/dialog/rig.h"

namespace stox::test {
namespace {

using namespace sip;

struct Agent : testing::Test {
    Rig rig;
    UsageKey called(const std::string& call_id = "c1") {
        rig.call_id = call_id;
        rig.first("INVITE", {.body = "O"});
        const auto key = rig.last<Invited>().call;
        rig.does([&](auto& out) { rig.agent.answer(key, {200, {}, sdp("A")}, rig.now, out); });
        rig.ack(rig.peer_cseq);
        return key;
    }
    Words replaces(const std::string& value) {
        const auto before = rig.call_id;
        const auto ours = rig.ours;
        rig.call_id = "new";
        auto words = rig.first("INVITE", {.tag = "n", .body = "O", .headers = {{"Replaces", value}}});
        rig.call_id = before;
        rig.ours = ours;
        return words;
    }
};

TEST_F(Agent, RequestsWithoutTheirDialogAreUnknown) {
    for (const std::string method : {"BYE", "UPDATE", "PRACK", "INFO", "NOTIFY", "INVITE", "SUBSCRIBE", "REFER", "MESSAGE"})
        EXPECT_EQ(rig.inside(method), Words{"respond 481"}) << method;
    for (const std::string method : {"BYE", "UPDATE", "PRACK", "INFO", "NOTIFY"})
        EXPECT_EQ(rig.first(method), Words{"respond 481"}) << method;
    EXPECT_EQ(rig.ack(5), Words{});
    EXPECT_EQ(rig.first("MESSAGE"), Words{"Requested MESSAGE"});
    EXPECT_EQ(rig.first("OPTIONS"), Words{"Requested OPTIONS"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Agent, CallIdAndBothTagsMakeTheDialog) {
    called();
    EXPECT_EQ(rig.inside("INFO"), Words{"Requested INFO"});
    EXPECT_EQ(rig.inside("INFO", {.tag = "x"}), Words{"respond 481"});
    const auto ours = std::exchange(rig.ours, "x");
    EXPECT_EQ(rig.inside("INFO"), Words{"respond 481"});
    rig.ours = ours;
    rig.call_id = "x";
    EXPECT_EQ(rig.inside("INFO"), Words{"respond 481"});
    EXPECT_EQ(rig.inside("BYE"), Words{"respond 481"});
}

TEST_F(Agent, PeersWithoutTagAreKnownToo) {
    rig.first("INVITE", {.tag = "", .body = "O"});
    const auto key = rig.last<Invited>().call;
    rig.does([&](auto& out) { rig.agent.answer(key, {200, {}, sdp("A")}, rig.now, out); });
    EXPECT_EQ(rig.ack(rig.peer_cseq, {.tag = ""}), Words{"Established"});
    EXPECT_EQ(rig.inside("BYE", {.tag = ""}), (Words{"respond 200", "Ended remote"}));
}

TEST_F(Agent, BrokenDialogTakesAllItsUsages) {
    called();
    rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}});
    const auto subscription = rig.last<ReferWanted>().subscription;
    rig.does([&](auto& out) { rig.agent.grant(subscription, refer_news(100), rig.now, out); });
    EXPECT_EQ(rig.response("NOTIFY", 404), (Words{"SubscriptionEnded refused", "Ended peer_lost", "send BYE"}));
    rig.response("BYE", 404);
    EXPECT_TRUE(rig.empty());
}

TEST_F(Agent, LostUsageLeavesTheOthers) {
    const auto call = called();
    rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}});
    const auto subscription = rig.last<ReferWanted>().subscription;
    rig.does([&](auto& out) { rig.agent.grant(subscription, refer_news(100), rig.now, out); });
    EXPECT_EQ(rig.response("NOTIFY", 481), Words{"SubscriptionEnded refused"});
    rig.does([&](auto& out) { rig.agent.send(call, "INFO", {}, "", "", rig.now, out); });
    EXPECT_EQ(rig.response("INFO", 200), Words{"RequestAnswered 200"});
}

TEST_F(Agent, BrokenCallTakesItsSubscriptions) {
    const auto call = called();
    rig.inside("SUBSCRIBE", {.headers = {{"Event", "conference"}, {"Expires", "600"}}});
    const auto subscription = rig.last<SubscriptionWanted>().subscription;
    rig.does([&](auto& out) { rig.agent.grant(subscription, {}, rig.now, out); });
    rig.response("NOTIFY", 200);
    rig.does([&](auto& out) { rig.agent.send(call, "INFO", {}, "", "", rig.now, out); });
    EXPECT_EQ(rig.response("INFO", 410),
              (Words{"RequestAnswered 410", "Ended peer_lost", "send BYE", "SubscriptionEnded refused"}));
}

/// A call of the peer that was not answered yet, and a subscription in its early dialog whose NOTIFY the peer answers.
struct EarlyDialog : Agent {
    UsageKey call{};
    void invited(std::vector<Header> headers = {}) {
        rig.first("INVITE", {.body = "O", .headers = std::move(headers)});
        call = rig.last<Invited>().call;
    }
    Words lose() {
        rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}});
        const auto subscription = rig.last<ReferWanted>().subscription;
        rig.does([&](auto& out) { rig.agent.grant(subscription, refer_news(100), rig.now, out); });
        return rig.response("NOTIFY", 404);
    }
    void ring_reliably() {
        rig.does([&](auto& out) { rig.agent.progress(call, {183, {}, {}}, true, rig.now, out); });
    }
    Words answer() {
        return rig.does([&](auto& out) { rig.agent.answer(call, {200, {}, sdp("A")}, rig.now, out); });
    }
    Words prack() { return rig.inside("PRACK", {.headers = {{"RAck", "1 101 INVITE"}}}); }
};

TEST_F(EarlyDialog, LostBeforeTheAnswerFailsTheCall) {
    invited();
    EXPECT_EQ(lose(), (Words{"SubscriptionEnded refused", "Failed 480", "respond 480"}));
    EXPECT_EQ(answer(), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(EarlyDialog, LostBeforeThePrackFailsTheCall) {
    invited({{"Supported", "100rel"}});
    ring_reliably();
    EXPECT_EQ(lose(), (Words{"SubscriptionEnded refused", "Failed 480"}));
    EXPECT_EQ(answer(), Words{});
    EXPECT_EQ(prack(), (Words{"respond 200", "respond 480"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(EarlyDialog, LostWhileTheAnswerWaitsFailsTheCallOnce) {
    invited({{"Supported", "100rel"}});
    ring_reliably();
    answer();
    EXPECT_EQ(lose(), (Words{"SubscriptionEnded refused", "Failed 480"}));
    EXPECT_EQ(prack(), (Words{"respond 200", "respond 480"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(EarlyDialog, LostWhileARefusalWaitsLeavesIt) {
    invited({{"Supported", "100rel"}});
    ring_reliably();
    rig.does([&](auto& out) { rig.agent.answer(call, {486, {}, {}}, rig.now, out); });
    EXPECT_EQ(lose(), Words{"SubscriptionEnded refused"});
    EXPECT_EQ(prack(), (Words{"respond 200", "respond 486"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Agent, SubscriptionAndCallOfOneDialogEndOneByOne) {
    called();
    rig.inside("SUBSCRIBE", {.headers = {{"Event", "conference"}, {"Expires", "600"}}});
    const auto subscription = rig.last<SubscriptionWanted>().subscription;
    rig.does([&](auto& out) { rig.agent.grant(subscription, {}, rig.now, out); });
    rig.response("NOTIFY", 200);
    EXPECT_EQ(rig.agent.dialogs(), 1u);
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Ended remote"}));
    EXPECT_EQ(rig.inside("INFO"), Words{"respond 481"});
    EXPECT_EQ(rig.inside("INVITE"), Words{"respond 481"});
    EXPECT_EQ(replaces("c1;to-tag=" + rig.ours + ";from-tag=b"), Words{"respond 603"});
    EXPECT_EQ(rig.inside("SUBSCRIBE", {.headers = {{"Event", "conference"}, {"Expires", "0"}}}),
              (Words{"respond 200", "SubscriptionEnded unsubscribed", "send NOTIFY"}));
    rig.response("NOTIFY", 200);
    EXPECT_TRUE(rig.empty());
}

TEST(AgentDialogs, TheEndOfADialogIsToldWithItsLastUsage) {
    std::vector<DialogId> over;
    UserAgent::Settings settings;
    settings.on_dialog_over = [&over](const DialogId& id) { over.push_back(id); };
    Rig rig(std::move(settings));
    rig.first("INVITE", {.body = "O"});
    rig.does([&](auto& out) { rig.agent.answer(rig.last<Invited>().call, {200, {}, sdp("A")}, rig.now, out); });
    rig.ack(rig.peer_cseq);
    rig.inside("SUBSCRIBE", {.headers = {{"Event", "conference"}, {"Expires", "600"}}});
    rig.does([&](auto& out) { rig.agent.grant(rig.last<SubscriptionWanted>().subscription, {}, rig.now, out); });
    rig.response("NOTIFY", 200);
    rig.inside("BYE");
    EXPECT_TRUE(over.empty()) << "the subscription is left";
    rig.inside("SUBSCRIBE", {.headers = {{"Event", "conference"}, {"Expires", "0"}}});
    EXPECT_TRUE(over.empty()) << "its last word is on the way";
    rig.response("NOTIFY", 200);
    ASSERT_EQ(over.size(), 1u);
    EXPECT_EQ(over.front(), (DialogId{"c1", rig.ours, "b"}));
}

// ---- Replaces: RFC 3891 §3 ----

TEST_F(Agent, ReplacesFindsTheEstablishedCall) {
    const auto call = called();
    EXPECT_EQ(replaces("c1;to-tag=" + rig.ours + ";from-tag=b"), Words{"Invited offer replaces"});
    EXPECT_EQ(rig.last<Invited>().replaces, call);
    EXPECT_EQ(rig.inside("INFO"), Words{"Requested INFO"});  // until the application has judged
}

TEST_F(Agent, ReplacesOfNothingIsUnknown) {
    called();
    EXPECT_EQ(replaces("c1;to-tag=" + rig.ours + ";from-tag=x"), Words{"respond 481"});
    EXPECT_EQ(replaces("c1;to-tag=x;from-tag=b"), Words{"respond 481"});
    EXPECT_EQ(replaces("c2;to-tag=" + rig.ours + ";from-tag=b"), Words{"respond 481"});
    EXPECT_EQ(replaces("c1;to-tag=b;from-tag=" + rig.ours), Words{"respond 481"});  // the other way round
    EXPECT_EQ(replaces("c1;to-tag=" + rig.ours), Words{"respond 400"});
}

TEST_F(Agent, EarlyOnlyIsBusyOnceEstablished) {
    called();
    EXPECT_EQ(replaces("c1;to-tag=" + rig.ours + ";from-tag=b;early-only"), Words{"respond 486"});
}

TEST_F(Agent, EarlyDialogOfThePeerIsNotReplaced) {
    rig.first("INVITE", {.body = "O"});
    rig.does([&](auto& out) { rig.agent.progress(rig.last<Invited>().call, {180}, false, rig.now, out); });
    EXPECT_EQ(replaces("c1;to-tag=" + rig.ours + ";from-tag=b"), Words{"respond 481"});
}

TEST_F(Agent, EarlyDialogOfOursIsReplaced) {
    const auto call = rig.call();
    rig.response("INVITE", 180);
    EXPECT_EQ(replaces("c1;to-tag=a;from-tag=b;early-only"), Words{"Invited offer replaces"});
    EXPECT_EQ(rig.last<Invited>().replaces, call);
}

TEST_F(Agent, EndedOrEndingCallIsDeclined) {
    const auto call = called();
    const auto value = "c1;to-tag=" + rig.ours + ";from-tag=b";
    rig.does([&](auto& out) { rig.agent.hang_up(call, {}, rig.now, out); });
    EXPECT_EQ(replaces(value), Words{"respond 603"});
    rig.response("BYE", 200);
    EXPECT_EQ(replaces(value), Words{"respond 603"});
}

TEST_F(Agent, SubscriptionsAreNotReplaced) {
    rig.first("SUBSCRIBE", {.headers = {{"Event", "presence"}, {"Expires", "600"}}});
    const auto value = "c1;to-tag=" + rig.ours + ";from-tag=b";
    const auto key = rig.last<SubscriptionWanted>().subscription;
    rig.does([&](auto& out) { rig.agent.grant(key, {}, rig.now, out); });
    EXPECT_EQ(replaces(value), Words{"respond 481"});
    rig.response("NOTIFY", 481);
    EXPECT_EQ(replaces(value), Words{"respond 481"});
}

// ---- Limits ----

TEST(AgentLimits, DialogsOfAPeerAreBounded) {
    Rig rig({.calls = {}, .limits = {.per_peer = 3, .in_all = 10}});
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(rig.first("INVITE", {.tag = "b" + std::to_string(i), .body = "O"}), Words{"Invited offer"});
    EXPECT_EQ(rig.first("INVITE", {.tag = "x", .body = "O"}), Words{"respond 503"});
    EXPECT_EQ(*rig.last<Respond>().response.header("Retry-After"), "2");
    EXPECT_EQ(rig.first("SUBSCRIBE", {.tag = "x", .headers = {{"Event", "presence"}}}), Words{"respond 503"});
    EXPECT_EQ(rig.first("REFER", {.tag = "x"}), Words{"respond 503"});
    EXPECT_EQ(rig.call(), UsageKey::none);
    rig.does([&](auto& out) { rig.agent.answer(rig.last<Invited>().call, {486}, rig.now, out); });
    EXPECT_NE(rig.call(), UsageKey::none);
}

TEST(AgentLimits, UsagesOfAPeerAreBoundedWhereThatIsAskedFor) {
    Rig rig;
    rig.agent.limit_peers({{"peer", 2}, {"other", 1}});
    EXPECT_NE(rig.subscribe({{"Event", "presence"}}), UsageKey::none);
    EXPECT_EQ(rig.agent.dialogs(), 0u);  // it counts from its beginning
    EXPECT_EQ(rig.first("INVITE", {.tag = "b1", .body = "O"}), Words{"Invited offer"});
    const auto call = rig.last<Invited>().call;
    EXPECT_EQ(rig.agent.usages_of("peer"), 2u);
    EXPECT_EQ(rig.call(), UsageKey::none);
    EXPECT_EQ(rig.subscribe({{"Event", "presence"}}), UsageKey::none);
    EXPECT_EQ(rig.first("INVITE", {.tag = "x", .body = "O"}), Words{"respond 503"});
    EXPECT_EQ(rig.first("SUBSCRIBE", {.tag = "x", .headers = {{"Event", "presence"}}}), Words{"respond 503"});
    rig.does([&](auto& out) { rig.agent.answer(call, {486}, rig.now, out); });
    EXPECT_EQ(rig.agent.usages_of("peer"), 1u);
    EXPECT_NE(rig.call(), UsageKey::none);
    EXPECT_EQ(rig.call(), UsageKey::none);
    rig.agent.limit_peers({});
    EXPECT_NE(rig.call(), UsageKey::none);
}

TEST(AgentLimits, AQuarterOfAPeersUsagesIsForWhatWeBegin) {
    for (const auto& [most, theirs] : {std::pair<std::size_t, std::size_t>{1, 0}, {2, 1}, {3, 2}, {8, 6}}) {
        SCOPED_TRACE(most);
        Rig rig;
        rig.agent.limit_peers({{"peer", most}});
        auto call = UsageKey::none;
        for (std::size_t i = 0; i < theirs; ++i) {
            EXPECT_EQ(rig.first("INVITE", {.tag = "b" + std::to_string(i), .body = "O"}), Words{"Invited offer"});
            call = rig.last<Invited>().call;
        }
        EXPECT_EQ(rig.first("INVITE", {.tag = "x", .body = "O"}), Words{"respond 503"});
        EXPECT_EQ(rig.first("SUBSCRIBE", {.tag = "x", .headers = {{"Event", "presence"}}}), Words{"respond 503"});
        for (std::size_t i = theirs; i < most; ++i) EXPECT_NE(rig.subscribe({{"Event", "presence"}}), UsageKey::none);
        EXPECT_EQ(rig.subscribe({{"Event", "presence"}}), UsageKey::none);
        if (theirs == 0) continue;
        rig.does([&](auto& out) { rig.agent.answer(call, {486}, rig.now, out); });
        EXPECT_EQ(rig.first("INVITE", {.tag = "y", .body = "O"}), Words{"Invited offer"}) << "counted until it is over";
    }
}

TEST(AgentLimits, UsagesOfADialogAreBounded) {
    Rig rig;
    rig.first("INVITE", {.body = "O"});
    const auto key = rig.last<Invited>().call;
    rig.does([&](auto& out) { rig.agent.answer(key, {200, {}, sdp("A")}, rig.now, out); });
    rig.ack(rig.peer_cseq);
    for (std::size_t i = 1; i < DialogTable::kMaxUsages; ++i)
        EXPECT_EQ(rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}}),
                  Words{"ReferWanted <sip:c@else.example>"});
    EXPECT_EQ(rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}}), Words{"respond 503"});
}

TEST(AgentLimits, UsagesInAllAreBounded) {
    Rig rig({.calls = {}, .limits = {.per_peer = 3, .in_all = 3}});
    rig.first("INVITE", {.body = "O"});
    const auto key = rig.last<Invited>().call;
    rig.does([&](auto& out) { rig.agent.answer(key, {200, {}, sdp("A")}, rig.now, out); });
    rig.ack(rig.peer_cseq);
    for (int i = 1; i < 6; ++i) rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}});
    EXPECT_EQ(rig.agent.usages(), 6u);
    EXPECT_EQ(rig.inside("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}}), Words{"respond 503"});
}

TEST(AgentLimits, LongCallHoldsNoMoreThanItNeeds) {
    Rig rig;
    const auto call = rig.call();
    rig.response("INVITE", 200, {.body = "A"});
    rig.pass(seconds(33));
    for (int i = 0; i < 50; ++i) {
        const auto offer = "O" + std::to_string(i);
        EXPECT_EQ(rig.does([&](auto& out) {
            rig.agent.modify(call, {"INVITE", {}, sdp(offer)}, rig.now, out);
        }),
                  Words{"send INVITE [" + offer + "]"});
        rig.response("INVITE", 200, {.body = "A"});
    }
    EXPECT_EQ(rig.agent.remembered(), 1u);  // of the last one the 2xx may come again
}

}  // namespace
}  // namespace stox::test
