#include "mapping/presence/contact_relation.h"

#include "mapping/presence/contact_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>
#include <string>

namespace stox::presence {

namespace {

using namespace contact;
using std::chrono::hours;
using std::chrono::seconds;

constexpr std::array kStateNames{"None",    "Idle",   "Pretended", "Wanted",  "PollWanted", "Trying",
                                 "Pending", "Active", "Polling",   "Lapsing", "Leaving",    "Returning"};
constexpr std::array kActNames{"queue",    "start",   "poll",   "end",  "subscribed", "unsubscribed",
                               "presence", "nothing", "answer", "keep", "erase"};

std::string name(const State& state) { return kStateNames[state.index()]; }

std::string names(const std::vector<ContactAct>& acts) {
    std::string text;
    for (const auto act : acts) text += (text.empty() ? "" : " ") + std::string(kActNames[static_cast<std::size_t>(act)]);
    return text;
}

/// One relation played by hand; what is said of each input is its state and what came out.
class Play {
public:
    explicit Play(ContactRelation made = {}) : relation(std::move(made)) {}

    std::string subscribe() {
        return act([&](auto& out) { relation.subscribe(now, out); });
    }
    std::string unsubscribe() {
        return act([&](auto& out) { relation.unsubscribe(now, out); });
    }
    std::string probe() {
        return act([&](auto& out) { relation.probe(now, out); });
    }
    std::string online() {
        return act([&](auto& out) { relation.online(now, out); });
    }
    std::string offline() {
        return act([&](auto& out) { relation.offline(now, out); });
    }
    std::string turn() {
        return act([&](auto& out) { relation.turn(now, out); });
    }
    std::string pretend() {
        return act([&](auto& out) { relation.pretend(now, out); });
    }
    std::string withdraw() {
        return act([&](auto& out) { relation.withdraw(now, out); });
    }
    std::string notify(const std::string& value, std::optional<seconds> retry_after = {}) {
        const auto at = value.find("reason=");
        return act([&](auto& out) {
            relation.notified(value, at == std::string::npos ? "" : value.substr(at + 7), retry_after, now, below, out);
        });
    }
    std::string fail(int status, bool can_follow = false, std::optional<seconds> retry_after = {}) {
        return act([&](auto& out) { relation.failed(status, retry_after, can_follow, now, below, out); });
    }
    std::string ended(bool silent) {
        return act([&](auto& out) { relation.ended(silent, now, below, out); });
    }
    std::string pass(seconds time) {
        now += time;
        return act([&](auto&) {});
    }

    /// To a subscription that stands.
    Play& granted() {
        subscribe();
        turn();
        notify("active");
        return *this;
    }

    ContactRelation relation;
    TimePoint now{hours(1)};
    unsigned chance = 0;  ///< what the dice give, as far as they can
    ContactRelation::Below below = [this](unsigned bound) { return std::min(chance, bound - 1); };

private:
    template <class Do>
    std::string act(Do work) {
        std::vector<ContactAct> out;
        work(out);
        relation.tick(now, out);
        return name(relation.state()) + ": " + names(out);
    }
};

/// How long until a SUBSCRIBE is wanted again.
seconds wait(const Play& play) {
    const auto due = play.relation.next_timeout();
    return due ? std::chrono::duration_cast<seconds>(*due - play.now) : seconds(-1);
}

}  // namespace

TEST(ContactRelation, PRES_10_SubscribeStartsOneDialogAlone) {
    Play play;
    EXPECT_EQ(play.subscribe(), "Wanted: keep queue");
    EXPECT_EQ(play.subscribe(), "Wanted: ");
    EXPECT_EQ(play.turn(), "Trying: start");
    EXPECT_EQ(play.subscribe(), "Trying: ");
    EXPECT_EQ(play.notify("pending"), "Pending: ");
    EXPECT_EQ(play.subscribe(), "Pending: ");
    EXPECT_EQ(play.turn(), "Pending: ");
}

TEST(ContactRelation, PRES_12_PendingSaysNothing) {
    Play play;
    play.subscribe();
    play.turn();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(play.notify("pending;expires=100"), "Pending: ");
}

TEST(ContactRelation, PRES_13_FirstActiveIsTold) {
    Play play;
    play.subscribe();
    play.turn();
    EXPECT_EQ(play.notify("active;expires=100"), "Active: keep subscribed presence");
}

TEST(ContactRelation, PRES_14_SubscribedOnceAndToWhoAsksAgain) {
    Play play;
    play.granted();
    EXPECT_EQ(play.notify("active"), "Active: presence");
    EXPECT_EQ(play.subscribe(), "Active: subscribed");
    EXPECT_EQ(play.notify("terminated;reason=deactivated"), "Idle: ");
    EXPECT_EQ(play.subscribe(), "Idle: subscribed");
}

TEST(ContactRelation, PRES_15_RefusalsEndIt) {
    for (const int status : {403, 405, 406, 489, 603}) {
        Play fresh;
        fresh.subscribe();
        fresh.turn();
        EXPECT_EQ(fresh.fail(status), "None: nothing erase unsubscribed") << status;
        EXPECT_EQ(fresh.pass(hours(24)), "None: ") << status;
        EXPECT_EQ(fresh.subscribe(), "Wanted: keep queue") << status;
        Play known;
        known.granted();
        known.ended(false);
        known.pass(hours(1));
        known.turn();
        EXPECT_EQ(known.fail(status), "None: nothing erase unsubscribed") << status;
    }
}

TEST(ContactRelation, PRES_16_LostDialogIsMadeAnew) {
    Play play;
    play.granted();
    play.pass(hours(1));
    EXPECT_EQ(play.ended(false), "Wanted: queue");
    EXPECT_EQ(play.turn(), "Trying: start");
    play.now += seconds(20);
    EXPECT_EQ(play.fail(481), "Wanted: queue");
    EXPECT_EQ(play.turn(), "Trying: start");
    EXPECT_EQ(play.fail(481), "Idle: ") << "not again and again";
    EXPECT_GE(wait(play), seconds(15));
}

TEST(ContactRelation, PRES_17_NobodyThereIsARefusalForWhoIsNewAlone) {
    for (const int status : {404, 410, 604}) {
        Play fresh;
        fresh.subscribe();
        fresh.turn();
        EXPECT_EQ(fresh.fail(status), "None: nothing erase unsubscribed") << status;
        Play known;
        known.granted();
        known.pass(hours(1));
        known.ended(false);
        known.turn();
        EXPECT_EQ(known.fail(status), "Idle: nothing") << status;
        EXPECT_EQ(known.relation.authorization(), Authorization::granted);
    }
}

TEST(ContactRelation, PRES_17_BackOffDoublesToAnHour) {
    for (const unsigned chance : {0u, 100'000u}) {
        Play play;
        play.chance = chance;
        play.subscribe();
        for (int least = 15; least < 8'000; least *= 2) {
            play.turn();
            EXPECT_EQ(play.fail(503), "Idle: nothing");
            EXPECT_EQ(wait(play), std::min<seconds>(seconds(chance == 0 ? least : 2 * least), hours(1)));
            EXPECT_EQ(play.pass(wait(play)), "Wanted: queue");
        }
    }
}

TEST(ContactRelation, PRES_17_NotifyEndsTheBackOff) {
    Play play;
    play.subscribe();
    for (int i = 0; i < 5; ++i) play.turn(), play.fail(500), play.pass(wait(play));
    play.turn();
    play.notify("active");
    play.pass(seconds(14));
    auto short_lived = play;
    short_lived.ended(true);
    EXPECT_EQ(wait(short_lived), seconds(15 * 32)) << "it had just begun";
    play.pass(seconds(1));
    play.ended(true);
    EXPECT_EQ(wait(play), seconds(15));
}

TEST(ContactRelation, PRES_17_WhoEndsItAtOnceEachTimeIsAskedLessAndLess) {
    for (const auto* reason : {"probation", "giveup", "deactivated", "timeout", "strange"}) {
        Play play;
        play.subscribe();
        for (int least = 15; least <= 1'920; least *= 2) {
            play.turn();
            play.notify("active");
            EXPECT_TRUE(play.notify(std::string("terminated;reason=") + reason, seconds(0)).starts_with("Idle")) << reason;
            EXPECT_EQ(wait(play), seconds(least)) << reason << ", whatever Retry-After says";
            play.pass(wait(play));
        }
    }
}

TEST(ContactRelation, PRES_17_RetryAfterCountsWhereItIsLonger) {
    Play play;
    play.subscribe();
    play.turn();
    play.fail(503, false, seconds(400));
    EXPECT_EQ(wait(play), seconds(400));
    play.pass(seconds(400));
    play.turn();
    play.fail(503, false, seconds(1));
    EXPECT_EQ(wait(play), seconds(30));
    play.pass(seconds(30));
    play.turn();
    play.fail(503, false, hours(100));
    EXPECT_EQ(wait(play), hours(24));
}

TEST(ContactRelation, PRES_17_CredentialsAreTriedAgainAfterAMinute) {
    for (const int status : {401, 407})
        for (const unsigned chance : {0u, 1'000u}) {
            Play play;
            play.chance = chance;
            play.subscribe();
            play.turn();
            EXPECT_EQ(play.fail(status), "Idle: nothing");
            EXPECT_EQ(wait(play), seconds(chance == 0 ? 60 : 120)) << status;
        }
}

TEST(ContactRelation, PRES_17_WhoTakesNoCredentialsOfOursIsAskedLessAndLess) {
    Play play;
    play.chance = 0;
    play.subscribe();
    auto last = seconds(0);
    for (int i = 0; i < 12; ++i) {
        play.turn();
        play.fail(401);
        EXPECT_GE(wait(play), last);
        last = wait(play);
        play.pass(last);
    }
    EXPECT_GE(last, seconds(1'800));
}

TEST(ContactRelation, PRES_17_RedirectionIsFollowedOnce) {
    Play play;
    play.subscribe();
    play.turn();
    EXPECT_EQ(play.fail(302, true), "Wanted: queue");
    EXPECT_EQ(play.turn(), "Trying: start");
    EXPECT_EQ(play.fail(302, true), "Idle: nothing");
    play.pass(wait(play));
    play.turn();
    EXPECT_EQ(play.fail(302, true), "Idle: nothing") << "not again before a NOTIFY";
    Play nowhere;
    nowhere.subscribe();
    nowhere.turn();
    EXPECT_EQ(nowhere.fail(302, false), "Idle: nothing");
}

TEST(ContactRelation, PRES_18_WithoutTheUserThereIsNoSubscribe) {
    Play play;
    play.granted();
    EXPECT_EQ(play.offline(), "Active: ");
    EXPECT_EQ(play.pass(seconds(59)), "Active: ");
    EXPECT_EQ(play.pass(seconds(1)), "Lapsing: nothing end");
    EXPECT_EQ(play.notify("terminated;reason=timeout"), "Idle: ");
    EXPECT_EQ(play.pass(hours(2)), "Idle: ");
    EXPECT_EQ(play.online(), "Wanted: queue");
    EXPECT_EQ(play.relation.authorization(), Authorization::granted);
}

TEST(ContactRelation, PRES_18_ShortAbsenceCostsNothing) {
    Play play;
    play.granted();
    play.offline();
    play.pass(seconds(30));
    play.offline();  // another resource says so, too: the time is that of the first
    EXPECT_EQ(play.online(), "Active: ");
    EXPECT_EQ(play.pass(hours(1)), "Active: ");
    play.offline();
    play.pass(seconds(30));
    play.offline();
    EXPECT_EQ(play.pass(seconds(30)), "Lapsing: nothing end");
    EXPECT_EQ(play.online(), "Lapsing: ");
    EXPECT_EQ(play.ended(false), "Wanted: queue") << "back before the end";
}

TEST(ContactRelation, PRES_18_AbsentUserIsNotTriedFor) {
    Play play;
    play.granted();
    play.ended(true);
    EXPECT_EQ(play.offline(), "Idle: ");
    EXPECT_EQ(play.pass(hours(5)), "Idle: ");
    EXPECT_EQ(play.online(), "Wanted: queue");
    EXPECT_EQ(play.offline(), "Idle: ") << "not even from the queue";
    EXPECT_EQ(play.turn(), "Idle: ");
}

TEST(ContactRelation, PRES_18_BackOffOutlastsAnAbsence) {
    Play play;
    play.granted();
    play.ended(true);
    play.offline();
    EXPECT_EQ(play.online(), "Idle: ");
    EXPECT_EQ(wait(play), seconds(15));
}

TEST(ContactRelation, PRES_18_AbsenceDuringTheFirstAnswerCounts) {
    Play play;
    play.subscribe();
    play.turn();
    play.offline();
    play.pass(seconds(61));
    EXPECT_EQ(play.notify("active"), "Lapsing: keep subscribed presence nothing end");
}

TEST(ContactRelation, PRES_22_UnsubscribeEndsTheDialogFirst) {
    for (const char* end : {"notify", "silent", "answered"}) {
        Play play;
        play.granted();
        EXPECT_EQ(play.unsubscribe(), "Leaving: nothing erase end");
        EXPECT_EQ(play.unsubscribe(), "Leaving: ");
        EXPECT_EQ(play.notify("active"), "Leaving: ");
        const auto last = end[0] == 'n' ? play.notify("terminated;reason=timeout") : play.ended(end[0] == 's');
        EXPECT_EQ(last, "None: unsubscribed") << end;
        EXPECT_TRUE(play.relation.is_over());
    }
}

TEST(ContactRelation, PRES_22_WithoutADialogNothingIsSent) {
    Play idle;
    idle.granted();
    idle.ended(true);
    EXPECT_EQ(idle.unsubscribe(), "None: nothing erase unsubscribed");
    Play nobody;
    EXPECT_EQ(nobody.unsubscribe(), "None: unsubscribed");
    Play queued;
    queued.subscribe();
    EXPECT_EQ(queued.unsubscribe(), "None: nothing erase unsubscribed");
    EXPECT_EQ(queued.turn(), "None: ");
}

TEST(ContactRelation, PRES_23_ShownResourcesAreWithdrawnBeforeTheWord) {
    Play play;
    play.granted();
    const auto all = play.unsubscribe() + " " + play.ended(false);
    EXPECT_LT(all.find("nothing"), all.find("unsubscribed"));
}

TEST(ContactRelation, WhoAsksAgainWhileLeavingStartsAnew) {
    Play play;
    play.granted();
    play.unsubscribe();
    EXPECT_EQ(play.subscribe(), "Returning: keep");
    EXPECT_EQ(play.relation.authorization(), Authorization::pending);
    EXPECT_EQ(play.subscribe(), "Returning: ");
    EXPECT_EQ(play.notify("terminated;reason=rejected"), "Wanted: queue") << "that was about the one before";
    Play twice;
    twice.granted();
    twice.unsubscribe();
    twice.subscribe();
    EXPECT_EQ(twice.unsubscribe(), "Leaving: nothing erase");
    EXPECT_EQ(twice.ended(true), "None: unsubscribed");
}

TEST(ContactRelation, PRES_27_ProbeOfWhoMaySee) {
    Play play;
    play.granted();
    EXPECT_EQ(play.probe(), "Active: answer");
    play.pass(hours(1));
    play.offline();
    play.pass(seconds(60));
    play.ended(false);
    EXPECT_EQ(play.probe(), "Wanted: answer queue") << "no dialog: SUBSCRIBE";
    EXPECT_EQ(play.turn(), "Trying: start");
}

TEST(ContactRelation, PRES_27_ProbeOfWhoMayNot) {
    Play pending;
    pending.subscribe();
    EXPECT_EQ(pending.probe(), "Wanted: ");
    pending.turn();
    pending.notify("pending");
    EXPECT_EQ(pending.probe(), "Pending: ");
    pending.fail(500);
    pending.ended(true);
    EXPECT_EQ(pending.probe(), "Idle: ");
}

// The roster says that the contact has agreed; only the contact takes that back.
TEST(ContactRelation, PRES_27_ProbeOfWhoIsNotKnown) {
    for (const int status : {404, 480, 500, 503, 408}) {
        Play play;
        EXPECT_EQ(play.probe(), "Wanted: keep answer queue");
        EXPECT_EQ(play.turn(), "Trying: start");
        EXPECT_EQ(play.fail(status), "Idle: nothing") << status;
        play.pass(wait(play));
        play.turn();
        EXPECT_EQ(play.notify("active"), "Active: keep presence") << "the user is not told what they know";
        EXPECT_EQ(play.notify("active"), "Active: presence");
    }
    for (const int status : {403, 603}) {
        Play play;
        play.probe();
        play.turn();
        EXPECT_EQ(play.fail(status), "None: nothing erase unsubscribed") << status;
    }
}

// A trunk without presence says nothing of the contact: what stands in the roster was agreed on by another way.
TEST(ContactRelation, PRES_15_WhoHasNoPresenceTakesNothingBackThatTheRosterSays) {
    for (const int status : {405, 406, 489}) {
        Play play;
        play.probe();
        play.turn();
        for (int day = 0; day < 3; ++day) {
            EXPECT_EQ(play.fail(status), "Idle: nothing") << status;
            EXPECT_EQ(wait(play), hours(24)) << status;
            play.pass(hours(1));
            EXPECT_EQ(play.probe(), "Idle: answer") << "nor is it asked by each login";
            EXPECT_EQ(play.pass(hours(23)), "Wanted: queue");
            play.turn();
        }
        EXPECT_EQ(play.relation.authorization(), Authorization::granted);
        EXPECT_EQ(play.notify("active"), "Active: keep presence");
        EXPECT_FALSE(play.relation.assumed());
        play.pass(hours(1));
        EXPECT_EQ(play.fail(status), "None: nothing erase unsubscribed") << "what the contact has granted ends by it (PRES-15)";
    }
}

TEST(ContactRelation, PRES_27_AnAddressThatIsNotThereIsForgottenAfterADayWithoutAWord) {
    for (const int status : {404, 410, 604}) {
        Play play;
        play.probe();
        seconds passed{0};
        while (passed < hours(24)) {
            play.turn();
            EXPECT_EQ(play.fail(status), "Idle: nothing") << status;
            passed += wait(play);
            play.pass(wait(play));
        }
        play.turn();
        EXPECT_EQ(play.fail(status), "None: nothing erase") << status << ": and nobody is unsubscribed";
        EXPECT_EQ(play.probe(), "Wanted: keep answer queue") << "the roster says it again";
    }
}

TEST(ContactRelation, PRES_27_WhatNobodyConfirmsIsForgottenAfterAMonthWithoutAWord) {
    Play play;
    play.probe();
    play.offline();
    EXPECT_EQ(play.pass(std::chrono::days(30) - seconds(1)), "Idle: ");
    EXPECT_EQ(play.pass(seconds(1)), "None: nothing erase");
    Play polled;
    polled.probe();
    polled.turn();
    polled.fail(503);
    EXPECT_EQ(polled.probe(), "PollWanted: answer queue");
    polled.turn();
    polled.offline();
    EXPECT_EQ(polled.notify("terminated;reason=timeout"), "Idle: presence");
    EXPECT_EQ(polled.pass(std::chrono::days(30)), "None: nothing erase") << "what a poll has shown is not left";
    const auto since = TimePoint{hours(1)};
    Play kept(ContactRelation(Authorization::granted, since));
    EXPECT_EQ(kept.relation.assumed(), since);
    kept.online();
    kept.turn();
    kept.notify("pending");
    EXPECT_EQ(kept.pass(std::chrono::days(31)), "Pending: ") << "somebody answers";
    EXPECT_EQ(kept.fail(503), "None: nothing nothing erase");
    Play confirmed;
    confirmed.probe();
    confirmed.turn();
    confirmed.notify("active");
    confirmed.fail(503);
    confirmed.offline();
    EXPECT_EQ(confirmed.pass(std::chrono::days(400)), "Idle: ");
    Play asked;
    asked.subscribe();
    asked.turn();
    asked.fail(503);
    asked.offline();
    EXPECT_EQ(asked.pass(std::chrono::days(400)), "Idle: ") << "who asked for it waits for it";
}

TEST(ContactRelation, PRES_28_PollHasNoSayInTheAuthorisation) {
    for (const char* reason : {"timeout", "rejected", "noresource", "invariant", "other"}) {
        Play play;
        play.granted();
        for (int i = 0; i < 5; ++i) play.ended(true), play.pass(wait(play)), play.turn();
        play.fail(500);
        EXPECT_EQ(play.probe(), "PollWanted: answer queue") << "nobody waits for the end of a back-off";
        EXPECT_EQ(play.turn(), "Polling: poll");
        EXPECT_EQ(play.notify("active"), "Polling: ");
        EXPECT_EQ(play.notify(std::string("terminated;reason=") + reason), "Wanted: presence queue") << reason;
        EXPECT_EQ(play.relation.authorization(), Authorization::granted);
    }
}

TEST(ContactRelation, PRES_28_PollsAreFewAndTheBackOffGoesOn) {
    Play play;
    play.granted();
    for (int i = 0; i < 5; ++i) play.ended(true), play.pass(wait(play)), play.turn();
    play.fail(500);
    const auto before = wait(play);
    play.probe();
    play.turn();
    EXPECT_EQ(play.fail(503), "Idle: ");
    EXPECT_EQ(wait(play), before);
    EXPECT_EQ(play.probe(), "Idle: answer");
    play.pass(seconds(30));
    EXPECT_EQ(play.probe(), "PollWanted: answer queue");
}

TEST(ContactRelation, PRES_29_PretendedWithoutAnySubscribe) {
    Play play;
    std::vector<ContactAct> out;
    play.relation.subscribe(play.now, out);
    EXPECT_EQ(names(out), "keep");
    EXPECT_EQ(play.pretend(), "Pretended: keep subscribed presence");
    EXPECT_EQ(play.subscribe(), "Pretended: subscribed");
    EXPECT_EQ(play.probe(), "Pretended: answer");
    EXPECT_EQ(play.pass(hours(24)), "Pretended: ");
    EXPECT_EQ(play.unsubscribe(), "None: nothing erase unsubscribed");
}

// No contact has agreed to what was pretended: a trunk without presence, asked after all, takes nobody off a roster.
TEST(ContactRelation, PRES_29_WhatWasPretendedIsNoWordOfTheContact) {
    for (const int status : {405, 406, 489}) {
        Play play;
        std::vector<ContactAct> out;
        play.relation.subscribe(play.now, out);
        EXPECT_EQ(play.pretend(), "Pretended: keep subscribed presence");
        EXPECT_EQ(play.relation.assumed(), play.now) << "and the row says so";
        EXPECT_EQ(play.pass(std::chrono::days(40)), "Pretended: ");
        EXPECT_EQ(play.withdraw(), "Idle: nothing");
        EXPECT_EQ(play.online(), "Wanted: queue") << "time without a question does not count";
        play.turn();
        EXPECT_EQ(play.fail(status), "Idle: nothing") << status;
        EXPECT_EQ(wait(play), hours(24)) << status;
        play.pass(hours(24));
        play.turn();
        EXPECT_EQ(play.notify("active"), "Active: keep presence");
        EXPECT_FALSE(play.relation.assumed());
    }
    Play refused;
    std::vector<ContactAct> out;
    refused.relation.subscribe(refused.now, out);
    refused.pretend();
    refused.withdraw();
    refused.online();
    refused.turn();
    EXPECT_EQ(refused.fail(403), "None: nothing erase unsubscribed") << "this is one";
    Play standing(ContactRelation(Authorization::granted));
    EXPECT_EQ(standing.pretend(), "Pretended: presence");
    EXPECT_FALSE(standing.relation.assumed()) << "what was said stays said";
}

TEST(ContactRelation, PRES_29_SwitchedOffItIsAsked) {
    Play play(ContactRelation(Authorization::granted));
    EXPECT_EQ(play.pretend(), "Pretended: presence");
    EXPECT_EQ(play.withdraw(), "Idle: nothing");
    EXPECT_EQ(play.online(), "Wanted: queue");
    EXPECT_EQ(play.withdraw(), "Idle: nothing");
    Play standing;
    standing.granted();
    EXPECT_EQ(standing.withdraw(), "Lapsing: nothing end");
    EXPECT_EQ(standing.relation.authorization(), Authorization::granted);
}

TEST(ContactRelation, PRES_T1_PendingAfterActiveIsDoubt) {
    Play play;
    play.granted();
    EXPECT_EQ(play.notify("pending"), "Pending: keep nothing");
    EXPECT_EQ(play.notify("active"), "Active: keep presence") << "the authorisation was kept";
}

TEST(ContactRelation, PRES_T1_DoubtOutlivesItsDialog) {
    Play play;
    play.granted();
    EXPECT_FALSE(play.relation.assumed());
    play.pass(seconds(20));
    play.notify("pending");
    const auto since = play.now;
    EXPECT_EQ(play.relation.assumed(), since) << "and the row says so";
    play.pass(seconds(20));
    EXPECT_EQ(play.notify("terminated;reason=timeout"), "Wanted: queue");
    EXPECT_EQ(play.relation.assumed(), since);
    play.turn();
    EXPECT_EQ(play.notify("pending"), "Pending: ");
    EXPECT_EQ(play.relation.assumed(), since);
    EXPECT_EQ(play.relation.authorization(), Authorization::granted) << "nobody has taken it back";
    EXPECT_EQ(play.notify("active"), "Active: keep presence");
    EXPECT_FALSE(play.relation.assumed());
}

TEST(ContactRelation, PRES_T1_ANewDialogThatIsPendingIsDoubtToo) {
    Play play;
    play.granted();
    play.pass(seconds(20));
    EXPECT_EQ(play.notify("terminated;reason=timeout"), "Wanted: queue");
    play.turn();
    EXPECT_FALSE(play.relation.assumed());
    EXPECT_EQ(play.notify("pending"), "Pending: keep");
    EXPECT_TRUE(play.relation.assumed());
}

TEST(ContactRelation, PRES_T3_RejectedEndsItAndPRES_T4_NoResourceToo) {
    for (const char* reason : {"rejected", "noresource"})
        for (const bool active : {false, true}) {
            Play play;
            play.subscribe();
            play.turn();
            play.notify(active ? "active" : "pending");
            EXPECT_EQ(play.notify(std::string("terminated;reason=") + reason), "None: nothing erase unsubscribed") << reason;
            EXPECT_EQ(play.pass(hours(24)), "None: ");
        }
}

TEST(ContactRelation, PRES_T5_DeactivatedAndPRES_T8_TimeoutAreBegunAgain) {
    for (const char* reason : {"deactivated", "timeout"}) {
        Play play;
        play.granted();
        play.pass(hours(1));
        EXPECT_EQ(play.notify(std::string("terminated;reason=") + reason), "Wanted: queue") << reason;
        EXPECT_EQ(play.turn(), "Trying: start");
        play.notify("active");
        EXPECT_EQ(play.notify(std::string("terminated;reason=") + reason), "Idle: ") << "it had just begun";
        EXPECT_GE(wait(play), seconds(15));
    }
}

TEST(ContactRelation, PRES_T6_Probation) {
    Play play;
    play.granted();
    EXPECT_EQ(play.notify("terminated;reason=probation", seconds(60)), "Idle: ");
    EXPECT_EQ(wait(play), seconds(60));
    EXPECT_EQ(play.pass(seconds(60)), "Wanted: queue");
    play.turn();
    play.notify("active");
    EXPECT_EQ(play.notify("terminated;reason=probation", seconds(61)), "Idle: nothing") << "too long to be believed";
    play.pass(seconds(61));
    play.turn();
    play.notify("active");
    EXPECT_EQ(play.notify("terminated;reason=probation"), "Idle: nothing");
    EXPECT_EQ(wait(play), seconds(300));
}

TEST(ContactRelation, PRES_T7_Giveup) {
    Play play;
    play.subscribe();
    play.turn();
    play.notify("pending");
    play.notify("terminated;reason=giveup");
    EXPECT_EQ(wait(play), hours(1));
    play.pass(hours(1));
    play.turn();
    play.notify("pending");
    play.pass(seconds(15));
    play.notify("terminated;reason=giveup", seconds(20));
    EXPECT_EQ(wait(play), seconds(20));
    EXPECT_EQ(play.relation.authorization(), Authorization::pending);
}

TEST(ContactRelation, PRES_T9_InvariantStays) {
    Play play;
    play.granted();
    EXPECT_EQ(play.notify("terminated;reason=invariant", seconds(10)), "Idle: ");
    EXPECT_EQ(play.pass(hours(24)), "Idle: ");
    EXPECT_EQ(play.online(), "Idle: ");
    EXPECT_EQ(play.probe(), "Idle: answer");
    EXPECT_EQ(play.subscribe(), "Idle: subscribed");
    EXPECT_EQ(play.unsubscribe(), "None: nothing erase unsubscribed");
    Play again;
    again.granted();
    again.notify("terminated;reason=invariant");
    again.withdraw();
    EXPECT_EQ(again.online(), "Wanted: queue") << "what was withdrawn is asked for anew";
}

TEST(ContactRelation, PRES_T10_OthersBackOff) {
    Play play;
    play.granted();
    EXPECT_EQ(play.notify("terminated"), "Idle: ");
    EXPECT_EQ(wait(play), seconds(15));
    play.pass(seconds(15));
    play.turn();
    play.notify("pending");
    play.pass(seconds(15));
    EXPECT_EQ(play.notify("terminated;reason=strange", seconds(40)), "Idle: ");
    EXPECT_EQ(wait(play), seconds(40));
}

TEST(ContactRelation, PRES_T11_UnknownTokens) {
    Play play;
    play.subscribe();
    play.turn();
    EXPECT_EQ(play.notify("waiting;expires=5"), "Pending: ");
    play.notify("active");
    EXPECT_EQ(play.notify("dozing"), "Active: presence");
}

TEST(ContactRelation, PRES_102_NotifyBeforeTheAnswerIsToldOnce) {
    Play play;
    play.subscribe();
    play.turn();
    EXPECT_EQ(play.notify("active"), "Active: keep subscribed presence");
    EXPECT_EQ(play.notify("active"), "Active: presence");
}

TEST(ContactRelation, PRES_103_WithoutANotifyItIsTriedLater) {
    Play play;
    play.subscribe();
    play.turn();
    EXPECT_EQ(play.fail(408), "Idle: nothing");
    EXPECT_EQ(wait(play), seconds(15));
    EXPECT_EQ(play.relation.authorization(), Authorization::pending);
    Play refresh;
    refresh.granted();
    EXPECT_EQ(refresh.ended(true), "Idle: nothing");
    EXPECT_EQ(refresh.relation.authorization(), Authorization::granted);
}

TEST(ContactRelation, PRES_104_RefusedRefreshMakesANewDialogWhoseAnswerDecides) {
    Play play;
    play.granted();
    play.pass(hours(1));
    EXPECT_EQ(play.ended(false), "Wanted: queue");
    play.turn();
    EXPECT_EQ(play.fail(489), "None: nothing erase unsubscribed");
}

TEST(ContactRelation, PRES_27_WhatTheRosterAloneSaysMakesRoom) {
    const auto forget = [](Play& play) {
        std::vector<ContactAct> out;
        play.relation.forget(play.now, out);
        return name(play.relation.state()) + ": " + names(out);
    };
    Play waits;
    waits.probe();
    EXPECT_EQ(waits.relation.expendable_since(), waits.now);
    EXPECT_EQ(forget(waits), "None: nothing erase");
    Play rests;
    rests.probe();
    rests.turn();
    EXPECT_FALSE(rests.relation.expendable_since()) << "it is being asked";
    EXPECT_EQ(forget(rests), "Trying: ");
    rests.fail(489);
    EXPECT_EQ(forget(rests), "None: nothing erase");
    Play shown;
    shown.probe();
    shown.offline();
    shown.pretend();
    EXPECT_EQ(forget(shown), "Pretended: ") << "the user sees it";
    Play confirmed;
    confirmed.granted();
    confirmed.fail(503);
    EXPECT_EQ(forget(confirmed), "Idle: ");
    Play asked;
    asked.subscribe();
    EXPECT_EQ(forget(asked), "Wanted: ") << "the user waits for an answer";
}

TEST(ContactRelation, WhatWasKeptGoesOnWhenTheUserIsThere) {
    Play play(ContactRelation(Authorization::granted));
    EXPECT_EQ(play.pass(hours(1)), "Idle: ");
    EXPECT_EQ(play.online(), "Wanted: queue");
    play.turn();
    EXPECT_EQ(play.notify("active"), "Active: presence") << "no second subscribed (PRES-02)";
}

// The whole table, pair by pair: with something granted, or not. A pair that is not here is ignored.
TEST(ContactRelation, EveryPairOfStateAndEvent) {
    const std::vector<std::string> rows{
        "None+Subscribe=Idle:keep",
        "None+Unsubscribe=None:unsubscribed",
        "None+Probe=Idle:keep answer",
        "Idle+Subscribe=Idle:subscribed",
        "Idle+Unsubscribe=None:nothing erase unsubscribed",
        "Idle+Probe=Idle:answer",
        "Idle+ProbeInWait=PollWanted:answer queue",
        "Idle+Online=Idle:",
        "Idle+Offline=Idle:",
        "Idle+Due=Wanted:queue",
        "Idle+Pretend=Pretended:presence",
        "Idle+Withdraw=Idle:nothing",
        "Idle+Forget=None:nothing erase",
        "Pretended+Subscribe=Pretended:subscribed",
        "Pretended+Unsubscribe=None:nothing erase unsubscribed",
        "Pretended+Probe=Pretended:answer",
        "Pretended+Online=Pretended:",
        "Pretended+Offline=Pretended:",
        "Pretended+Withdraw=Idle:nothing",
        "Wanted+Subscribe=Wanted:subscribed",
        "Wanted+Unsubscribe=None:nothing erase unsubscribed",
        "Wanted+Probe=Wanted:answer",
        "Wanted+Online=Wanted:",
        "Wanted+Offline=Idle:",
        "Wanted+Turn=Trying:start",
        "Wanted+Forget=None:nothing erase",
        "Wanted+Withdraw=Idle:nothing",
        "PollWanted+Subscribe=PollWanted:subscribed",
        "PollWanted+Unsubscribe=None:nothing erase unsubscribed",
        "PollWanted+Probe=PollWanted:answer",
        "PollWanted+Online=PollWanted:",
        "PollWanted+Offline=Idle:",
        "PollWanted+Turn=Polling:poll",
        "PollWanted+Withdraw=Idle:nothing",
        "Trying+Subscribe=Trying:subscribed",
        "Trying+Unsubscribe=Leaving:nothing erase end",
        "Trying+Probe=Trying:answer",
        "Trying+Online=Trying:",
        "Trying+Offline=Trying:",
        "Trying+Withdraw=Lapsing:nothing end",
        "Trying+NotifiedPending=Pending:keep",
        "Trying+NotifiedActive=Active:presence",
        "Trying+Redirected=Wanted:queue",
        "Trying+Refused=None:nothing erase unsubscribed",
        "Trying+Dropped=Idle:nothing",
        "Trying+Settled=Idle:",
        "Pending+Subscribe=Pending:subscribed",
        "Pending+Unsubscribe=Leaving:nothing erase end",
        "Pending+Probe=Pending:answer",
        "Pending+Online=Pending:",
        "Pending+Offline=Pending:",
        "Pending+Away=Lapsing:nothing end",
        "Pending+Withdraw=Lapsing:nothing end",
        "Pending+NotifiedPending=Pending:keep",
        "Pending+NotifiedActive=Active:presence",
        "Pending+Refused=None:nothing erase unsubscribed",
        "Pending+Dropped=Idle:nothing",
        "Pending+Settled=Idle:",
        "Active+Subscribe=Active:subscribed",
        "Active+Unsubscribe=Leaving:nothing erase end",
        "Active+Probe=Active:answer",
        "Active+Online=Active:",
        "Active+Offline=Active:",
        "Active+Away=Lapsing:nothing end",
        "Active+Withdraw=Lapsing:nothing end",
        "Active+NotifiedPending=Pending:keep nothing",
        "Active+NotifiedActive=Active:presence",
        "Active+Refused=None:nothing erase unsubscribed",
        "Active+Dropped=Idle:nothing",
        "Active+Settled=Idle:",
        "Polling+Subscribe=Polling:subscribed",
        "Polling+Unsubscribe=Leaving:nothing erase end",
        "Polling+Probe=Polling:answer",
        "Polling+Online=Polling:",
        "Polling+Offline=Polling:",
        "Polling+Withdraw=Lapsing:nothing end",
        "Polling+PollAnswered=Idle:presence",
        "Polling+Refused=None:nothing erase unsubscribed",
        "Polling+Dropped=Idle:",
        "Lapsing+Subscribe=Lapsing:subscribed",
        "Lapsing+Unsubscribe=Leaving:nothing erase",
        "Lapsing+Probe=Lapsing:answer",
        "Lapsing+Online=Lapsing:",
        "Lapsing+Offline=Lapsing:",
        "Lapsing+Refused=None:erase unsubscribed",
        "Lapsing+Dropped=Idle:",
        "Lapsing+Settled=Idle:",
        "Leaving+Subscribe=Returning:keep",
        "Leaving+Refused=None:unsubscribed",
        "Leaving+Dropped=None:unsubscribed",
        "Leaving+Settled=None:unsubscribed",
        "Returning+Unsubscribe=Leaving:nothing erase",
        "Returning+Online=Returning:",
        "Returning+Offline=Returning:",
        "Returning+Refused=Idle:",
        "Returning+Dropped=Idle:",
        "Returning+Settled=Idle:",
    };
    const std::vector<std::pair<std::string, Event>> events{{"Subscribe", Subscribe{}},
                                                            {"Unsubscribe", Unsubscribe{}},
                                                            {"Probe", Probe{}},
                                                            {"ProbeInWait", ProbeInWait{}},
                                                            {"Online", Online{}},
                                                            {"Offline", Offline{}},
                                                            {"Due", Due{}},
                                                            {"Away", Away{}},
                                                            {"Turn", Turn{}},
                                                            {"Pretend", Pretend{}},
                                                            {"Withdraw", Withdraw{}},
                                                            {"Forget", Forget{}},
                                                            {"NotifiedPending", NotifiedPending{}},
                                                            {"NotifiedActive", NotifiedActive{}},
                                                            {"PollAnswered", PollAnswered{}},
                                                            {"Redirected", Redirected{}},
                                                            {"Refused", Refused{}},
                                                            {"Dropped", Dropped{seconds(90), true}},
                                                            {"Settled", Settled{}}};
    const std::vector<State> states{None{},    Idle{},   Pretended{}, Wanted{},  PollWanted{}, Trying{},
                                    Pending{}, Active{}, Polling{},   Lapsing{}, Leaving{},    Returning{}};
    ASSERT_EQ(events.size(), std::variant_size_v<Event>);
    ASSERT_EQ(states.size(), std::variant_size_v<State>);
    std::set<std::string> seen;
    for (const auto& state : states)
        for (const auto& [word, event] : events) {
            Parts parts;
            parts.authorization = Authorization::granted;
            parts.state = state;
            std::vector<ContactAct> out;
            Scope scope{parts, TimePoint(hours(1)), out};
            const bool known = contact::step(scope, event);
            const auto pair = name(state) + "+" + word + "=";
            const auto row = std::ranges::find_if(rows, [&](const std::string& one) { return one.starts_with(pair); });
            EXPECT_EQ(known, row != rows.end()) << pair;
            if (row == rows.end()) {
                EXPECT_EQ(name(parts.state) + ":" + names(out), name(state) + ":") << pair;
            } else {
                EXPECT_EQ(pair + name(parts.state) + ":" + names(out), *row);
            }
            if (known) seen.insert(pair);
        }
    EXPECT_EQ(seen.size(), rows.size());
}

// What an absence, or its end, changes is seen later.
TEST(ContactRelation, EveryStateMindsWhetherTheUserIsThere) {
    for (const State& state : std::vector<State>{Pretended{}, Trying{}, Pending{}, Active{}, Polling{}, Lapsing{}, Returning{}}) {
        const auto make = [&](bool online) {
            Parts parts;
            parts.authorization = Authorization::granted;
            parts.online = online;
            parts.state = state;
            return parts;
        };
        std::vector<ContactAct> out;
        auto going = make(true), coming = make(false), probed = make(false), asked = make(false);
        Scope scope{going, TimePoint(hours(1)), out}, other{coming, TimePoint(hours(1)), out};
        Scope third{probed, TimePoint(hours(1)), out}, fourth{asked, TimePoint(hours(1)), out};
        contact::step(scope, Offline{});
        EXPECT_FALSE(going.online) << name(state);
        EXPECT_TRUE(going.away_at) << name(state);
        coming.away_at = probed.away_at = asked.away_at = TimePoint(hours(1));
        contact::step(other, Online{});
        EXPECT_TRUE(coming.online && !coming.away_at) << name(state);
        if (std::holds_alternative<Returning>(state)) continue;
        contact::step(third, Probe{});
        EXPECT_TRUE(probed.online && !probed.away_at) << name(state);
        contact::step(fourth, Subscribe{});
        EXPECT_TRUE(asked.online && !asked.away_at) << name(state);
    }
}

}  // namespace stox::presence
