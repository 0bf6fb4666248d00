// A domain that goes: nothing is lost, nothing doubled that a moment's patience keeps single.

#include "plugin/engine/drain.h"
#include "plugin/engine/commits.h"
#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using xmpp::Condition;
using Why = Shutdown::Why;

TEST(Drain, AnIdleDomainGoesAtOnce) {
    Rig rig;
    EXPECT_FALSE(rig.engine.drained());
    EXPECT_TRUE(rig.feed(Shutdown{}).answers.empty());
    EXPECT_TRUE(rig.engine.drained());
    EXPECT_FALSE(rig.engine.next_timeout());
}

TEST(Drain, WhatIsOnTheStreamIsWaitedForSoThatNoStartRepeatsIt) {
    Rig rig;
    rig.request(message_request());
    rig.feed(Shutdown{});
    EXPECT_FALSE(rig.engine.drained());
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
    EXPECT_TRUE(rig.engine.drained());
    EXPECT_TRUE(rig.disk.empty());
}

TEST(Drain, WhatIsBeingStoredIsAnswered) {
    Rig rig;
    rig.stores = false;
    const auto commit = rig.request(message_request()).commits.at(0);
    rig.feed(Shutdown{});
    EXPECT_FALSE(rig.engine.drained());
    rig.stores = true;
    rig.committed(commit);
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
    EXPECT_TRUE(rig.engine.drained());
}

TEST(Drain, NothingNewIsTaken) {
    for (const auto why : {Why::stop, Why::removed}) {
        Rig rig;
        rig.stanza(message_stanza("busy"));
        rig.feed(Shutdown{why});
        EXPECT_EQ(rig.request(message_request()).answer().status, 503);
        EXPECT_EQ(rig.stanza(message_stanza("late")).error().condition, Condition::recipient_unavailable);
        EXPECT_TRUE(rig.sent.empty());
    }
}

TEST(Drain, ARequestOnItsWayHasAMomentAndTheOthersWaitForTheNextStart) {
    Rig rig;
    const auto transaction = rig.stanza(message_stanza("m1", "one")).sent.at(0).transaction;
    rig.stanza(message_stanza("m2", "two"));
    rig.feed(Shutdown{});
    EXPECT_TRUE(rig.stanzas.empty()) << "nobody is told anything: the next start delivers";
    EXPECT_FALSE(rig.engine.drained());
    rig.sip_response(transaction, 200);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_TRUE(rig.engine.drained());
    ASSERT_EQ(rig.disk.size(), 1u);
    rig.restart();
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.body, "two");
}

TEST(Drain, APeerThatDoesNotAnswerIsNotWaitedForLonger) {
    Rig rig;
    rig.stanza(message_stanza("m1", "one"));
    rig.feed(Shutdown{});
    rig.pass(kDrain - 1ms);
    EXPECT_FALSE(rig.engine.drained());
    rig.pass(1ms);
    EXPECT_TRUE(rig.engine.drained());
    EXPECT_EQ(rig.disk.size(), 1u);
    EXPECT_FALSE(rig.engine.next_timeout());
}

TEST(Drain, WithoutStreamWhatIsKeptStays) {
    Rig rig(Rig::default_options(), false);
    rig.request(message_request());
    rig.feed(Shutdown{});
    EXPECT_TRUE(rig.engine.drained());
    EXPECT_EQ(rig.disk.size(), 1u);
}

TEST(Drain, ADomainThatIsRemovedTellsItsAuthors) {
    Rig rig;
    rig.stanza(message_stanza("m1"));
    rig.stanza(message_stanza("m2"));
    rig.feed(Shutdown{Why::removed});
    EXPECT_NE(rig.error().text->find("was not sent"), std::string::npos) << "m2";
    rig.answer_ping();
    EXPECT_FALSE(rig.engine.drained()) << "m1 may still be answered";
    rig.pass(kDrain);
    EXPECT_NE(rig.error().text->find("may have been delivered"), std::string::npos);
    EXPECT_TRUE(rig.engine.drained());
}

TEST(Drain, ADomainThatIsRemovedWithoutStreamTellsThemShouldItComeBack) {
    Rig rig;
    rig.stanza(message_stanza("m1"));
    rig.stanza(message_stanza("m2"));
    rig.feed(StreamDown{});
    rig.feed(Shutdown{Why::removed});
    rig.pass(kDrain);
    EXPECT_TRUE(rig.engine.drained());
    EXPECT_EQ(rig.disk.size(), 2u);
    rig.restart();
    EXPECT_TRUE(rig.sent.empty());
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.stanzas.size(), 2u);
}

TEST(Drain, AReloadOfOptionsTouchesNothing) {
    Rig rig;
    rig.request(message_request());
    const auto transaction = rig.stanza(message_stanza("m1")).sent.at(0).transaction;
    auto options = Rig::default_options();
    options.from_gr = true;
    rig.feed(OptionsChanged{options});
    EXPECT_TRUE(rig.answers.empty());
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
    rig.sip_response(transaction, 200);
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.disk.empty());
}

}  // namespace
