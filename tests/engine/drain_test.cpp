// A domain that goes: nothing is lost, nothing doubled that a moment's patience keeps single.

#include "plugin/engine/drain.h"
#include "mapping/im/extensions.h"
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
    EXPECT_TRUE(rig.undelivered().empty());
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
    ASSERT_EQ(rig.undelivered().size(), 1u);
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
    EXPECT_EQ(rig.undelivered().size(), 1u);
    EXPECT_FALSE(rig.engine.next_timeout());
}

TEST(Drain, WithoutStreamWhatIsKeptStays) {
    Rig rig(Rig::default_options(), false);
    rig.request(message_request());
    rig.feed(Shutdown{});
    EXPECT_TRUE(rig.engine.drained());
    EXPECT_EQ(rig.undelivered().size(), 1u);
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
    EXPECT_FALSE(rig.engine.drained()) << "the server may not have it yet";
    rig.answer_ping().pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.engine.drained());
}

TEST(Drain, ADomainThatIsRemovedLeavesNothingBehind) {
    Rig rig;
    auto asking = message_stanza("m1");
    asking.payload.push_back(im::receipt_request());
    rig.sip_response(rig.stanza(asking).sent.at(0).transaction, 200);
    rig.stanza(message_stanza("m2"));
    rig.request(message_request());
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_EQ(rig.disk.size(), 3u) << "a receipt that is awaited, a message, a request that may come again";
    rig.feed(Shutdown{Why::removed});
    rig.pass(kDrain);
    EXPECT_FALSE(rig.engine.drained());
    ASSERT_EQ(rig.disk.size(), 1u) << "until its author surely knows";
    EXPECT_EQ(std::get<OutboxRow>(rig.disk.front().value).stanza.id, "m2");
    rig.answer_ping().pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.disk.empty());
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
    EXPECT_EQ(rig.undelivered().size(), 2u);
    rig.restart();
    EXPECT_TRUE(rig.sent.empty());
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.stanzas.size(), 2u);
}

/// A peer that must be located first, and another for everything else.
config::DomainOptions with_two_peers() {
    auto options = Rig::default_options();
    options.peers.front().is_default = true;
    auto away = options.peers.front();
    away.name = "away";
    away.source.clear();
    away.is_default = false;
    away.targets = {{"capulet.test", {}}};
    away.next_hops = {named_hop("away.test")};
    options.peers.push_back(away);
    return options;
}

TEST(Drain, APeerThatAReloadTakesAwayLeavesItsMessagesToTheNext) {
    Rig rig(with_two_peers());
    rig.stanza(message_stanza("m1", "one"));
    rig.stanza(message_stanza("m2", "two"));
    ASSERT_TRUE(rig.sent.empty()) << "the way is looked for";
    auto options = Rig::default_options();
    rig.feed(OptionsChanged{options});
    EXPECT_TRUE(rig.stanzas.empty());
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.body, "one");
    EXPECT_EQ(rig.sent.front().target.text(), "udp:10.0.0.1:5060");
    rig.sip_response(rig.sent.front().transaction, 200);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.body, "two");
    EXPECT_EQ(rig.sent.front().target.text(), "udp:10.0.0.1:5060");
}

TEST(Drain, WhereNoOtherPeerLeadsTheMessagesGoBack) {
    Rig rig(with_two_peers());
    rig.stanza(message_stanza("m1"));
    auto options = Rig::default_options();
    options.peers.front().targets = {{"elsewhere.test", {}}};
    rig.feed(OptionsChanged{options});
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.error().condition, Condition::remote_server_not_found);
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.disk.empty());
}

TEST(Drain, WhatHasLeftForAPeerThatIsTakenAwayHasItsAnswer) {
    auto two = with_two_peers();
    two.peers.back().next_hops = {hop(9)};
    Rig rig(two);
    const auto transaction = rig.stanza(message_stanza("m1")).sent.at(0).transaction;
    rig.feed(OptionsChanged{Rig::default_options()});
    EXPECT_TRUE(rig.sent.empty() && rig.stanzas.empty()) << "it may have arrived";
    rig.sip_response(transaction, 200);
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.disk.empty());
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
    EXPECT_TRUE(rig.undelivered().empty());
}

}  // namespace
