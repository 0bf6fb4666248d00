// A restart: what the store held goes on its way again, in order, with the ids it had.

#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/commits.h"
#include "plugin/engine/delivered_requests.h"
#include "tests/engine/rig.h"

#include <algorithm>
#include <set>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using xmpp::Condition;

bool is_delayed(const xmpp::Message& message) {
    return std::ranges::any_of(message.payload, [](const auto& element) { return element.ns == xmpp::ns::kDelay; });
}

TEST(Restore, CORE_77_WhatNoBarrierCoveredGoesOutAgainInOrder) {
    Rig rig;
    std::vector<std::string> ids;
    for (const auto* text : {"one", "two", "three"}) ids.push_back(rig.request(message_request(text)).messages().at(0).id);
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    ASSERT_EQ(rig.undelivered().size(), 2u) << "the first ping covered the first message";
    rig.restart();
    EXPECT_TRUE(rig.stanzas.empty());
    rig.feed(StreamUp{});
    const auto again = rig.messages();
    ASSERT_EQ(again.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(again[i].id, ids[i + 1]);
        EXPECT_TRUE(is_delayed(again[i]));
    }
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
}

TEST(Restore, IM_34_ARequestThatWasAcceptedBeforeIsAnsweredAndNoSecondMessage) {
    Rig rig;
    const auto request = message_request();
    rig.request(request);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(rig.request(request).answer().status, 202) << "the answer may not have left";
    EXPECT_TRUE(rig.messages().empty());
    EXPECT_EQ(rig.request(request).answer().status, 482);
    EXPECT_EQ(rig.undelivered().size(), 1u);
}

TEST(Restore, IM_34_ACopyAfterTwoKilledWorkersIsTheSameMessage) {
    Rig rig;
    const auto request = message_request();
    rig.request(request);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.messages().size(), 1u);
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_TRUE(rig.messages().empty()) << "the server has it";
    EXPECT_EQ(rig.request(request).answer().status, 202);
    EXPECT_TRUE(rig.messages().empty());
    rig.pass(33s);
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.disk.empty()) << "no client repeats a request for longer";
}

TEST(Restore, IM_34_OnAFullDiskARequestIsForgottenRatherThanKept) {
    Rig rig;
    rig.request(message_request());
    rig.broken_disk = true;
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    rig.answer_ping();
    rig.pass(Commits::kTryAgain);
    EXPECT_TRUE(rig.disk.empty()) << "room comes first";
}

TEST(Restore, IM_34_SoManyRequestsAreKept) {
    DeliveredRequests kept;
    for (std::size_t i = 0; i < DeliveredRequests::kRows; ++i) EXPECT_TRUE(kept.add(std::to_string(i), TimePoint{}).empty());
    EXPECT_EQ(kept.add("one more", TimePoint{}), std::vector<std::string>{"0"});
    EXPECT_EQ(kept.take_lapsed(TimePoint{} + 32s).size(), DeliveredRequests::kRows);
    EXPECT_FALSE(kept.next_timeout());
}

/// What is there of a request: its message, or that it is delivered.
Record accepted_before(std::size_t number, bool delivered) {
    InboxRow row;
    row.stanza.from = {"juliet", "capulet.test", {}};
    row.stanza.to = {"romeo", "montague.test", {}};
    row.stanza.id = "id" + std::to_string(number);
    if (!delivered) row.stanza.bodies = {{"hello", {}}};
    row.request_key = "call" + std::to_string(number) + "\nt1\n1MESSAGE";
    row.delivered = delivered;
    return {Collection::inbox, "key" + std::to_string(number), row};
}

sip::Request copy_of(std::size_t number) {
    auto request = message_request();
    request.call_id = "call" + std::to_string(number);
    return request;
}

TEST(Restore, IM_34_EveryRequestIsKnownOfWhichThereMayBeARow) {
    Rig rig;
    std::vector<Record> rows;
    constexpr auto kRows = MergedRequests::kCapacity - 1;  // there must be room for one that is new
    for (std::size_t i = 0; i < kRows; ++i) rows.push_back(accepted_before(i, i < DeliveredRequests::kRows));
    rig.feed(Restored{std::move(rows)});
    EXPECT_FALSE(rig.logged("forgotten"));
    for (const std::size_t number : {std::size_t(0), DeliveredRequests::kRows, kRows - 1}) {
        EXPECT_EQ(rig.request(copy_of(number)).answer().status, 202) << number;
        EXPECT_TRUE(rig.messages().empty()) << number;
    }
}

TEST(Restore, IM_34_OfMoreRequestsTheOldestAreForgottenAndTheOperatorHearsOfIt) {
    Rig rig;
    std::vector<Record> rows;
    for (std::size_t i = 0; i < MergedRequests::kCapacity + 5; ++i) rows.push_back(accepted_before(i, true));
    rig.feed(Restored{std::move(rows)});
    EXPECT_TRUE(rig.logged("forgotten=5"));
    EXPECT_EQ(rig.request(copy_of(MergedRequests::kCapacity + 4)).answer().status, 202);
    EXPECT_TRUE(rig.messages().empty());
    rig.request(copy_of(4));
    EXPECT_EQ(rig.messages().size(), 1u) << "as if it were the first";
}

TEST(Restore, IM_34_WhatFailedAfterARestartMayBeTriedAgain) {
    Rig rig;
    const auto request = message_request();
    rig.request(request);
    rig.restart();
    rig.feed(StreamUp{});
    const auto sent = rig.messages().at(0);
    rig.stanza(*xmpp::make_error(sent, {}));
    rig.request(request);
    EXPECT_TRUE(rig.answers.empty()) << "it is not accepted as one that the server has";
    ASSERT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(rig.messages().front().id, sent.id);
}

TEST(Restore, RequestsGoOutAgainInOrderWithTheirIdsAndAHigherCSeq) {
    Rig rig;
    const auto first = rig.stanza(message_stanza("m1", "one")).sent.at(0).request;
    rig.stanza(message_stanza("m2", "two"));
    std::uint32_t cseq = first.cseq;
    for (int start = 0; start < 3; ++start) {
        rig.restart();
        ASSERT_EQ(rig.sent.size(), 1u) << "without waiting for a stream";
        const auto& again = rig.sent.front().request;
        EXPECT_EQ(again.call_id, first.call_id);
        EXPECT_EQ(again.from.tag, first.from.tag);
        EXPECT_EQ(again.body, "one");
        EXPECT_GT(again.cseq, cseq);
        cseq = again.cseq;
    }
    rig.sip_response(rig.sent.front().transaction, 200);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.body, "two");
}

TEST(Restore, NoNumberComesTwiceThoughNothingCanBeWrittenDown) {
    Rig rig;
    const auto first = rig.stanza(message_stanza()).sent.at(0).request;
    rig.broken_disk = true;
    std::set<std::uint32_t> used{first.cseq};
    for (int start = 0; start < 3; ++start) {
        rig.restart();
        ASSERT_EQ(rig.sent.size(), 1u) << "it is accepted, so it is delivered";
        const auto cseq = rig.sent.front().request.cseq;
        EXPECT_GT(cseq, *used.rbegin() + 500) << "there were second tries, and other messages with this Call-ID";
        used.insert(cseq);
    }
    EXPECT_TRUE(rig.commits.empty()) << "nor has it to be";
}

TEST(Restore, ANumberStaysBelowTheLast) {
    Rig rig;
    rig.stanza(message_stanza());
    rig.disk.front().lives = 0xffff'ffff - 1;
    rig.restart();
    EXPECT_LT(rig.sent.at(0).request.cseq, 0x8000'0000);
}

TEST(Restore, ACopyHasTheFormThatItsMessageHad) {
    Rig rig;
    auto request = message_request("From: <sip:juliet@capulet.test>\r\n\r\nContent-Type: text/plain\r\n\r\nhello");
    request.content_type = "Message/CPIM";
    rig.request(request);
    rig.answer_ping();
    const auto first = rig.stanza(message_stanza("m1")).sent.at(0).request;
    ASSERT_EQ(first.content_type, "message/cpim") << "they understand it";
    rig.restart();
    EXPECT_EQ(rig.sent.at(0).request.content_type, first.content_type) << "though nobody knows any more what they understand";
    EXPECT_EQ(rig.sent.at(0).request.body, first.body);

    Rig plain;
    plain.stanza(message_stanza("m1"));
    std::get<OutboxRow>(plain.disk.front().value).wrapped.reset();
    plain.restart();
    EXPECT_EQ(plain.sent.size(), 1u) << "rows of older programs do not say";
}

TEST(Restore, IM_14_AnErrorThatIsOwedIsToldAndNothingSent) {
    Rig rig;
    const auto transaction = rig.stanza(message_stanza("m1")).sent.at(0).transaction;
    rig.feed(StreamDown{});
    rig.sip_response(transaction, 603);
    rig.pass(Commits::kRideAfter);
    rig.restart();
    EXPECT_TRUE(rig.sent.empty());
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.error().sip_status, 603);
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
}

TEST(Restore, WhatHasNoWayAnyMoreGoesBackToItsAuthor) {
    Rig rig;
    rig.stanza(message_stanza("m1"));
    auto options = Rig::default_options();
    options.peers.clear();
    rig.restart(options);
    EXPECT_TRUE(rig.sent.empty());
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.error().condition, Condition::remote_server_not_found);
}

TEST(Restore, OfOneRequestThatWasStoredTwiceOneMessageGoesOut) {
    Rig rig;
    const auto request = message_request();
    rig.request(request);
    // Its first commit had failed, its second one succeeded, and a crash left both.
    rig.disk.push_back(rig.disk.front());
    rig.disk.back().key = "another";
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.messages().size(), 1u);
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
}

TEST(Restore, AStoreThatOpensLateIsTakenAsWell) {
    Rig rig;
    rig.request(message_request());
    const auto disk = rig.disk;
    Rig late;
    late.feed(Restored{disk});
    EXPECT_EQ(late.messages().size(), 1u);
}

}  // namespace
