// What a user's client says of a message becomes a delivery notification, if the message asked for that.

#include "mapping/xmpp/namespaces.h"
#include "tests/engine/reports_rig.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;

TEST(Reports, IM_44_AReceiptOfTheClientIsANotification) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery, negative-delivery"));
    EXPECT_TRUE(im::read_extensions(stanza).wants_receipt);
    EXPECT_FALSE(im::read_extensions(stanza).is_markable);
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    const auto all = reports(rig);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].imdn, (im::Imdn{"q1", "2026-04-04T11:59:59Z", "sip:romeo@montague.test", "", "", Disposition::delivery,
                                     DispositionStatus::delivered}));
    const auto& request = all[0].request;
    EXPECT_EQ(request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(request.to.uri, request.uri);
    EXPECT_EQ(request.from.uri.to_string(), "sip:romeo@montague.test");
    const auto cpim = im::read_cpim(request.body).value();
    EXPECT_EQ(*cpim.content.header("Content-Disposition"), "notification");
    EXPECT_FALSE(cpim.header(im::kImdnHeaderNs, "Disposition-Notification"));
    EXPECT_NE(cpim.header(im::kImdnHeaderNs, "Message-ID")->value, "q1");
    // Nobody on the XMPP side hears what becomes of it.
    rig.sip_response(rig.sent[0].transaction, 404);
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Reports, IM_44_OnlyWhatWasAskedForIsAskedOfTheClient) {
    const auto extensions = [](const std::string& asks) {
        Rig rig;
        return im::read_extensions(delivered(rig, wrapped(asks)));
    };
    EXPECT_TRUE(extensions("display").is_markable);
    EXPECT_FALSE(extensions("display").wants_receipt);
    EXPECT_FALSE(extensions("negative-delivery").wants_receipt);
    EXPECT_FALSE(extensions("processing, later").wants_receipt);
}

TEST(Reports, IM_54_OneOfEachKindAndNeverBoth) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery, negative-delivery, display"));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    ASSERT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_TRUE(rig.sent.empty());
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty()) << "delivered and then failed";
    const auto failed = delivered(rig, wrapped("positive-delivery, negative-delivery", {}, "q2"));
    rig.stanza(error_for(failed));
    ASSERT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    from_xmpp(rig, receipt_of(im::receipt(failed.id)));
    EXPECT_TRUE(rig.sent.empty()) << "failed and then delivered";
}

TEST(Reports, IM_54_ByTheWayThatTheMessageCame) {
    const std::string routes =
        "imdn.IMDN-Record-Route: <sip:p1@capulet.test>\r\nimdn.IMDN-Record-Route: <sip:p2@capulet.test>\r\n"
        "imdn.Original-To: <sip:montague@montague.test>\r\n";
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery", routes));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    const auto all = reports(rig);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].request.uri.to_string(), "sip:p1@capulet.test");
    const auto cpim = im::read_cpim(all[0].request.body).value();
    EXPECT_EQ(cpim.values(im::kImdnHeaderNs, "IMDN-Route"),
              (std::vector<std::string>{"<sip:p1@capulet.test>", "<sip:p2@capulet.test>"}));
    EXPECT_TRUE(cpim.values(im::kImdnHeaderNs, "IMDN-Record-Route").empty());
    EXPECT_EQ(im::cpim_uri(cpim.header(im::kCpimNs, "To")->value), "sip:juliet@capulet.test");
    EXPECT_EQ(all[0].imdn.original_recipient_uri, "sip:montague@montague.test");
}

TEST(Reports, IM_54_ARouteToAnotherPeerIsNotTaken) {
    auto options = Rig::default_options();
    config::Peer victim;
    victim.name = "victim";
    victim.next_hops = {hop(9)};
    victim.probe = false;
    victim.targets = {{"victim.test", {}}};
    options.peers.push_back(victim);
    options.peers[0].is_default = true;
    Rig rig(options);
    const auto stanza = delivered(rig, wrapped("positive-delivery", "imdn.IMDN-Record-Route: <sip:x@victim.test>\r\n"));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    ASSERT_EQ(reports(rig).size(), 1u);
    EXPECT_EQ(rig.sent[0].request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(rig.sent[0].target.text(), "udp:10.0.0.1:5060");
}

TEST(Reports, IM_54_ARouteIsTakenOnlyWhereTheOperatorSaysThatThePeerLeads) {
    for (const auto* elsewhere : {"<sip:x@victim.test>", "<sip:x@192.0.2.1>", "<sip:x@relay.test>"}) {
        auto options = Rig::default_options();
        options.peers[0].is_default = true;
        options.peers[0].targets = {{"relay.test", {}}};
        Rig rig(options);
        const auto stanza =
            delivered(rig, wrapped("positive-delivery", "imdn.IMDN-Record-Route: " + std::string(elsewhere) + "\r\n"));
        from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
        ASSERT_EQ(reports(rig).size(), 1u);
        const bool known = std::string(elsewhere).find("relay.test") != std::string::npos;
        EXPECT_EQ(rig.sent[0].request.uri.to_string(), known ? "sip:x@relay.test" : "sip:juliet@capulet.test") << elsewhere;
    }
}

TEST(Reports, IM_54_WhatWasSeenHasNotFailed) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("negative-delivery, display"));
    from_xmpp(rig, receipt_of(im::displayed_marker(stanza.id)));
    ASSERT_EQ(reports(rig).size(), 1u);
    rig.sip_response(rig.sent[0].transaction, 200);
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(reports(rig).empty());
}

TEST(Reports, AReportIsNotMadeOfAddressesLongerThanAnybodyHas) {
    const auto named = [](const std::string& user, const std::string& to) {
        auto request = wrapped("positive-delivery");
        request.from.uri = uri("sip:" + user + "@capulet.test");
        const std::string before = "To: <sip:romeo@montague.test>";
        request.body.replace(request.body.find(before), before.size(), "To: <" + to + ">");
        return request;
    };
    const auto is_asked = [&](const std::string& user, const std::string& to) {
        Rig rig;
        const auto stanza = delivered(rig, named(user, to));
        const bool asked = im::read_extensions(stanza).wants_receipt;
        const auto is_receipt = [](const Record& record) { return record.collection == Collection::receipts; };
        EXPECT_EQ(std::ranges::count_if(rig.disk, is_receipt), asked ? 1 : 0);
        return asked;
    };
    const auto of_length = [](std::size_t octets) { return "sip:" + std::string(octets - 13, 'x') + "@verona.x"; };
    ASSERT_EQ(of_length(512).size(), 512u);
    EXPECT_TRUE(is_asked("juliet", of_length(512)));
    EXPECT_FALSE(is_asked("juliet", of_length(513)));
    const auto longest = std::string(512 - std::string("sip:@capulet.test").size(), 'j');
    EXPECT_TRUE(is_asked(longest, "sip:romeo@montague.test"));
    EXPECT_FALSE(is_asked(longest + 'j', "sip:romeo@montague.test"));
}

TEST(Reports, IM_54_AfterAnotherAnswerThan2xxThereIsNothingToReport) {
    Rig rig;
    from_sip(rig, wrapped("positive-delivery, negative-delivery"));
    const auto stanza = rig.messages().at(0);
    rig.stanza(error_for(stanza));
    EXPECT_GE(rig.answer().status, 400);
    EXPECT_TRUE(rig.sent.empty());
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty());
}

TEST(Reports, IM_47_IM_55_AnErrorAfterThe2xxIsReportedIfAskedFor) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("negative-delivery"));
    rig.stanza(error_for(stanza));
    const auto all = reports(rig);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].imdn.status, DispositionStatus::failed);
    EXPECT_EQ(all[0].imdn.message_id, "q1");
    rig.sip_response(rig.sent[0].transaction, 200);
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty());
    for (const auto* asks : {"positive-delivery", "display"}) {
        rig.stanza(error_for(delivered(rig, wrapped(asks))));
        EXPECT_TRUE(rig.sent.empty()) << asks;
    }
    rig.stanza(error_for(delivered(rig, message_request())));
    EXPECT_TRUE(rig.sent.empty());
}

TEST(Reports, IM_55_DisplayedOnlyWhenTheClientSaysSo) {
    Rig rig;
    const auto first = delivered(rig, wrapped("display", {}, "q1")), second = delivered(rig, wrapped("display", {}, "q2")),
               third = delivered(rig, wrapped("display", {}, "q3"));
    from_xmpp(rig, receipt_of(im::receipt(first.id)));
    EXPECT_TRUE(rig.sent.empty());
    // One marker is for the ones above it.
    from_xmpp(rig, receipt_of(im::displayed_marker(second.id)));
    ASSERT_EQ(reports(rig).size(), 1u) << "one transaction at a time";
    EXPECT_EQ(reports(rig)[0].imdn.message_id, "q1");
    EXPECT_EQ(reports(rig)[0].imdn.status, DispositionStatus::displayed);
    rig.sip_response(rig.sent[0].transaction, 200);
    ASSERT_EQ(reports(rig).size(), 1u);
    EXPECT_EQ(reports(rig)[0].imdn.message_id, "q2");
    rig.sip_response(rig.sent[0].transaction, 200);
    EXPECT_TRUE(rig.sent.empty());
    from_xmpp(rig, receipt_of(im::displayed_marker(third.id)));
    EXPECT_EQ(reports(rig).at(0).imdn.message_id, "q3");
}

TEST(Reports, AReceiptCountsFromItsReaderAlone) {
    Rig rig;
    const auto stanza = delivered(rig, wrapped("positive-delivery"));
    from_xmpp(rig, receipt_of(im::receipt(stanza.id), "mercutio"));
    EXPECT_TRUE(rig.sent.empty());
    auto elsewhere = receipt_of(im::receipt(stanza.id));
    elsewhere.to.local = "tybalt";
    from_xmpp(rig, elsewhere);
    EXPECT_TRUE(rig.sent.empty());
    auto room = receipt_of(im::receipt(stanza.id));
    room.type = xmpp::MessageType::groupchat;
    from_xmpp(rig, room);
    EXPECT_TRUE(rig.sent.empty());
    from_xmpp(rig, receipt_of(im::receipt(stanza.id)));
    EXPECT_EQ(reports(rig).size(), 1u);
}

TEST(Reports, NobodySendsANotificationOfTheirOwnMaking) {
    Rig rig;
    auto forged = message_stanza();
    forged.payload.push_back(xml::Element(std::string(xmpp::ns::kReport), "report").set("to", "sip:victim@capulet.test"));
    from_xmpp(rig, forged);
    EXPECT_TRUE(rig.sent.empty());
}

TEST(Reports, IM_44_WhoHidesHearsNothing) {
    Rig rig;
    auto hidden = wrapped("positive-delivery, negative-delivery");
    hidden.headers.push_back({"Privacy", "id"});
    const auto stanza = delivered(rig, hidden);
    EXPECT_FALSE(im::read_extensions(stanza).wants_receipt);
    rig.stanza(error_for(stanza));
    EXPECT_TRUE(rig.sent.empty());
}

}  // namespace
