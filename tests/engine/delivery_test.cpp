// Contract 1: what is accepted is stored, delivered in order with the same ids, and erased when it surely arrived.

#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/barrier.h"
#include "plugin/engine/commits.h"
#include "plugin/engine/inbox.h"
#include "tests/engine/rig.h"

#include <algorithm>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using xmpp::Condition;

const Error kDiskFull{Code::unavailable, "disk full"};

xmpp::Message error_for(const xmpp::Message& stanza, Condition condition) {
    xmpp::StanzaError error;
    error.condition = condition;
    return std::get<xmpp::Message>(*xmpp::make_error(stanza, error));
}

std::string stamp(const xmpp::Message& message) {
    for (const auto& element : message.payload)
        if (element.ns == xmpp::ns::kDelay) return *element.attribute("stamp");
    return {};
}

config::DomainOptions with_hold(unsigned hold_ms) {
    auto options = Rig::default_options();
    options.message_hold_ms = hold_ms;
    return options;
}

/// Some rows more than the engine takes when it need not be polite.
std::vector<Record> inbox_rows(std::size_t count, std::size_t octets = 1) {
    std::vector<Record> rows;
    for (std::size_t i = 0; i < count; ++i) {
        InboxRow row;
        row.stanza.from = {"juliet", "capulet.test", {}};
        row.stanza.to = {"romeo", "montague.test", {}};
        row.stanza.id = "id" + std::to_string(i);
        row.stanza.bodies = {{std::string(octets, 'x'), {}}};
        rows.push_back({Collection::inbox, "key" + std::to_string(i), row});
    }
    return rows;
}

// SIP to XMPP

TEST(Delivery, IM_29_NothingGoesOutBeforeItIsStored) {
    Rig rig;
    rig.stores = false;
    rig.request(message_request());
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_TRUE(rig.answers.empty());
    ASSERT_EQ(rig.commits.size(), 1u);
    const auto commit = rig.commits.front();
    ASSERT_EQ(commit.changes.size(), 1u);
    EXPECT_EQ(commit.changes.front().collection, Collection::inbox);
    rig.committed(commit);
    EXPECT_EQ(rig.messages().size(), 1u);
    EXPECT_TRUE(rig.answers.empty()) << "held for what the server says";
    rig.answer_ping();
    EXPECT_EQ(rig.answer().status, 202);
}

TEST(Delivery, IM_30_TheHoldIsAsLongAsTheOperatorWants) {
    Rig rig;
    rig.request(message_request());
    EXPECT_TRUE(rig.pass(299ms).answers.empty());
    EXPECT_EQ(rig.pass(1ms).answer().status, 202);
    EXPECT_TRUE(rig.answer_ping().answers.empty()) << "answered once";

    Rig none(with_hold(0));
    EXPECT_EQ(none.request(message_request()).answer().status, 202);
    EXPECT_EQ(none.messages().size(), 1u);
}

TEST(Delivery, IM_30_AnErrorAfterTheAnswerIsReportedAndEndsTheMessage) {
    Rig rig(with_hold(0));
    const auto stanza = rig.request(message_request()).messages().front();
    ASSERT_EQ(rig.undelivered().size(), 1u);
    rig.stanza(error_for(stanza, Condition::service_unavailable));
    EXPECT_TRUE(rig.answers.empty());
    EXPECT_TRUE(rig.logged("failed after it was accepted"));
    EXPECT_EQ(rig.logs.front().peer, "phones") << "its row was known";
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
}

TEST(Delivery, ARecordIsErasedWithTheNextCommitOrAMomentLater) {
    Rig rig;
    rig.request(message_request("one"));
    rig.answer_ping();
    EXPECT_TRUE(rig.commits.empty()) << "nobody waits for that";
    rig.request(message_request("two"));
    ASSERT_EQ(rig.commits.size(), 1u);
    EXPECT_EQ(rig.commits.front().changes.size(), 2u);
    EXPECT_EQ(rig.undelivered().size(), 1u);
    rig.answer_ping();
    EXPECT_TRUE(rig.pass(Commits::kRideAfter - 1ms).commits.empty());
    rig.pass(1ms);
    ASSERT_EQ(rig.commits.size(), 1u);
    EXPECT_TRUE(rig.undelivered().empty());
    rig.pass(33s);
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.disk.empty());
    EXPECT_FALSE(rig.engine.next_timeout());
}

TEST(Delivery, CORE_05_WithoutStreamAMessageIsKeptAndDeliveredLater) {
    Rig rig(Rig::default_options(), false);
    SipRequestIn in{ServerTransaction{7}, message_request("one"), {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp};
    in.received = UtcTime(std::chrono::milliseconds(1'700'000'000'123));
    EXPECT_EQ(rig.feed(in).answer().status, 202) << "there is nobody to wait for";
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_EQ(rig.request(message_request("two")).answer().status, 202);
    rig.feed(StreamUp{});
    const auto written = rig.messages();
    ASSERT_EQ(written.size(), 2u);
    EXPECT_EQ(written[0].bodies.front().text, "one");
    EXPECT_EQ(stamp(written[0]), "2023-11-14T22:13:20.123Z");
    EXPECT_EQ(written[1].bodies.front().text, "two");
    EXPECT_EQ(rig.undelivered().size(), 2u) << "until a barrier covers them";
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
}

TEST(Delivery, ALostStreamAnswersWhatWasHeldAndTheNextOneCarriesItAgain) {
    Rig rig;
    const auto first = rig.request(message_request("one")).messages().front();
    EXPECT_TRUE(stamp(first).empty());
    const auto request = message_request("two");
    const auto second = rig.request(request).messages().front();
    rig.feed(StreamDown{});
    ASSERT_EQ(rig.answers.size(), 2u);
    for (const auto& answer : rig.answers) EXPECT_EQ(answer.response.status, 202) << "they are ours";
    EXPECT_EQ(rig.request(request).answer().status, 482);
    rig.feed(StreamUp{});
    const auto again = rig.messages();
    ASSERT_EQ(again.size(), 2u);
    EXPECT_EQ(again[0].id, first.id);
    EXPECT_EQ(again[1].id, second.id);
    EXPECT_FALSE(stamp(again[0]).empty());
    rig.answer_ping();
    EXPECT_EQ(rig.engine.pending().to_xmpp, 0u);
}

TEST(Delivery, ASilentServerLosesNothing) {
    Rig rig;
    rig.request(message_request());
    rig.pass(300ms);
    rig.pass(9'699ms);
    EXPECT_FALSE(rig.logged("does not answer"));
    const auto first_ping = rig.ping_result();
    rig.pass(1ms);
    EXPECT_TRUE(rig.logged("does not answer"));
    ASSERT_TRUE(rig.ping_is_out()) << "asked once more";
    rig.pass(10s);
    EXPECT_FALSE(rig.logged("does not answer")) << "told once";
    EXPECT_EQ(rig.engine.pending().to_xmpp, 1u);
    rig.stanza(first_ping);
    EXPECT_EQ(rig.engine.pending().to_xmpp, 1u) << "not the ping that is out";
    rig.answer_ping();
    EXPECT_TRUE(rig.logged("answers again"));
    EXPECT_EQ(rig.engine.pending().to_xmpp, 0u);
}

TEST(Delivery, WhatCannotBeStoredIsRefusedUntilItCan) {
    auto options = Rig::default_options();
    for (const auto& [kind, status] :
         {std::pair(config::PeerKind::proxy, 503), {config::PeerKind::trunk, 503}, {config::PeerKind::phone, 480}}) {
        options.peers.front().kind = kind;
        Rig rig(options);
        rig.request(message_request("stored before"));
        rig.answer_ping();
        rig.broken_disk = true;
        EXPECT_EQ(rig.request(message_request()).answer().status, status);
        EXPECT_TRUE(rig.answer().header("Retry-After"));
        EXPECT_TRUE(rig.stanzas.empty());
        EXPECT_TRUE(rig.logged("messages cannot be stored"));
        rig.request(message_request());
        EXPECT_FALSE(rig.logged("messages cannot be stored")) << "one line is enough";
        EXPECT_EQ(rig.undelivered().size(), 1u) << "its erasure failed together with the refused one";
        EXPECT_EQ(rig.pass(Commits::kTryAgain).commits.size(), 1u);
        EXPECT_TRUE(rig.undelivered().empty()) << "and succeeds alone";
        rig.broken_disk = false;
        rig.request(message_request());
        EXPECT_TRUE(rig.logged("can be stored again"));
        EXPECT_EQ(rig.answer_ping().answer().status, 202);
    }
}

TEST(Delivery, AStoreThatIsFullAndFreeInTurnsFillsNoLog) {
    Rig rig;
    unsigned lines = 0;
    for (int i = 0; i < 100; ++i) {
        rig.broken_disk = i % 2 == 0;
        rig.request(message_request());
        lines += rig.logged("messages cannot be stored") || rig.logged("can be stored again");
        rig.pass(50ms);
    }
    EXPECT_EQ(lines, 2u);
    rig.pass(Commits::kTellAgain);
    rig.broken_disk = true;
    EXPECT_TRUE(rig.request(message_request()).logged("messages cannot be stored"));
}

TEST(Delivery, CORE_77_MessagesGoOutInTheOrderInWhichTheyCame) {
    Rig rig;
    rig.stores = false;
    std::vector<Commit> commits;
    for (int i = 0; i < 3; ++i) commits.push_back(rig.request(message_request(std::to_string(i))).commits.at(0));
    EXPECT_TRUE(rig.committed(commits[2]).stanzas.empty()) << "the store answers in another order";
    EXPECT_TRUE(rig.committed(commits[1]).stanzas.empty());
    rig.committed(commits[0]);
    ASSERT_EQ(rig.messages().size(), 3u);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rig.messages()[static_cast<std::size_t>(i)].bodies.front().text, std::to_string(i));
}

TEST(Delivery, AtMost1024StanzasAreOnTheirWayToTheServer) {
    Rig rig;
    for (std::size_t i = 0; i < Barrier::kWindow; ++i) ASSERT_EQ(rig.request(message_request()).stanzas.size(), 1u);
    EXPECT_TRUE(rig.request(message_request("next")).stanzas.empty());
    EXPECT_TRUE(rig.answers.empty()) << "it is ours as any other";
    rig.answer_ping();
    ASSERT_EQ(rig.messages().size(), 1u) << "the first ping covered the first one only";
    EXPECT_EQ(rig.messages().front().bodies.front().text, "next");
    rig.pass(300ms);
    EXPECT_EQ(rig.engine.pending().held_messages, 0u);
}

TEST(Delivery, AtMost4MebibytesAreOnTheirWayToTheServer) {
    Rig rig;
    rig.feed(StreamDown{});
    constexpr std::size_t kMebibyte = 1u << 20;
    rig.feed(Restored{inbox_rows(5, kMebibyte)});
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.messages().size(), 4u);
    rig.answer_ping();
    EXPECT_EQ(rig.messages().size(), 1u);
}

TEST(Delivery, CORE_05_WithoutStream10000MessagesAreKept) {
    for (const auto& [kind, status] : {std::pair(config::PeerKind::proxy, 503), {config::PeerKind::phone, 480}}) {
        auto options = Rig::default_options();
        options.peers.front().kind = kind;
        Rig rig(options, false);
        rig.feed(Restored{inbox_rows(Inbox::kEntries - 1)});
        EXPECT_EQ(rig.request(message_request()).answer().status, 202);
        EXPECT_EQ(rig.engine.pending().to_xmpp, Inbox::kEntries);
        EXPECT_EQ(rig.request(message_request()).answer().status, status);
        EXPECT_EQ(*rig.answer().header("Retry-After"), "10");
    }
}

TEST(Delivery, APeersLimitCountsWhatIsNotAnswered) {
    auto options = Rig::default_options();
    options.peers.front().limits.transactions = 1;
    Rig rig(options);
    EXPECT_TRUE(rig.request(message_request()).answers.empty());
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    rig.pass(300ms);
    EXPECT_TRUE(rig.request(message_request()).answers.empty()) << "answered, though no barrier came";
}

// XMPP to SIP

TEST(Delivery, AMessageFromXmppIsStoredThenSentThenErased) {
    Rig rig;
    rig.stores = false;
    StanzaIn in{message_stanza("m1")};
    in.received = UtcTime(std::chrono::milliseconds(1'700'000'000'123));
    rig.feed(in);
    EXPECT_TRUE(rig.sent.empty());
    ASSERT_EQ(rig.commits.size(), 1u);
    const auto commit = rig.commits.front();
    const auto row = std::get<OutboxRow>(*commit.changes.front().value);
    EXPECT_EQ(row.stanza, message_stanza("m1"));
    EXPECT_EQ(row.accepted, in.received);
    rig.committed(commit);
    ASSERT_EQ(rig.sent.size(), 1u);
    const auto& request = rig.sent.front().request;
    EXPECT_EQ(request.call_id, row.call_id);
    EXPECT_EQ(request.from.tag, row.from_tag);
    EXPECT_EQ(request.cseq, row.cseq);
    rig.sip_response(rig.sent.front().transaction, 200);
    EXPECT_EQ(rig.undelivered().size(), 1u);
    rig.stores = true;
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
}

TEST(Delivery, AnAuthorWhoseMessageCannotBeStoredMayTryAgain) {
    Rig rig;
    rig.broken_disk = true;
    EXPECT_EQ(rig.stanza(message_stanza()).error().condition, Condition::resource_constraint);
    EXPECT_EQ(rig.error().type, xmpp::ErrorType::wait);
    EXPECT_TRUE(rig.sent.empty());
    rig.broken_disk = false;
    EXPECT_EQ(rig.stanza(message_stanza("m2")).sent.size(), 1u);
}

TEST(Delivery, CORE_77_OneThatIsRefusedLetsTheNextPass) {
    Rig rig;
    rig.stores = false;
    const auto first = rig.stanza(message_stanza("m1", "one")).commits.at(0);
    const auto second = rig.stanza(message_stanza("m2", "two")).commits.at(0);
    const auto third = rig.stanza(message_stanza("m3", "three")).commits.at(0);
    EXPECT_TRUE(rig.committed(second).sent.empty()) << "not before the first is decided";
    rig.committed(first, kDiskFull);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.body, "two");
    const auto transaction = rig.sent.front().transaction;
    EXPECT_TRUE(rig.committed(third).sent.empty());
    rig.sip_response(transaction, 200);
    EXPECT_EQ(rig.sent.at(0).request.body, "three");
}

TEST(Delivery, With1024StanzasNotStoredTheStreamIsNotRead) {
    Rig rig;
    rig.stores = false;
    auto message = message_stanza();
    std::vector<Commit> commits;
    for (int i = 0; i < 1'024; ++i) {
        EXPECT_TRUE(rig.engine.takes_stanzas()) << i;
        message.to.local = "contact" + std::to_string(i);
        commits.push_back(rig.stanza(message).commits.at(0));
    }
    EXPECT_FALSE(rig.engine.takes_stanzas());
    rig.stanza(message_stanza());
    EXPECT_TRUE(rig.stanzas.empty()) << "what was read with them is taken all the same";
    rig.committed(commits[0]);
    EXPECT_FALSE(rig.engine.takes_stanzas());
    rig.committed(commits[1]);
    EXPECT_TRUE(rig.engine.takes_stanzas());
}

TEST(Delivery, IM_14_AnErrorIsOwedUntilTheServerHasIt) {
    Rig rig;
    const auto transaction = rig.stanza(message_stanza("m1")).sent.at(0).transaction;
    rig.feed(StreamDown{});
    rig.sip_response(transaction, 404);
    EXPECT_TRUE(rig.stanzas.empty());
    rig.pass(Commits::kRideAfter);
    ASSERT_EQ(rig.undelivered().size(), 1u);
    EXPECT_TRUE(std::get<OutboxRow>(rig.disk.front().value).owed) << "a restart must not send it again";
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.error().condition, Condition::item_not_found);
    rig.feed(StreamDown{});
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.error().condition, Condition::item_not_found) << "nobody knows whether it arrived";
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_TRUE(rig.undelivered().empty());
    EXPECT_EQ(rig.engine.pending().errors, 0u);
}

/// A contact who has sent CPIM, which is refused today but says that it would understand the ids in it.
Rig rig_with_imdn_contact() {
    Rig rig;
    auto request = message_request("From: <sip:juliet@capulet.test>\r\n\r\nContent-Type: text/plain\r\n\r\nhello");
    request.content_type = "Message/CPIM";
    rig.request(request);
    return rig;
}

TEST(Delivery, WhatMayHaveArrivedIsSentOnceMoreToWhoShowsItOnce) {
    struct Fate {
        int status;
        LocalFailure local;
    };
    for (const auto& [status, local] :
         {Fate{408, LocalFailure::timeout}, {503, LocalFailure::transport}, {408, LocalFailure::none}}) {
        for (const bool understands : {false, true}) {
            auto rig = understands ? rig_with_imdn_contact() : Rig();
            const auto first = rig.stanza(message_stanza("m1")).sent.at(0);
            rig.now += 1s;  // an ICMP error that comes earlier says that nothing arrived
            rig.sip_response(first.transaction, status, local);
            if (understands) {
                ASSERT_EQ(rig.sent.size(), 1u);
                const auto second = rig.sent.front();
                EXPECT_TRUE(rig.stanzas.empty());
                EXPECT_EQ(second.request.call_id, first.request.call_id);
                EXPECT_EQ(second.request.from.tag, first.request.from.tag);
                EXPECT_EQ(second.request.cseq, first.request.cseq + 1);
                EXPECT_EQ(second.request.body, first.request.body);
                rig.now += 1s;
                rig.sip_response(second.transaction, status, local);
            }
            EXPECT_TRUE(rig.sent.empty()) << "once";
            EXPECT_EQ(rig.error().condition, Condition::remote_server_timeout);
            EXPECT_NE(rig.error().text->find("may have been delivered"), std::string::npos);
        }
    }
}

TEST(Delivery, IM_48_OtherFailuresAreNotTriedAgain) {
    for (const int status : {404, 480, 486, 500, 603}) {
        auto rig = rig_with_imdn_contact();
        rig.sip_response(rig.stanza(message_stanza()).sent.at(0).transaction, status);
        EXPECT_TRUE(rig.sent.empty()) << status;
        EXPECT_EQ(rig.error().sip_status, status);
    }
}

TEST(Delivery, IM_12_DevicesOfOneContactHaveOneLine) {
    Rig rig;
    rig.stanza(message_stanza("m1"));
    auto second = message_stanza("m2");
    second.to.resource = "phone";
    EXPECT_TRUE(rig.stanza(second).sent.empty());
    EXPECT_EQ(rig.engine.pending().queued_messages, 1u);
}

TEST(Delivery, IM_50_AnAnswerIsNeverLaterThanTheHold) {
    Rig rig(with_hold(2'000));
    rig.request(message_request());
    EXPECT_EQ(rig.pass(2s).answer().status, 202) << "whatever the server does";
}

}  // namespace
