// Presence stanzas as presence, and back.

#include "mapping/im/timestamps.h"
#include "mapping/presence/pidf.h"
#include "mapping/presence/xmpp.h"
#include "mapping/xml/reader.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::presence {

namespace {

using std::chrono::seconds, std::chrono::milliseconds;

const UtcTime kNow = *im::read_time("2026-03-01T12:00:00.250Z");
const xmpp::Jid kRomeo{"romeo", "example.net", {}}, kJuliet{"juliet", "example.com", "balcony"};

xmpp::Presence stanza(const std::string& attributes, const std::string& inside = "") {
    const auto element = xml::read_document(
        "<presence xmlns='jabber:component:accept' from='juliet@example.com/balcony'"
        " to='romeo@example.net' " +
        attributes + ">" + inside + "</presence>");
    return std::get<xmpp::Presence>(test::value(xmpp::decode(element.value())));
}

ResourcePresence read(const std::string& attributes, const std::string& inside = "") {
    return read_presence(stanza(attributes, inside)).value();
}

xmpp::Presence write(const ResourcePresence& presence) { return write_presence(presence, kRomeo, kJuliet, kNow).value(); }

std::string child(const xmpp::Presence& presence, std::string_view name) {
    for (const auto& one : presence.payload)
        if (one.is(xmpp::kComponentNs, name)) return one.text();
    return "(none)";
}

}  // namespace

TEST(PresenceStanza, PRES_50_PRES_51_OnlyNotifications) {
    EXPECT_EQ(read(""), ResourcePresence{"balcony"});
    EXPECT_EQ(read("type='unavailable'"), (ResourcePresence{"balcony", Availability::unavailable}));
    for (const std::string type : {"subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"})
        EXPECT_EQ(read_presence(stanza("type='" + type + "'", "<show>away</show>")), std::nullopt) << type;
    auto bare = stanza("type='unavailable'");
    bare.from.resource.clear();
    EXPECT_EQ(read_presence(bare)->resource, "");
}

TEST(PresenceStanza, EverythingIsRead) {
    const auto presence =
        read("xml:lang='en' id='p1'",
             "<show> dnd\n</show><status>wooing</status><status xml:lang='it'>corteggio</status><priority>5</priority>"
             "<delay xmlns='urn:xmpp:delay' stamp='2026-03-01T10:00:00.5Z'/>");
    ResourcePresence expected{"balcony", Availability::available, Show::dnd, 5};
    expected.lang = "en";
    expected.statuses = {{"wooing", ""}, {"corteggio", "it"}};
    expected.since = *im::read_time("2026-03-01T10:00:00.5Z");
    EXPECT_EQ(presence, expected);
}

TEST(PresenceStanza, PRES_76_WhatIsNoneWasNotSaid) {
    EXPECT_EQ(read("", "<show>busy</show>").show, std::nullopt);
    EXPECT_EQ(read("", "<show xmlns='jabber:client'>away</show>").show, std::nullopt);
    EXPECT_EQ(read("", "<status> </status>").statuses.size(), 0u);
    EXPECT_EQ(read("", "<delay xmlns='urn:xmpp:delay' stamp='soon'/><delay xmlns='urn:x' stamp='2026-03-01T10:00:00Z'/>").since,
              std::nullopt);
    EXPECT_EQ(read("type='unavailable'", "<show>away</show><priority>5</priority><status>gone</status>").statuses.at(0).text,
              "gone");
    EXPECT_EQ(read("type='unavailable'", "<show>away</show><priority>5</priority>"),
              (ResourcePresence{"balcony", Availability::unavailable}));
}

TEST(PresenceStanza, PRES_57_Priorities) {
    const std::pair<const char*, std::optional<std::int8_t>> rows[] = {{"0", 0},
                                                                       {" 127\n", 127},
                                                                       {"-128", -128},
                                                                       {"+3", 3},
                                                                       {"-0", 0},
                                                                       {"", {}},
                                                                       {"128", {}},
                                                                       {"-129", {}},
                                                                       {"5.5", {}},
                                                                       {"high", {}},
                                                                       {"+-3", {}},
                                                                       {"0x5", {}},
                                                                       {"99999999999999999999", {}}};
    for (const auto& [text, expected] : rows)
        EXPECT_EQ(read("", std::string("<priority>") + text + "</priority>").priority, expected) << text;
}

TEST(PresenceStanza, PRES_62_NothingElseIsMapped) {
    const auto presence = read("",
                               "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='SECRET'/>"
                               "<nick xmlns='http://jabber.org/protocol/nick'>SECRET</nick>"
                               "<x xmlns='vcard-temp:x:update'><photo>SECRET</photo></x>"
                               "<x xmlns='http://jabber.org/protocol/muc#user'><item jid='SECRET@a'/></x>"
                               "<jingle xmlns='urn:xmpp:jingle:1' sid='SECRET'/><status>seen</status>");
    ResourcePresence expected{"balcony"};
    expected.statuses = {{"seen", ""}};
    EXPECT_EQ(presence, expected);
    const auto document =
        write_pidf({{presence}}, {"pres:juliet@example.com", sip::Uri::parse("sip:juliet@example.com").value()}, kNow).document;
    EXPECT_NE(document.find("seen"), document.npos);
    EXPECT_EQ(document.find("SECRET"), document.npos);
}

TEST(PresenceStanza, PRES_55_IdsAreNotMapped) {
    EXPECT_EQ(read("id='p1'"), read(""));
    EXPECT_EQ(write({"desk"}).id, "");
}

TEST(PresenceStanza, PRES_70_PRES_71_PRES_81_IsWritten) {
    const auto there = write({"desk"});
    EXPECT_EQ(there.type, xmpp::PresenceType::available);
    EXPECT_EQ(there.from.to_string(), "romeo@example.net/desk");
    EXPECT_EQ(there.to.to_string(), "juliet@example.com") << "all her devices see it";
    EXPECT_TRUE(there.payload.empty());
    ResourcePresence gone{"", Availability::unavailable, Show::away, 3};
    gone.statuses = {{"bye", ""}};
    EXPECT_EQ(write(gone).type, xmpp::PresenceType::unavailable);
    EXPECT_EQ(write(gone).from.to_string(), "romeo@example.net");
    EXPECT_EQ(write(gone).payload.size(), 1u);
    EXPECT_EQ(child(write(gone), "status"), "bye");
    EXPECT_EQ(write_presence({"desk", Availability::unknown}, kRomeo, kJuliet, kNow), std::nullopt);
}

TEST(PresenceStanza, PRES_108_OnThePhoneIsDnd) {
    ResourcePresence presence{"desk"};
    presence.on_the_phone = true;
    EXPECT_EQ(child(write(presence), "show"), "dnd");
}

TEST(PresenceStanza, PRES_83_OldPresenceSaysSinceWhen) {
    const auto stamp = [](seconds age) {
        ResourcePresence presence{"desk"};
        presence.since = kNow - age;
        const auto written = write(presence);
        return written.payload.empty() ? std::string() : *written.payload.at(0).attribute("stamp");
    };
    EXPECT_EQ(stamp(seconds(61)), "2026-03-01T11:58:59.250Z");
    EXPECT_EQ(stamp(seconds(60)), "");
    EXPECT_EQ(stamp(seconds(-3'600)), "");
    EXPECT_EQ(write({"desk"}).payload.size(), 0u);
}

TEST(PresenceStanza, PRES_78_PRES_79_PRES_80_WhatIsWrittenIsReadAgain) {
    ResourcePresence presence{"desk", Availability::available, Show::xa, -7};
    presence.lang = "en";
    presence.statuses = {{"<wooing>", ""}, {"corteggio", "it"}};
    presence.since = kNow - seconds(90);
    const auto written = write(presence);
    EXPECT_EQ(written.lang, "en");
    EXPECT_EQ(child(written, "priority"), "-7");
    EXPECT_EQ(child(written, "show"), "xa");
    EXPECT_EQ(read_presence(written), presence);
    const auto decoded = test::value(xmpp::decode(xmpp::encode(xmpp::Stanza(written))));
    EXPECT_EQ(read_presence(std::get<xmpp::Presence>(decoded)), presence);
}

}  // namespace stox::presence
