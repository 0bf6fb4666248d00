// PIDF documents as presence.

#include "mapping/im/timestamps.h"
#include "mapping/presence/contact_priority.h"
#include "mapping/presence/pidf.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::presence {

namespace {

const UtcTime kNow = *im::read_time("2026-03-01T12:00:00Z");

std::string document(const std::string& inside) {
    return "<?xml version='1.0' encoding='UTF-8'?><presence xmlns='urn:ietf:params:xml:ns:pidf'"
           " xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' xmlns:x='urn:x'"
           " xmlns:p='urn:ietf:params:xml:ns:pidf' entity='pres:romeo@example.net'>" +
           inside + "</presence>";
}

std::string tuple(const std::string& id, const std::string& status, const std::string& rest = "") {
    return "<tuple id='" + id + "'><status>" + status + "</status>" + rest + "</tuple>";
}

const std::string kOpen = "<basic>open</basic>", kClosed = "<basic>closed</basic>";

std::string show(const std::string& value) { return "<show xmlns='jabber:client'>" + value + "</show>"; }
std::string activities(const std::string& inside) { return "<r:activities>" + inside + "</r:activities>"; }
std::string person(const std::string& inside) { return "<dm:person id='p1'>" + inside + "</dm:person>"; }

Pidf read(const std::string& inside, std::string_view language = "") {
    return test::value(read_pidf(document(inside), language, kNow));
}

/// The one resource of the document.
ResourcePresence one(const std::string& inside, std::string_view language = "") {
    const auto pidf = read(inside, language);
    EXPECT_EQ(pidf.presentity.resources.size(), 1u) << inside;
    return pidf.presentity.resources.empty() ? ResourcePresence{} : pidf.presentity.resources.front();
}

std::string name(const std::string& id, const std::string& rest = "") { return one(tuple(id, kOpen, rest)).resource; }

/// Resource and availability: "a+ b- c?".
std::string summary(const std::string& inside) {
    std::string text;
    for (const auto& each : read(inside).presentity.resources)
        text += (text.empty() ? "" : " ") + each.resource + "+-?"[static_cast<int>(each.availability)];
    return text;
}

std::optional<Code> refusal(const std::string& whole) { return test::code(read_pidf(whole, "", kNow)); }

}  // namespace

TEST(PidfReader, PRES_70_PRES_71_OpenAndClosed) {
    const auto pidf = read(tuple("ID-orchard", kOpen) + tuple("ID-balcony", kClosed));
    EXPECT_EQ(pidf.entity, "pres:romeo@example.net");
    EXPECT_EQ(pidf.presentity, (Presentity{{{"orchard"}, {"balcony", Availability::unavailable}}}));
    EXPECT_FALSE(pidf.left_out);
    EXPECT_TRUE(one(tuple("a", "\n<basic> open\n</basic>")).is_available());
    EXPECT_TRUE(one(tuple("a", "<basic>Open</basic>")).is_available());
    EXPECT_EQ(one(tuple("a", kClosed + show("away"), "<contact priority='1'>sip:a@b</contact>")),
              (ResourcePresence{"a", Availability::unavailable}));
}

TEST(PidfReader, PRES_72_NameOfATuple) {
    EXPECT_EQ(name("ID-dr4hcr0st3lup4c"), "dr4hcr0st3lup4c");
    EXPECT_EQ(name("IDX-3120c3a42f"), "1 \xC3\xA4/");
    EXPECT_EQ(name("sg89ae"), "sg89ae");
    EXPECT_EQ(name("IDX-ff"), "IDX-ff") << "no text of a resource";
    EXPECT_EQ(name("ID-"), "");
    EXPECT_EQ(name("t1", "<contact>\n sip:romeo@example.net;gr=or%20chard </contact>"), "or chard");
    EXPECT_EQ(name("t1", "<contact>sip:romeo@example.net;gr</contact>"), "t1");
    EXPECT_EQ(name("t1", "<contact>sip:romeo@example.net;gr=%00</contact>"), "t1");
    EXPECT_EQ(name("t1", "<contact>mailto:romeo@example.net</contact>"), "t1");
    EXPECT_EQ(name("t1", "<dm:deviceID>urn:device:0003ba4811e3</dm:deviceID>"), "urn:device:0003ba4811e3");
    EXPECT_EQ(name("t1", "<dm:deviceID>d</dm:deviceID><contact>sip:a@b;gr=g</contact>"), "g");
    EXPECT_EQ(name("e\xCC\x81"), "\xC3\xA9") << "prepared as a resource is";
    EXPECT_EQ(one("<tuple><status>" + kOpen + "</status></tuple>").resource, "");
    EXPECT_EQ(name(std::string(1'023, 'a')).size(), 1'023u);
}

TEST(PidfReader, EachTupleIsAResourceAndOneOfOneName) {
    EXPECT_EQ(summary(tuple("a", kClosed) + tuple("b", kOpen + show("away")) + tuple("c", kOpen)), "c+ b+ a-");
    EXPECT_EQ(summary(tuple("im", kClosed, "<contact>sip:a@b;gr=g</contact>") +
                      tuple("voice", kOpen, "<contact>sip:a@b;gr=g</contact>")),
              "g+");
    EXPECT_EQ(summary(tuple("a", "") + tuple("a", kClosed)), "a-") << "one of them says something";
}

TEST(PidfReader, NoTupleIsNobody) {
    EXPECT_EQ(read("").presentity, Presentity{});
    EXPECT_EQ(read("<note>gone</note>" + person(activities("<r:away/>"))).presentity, Presentity{});
}

TEST(PidfReader, PRES_75_WithoutBasic) {
    EXPECT_EQ(one(tuple("a", show("dnd"))), (ResourcePresence{"a", Availability::available, Show::dnd}));
    EXPECT_EQ(one(tuple("a", activities("<r:vacation/>"))), (ResourcePresence{"a", Availability::available, Show::xa}));
    EXPECT_EQ(one(tuple("a", "") + person(activities("<r:meeting/>"))),
              (ResourcePresence{"a", Availability::available, Show::dnd}));
    EXPECT_EQ(summary(tuple("a", "") + tuple("b", kOpen)), "a+ b+");
    EXPECT_EQ(summary(tuple("a", "") + tuple("b", show("chat"))), "b+ a+");
    EXPECT_EQ(summary(tuple("a", "") + tuple("b", kClosed)), "b- a?");
    EXPECT_EQ(summary("<tuple id='a'/>"), "a?");
    EXPECT_EQ(summary(tuple("a", "<basic>offline</basic>")), "a?");
    EXPECT_EQ(summary(tuple("a", activities("<r:playing/>"))), "a?");
}

TEST(PidfReader, PRES_76_ShowIsOneOfFour) {
    const std::pair<const char*, std::optional<Show>> rows[] = {
        {"away", Show::away}, {" chat\n", Show::chat}, {"dnd", Show::dnd}, {"xa", Show::xa}, {"busy", {}}, {"", {}}};
    for (const auto& [value, expected] : rows) EXPECT_EQ(one(tuple("a", kOpen + show(value))).show, expected) << value;
    EXPECT_EQ(one(tuple("a", kOpen + "<show>away</show>")).show, std::nullopt) << "of another namespace";
    EXPECT_EQ(one(tuple("a", kOpen + show("busy") + activities("<r:away/>"))).show, Show::away) << "none was given";
}

TEST(PidfReader, PRES_77_Activities) {
    const std::pair<std::optional<Show>, std::vector<const char*>> rows[] = {
        {Show::away, {"away", "breakfast", "lunch", "dinner", "meal", "shopping", "in-transit", "travel", "worship", "sleeping"}},
        {Show::xa, {"vacation", "holiday", "permanent-absence"}},
        {Show::dnd, {"busy", "appointment", "meeting", "on-the-phone", "presentation", "performance", "steering", "working"}},
        {std::nullopt, {"playing", "tv", "spectator", "other", "unknown", "looking-for-work", "juggling"}},
    };
    for (const auto& [expected, names] : rows)
        for (const std::string each : names) {
            const auto doing = activities("<r:" + each + "/>");
            for (const auto& document : {tuple("a", kOpen) + person(doing), tuple("a", kOpen + doing), tuple("a", kOpen, doing),
                                         tuple("a", kOpen) + doing})
                EXPECT_EQ(one(document).show, expected) << document;
            EXPECT_EQ(one(tuple("a", kOpen + show("chat"), doing) + person(doing)).show, Show::chat) << "said outright";
        }
    EXPECT_EQ(one(tuple("a", kOpen) + person(activities("<x:away/>"))).show, std::nullopt);
}

TEST(PidfReader, PRES_77_SeveralActivities) {
    const auto several = [](const std::string& own, const std::string& of_person) {
        return one(tuple("a", kOpen, activities(own)) + person(activities(of_person))).show;
    };
    EXPECT_EQ(several("<r:away/><r:vacation/>", ""), Show::xa);
    EXPECT_EQ(several("<r:meeting/><r:vacation/><r:away/>", ""), Show::dnd);
    EXPECT_EQ(several("<r:away/>", "<r:busy/>"), Show::dnd);
    EXPECT_EQ(several("<r:holiday/>", "<r:away/>"), Show::xa);
    EXPECT_EQ(several("<r:playing/>", "<r:away/>"), Show::away);
    const auto pidf =
        read(tuple("a", kOpen) + tuple("b", kOpen + show("chat")) + tuple("c", kClosed) + person(activities("<r:away/>")));
    EXPECT_EQ(pidf.presentity, (Presentity{{{"b", Availability::available, Show::chat},
                                            {"a", Availability::available, Show::away},
                                            {"c", Availability::unavailable}}}));
}

TEST(PidfReader, PRES_77_OnlyActivitiesOfNow) {
    const auto at = [](const std::string& attributes) {
        return one(tuple("a", kOpen) + person("<r:activities " + attributes + "><r:meeting/></r:activities>")).show;
    };
    EXPECT_EQ(at("from='2026-03-01T12:00:00Z' until='2026-03-01T12:00:01Z'"), Show::dnd);
    EXPECT_EQ(at("from='2026-03-01T13:30:00+01:00'"), std::nullopt);
    EXPECT_EQ(at("until='2026-03-01T12:00:00Z'"), std::nullopt);
    EXPECT_EQ(at("from='tomorrow' until='soon'"), Show::dnd);
}

TEST(PidfReader, PRES_78_Priority) {
    const std::pair<const char*, std::optional<std::int8_t>> rows[] = {
        {"0", 0},       {"0.", 0},      {"0.003", 0}, {"0.004", 1},   {"0.007", 1}, {"0.015", 2},  {"0.5", 64}, {" 0.992\n", 126},
        {"0.996", 126}, {"0.997", 127}, {"1", 127},   {"1.000", 127}, {"", {}},     {"1.001", {}}, {"2", {}},   {"-1", {}},
        {"0.0001", {}}, {".5", {}},     {"0,5", {}},  {"0.5x", {}},   {"00.5", {}}, {"high", {}},  {"1e0", {}}};
    for (const auto& [text, expected] : rows)
        EXPECT_EQ(one(tuple("a", kOpen, std::string("<contact priority='") + text + "'>sip:a@b</contact>")).priority, expected)
            << text;
    EXPECT_EQ(one(tuple("a", kOpen, "<contact>sip:a@b</contact>")).priority, std::nullopt);
}

// Thirty-two tuples and the notes of one person: what is kept of a document is no longer than a document.
TEST(PidfReader, PRES_79_NotesOfAPersonDoNotMultiply) {
    std::string tuples, notes;
    for (std::size_t i = 0; i < kMaxResources; ++i) tuples += tuple("t" + std::to_string(i), kOpen, "");
    for (char lang = 'a'; lang < 'i'; ++lang)
        notes += "<dm:note xml:lang='" + std::string(1, lang) + "'>" + std::string(kMaxStatus_octets, lang) + "</dm:note>";
    const auto pidf = read(tuples + person(notes));
    ASSERT_EQ(pidf.presentity.resources.size(), kMaxResources);
    std::size_t octets = 0;
    for (const auto& one : pidf.presentity.resources)
        for (const auto& status : one.statuses) octets += status.text.size();
    EXPECT_EQ(octets, kMaxAll_octets) << "those of the first";
    EXPECT_TRUE(pidf.left_out);
}

TEST(PidfReader, PRES_79_NotesOfTheNearest) {
    const auto notes = [](const std::string& of_tuple, const std::string& of_person, const std::string& of_document) {
        return one(tuple("a", kOpen, of_tuple) + of_document + person(of_person)).statuses;
    };
    using Statuses = std::vector<xmpp::LangText>;
    EXPECT_EQ(notes("<note> tuple\n</note><note xml:lang='it'>tupla</note><note xml:lang='it'>again</note>",
                    "<dm:note>person</dm:note>", "<note>document</note>"),
              (Statuses{{"tuple", ""}, {"tupla", "it"}}));
    EXPECT_EQ(notes("<note/>", "<dm:note xml:lang='en'>person</dm:note>", "<note>document</note>"), (Statuses{{"person", "en"}}));
    EXPECT_EQ(notes("", "", "<note>document</note>"), (Statuses{{"document", ""}}));
    EXPECT_EQ(notes("<x:note>other</x:note>", "", ""), Statuses{});
}

TEST(PidfReader, PRES_80_Languages) {
    const auto notes =
        "<note>here</note><note xml:lang='EN'>twice</note><note xml:lang='it'>qui</note><note xml:lang='?'>no tag</note>";
    const auto english = one(tuple("a", kOpen, notes), "en");
    EXPECT_EQ(english.lang, "en");
    EXPECT_EQ(english.statuses, (std::vector<xmpp::LangText>{{"here", ""}, {"qui", "it"}}));
    EXPECT_EQ(one(tuple("a", kOpen), "?").lang, "");
    const auto whole = [](const std::string& attributes, std::string_view language) {
        return test::value(read_pidf("<presence xmlns='urn:ietf:params:xml:ns:pidf' " + attributes +
                                         "><tuple id='a'><note>x</note></tuple></presence>",
                                     language, kNow))
            .presentity.resources.at(0);
    };
    EXPECT_EQ(whole("xml:lang='it'", "").lang, "it");
    EXPECT_EQ(whole("xml:lang='it'", "").statuses, (std::vector<xmpp::LangText>{{"x", ""}}));
    EXPECT_EQ(whole("xml:lang='it'", "en").lang, "en");
    EXPECT_EQ(whole("xml:lang='it'", "en").statuses, (std::vector<xmpp::LangText>{{"x", "it"}}));
}

TEST(PidfReader, PRES_82_WhatXmppCannotSayIsPassedOver) {
    const auto extended = tuple("a", kOpen + "<x:location>home</x:location>" + show("away"),
                                "<x:card/><r:class>home</r:class><contact>sip:a@b</contact>") +
                          "<x:x/>" + person("<r:mood><r:happy/></r:mood>" + activities("<r:busy/>")) + "<dm:device id='d'/>";
    EXPECT_EQ(one(extended), (ResourcePresence{"a", Availability::available, Show::away}));
    EXPECT_EQ(one(tuple("a", kOpen + "<x:x>" + show("dnd") + "<basic>closed</basic></x:x>")), ResourcePresence{"a"})
        << "what stands in an unknown element is unknown";
    EXPECT_EQ(refusal("<pidf-full xmlns='urn:ietf:params:xml:ns:pidf-diff' version='1'><tuple id='a'/></pidf-full>"),
              Code::malformed);
}

TEST(PidfReader, PRES_109_NecessaryExtensions) {
    for (const std::string necessary : {"p:mustUnderstand='true'", "p:mustUnderstand=' 1 '", "mustUnderstand='1'"}) {
        EXPECT_EQ(one(tuple("a", kOpen + "<x:x " + necessary + ">" + show("dnd") + "</x:x>")), ResourcePresence{"a"})
            << necessary;
        const auto doing = activities("<r:busy/><x:x " + necessary + "/>");
        EXPECT_EQ(one(tuple("a", kOpen + doing) + person(doing)), ResourcePresence{"a"})
            << "its author wants all of it understood";
        EXPECT_EQ(one(tuple("a", kOpen) + person("<x:x " + necessary + "/>" + activities("<r:busy/>"))), ResourcePresence{"a"});
    }
    EXPECT_EQ(one(tuple("a", kOpen + show("dnd<x:x p:mustUnderstand='1'/>"))), ResourcePresence{"a"});
    for (const std::string optional : {"p:mustUnderstand='false'", "p:mustUnderstand='0'", "x:mustUnderstand='1'", ""})
        EXPECT_EQ(one(tuple("a", kOpen + activities("<r:busy/><x:x " + optional + "/>"))).show, Show::dnd) << optional;
    EXPECT_EQ(one(tuple("a", kOpen + activities("<r:busy p:mustUnderstand='1'/>"))).show, Show::dnd) << "it is";
}

TEST(PidfReader, PRES_83_TimeStamps) {
    const auto since = [](const std::string& text) {
        return one(tuple("a", kOpen, "<timestamp>" + text + "</timestamp>")).since;
    };
    EXPECT_EQ(since("2026-02-28T23:30:00.5+01:00"), *im::read_time("2026-02-28T22:30:00.5Z"));
    EXPECT_EQ(since(" 2026-02-28T22:30:00Z\n"), *im::read_time("2026-02-28T22:30:00Z"));
    EXPECT_EQ(since("yesterday"), std::nullopt);
}

TEST(PidfReader, WhatIsNoPidf) {
    EXPECT_EQ(refusal(""), Code::malformed);
    EXPECT_EQ(refusal("<presence xmlns='urn:ietf:params:xml:ns:pidf'>"), Code::malformed);
    EXPECT_EQ(refusal("<presence/>"), Code::malformed);
    EXPECT_EQ(refusal("<tuple xmlns='urn:ietf:params:xml:ns:pidf'/>"), Code::malformed);
    EXPECT_EQ(refusal(document("<y:x/>")), Code::malformed) << "a prefix that nobody declared";
    EXPECT_EQ(refusal(document("\xFF")), Code::malformed);
}

TEST(PidfReader, CommentsAndInstructionsArePassedOver) {
    const auto remarked = read("<!-- " + tuple("x", kOpen) + " --><?pi?>" + tuple("a", kOpen, "<note>he<!-- -->re</note>"));
    EXPECT_EQ(remarked, read(tuple("a", kOpen, "<note>here</note>")));
}

TEST(PidfReader, NothingUsableIsNoFault) {
    const auto long_name = tuple(std::string(1'024, 'a'), kOpen);
    EXPECT_EQ(refusal(document(long_name)), Code::incomplete);
    const auto pidf = read(long_name + tuple("b", kOpen));
    EXPECT_EQ(pidf.presentity, (Presentity{{{"b"}}}));
    EXPECT_TRUE(pidf.left_out);
}

TEST(PidfReader, CORE_74_HostileXmlIsRefused) {
    EXPECT_EQ(refusal("<!DOCTYPE presence [<!ENTITY a 'b'>]>" + document("").substr(38)), Code::forbidden);
    EXPECT_EQ(refusal(document(std::string(kMaxPidf_octets, ' '))), Code::too_large);
    std::string deep;
    for (int i = 0; i < 40; ++i) deep += "<a>";
    for (int i = 0; i < 40; ++i) deep += "</a>";
    EXPECT_EQ(refusal(document(deep)), Code::too_large);
    std::string wide;
    for (int i = 0; i < 5'000; ++i) wide += "<a/>";
    EXPECT_EQ(refusal(document(wide)), Code::too_large);
}

TEST(PidfReader, WhatIsOverABoundIsLeftOutAlone) {
    std::string tuples;
    for (std::size_t i = 0; i < kMaxResources; ++i) tuples += tuple("t" + std::to_string(i), kOpen);
    EXPECT_FALSE(read(tuples).left_out);
    const auto many = read(tuples + tuple("more", kOpen));
    EXPECT_TRUE(many.left_out);
    EXPECT_EQ(many.presentity, read(tuples).presentity);
    const auto cut = read(tuple("a", kOpen, "<note>" + std::string(kMaxStatus_octets + 1, 'x') + "</note>"));
    EXPECT_TRUE(cut.left_out);
    EXPECT_EQ(cut.presentity.resources.at(0).statuses.at(0).text.size(), kMaxStatus_octets);
}

}  // namespace stox::presence
