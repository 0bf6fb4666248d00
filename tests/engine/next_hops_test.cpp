// Location, probing and fail-over of a domain's peers, in virtual time.

#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using xmpp::Condition;

config::DomainOptions with_hops(std::vector<config::NextHop> hops, bool probe = true) {
    auto options = Rig::default_options();
    for (unsigned place = 0; auto& hop : hops) hop.priority = place++;
    options.peers.front().next_hops = std::move(hops);
    options.peers.front().probe = probe;
    return options;
}

Target udp(std::uint8_t host, std::uint16_t port = 5060) { return {Transport::udp, {Address::v4({10, 0, 0, host}), port}}; }

/// Drives probes: each OPTIONS that leaves is answered by `answers[target]`, at once; 0 is silence.
class ProbedRig : public Rig {
public:
    using Rig::Rig;

    /// Until that time, every timer at its moment.
    void run_until(TimePoint end) {
        while (const auto due = engine.next_timeout()) {
            if (*due > end) break;
            now = std::max(now, *due);
            feed(Tick{});
            take();
        }
        now = end;
    }
    /// The OPTIONS among what was sent are answered; the rest stays in `sent`.
    void take() {
        std::vector<SendSip> rest, probes;
        std::vector<Log> lines = logs;
        for (auto& one : std::exchange(sent, {})) (one.request.method == "OPTIONS" ? probes : rest).push_back(std::move(one));
        for (const auto& probe : probes) {
            ++probed[probe.target];
            const auto answer = answers.contains(probe.target) ? answers.at(probe.target) : 0;
            if (answer == 0) continue;
            sip_response(probe.transaction, answer, answer == -1 ? LocalFailure::transport : LocalFailure::none);
            lines.insert(lines.end(), logs.begin(), logs.end());
        }
        for (const auto& line : lines) history.push_back(line.text);
        sent = std::move(rest);
    }
    Engine::Reach reach() const { return engine.peers().front().reach; }

    std::map<Target, int> answers;
    std::map<Target, int> probed;
    std::vector<std::string> history;
};

TEST(Probing, EachTargetGetsOptionsEvery15Seconds) {
    ProbedRig rig(with_hops({hop(1), hop(2)}));
    EXPECT_EQ(rig.reach(), Engine::Reach::unknown);
    rig.answers = {{udp(1), 200}, {udp(2), 200}};
    rig.run_until(TimePoint{} + 44s);
    EXPECT_EQ(rig.probed[udp(1)], 3);
    EXPECT_EQ(rig.probed[udp(2)], 3);
    EXPECT_EQ(rig.reach(), Engine::Reach::up);
    EXPECT_TRUE(rig.history.empty()) << "what is as it should be is no news";
}

TEST(Probing, AProbeAsksTheHopItselfInTheNameOfTheDomain) {
    Rig rig(with_hops({hop(1, 5080, Transport::tcp)}));
    rig.pass(0s);
    ASSERT_EQ(rig.sent.size(), 1u);
    const auto& [transaction, request, target, open_within] = rig.sent.front();
    EXPECT_EQ(request.method, "OPTIONS");
    EXPECT_EQ(request.uri.to_string(), "sip:10.0.0.1:5080");
    EXPECT_EQ(request.from.uri.to_string(), "sip:capulet.test");
    EXPECT_EQ(request.max_forwards, 0u);
    EXPECT_EQ(target.text(), "tcp:10.0.0.1:5080");
}

TEST(Probing, DownAfterTwoMissesUpAtTheFirstAnswer) {
    for (const int miss : {0, 503, -1}) {
        SCOPED_TRACE(miss);
        ProbedRig rig(with_hops({hop(1)}));
        rig.answers[udp(1)] = 200;
        rig.run_until(TimePoint{} + 14s);
        rig.answers[udp(1)] = miss;
        rig.run_until(TimePoint{} + 29s);
        EXPECT_EQ(rig.reach(), Engine::Reach::up) << "one miss is an accident";
        rig.run_until(TimePoint{} + 35s);
        EXPECT_EQ(rig.reach(), Engine::Reach::down);
        rig.run_until(TimePoint{} + 134s);
        ASSERT_EQ(rig.history.size(), 1u) << "told once";
        EXPECT_EQ(rig.history.front().rfind("next hop down target=udp:10.0.0.1:5060", 0), 0u);
        rig.answers[udp(1)] = 404;
        rig.run_until(TimePoint{} + 136s);
        EXPECT_EQ(rig.reach(), Engine::Reach::up) << "any answer but 503 is a sign of life";
        ASSERT_EQ(rig.history.size(), 2u);
        EXPECT_EQ(rig.history.back(), "next hop up target=udp:10.0.0.1:5060");
    }
}

TEST(Probing, ALateAnswerIsAnAnswer) {
    ProbedRig rig(with_hops({hop(1)}));
    rig.feed(Tick{});
    const auto first = rig.sent.front().transaction;
    rig.now += 15s;
    rig.feed(Tick{});
    rig.now += 4s;
    rig.feed(Tick{});
    EXPECT_EQ(rig.reach(), Engine::Reach::down);
    rig.sip_response(first, 200);
    EXPECT_EQ(rig.reach(), Engine::Reach::up);
    rig.sip_response(first, 200);
    EXPECT_TRUE(rig.logs.empty());
}

TEST(Probing, OffMeansNoPacketAndNoJudgement) {
    Rig rig(with_hops({hop(1)}, false));
    EXPECT_FALSE(rig.engine.next_timeout());
    EXPECT_EQ(rig.engine.peers().front().reach, Engine::Reach::unknown);
}

TEST(Failing, AMessageGoesToTheFirstThatIsNotDown) {
    ProbedRig rig(with_hops({hop(1), hop(2)}));
    rig.answers = {{udp(2), 200}};
    rig.run_until(TimePoint{} + 20s);
    rig.stanza(message_stanza());
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().target, udp(2));
    rig.sip_response(rig.sent.front().transaction, 200);
    rig.answers[udp(1)] = 200;
    rig.run_until(TimePoint{} + 31s);
    EXPECT_EQ(rig.stanza(message_stanza()).sent.front().target, udp(1)) << "back to the first as soon as it answers";
}

TEST(Failing, AllDownIsToldAtOnceAndOnlyAProbeBringsItBack) {
    ProbedRig rig(with_hops({hop(1), hop(2)}));
    rig.run_until(TimePoint{} + 20s);
    EXPECT_EQ(rig.reach(), Engine::Reach::down);
    EXPECT_EQ(rig.stanza(message_stanza()).error().condition, Condition::remote_server_timeout);
    EXPECT_NE(rig.error().text->find("next hop down"), std::string::npos);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.engine.pending().transactions, 0u);
    rig.answers[udp(2)] = 200;
    rig.run_until(TimePoint{} + 31s);
    EXPECT_EQ(rig.stanza(message_stanza()).sent.front().target, udp(2));
}

TEST(Failing, AMessageMovesOnWhereItSurelyWasNotTaken) {
    Rig rig(with_hops({hop(1), hop(2), hop(3)}, false));
    rig.stanza(message_stanza("m1", "one"));
    auto sent = rig.sent.at(0);
    EXPECT_EQ(sent.target, udp(1));
    rig.sip_response(sent.transaction, 503);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().target, udp(2));
    EXPECT_EQ(rig.sent.front().request, sent.request) << "the same request";
    EXPECT_NE(rig.sent.front().transaction, sent.transaction);
    EXPECT_TRUE(rig.stanzas.empty());
    sent = rig.sent.front();
    rig.sip_response(sent.transaction, 503, LocalFailure::unsent);
    EXPECT_EQ(rig.sent.at(0).target, udp(3));
    rig.sip_response(rig.sent.at(0).transaction, 408, LocalFailure::timeout);
    EXPECT_EQ(rig.error().condition, Condition::remote_server_timeout);
    EXPECT_TRUE(rig.sent.empty());
}

/// A response with that Retry-After.
void busy(Rig& rig, ClientTransaction transaction, int status, const std::string& retry_after) {
    SipResponseIn in{transaction, {}};
    in.response.status = status;
    in.response.headers = {{"Retry-After", retry_after}};
    rig.feed(in);
}

TEST(Failing, CORE_S503_RetryAfterIsKeptWhileThereIsAnotherTarget) {
    Rig rig(with_hops({hop(1), hop(2)}, false));
    rig.stanza(message_stanza("m1", "one"));
    busy(rig, rig.sent.at(0).transaction, 503, "120 (in a meeting)");
    EXPECT_EQ(rig.sent.at(0).target, udp(2));
    rig.sip_response(rig.sent.at(0).transaction, 200);
    rig.pass(119s);
    EXPECT_EQ(rig.stanza(message_stanza("m2")).sent.at(0).target, udp(2)) << "left alone for as long as it asked";
    EXPECT_FALSE(rig.sent.at(0).open_within) << "none is behind it";
    rig.sip_response(rig.sent.at(0).transaction, 200);
    rig.pass(1s);
    EXPECT_EQ(rig.stanza(message_stanza("m3")).sent.at(0).target, udp(1));
}

TEST(Failing, CORE_S503_TheOnlyTargetIsTriedAllTheSameAndTheAuthorMayTryAgain) {
    Rig rig(with_hops({hop(1), hop(2)}, false));
    rig.stanza(message_stanza("m1"));
    busy(rig, rig.sent.at(0).transaction, 503, "120");
    busy(rig, rig.sent.at(0).transaction, 503, "60");
    EXPECT_EQ(rig.error().type, xmpp::ErrorType::wait);
    EXPECT_EQ(rig.stanza(message_stanza("m2")).sent.at(0).target, udp(1)) << "all are busy: the usual order";
    rig.sip_response(rig.sent.at(0).transaction, 503);
    rig.sip_response(rig.sent.at(0).transaction, 503);
    EXPECT_EQ(rig.error().type, xmpp::ErrorType::cancel) << "nobody said when";
    rig.pass(61s);
    EXPECT_EQ(rig.stanza(message_stanza("m3")).sent.at(0).target, udp(2)) << "its time is over first";
}

TEST(Failing, RetryAfterIsKeptByNextHopOfOnePeerAndForAnHourAtMost) {
    Rig rig(with_hops({hop(1), hop(2), hop(3)}, false));
    rig.stanza(message_stanza("m1"));
    busy(rig, rig.sent.at(0).transaction, 503, "4294967295");
    busy(rig, rig.sent.at(0).transaction, 500, "60");
    EXPECT_EQ(rig.stanza(message_stanza("m2")).sent.at(0).target, udp(2)) << "500 asks for nothing of the target";
    rig.sip_response(rig.sent.at(0).transaction, 200);
    rig.feed(OptionsChanged{with_hops({hop(1), hop(2)}, false)});
    EXPECT_EQ(rig.stanza(message_stanza("m3")).sent.at(0).target, udp(2)) << "a reload changes nothing";
    rig.sip_response(rig.sent.at(0).transaction, 200);
    rig.pass(std::chrono::hours(1));
    EXPECT_EQ(rig.stanza(message_stanza("m4")).sent.at(0).target, udp(1));
}

TEST(Failing, ABusyTargetIsTriedAfterTheOthersOfARequestUnderWay) {
    Rig rig(with_hops({hop(1), hop(2), hop(3)}, false));
    auto other = message_stanza("m2");
    other.to.local = "nurse";
    const auto first = rig.stanza(message_stanza("m1")).sent.at(0).transaction;
    rig.stanza(other);
    busy(rig, rig.sent.at(0).transaction, 503, "60");
    busy(rig, rig.sent.at(0).transaction, 503, "60");
    EXPECT_EQ(rig.sent.at(0).target, udp(3));
    rig.sip_response(first, 503);
    EXPECT_EQ(rig.sent.at(0).target, udp(3)) << "the second one has said meanwhile that it is busy";
    rig.sip_response(rig.sent.at(0).transaction, 503);
    EXPECT_EQ(rig.sent.at(0).target, udp(2));
}

TEST(Failing, IM_12_TheNextMessageWaitsUntilTheLastTargetHasSpoken) {
    Rig rig(with_hops({hop(1), hop(2)}, false));
    rig.stanza(message_stanza("m1", "one"));
    const auto first = rig.sent.at(0).transaction;
    rig.stanza(message_stanza("m2", "two"));
    EXPECT_TRUE(rig.sent.empty());
    rig.sip_response(first, 503);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.body, "one");
    rig.sip_response(rig.sent.front().transaction, 200);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.body, "two");
    EXPECT_TRUE(rig.sip_response(first, 200).sent.empty()) << "a word too late";
}

TEST(Failing, AMessageNeverLeavesASilentTarget) {
    Rig rig(with_hops({hop(1), hop(2)}, false));
    rig.stanza(message_stanza());
    EXPECT_FALSE(rig.engine.next_timeout()) << "Timer F is the transaction's";
    rig.sip_response(rig.sent.at(0).transaction, 408, LocalFailure::timeout);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.error().condition, Condition::remote_server_timeout);
}

TEST(Failing, IM_10_TooLongForUdpGoesToTheHopThatTakesIt) {
    Rig rig(with_hops({hop(1), hop(2, 5060, Transport::tcp)}, false));
    rig.stanza(message_stanza("m1", std::string(2'000, 'x')));
    EXPECT_EQ(rig.sent.at(0).target.text(), "tcp:10.0.0.2:5060");
}

TEST(Locating, ANameIsLocatedBeforeTheFirstMessageAndUsedWhileFresh) {
    Rig rig(with_hops({named_hop("proxy.test")}, false));
    rig.stanza(message_stanza("m1", "one"));
    ASSERT_EQ(rig.located.size(), 1u);
    EXPECT_EQ(rig.located.front().hop.host, "proxy.test");
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.engine.pending().transactions, 1u);
    const auto location = rig.located.front().location;
    auto other = message_stanza("m2", "two");
    other.to.local = "nurse";
    EXPECT_TRUE(rig.stanza(other).located.empty()) << "asked once";
    rig.feed(Located{location, {udp(7), udp(8)}});
    ASSERT_EQ(rig.sent.size(), 2u);
    EXPECT_EQ(rig.sent[0].request.body, "one");
    EXPECT_EQ(rig.sent[0].target, udp(7));
    rig.sip_response(rig.sent[0].transaction, 503);
    EXPECT_EQ(rig.sent.at(0).target, udp(8)) << "its targets are tried in their order";
    rig.sip_response(rig.sent.at(0).transaction, 200);
    rig.now += 19s;
    EXPECT_EQ(rig.stanza(message_stanza("m3")).sent.size(), 1u);
    rig.sip_response(rig.sent.at(0).transaction, 200);
    rig.now += 1s;
    EXPECT_EQ(rig.stanza(message_stanza("m4")).located.size(), 1u) << "asked again in time";
    rig.feed(Located{rig.located.at(0).location, {}, "server failure"});
    EXPECT_EQ(rig.sent.at(0).target, udp(7)) << "what was known stays in use";
    EXPECT_TRUE(rig.logged("next hop not located uri=sip:proxy.test reason=\"server failure\""));
}

TEST(Locating, CORE_55_ANameThatIsNowhereIsToldToTheAuthorAndTheOperator) {
    Rig rig(with_hops({named_hop("proxy.test")}, false));
    rig.stanza(message_stanza());
    rig.feed(Located{rig.located.at(0).location, {}, "no such name"});
    EXPECT_EQ(rig.error().condition, Condition::remote_server_not_found);
    EXPECT_TRUE(rig.logged("reason=\"no such name\""));
    rig.now += 1s;
    EXPECT_EQ(rig.stanza(message_stanza()).error().condition, Condition::remote_server_not_found) << "not asked again at once";
    EXPECT_TRUE(rig.located.empty());
    rig.now += 20s;
    rig.stanza(message_stanza());
    rig.feed(Located{rig.located.at(0).location, {udp(7)}});
    EXPECT_EQ(rig.sent.size(), 1u);
    EXPECT_TRUE(rig.logged("next hop located"));
}

TEST(Locating, WhoNeverAnswersIsGivenUp) {
    Rig rig(with_hops({named_hop("proxy.test")}, false));
    rig.stanza(message_stanza());
    rig.pass(29s);
    EXPECT_TRUE(rig.stanzas.empty());
    rig.pass(1s);
    EXPECT_EQ(rig.error().condition, Condition::remote_server_not_found);
}

TEST(Locating, ProbedNamesAreLocatedAnewEachRoundAndNewTargetsProbedAtOnce) {
    Rig rig(with_hops({named_hop("proxy.test")}));
    rig.pass(0s);
    ASSERT_EQ(rig.located.size(), 1u);
    EXPECT_TRUE(rig.sent.empty());
    rig.feed(Located{rig.located.at(0).location, {udp(7)}});
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().target, udp(7));
    rig.sip_response(rig.sent.front().transaction, 200);
    rig.pass(15s);
    EXPECT_EQ(rig.located.size(), 1u);
    EXPECT_EQ(rig.sent.size(), 1u);
    rig.feed(Located{rig.located.at(0).location, {udp(8)}});
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().target, udp(8));
    ASSERT_EQ(rig.engine.peers().front().targets.size(), 1u);
    EXPECT_EQ(rig.engine.peers().front().targets.front().first, "udp:10.0.0.8:5060") << "the old one is forgotten";
}

TEST(Locating, AReloadThatRemovesTheHopTellsWhoWaitedForIt) {
    Rig rig(with_hops({named_hop("proxy.test")}, false));
    rig.stanza(message_stanza("m1"));
    const auto location = rig.located.at(0).location;
    rig.feed(OptionsChanged{with_hops({hop(9)}, false)});
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().target, udp(9));
    rig.feed(Located{location, {udp(7)}});
    EXPECT_TRUE(rig.sent.empty());
    rig.sip_response(ClientTransaction{0}, 200);
}

TEST(Locating, AReloadKeepsWhatIsKnownOfHopsThatStay) {
    ProbedRig rig(with_hops({hop(1), hop(2)}));
    rig.answers = {{udp(2), 200}};
    rig.run_until(TimePoint{} + 20s);
    auto options = with_hops({hop(1), hop(2), hop(3)});
    options.from_gr = true;
    rig.feed(OptionsChanged{options});
    const auto states = rig.engine.peers().front().targets;
    ASSERT_EQ(states.size(), 3u);
    EXPECT_EQ(states[0].second, Engine::Reach::down);
    EXPECT_EQ(states[1].second, Engine::Reach::up);
    EXPECT_EQ(states[2].second, Engine::Reach::unknown);
}

TEST(Locating, ADomainThatGoesSaysThatAWaitingMessageWasNotSent) {
    Rig rig(with_hops({named_hop("proxy.test")}));
    rig.stanza(message_stanza());
    EXPECT_NE(rig.feed(Shutdown{Shutdown::Why::removed}).error().text->find("was not sent"), std::string::npos);
    rig.answer_ping();
    EXPECT_TRUE(rig.engine.drained());
    EXPECT_FALSE(rig.engine.next_timeout());
}

TEST(Probing, IntervalAndPatienceAreThePeersAndCountAtOnce) {
    auto options = with_hops({hop(1)});
    options.peers.front().probe_interval_s = 60;
    options.peers.front().probe_timeout_s = 10;
    Rig rig(options);
    const auto at_due = [&] {
        rig.now = std::max(rig.now, *rig.engine.next_timeout());
        rig.feed(Tick{});
        return rig.now.time_since_epoch();
    };
    EXPECT_EQ(at_due(), 0s);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.method, "OPTIONS");
    EXPECT_EQ(at_due(), 10s) << "a miss";
    EXPECT_EQ(rig.engine.peers().front().reach, Engine::Reach::unknown);
    EXPECT_EQ(at_due(), 60s);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(at_due(), 70s);
    EXPECT_EQ(rig.engine.peers().front().reach, Engine::Reach::down);
    options.peers.front().probe_interval_s = 5;
    options.peers.front().probe_timeout_s = 1;
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(at_due(), 70s) << "not when the longer one is over";
    ASSERT_EQ(rig.sent.size(), 1u);
    rig.sip_response(rig.sent.front().transaction, 200);
    EXPECT_EQ(rig.engine.peers().front().reach, Engine::Reach::up);
    EXPECT_EQ(at_due(), 75s);
}

config::DomainOptions seldom_probed(config::NextHop hop) {
    auto options = with_hops({std::move(hop)});
    options.peers.front().probe_interval_s = 3'600;
    return options;
}

TEST(Probing, ASeldomProbeMakesNoOldLocation) {
    Rig rig(seldom_probed(named_hop("proxy.test")));
    rig.pass(0ms);
    ASSERT_EQ(rig.located.size(), 1u);
    rig.feed(Located{rig.located.front().location, {udp(7)}});
    rig.now += 19s;
    EXPECT_EQ(rig.stanza(message_stanza("m1")).sent.size(), 1u);
    EXPECT_TRUE(rig.located.empty());
    rig.sip_response(rig.sent.front().transaction, 200);
    rig.now += 1s;
    EXPECT_EQ(rig.stanza(message_stanza("m2")).located.size(), 1u);
}

TEST(Probing, WhatWasNotLocatedIsAskedForAgainSoonHoweverSeldomTheProbes) {
    ProbedRig rig(seldom_probed(named_hop("proxy.test")));
    rig.pass(0ms);
    ASSERT_EQ(rig.located.size(), 1u);
    rig.feed(Located{rig.located.front().location, {}, "server failure"});
    rig.run_until(TimePoint{} + 15s);
    ASSERT_EQ(rig.located.size(), 1u) << "and nobody had to write for it";
    rig.feed(Located{rig.located.front().location, {udp(7)}});
    rig.take();
    EXPECT_EQ(rig.probed[udp(7)], 1);
    rig.answers[udp(7)] = 200;
    rig.run_until(TimePoint{} + 3'599s);
    EXPECT_EQ(rig.probed[udp(7)], 1) << "what is well is left alone for as long as was asked";
}

TEST(Probing, WhatIsDownComesBackSoonHoweverSeldomTheProbes) {
    ProbedRig rig(seldom_probed(hop(1)));
    rig.run_until(TimePoint{} + 3'599s);
    EXPECT_EQ(rig.probed[udp(1)], 1);
    rig.run_until(TimePoint{} + 3'610s);
    EXPECT_EQ(rig.reach(), Engine::Reach::down);
    EXPECT_EQ(rig.probed[udp(1)], 2);
    rig.answers[udp(1)] = 200;
    rig.run_until(TimePoint{} + 3'616s);
    EXPECT_EQ(rig.reach(), Engine::Reach::up);
    EXPECT_EQ(rig.probed[udp(1)], 3);
    rig.run_until(TimePoint{} + 7'199s);
    EXPECT_EQ(rig.probed[udp(1)], 3);
}

TEST(Limits, TransactionsOfAPeerInBothDirections) {
    auto options = Rig::default_options();
    options.peers.front().limits.transactions = 3;
    Rig rig(options);
    auto message = message_stanza();
    for (const char* contact : {"a", "b"}) {
        message.to.local = contact;
        EXPECT_EQ(rig.stanza(message).sent.size(), 1u);
    }
    const auto open = rig.sent.front().transaction;
    EXPECT_TRUE(rig.request(message_request()).answers.empty());
    EXPECT_EQ(rig.engine.peers().front().transactions, 3u);
    message.to.local = "c";
    EXPECT_EQ(rig.stanza(message).error().condition, Condition::resource_constraint);
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    EXPECT_TRUE(rig.answer().header("Retry-After"));
    message.to.local = "a";
    EXPECT_TRUE(rig.stanza(message).stanzas.empty()) << "who waits in line has no transaction yet";
    rig.sip_response(open, 200);
    message.to.local = "c";
    EXPECT_EQ(rig.stanza(message).sent.size(), 1u);
}

TEST(Limits, RequestsASecondOfAPeer) {
    auto options = Rig::default_options();
    options.peers.front().limits.per_second = 5;
    Rig rig(options);
    rig.now += 100s;
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(rig.request(message_request()).answers.empty()) << i;
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    EXPECT_EQ(*rig.answer().header("Retry-After"), "1");
    EXPECT_TRUE(rig.logged("limits.per_second"));
    EXPECT_FALSE(rig.request(message_request()).logged("limits.per_second")) << "told once in a while";
    auto probe = message_request();
    probe.method = "OPTIONS";
    EXPECT_EQ(rig.request(probe).answer().status, 200) << "a sign of life is always given";
    rig.now += 200ms;
    EXPECT_TRUE(rig.request(message_request()).answers.empty());
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    rig.now += 10s;
    for (int i = 0; i < 5; ++i) rig.request(message_request());
    EXPECT_TRUE(rig.request(message_request()).logged("count=3"));
}

sip::Request subscribe_request(const std::string& from) {
    static unsigned number = 0;
    sip::Request made;
    made.method = "SUBSCRIBE";
    made.uri = uri("sip:romeo@montague.test");
    made.from = {"", uri("sip:" + from + "@capulet.test"), "w1"};
    made.to = {"", made.uri, ""};
    made.call_id = "dialogs" + std::to_string(++number);
    made.cseq = 1;
    made.contacts = {{{}, uri("sip:" + from + "@10.0.0.1:5080"), {}}};
    made.headers = {{"Event", "presence"}, {"Expires", "600"}};
    return made;
}

/// "used of most".
std::string dialogs_of(Rig& rig, const std::string& peer) {
    const auto outcome = rig.engine.administer(read_order(admin_command(AdminVerb::limits), AdminArguments{}).value());
    for (const auto& row : outcome.tables.front().rows)
        if (row[1] == Cell("peer_dialogs") && row[2] == Cell(peer))
            return std::to_string(std::get<std::uint64_t>(row[3])) + " of " + std::to_string(std::get<std::uint64_t>(row[4]));
    return "no row";
}

TEST(Limits, PhonesCannotDarkenTheContactsOfTheirPeer) {
    auto options = Rig::default_options();
    options.peers.front().limits.dialogs = 8;
    Rig rig(options);
    for (int i = 0; i < 8; ++i)
        EXPECT_EQ(rig.request(subscribe_request("phone" + std::to_string(i))).answer().status, i < 6 ? 200 : 503) << i;
    EXPECT_EQ(dialogs_of(rig, "phones"), "6 of 8");
    xmpp::Presence wish;
    wish.from = {"romeo", "montague.test", "garden"};
    wish.to = {"nurse", "capulet.test", {}};
    wish.type = xmpp::PresenceType::subscribe;
    rig.stanza(wish);
    rig.pass(0ms);
    EXPECT_EQ(dialogs_of(rig, "phones"), "7 of 8");
}

TEST(Limits, DialogsOfAPeerInBothDirections) {
    auto options = Rig::default_options();
    options.peers.front().limits.dialogs = 3;
    Rig rig(options);
    EXPECT_EQ(dialogs_of(rig, "phones"), "0 of 3");
    const auto watch = [&](const std::string& contact) {
        xmpp::Presence wish;
        wish.from = {"romeo", "montague.test", "garden"};
        wish.to = {contact, "capulet.test", {}};
        wish.type = xmpp::PresenceType::subscribe;
        rig.stanza(wish);
        rig.pass(0ms);
        return std::ranges::count_if(rig.sent, [](const SendSip& one) { return one.request.method == "SUBSCRIBE"; });
    };
    auto first = subscribe_request("juliet");
    rig.request(first);
    ASSERT_EQ(rig.answer().status, 200);
    first.to.tag = rig.answer().to_tag;
    ASSERT_EQ(rig.sent.size(), 1u);
    rig.sip_response(rig.sent.front().transaction, 200);  // to its NOTIFY
    rig.request(subscribe_request("nurse"));
    EXPECT_EQ(rig.answer().status, 200);
    EXPECT_EQ(watch("nurse"), 1);
    EXPECT_EQ(dialogs_of(rig, "phones"), "3 of 3");

    rig.request(subscribe_request("tybalt"));
    EXPECT_EQ(rig.answer().status, 503);
    EXPECT_TRUE(rig.answer().header("Retry-After"));
    EXPECT_EQ(watch("tybalt"), 0);
    ++first.cseq;
    EXPECT_EQ(rig.request(first).answer().status, 200) << "what there is goes on";
    rig.sip_response(rig.sent.front().transaction, 200);

    ++first.cseq;
    first.headers.back().value = "0";
    EXPECT_EQ(rig.request(first).answer().status, 200);
    rig.sip_response(rig.sent.front().transaction, 200);
    EXPECT_EQ(dialogs_of(rig, "phones"), "2 of 3");
    rig.request(subscribe_request("tybalt"));
    EXPECT_EQ(rig.answer().status, 200);
    rig.request(subscribe_request("peter"));
    EXPECT_EQ(rig.answer().status, 503);
    options.peers.front().limits.dialogs = 0;
    rig.feed(OptionsChanged{options});
    rig.request(subscribe_request("peter"));
    EXPECT_EQ(rig.answer().status, 200) << "0 is no limit";
    EXPECT_EQ(dialogs_of(rig, "phones"), "4 of 0");
}

}  // namespace
