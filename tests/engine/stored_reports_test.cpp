// Receipts and notifications are ours once they are stored, are told until the other side has them, and outlive a restart.

#include "tests/engine/reports_rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;

TEST(Reports, IM_41_AReceiptIsOursOnceItIsStored) {
    Rig rig;
    const auto id = accepted(rig, asking("m1"));
    rig.broken_disk = true;
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(rig.answer().status, 503);
    EXPECT_TRUE(rig.stanzas.empty());
    rig.broken_disk = false;
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1")) << "nothing was told the first time";
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
}

TEST(Reports, IM_41_AReceiptIsToldUntilTheServerHasIt) {
    Rig rig;
    from_sip(rig, notification(accepted(rig, asking("m1")), DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1"));
    rig.feed(StreamDown{});
    EXPECT_EQ(rig.answer().status, 202) << "it is ours";
    rig.feed(StreamUp{});
    ASSERT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(rig.messages()[0].payload.at(0), im::receipt("m1"));
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.messages().size(), 1u);
    rig.answer_ping();
    rig.pass(33s);
    EXPECT_TRUE(rig.disk.empty());
}

TEST(Reports, IM_41_NotificationsOfOneRequestAreOursTogether) {
    Rig rig;
    const auto one = accepted(rig, asking("m1", true)), other = accepted(rig, asking("m2"));
    const auto request = notifications({{one, "", "", "", "", Disposition::delivery, DispositionStatus::delivered},
                                        {other, "", "", "", "", Disposition::delivery, DispositionStatus::delivered},
                                        {one, "", "", "", "", Disposition::display, DispositionStatus::displayed}});
    rig.broken_disk = true;
    from_sip(rig, request);
    EXPECT_EQ(rig.answer().status, 503);
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_EQ(rig.engine.pending().to_xmpp, 0u);
    rig.broken_disk = false;
    from_sip(rig, request);
    EXPECT_EQ(rig.commits.size(), 1u) << "all or nothing";
    std::set<std::string> places;
    for (const auto& change : rig.commits.at(0).changes) EXPECT_TRUE(places.insert(change.key).second) << "each row once";
    std::vector<xml::Element> all;
    for (const auto& message : rig.messages()) all.push_back(message.payload.at(0));
    EXPECT_EQ(all, (std::vector{im::receipt("m1"), im::receipt("m2"), im::displayed_marker("m1")}))
        << "nothing was told the first time";
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
    rig.restart();
    rig.feed(StreamUp{});
    from_sip(rig, notifications({{one, "", "", "", "", Disposition::display, DispositionStatus::displayed}}));
    EXPECT_TRUE(rig.messages().empty()) << "nobody is told twice";
}

TEST(Reports, IM_42_AFailureSurvivesARestart) {
    Rig rig(Rig::default_options(), false);
    from_sip(rig, notification(accepted(rig, asking("m1")), DispositionStatus::failed));
    EXPECT_EQ(rig.answer().status, 202);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.error().condition, xmpp::Condition::recipient_unavailable);
    EXPECT_EQ(std::get<xmpp::Message>(rig.stanzas[0]).id, "m1");
}

TEST(Reports, IM_45_TheReceiptForA200IsToldUntilTheServerHasIt) {
    Rig rig;
    from_xmpp(rig, asking("m1"));
    rig.sip_response(rig.sent[0].transaction, 415);
    rig.sip_response(rig.sent.at(0).transaction, 200);
    EXPECT_EQ(told(rig), im::receipt("m1"));
    rig.feed(StreamDown{});
    rig.restart();
    rig.feed(StreamUp{});
    ASSERT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(rig.messages()[0].payload.at(0), im::receipt("m1"));
}

TEST(Reports, IM_54_ARefusedReportMayStillBeMade) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery, negative-delivery"));
    for (int i = 0; i < 51; ++i) rig.stanza(message_stanza("m" + std::to_string(i)));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_EQ(rig.engine.pending().queued_messages, 50u) << "there is no room for it";
    Rig fresh;
    fresh.disk = rig.undelivered();
    std::erase_if(fresh.disk, [](const auto& record) { return record.collection != Collection::receipts; });
    ASSERT_EQ(fresh.disk.size(), 1u) << "its row stands";
    fresh.restart();
    fresh.feed(StreamUp{});
    from_xmpp(fresh, receipt_of(im::receipt(stanza.id)));
    ASSERT_EQ(reports(fresh).size(), 1u);
    EXPECT_EQ(reports(fresh)[0].imdn.status, DispositionStatus::delivered);
}

TEST(Reports, IM_54_AReportThatCannotBeStoredSettlesNothing) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery"));
    rig.broken_disk = true;
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty());
    rig.broken_disk = false;
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty()) << "once";
}

TEST(Reports, IM_54_AReceiptDuringAStopIsReportedByTheNextStart) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery"));
    rig.feed(Shutdown{});
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty());
    rig.restart();
    ASSERT_EQ(reports(rig).size(), 1u);
    EXPECT_EQ(reports(rig)[0].imdn.status, DispositionStatus::delivered);
}

TEST(Reports, IM_41_IM_44_AfterARestartReceiptsFindTheirMessages) {
    std::vector<Record> store;
    const auto write = [&store](const Rig& rig) {
        for (const auto& commit : rig.commits)
            for (const auto& change : commit.changes) {
                std::erase_if(store,
                              [&](const Record& one) { return one.collection == change.collection && one.key == change.key; });
                if (change.value) store.push_back({change.collection, change.key, *change.value});
            }
    };
    std::string id, stanza_id;
    {
        Rig rig;
        from_xmpp(rig, asking("m1"));
        write(rig);
        id = imdn_id(rig);
        rig.sip_response(rig.sent[0].transaction, 200);
        write(rig);
        from_sip(rig, wrapped("positive-delivery"));
        write(rig);
        stanza_id = rig.messages().at(0).id;
        rig.answer_ping();
        write(rig);
        rig.pass(1s);
        write(rig);
    }
    EXPECT_EQ(std::ranges::count(store, Collection::receipts, &Record::collection), 2) << "receipts are awaited";
    EXPECT_EQ(std::ranges::count(store, Collection::outbox, &Record::collection), 0) << "messages are over";
    Rig rig(Rig::default_options(), false);
    rig.feed(Restored{store});
    rig.feed(StreamUp{});
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(told(rig), im::receipt("m1"));
    from_xmpp(rig, receipt_of(im::receipt(stanza_id)));
    EXPECT_EQ(reports(rig).size(), 1u);
}

TEST(Reports, RowsGoWhenNothingIsLeftToTell) {
    Rig rig;
    const auto id = accepted(rig, asking("m1"));
    rig.pass(1s);
    EXPECT_EQ(rig.disk.size(), 1u);
    from_sip(rig, notification(id, DispositionStatus::delivered));
    EXPECT_EQ(std::ranges::count(rig.disk, Collection::receipts, &Record::collection), 0) << "with what is told";
}

}  // namespace
