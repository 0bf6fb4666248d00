// A SIP contact's subscription to an XMPP user, input by input, and in any order.

#include "mapping/presence/watcher_relation.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace stox::presence {

namespace {

using namespace watcher;
using namespace std::chrono_literals;
using sip::UsageKey;
using std::chrono::days;

std::string number(UsageKey usage) { return std::to_string(static_cast<unsigned>(usage)); }

struct Name {
    std::string operator()(const Grant& act) const { return (act.active ? "active " : "pending ") + number(act.usage); }
    std::string operator()(const Repeat& act) const { return (act.active ? "repeat " : "repeat-pending ") + number(act.usage); }
    std::string operator()(const Accept& act) const { return "accept " + number(act.poll); }
    std::string operator()(const Answer& act) const { return (act.tells ? "tell " : "tell-nothing ") + number(act.poll); }
    std::string operator()(const Publish&) const { return "publish"; }
    std::string operator()(const Activate&) const { return "activate"; }
    std::string operator()(const Terminate& act) const {
        return std::string(act.reason) + (act.retry_after ? "/" + std::to_string(act.retry_after->count()) : "") + ' ' +
               number(act.usage);
    }
    std::string operator()(const SayClosed& act) const { return "closed " + number(act.usage); }
    std::string operator()(const AskUser&) const { return "ask"; }
    std::string operator()(const ProbeUser&) const { return "probe"; }
    std::string operator()(const TellUnavailable&) const { return "unavailable"; }
    std::string operator()(const Keep&) const { return "keep"; }
    std::string operator()(const Erase&) const { return "erase"; }
};

/// One relation played by hand; what is said of each input is what came out.
class Play {
public:
    explicit Play(bool stream_up = true) : relation(stream_up) {}
    explicit Play(State kept) : relation(kept, true, now, utc) {}

    std::string watch(unsigned usage) {
        return act([&](auto& out) { relation.watch(UsageKey{usage}, now, utc, out); });
    }
    std::string poll(unsigned usage) {
        return act([&](auto& out) { relation.poll(UsageKey{usage}, now, out); });
    }
    std::string refreshed(unsigned usage) {
        return act([&](auto& out) { relation.refreshed(UsageKey{usage}, now, utc, out); });
    }
    std::string ended(unsigned usage, bool wants_word) {
        return act([&](auto& out) { relation.ended(UsageKey{usage}, wants_word, now, out); });
    }
    std::string approved() {
        return act([&](auto& out) { relation.approved(now, out); });
    }
    std::string denied() {
        return act([&](auto& out) { relation.denied(now, utc, out); });
    }
    std::string dropped() {
        return act([&](auto& out) { relation.dropped("noresource", now, out); });
    }
    std::string failed(xmpp::Condition condition) {
        return act([&](auto& out) { relation.failed(condition, now, out); });
    }
    std::string told() {
        return act([&](auto& out) { relation.told(now, out); });
    }
    std::string stream(bool up) {
        return act([&](auto& out) { up ? relation.stream_back(now, out) : relation.stream_lost(now, out); });
    }
    std::string pass(std::chrono::milliseconds time) {
        now += time, utc += time;
        return act([&](auto& out) { relation.tick(now, out); });
    }
    /// Approved, and the user's state is known and told.
    void stand(unsigned usage = 1) {
        watch(usage);
        approved();
        told();
        pass(1s);
    }

    TimePoint now{};
    UtcTime utc{days(20'000)};
    WatcherRelation relation;

private:
    template <class Do>
    std::string act(Do work) {
        WatcherRelation::Actions out;
        work(out);
        std::string text;
        for (const auto& one : out) text += (text.empty() ? "" : ", ") + std::visit(Name{}, one);
        return text;
    }
};

}  // namespace

TEST(WatcherRelation, PRES_31_AnUnknownWatcherIsPendingAtOnceAndTheUserIsAsked) {
    Play play;
    EXPECT_EQ(play.watch(1), "pending 1, ask, keep");
    EXPECT_EQ(play.relation.asked(), play.utc);
}

TEST(WatcherRelation, PRES_32_TheUserIsAskedOnceADay) {
    Play play;
    play.watch(1);
    for (unsigned phone = 2; phone < 10; ++phone) EXPECT_EQ(play.watch(phone), "pending " + std::to_string(phone));
    play.pass(days(1));
    EXPECT_EQ(play.watch(10), "pending 10, ask, keep");
    EXPECT_EQ(play.watch(11), "pending 11");
}

TEST(WatcherRelation, PRES_32_AQuestionWaitsForTheStream) {
    Play play(false);
    EXPECT_EQ(play.watch(1), "pending 1, keep");
    EXPECT_EQ(play.stream(true), "ask");
    play.stream(false);
    EXPECT_EQ(play.stream(true), "") << "it was asked";
    play.stream(false);
    play.pass(days(1));
    EXPECT_EQ(play.watch(2), "pending 2, keep");
    EXPECT_EQ(play.stream(true), "ask");
}

TEST(WatcherRelation, PRES_32_AQuestionThatWaitedForTheStreamIsNotAskedASecondTimeForAnErrorBefore) {
    Play play;
    play.watch(1);
    play.failed(xmpp::Condition::remote_server_timeout);
    play.stream(false);
    play.pass(days(1));
    play.watch(2);
    play.failed(xmpp::Condition::remote_server_timeout);
    EXPECT_EQ(play.stream(true), "ask");
    play.pass(300s);
    EXPECT_EQ(play.watch(3), "pending 3");
}

TEST(WatcherRelation, ANewRelationFollowsTheStreamFromItsBeginning) {
    Play lost;
    lost.stream(false);
    EXPECT_EQ(lost.watch(1), "pending 1, keep");
    Play back(false);
    back.stream(true);
    EXPECT_EQ(back.watch(1), "pending 1, ask, keep");
}

TEST(WatcherRelation, PRES_33_AnApprovalActivatesAndASilentUserIsProbed) {
    Play play;
    play.watch(1);
    EXPECT_EQ(play.approved(), "keep, activate");
    EXPECT_EQ(play.pass(999ms), "");
    EXPECT_EQ(play.pass(1ms), "probe");
    EXPECT_EQ(play.pass(60s), "") << "once";
}

TEST(WatcherRelation, PRES_33_WhoTellsByThemselvesIsNotProbed) {
    Play play;
    play.watch(1);
    play.approved();
    EXPECT_EQ(play.told(), "");
    EXPECT_EQ(play.pass(200ms), "publish") << "soon, with what the other resources said meanwhile";
    EXPECT_EQ(play.pass(60s), "");
}

TEST(WatcherRelation, PRES_34_DenialEndsAllSubscriptionsInBothStates) {
    Play play;
    play.watch(1);
    play.watch(2);
    EXPECT_EQ(play.denied(), "rejected 1, rejected 2, keep");
    EXPECT_FALSE(play.relation.asked());
    Play active;
    active.stand(3);
    EXPECT_EQ(active.denied(), "rejected 3, keep");
    EXPECT_FALSE(active.relation.is_granted());
    EXPECT_FALSE(active.relation.is_known());
    EXPECT_EQ(active.denied(), "");
}

TEST(WatcherRelation, PRES_32_WhoSaidNoIsNotAskedAgainForADay) {
    Play play;
    play.watch(1);
    play.denied();
    for (unsigned phone = 2; phone < 10; ++phone) {
        play.pass(1min);
        EXPECT_EQ(play.watch(phone), "pending " + std::to_string(phone)) << "as to everybody";
        EXPECT_EQ(play.refreshed(phone), "repeat-pending " + std::to_string(phone));
        EXPECT_EQ(play.told(), "");
        EXPECT_EQ(play.ended(phone, true), "closed " + std::to_string(phone));
    }
    EXPECT_EQ(play.poll(10), "tell-nothing 10");
    play.watch(11);
    play.pass(days(1) - 8min - 1ms);
    EXPECT_EQ(play.watch(12), "pending 12");
    play.pass(1ms);
    EXPECT_EQ(play.watch(13), "pending 13, ask, keep");
    EXPECT_EQ(play.approved(), "keep, activate");
    EXPECT_EQ(play.relation.watching().size(), 3u);
}

TEST(WatcherRelation, PRES_32_APhoneThatOnlyRefreshesAsksAfterThatDayToo) {
    Play play;
    play.watch(1);
    play.denied();
    play.pass(1min);
    play.watch(2);
    play.watch(3);
    play.pass(days(1) - 1min - 1ms);
    EXPECT_EQ(play.refreshed(2), "repeat-pending 2");
    play.pass(1ms);
    EXPECT_EQ(play.refreshed(9), "") << "that is none of it";
    EXPECT_EQ(play.refreshed(2), "repeat-pending 2, ask, keep");
    EXPECT_EQ(play.relation.asked(), play.utc);
    EXPECT_EQ(play.refreshed(3), "repeat-pending 3") << "once";
    EXPECT_EQ(play.approved(), "keep, activate");
    EXPECT_EQ(play.relation.watching().size(), 2u);
    Play apart;
    apart.watch(1);
    apart.denied();
    apart.watch(2);
    apart.stream(false);
    apart.pass(days(1));
    EXPECT_EQ(apart.refreshed(2), "repeat-pending 2, keep");
    EXPECT_EQ(apart.stream(true), "ask") << "when it can be";
}

TEST(WatcherRelation, PRES_34_WhatIsDroppedIsAskedAboutAgain) {
    Play asked, refused, granted;
    asked.watch(1);
    EXPECT_EQ(asked.dropped(), "noresource 1, erase");
    refused.watch(1);
    refused.denied();
    refused.watch(2);
    EXPECT_EQ(refused.dropped(), "noresource 2, erase");
    granted.stand(1);
    EXPECT_EQ(granted.dropped(), "noresource 1, erase");
    for (auto* play : {&asked, &refused, &granted}) {
        EXPECT_TRUE(play->relation.is_over());
        EXPECT_FALSE(play->relation.next_timeout());
        EXPECT_EQ(play->dropped(), "");
        EXPECT_EQ(play->watch(3), "pending 3, ask, keep");
    }
}

TEST(WatcherRelation, WhatTheUserHasRefusedTheyMayStillAllow) {
    Play play;
    play.watch(1);
    play.denied();
    play.watch(2);
    EXPECT_EQ(play.approved(), "keep, activate");
    EXPECT_TRUE(play.relation.is_granted());
    EXPECT_EQ(play.denied(), "rejected 2, keep");
    play.watch(3);
    EXPECT_EQ(play.denied(), "rejected 3, keep");
}

TEST(WatcherRelation, ARefusalIsForgottenAfterADayUnlessSomebodyWaits) {
    Play play;
    play.watch(1);
    play.denied();
    EXPECT_EQ(play.pass(days(1) - 1ms), "");
    EXPECT_FALSE(play.relation.is_over());
    EXPECT_EQ(play.pass(1ms), "erase");
    EXPECT_TRUE(play.relation.is_over());
    EXPECT_FALSE(play.relation.next_timeout());
    Play restored(Refused{UtcTime(days(20'000)) + 1h});
    restored.watch(1);
    EXPECT_EQ(restored.pass(1h), "");
    restored.ended(1, true);
    EXPECT_EQ(restored.pass(days(1)), "erase");
}

TEST(WatcherRelation, PRES_32_AClockThatIsSetBackMakesNoDayLonger) {
    Play refused(Refused{UtcTime(days(21'000))});
    EXPECT_EQ(refused.watch(1), "pending 1");
    refused.pass(days(1) - 1ms);
    EXPECT_EQ(refused.watch(2), "pending 2");
    refused.pass(1ms);
    EXPECT_EQ(refused.watch(3), "pending 3, ask, keep");
    Play idle(Refused{UtcTime(days(21'000))});
    EXPECT_EQ(idle.pass(days(1)), "erase");
    Play asked(Asked{UtcTime(days(21'000))});
    EXPECT_EQ(asked.watch(1), "pending 1");
    asked.pass(days(1));
    EXPECT_EQ(asked.watch(2), "pending 2, ask, keep");
    Play meanwhile;
    meanwhile.watch(1);
    meanwhile.denied();
    meanwhile.utc -= days(1'000);
    EXPECT_EQ(meanwhile.watch(2), "pending 2");
    meanwhile.pass(days(1));
    EXPECT_EQ(meanwhile.watch(3), "pending 3, ask, keep");
}

TEST(WatcherRelation, ARefusalFollowsTheStreamToo) {
    for (const bool up : {false, true}) {
        Play play(!up);
        play.watch(1);
        play.denied();
        play.stream(up);
        play.pass(days(1));
        EXPECT_EQ(play.watch(2), up ? "pending 2, ask, keep" : "pending 2, keep");
    }
}

TEST(WatcherRelation, PRES_35_AnApprovedWatcherIsActiveAtOnceAndNobodyIsAsked) {
    Play play(Granted{});
    EXPECT_EQ(play.watch(1), "active 1, probe");
    EXPECT_EQ(play.watch(2), "active 2") << "one probe is under way";
    play.told();
    play.pass(1s);
    EXPECT_EQ(play.watch(3), "active 3");
}

TEST(WatcherRelation, PRES_36_ARefreshIsToldWhatStandsAndAsksNobody) {
    Play play;
    play.watch(1);
    EXPECT_EQ(play.refreshed(1), "repeat-pending 1");
    play.approved();
    EXPECT_EQ(play.refreshed(1), "repeat 1");
    EXPECT_EQ(play.refreshed(2), "") << "that is none of it";
}

TEST(WatcherRelation, PRES_37_TheLastOfSeveralThatLeavesIsToldToTheUser) {
    Play play;
    play.stand(1);
    play.watch(2);
    EXPECT_EQ(play.ended(1, true), "closed 1");
    EXPECT_EQ(play.ended(2, true), "closed 2, unavailable");
    EXPECT_TRUE(play.relation.is_granted()) << "the authorisation stays";
    EXPECT_EQ(play.watch(3), "active 3") << "what the user tells is known still";
}

TEST(WatcherRelation, PRES_42_ARefusedNotifyEndsItWithoutAWord) {
    Play play;
    play.stand(1);
    EXPECT_EQ(play.ended(1, false), "unavailable");
    EXPECT_EQ(play.ended(1, false), "");
    EXPECT_TRUE(play.relation.is_granted());
}

TEST(WatcherRelation, PRES_40_AStrangersPollIsAnsweredWithNothingAndAsksNobody) {
    Play unknown;
    EXPECT_EQ(unknown.poll(1), "tell-nothing 1");
    EXPECT_TRUE(unknown.relation.is_over());
    Play asked;
    asked.watch(1);
    EXPECT_EQ(asked.poll(2), "tell-nothing 2") << "as to everybody who may see nothing";
}

TEST(WatcherRelation, PRES_40_AnApprovedPollIsAnsweredFromWhatIsKnownOrAfterAProbe) {
    Play play(Granted{});
    EXPECT_EQ(play.poll(1), "accept 1, probe");
    EXPECT_EQ(play.poll(2), "accept 2");
    EXPECT_EQ(play.pass(500ms), "");
    EXPECT_EQ(play.told(), "");
    EXPECT_EQ(play.pass(200ms), "tell 1, tell 2");
    EXPECT_EQ(play.poll(3), "tell 3");
    EXPECT_EQ(play.pass(10s), "") << "no subscription has come of it";
}

TEST(WatcherRelation, PRES_40_ASilentServerIsWaitedForTwoSeconds) {
    Play play(Granted{});
    play.poll(1);
    EXPECT_EQ(play.pass(1'999ms), "");
    EXPECT_EQ(play.pass(1ms), "tell-nothing 1");
}

TEST(WatcherRelation, PRES_41_WhileTheUserIsAskedAnErrorTellsNothing) {
    for (const bool passes : {false, true}) {
        Play play;
        play.watch(1);
        EXPECT_EQ(play.failed(passes ? xmpp::Condition::remote_server_timeout : xmpp::Condition::item_not_found), "");
        EXPECT_EQ(play.pass(299s), "");
        EXPECT_EQ(play.watch(2), "pending 2");
        EXPECT_EQ(play.pass(1s), "");
        EXPECT_EQ(play.watch(3), passes ? "pending 3, ask" : "pending 3");
        EXPECT_EQ(play.watch(4), "pending 4") << "once for each failure";
    }
}

TEST(WatcherRelation, PRES_41_AnErrorEndsWhatWasGranted) {
    Play play;
    play.stand(3);
    EXPECT_EQ(play.failed(xmpp::Condition::remote_server_timeout), "probation/300 3");
    EXPECT_TRUE(play.relation.is_granted());
    EXPECT_EQ(play.watch(4), "active 4, probe");
    EXPECT_EQ(play.failed(xmpp::Condition::item_not_found), "noresource 4, erase");
    EXPECT_TRUE(play.relation.is_over());
}

TEST(WatcherRelation, PRES_43_AnApprovalWithoutADialogIsKept) {
    Play play;
    play.watch(1);
    EXPECT_EQ(play.ended(1, true), "closed 1") << "nobody hears of it who never agreed";
    EXPECT_EQ(play.approved(), "keep");
    EXPECT_EQ(play.pass(10s), "");
    EXPECT_EQ(play.watch(2), "active 2, probe");
}

TEST(WatcherRelation, PRES_43_AQuestionThatNobodyAnswersIsForgottenAfterAMonthUnlessSomebodyWaits) {
    Play play;
    play.watch(1);
    EXPECT_EQ(play.pass(days(30)), "");
    play.ended(1, true);
    EXPECT_EQ(play.pass(days(1)), "erase");
    EXPECT_TRUE(play.relation.is_over());
    Play restored(Asked{UtcTime(days(20'000) - days(29))});
    EXPECT_EQ(restored.pass(days(1) - 1s), "");
    EXPECT_EQ(restored.pass(1s), "erase");
}

TEST(WatcherRelation, PRES_45_SeveralPhonesAreOneRelation) {
    Play play;
    EXPECT_EQ(play.watch(1), "pending 1, ask, keep");
    EXPECT_EQ(play.watch(2), "pending 2");
    EXPECT_EQ(play.approved(), "keep, activate");
    EXPECT_EQ(play.relation.watching().size(), 2u);
}

TEST(WatcherRelation, PRES_92_OneDocumentInFiveSecondsAndTheLatestFollows) {
    Play play;
    play.stand();
    EXPECT_EQ(play.told(), "");
    EXPECT_EQ(play.pass(3s), "");
    EXPECT_EQ(play.told(), "");
    EXPECT_EQ(play.pass(1'999ms), "");
    EXPECT_EQ(play.pass(1ms), "publish");
    EXPECT_EQ(play.pass(10s), "");
    EXPECT_EQ(play.told(), "");
    EXPECT_EQ(play.pass(200ms), "publish") << "after a pause at once";
}

TEST(WatcherRelation, PRES_106_PresenceBeforeTheAnswerIsNoAnswer) {
    Play play;
    play.watch(1);
    EXPECT_EQ(play.told(), "");
    EXPECT_EQ(play.pass(10s), "");
    EXPECT_FALSE(play.relation.is_known());
    EXPECT_TRUE(play.relation.asked());
}

TEST(WatcherRelation, PRES_107_FurtherApprovalsChangeNothing) {
    Play play;
    play.watch(1);
    play.approved();
    EXPECT_EQ(play.approved(), "");
    EXPECT_EQ(play.approved(), "");
}

TEST(WatcherRelation, ALostStreamMakesWhatIsKnownStale) {
    Play play;
    play.stand(1);
    play.stream(false);
    EXPECT_FALSE(play.relation.is_known());
    EXPECT_EQ(play.watch(2), "active 2") << "without a probe that cannot be sent";
    EXPECT_EQ(play.poll(3), "tell-nothing 3");
    EXPECT_EQ(play.stream(true), "probe");
    Play nobody;
    nobody.stand(1);
    nobody.ended(1, true);
    nobody.stream(false);
    EXPECT_EQ(nobody.stream(true), "") << "nobody watches";
}

/// In any order: who is watching has been granted, nobody who may not see is told anything, and all that was begun ends.
TEST(WatcherRelation, AnyOrderOfInputsKeepsItsPromises) {
    for (unsigned seed = 0; seed < 2'000; ++seed) {
        std::mt19937 random(seed);
        Play play(random() % 2 == 0);
        std::set<unsigned> open, polls;
        bool may_see = false;
        unsigned last = 0;
        for (int step = 0; step < 60; ++step) {
            std::string did;
            switch (random() % 12) {
                case 0:
                    did = play.watch(++last), open.insert(last);
                    break;
                case 1:
                    did = play.poll(++last), polls.insert(last);
                    break;
                case 2:
                    if (!open.empty()) {
                        const auto one = *open.begin();
                        open.erase(one);
                        did = play.ended(one, random() % 2 == 0);
                    }
                    break;
                case 3:
                    may_see = may_see || !std::holds_alternative<None>(play.relation.state()), did = play.approved();
                    break;
                case 4:
                    may_see = false, did = play.denied();
                    break;
                case 5:
                    did =
                        play.failed(random() % 2 == 0 ? xmpp::Condition::item_not_found : xmpp::Condition::remote_server_timeout);
                    break;
                case 6:
                    did = play.told();
                    break;
                case 7:
                    did = play.stream(false);
                    break;
                case 8:
                    did = play.stream(true);
                    break;
                case 9:
                    if (random() % 4 == 0) may_see = false, did = play.dropped();
                    break;
                default:
                    did = play.pass(std::chrono::milliseconds(random() % 7'000));
                    break;
            }
            if (!play.relation.is_granted()) may_see = false;
            ASSERT_TRUE(did.find("ask") == std::string::npos || play.relation.asked()) << seed << did;
            ASSERT_TRUE(may_see || (did.find("publish") == std::string::npos && did.find("active") == std::string::npos))
                << seed << did;
            const bool tells = did.find("tell ") != std::string::npos;
            ASSERT_TRUE(may_see || !tells) << seed << ": " << did;
            for (auto it = open.begin(); it != open.end();)
                it = play.relation.watching().contains(UsageKey{*it}) ? std::next(it) : open.erase(it);
            ASSERT_EQ(open.size(), play.relation.watching().size()) << seed;
        }
        play.denied();
        for (int i = 0; i < 3; ++i) play.pass(days(31));
        for (const auto one : open) play.ended(one, true);
        play.pass(days(31));
        EXPECT_TRUE(play.relation.is_over()) << seed;
    }
}

}  // namespace stox::presence
