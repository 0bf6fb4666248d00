// Presence as PIDF documents.

#include "mapping/im/timestamps.h"
#include "mapping/presence/contact_priority.h"
#include "mapping/presence/pidf.h"
#include "mapping/xml/reader.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace stox::presence {

namespace {

using std::chrono::milliseconds, std::chrono::seconds, std::chrono::hours;

constexpr std::string_view kPidf = "urn:ietf:params:xml:ns:pidf", kDm = "urn:ietf:params:xml:ns:pidf:data-model",
                           kRpid = "urn:ietf:params:xml:ns:pidf:rpid", kClient = "jabber:client";
const UtcTime kNow = *im::read_time("2026-03-01T12:00:00.250Z");
const PidfSubject kJuliet{"pres:juliet@example.com", sip::Uri::parse("sip:juliet@example.com").value()};

ResourcePresence shows(std::string resource, std::optional<Show> show = {}) {
    return {std::move(resource), Availability::available, show};
}

xml::Element root(const Presentity& presentity) {
    return test::value(xml::read_document(write_pidf(presentity, kJuliet, kNow).document));
}

std::vector<xml::Element> children(const xml::Element& element) {
    std::vector<xml::Element> all;
    for (const auto& node : element.children)
        if (const auto* child = std::get_if<xml::Element>(&node)) all.push_back(*child);
    return all;
}

/// The names of the children, in order.
std::string order(const xml::Element& element) {
    std::string names;
    for (const auto& child : children(element)) names += (names.empty() ? "" : " ") + child.name;
    return names;
}

xml::Element only_tuple(const ResourcePresence& presence) { return children(root({{presence}})).at(0); }

std::string basic(const xml::Element& tuple) { return tuple.child(kPidf, "status")->child(kPidf, "basic")->text(); }

/// Id and basic status of each tuple: "ID-a open, ID-b closed".
std::string summary(const Presentity& presentity) {
    std::string text;
    for (const auto& child : children(root(presentity)))
        if (child.is(kPidf, "tuple")) text += (text.empty() ? "" : ", ") + *child.attribute("id") + " " + basic(child);
    return text;
}

/// The name of what the person of the document is doing.
std::string doing(const Presentity& presentity) {
    const auto document = root(presentity);
    const auto* person = document.child(kDm, "person");
    const auto* activities = person ? person->child(kRpid, "activities") : nullptr;
    return activities ? order(*activities) : "(nobody)";
}

std::multiset<std::string> stamps(const WrittenPidf& written) {
    std::multiset<std::string> all;
    for (const auto& child : children(test::value(xml::read_document(written.document))))
        if (const auto* stamp = child.child(kPidf, "timestamp")) all.insert(stamp->text());
    return all;
}

std::vector<std::string> shared(const std::multiset<std::string>& a, const std::multiset<std::string>& b) {
    std::vector<std::string> both;
    std::ranges::set_intersection(a, b, std::back_inserter(both));
    return both;
}

}  // namespace

TEST(PidfWriter, PRES_51_PRES_52_OpenAndClosed) {
    EXPECT_EQ(summary({{shows("balcony")}}), "ID-balcony open");
    EXPECT_EQ(summary({{{"balcony", Availability::unavailable}, shows("orchard", Show::xa)}}),
              "ID-orchard open, ID-balcony closed");
    EXPECT_EQ(summary({{{"balcony", Availability::unknown}, shows("orchard")}}), "ID-orchard open");
    EXPECT_EQ(summary({{{"balcony", Availability::unavailable}, {"orchard", Availability::unavailable}}}), "ID-balcony closed");
    EXPECT_EQ(summary({}), "ID- closed") << "gone long ago, all of them";
    EXPECT_EQ(summary({{{"balcony", Availability::unknown}}}), "ID- closed");
    const auto closed = only_tuple({"balcony", Availability::unavailable, Show::away, 5});
    EXPECT_EQ(order(*closed.child(kPidf, "status")), "basic");
    EXPECT_EQ(closed.child(kPidf, "contact")->attribute("priority"), nullptr);
}

TEST(PidfWriter, PRES_53_Entity) {
    const auto document = root({{shows("a")}});
    EXPECT_TRUE(document.is(kPidf, "presence"));
    EXPECT_EQ(*document.attribute("entity"), "pres:juliet@example.com");
    EXPECT_TRUE(write_pidf({}, kJuliet, kNow).document.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
}

TEST(PidfWriter, PRES_54_IdAndContact) {
    const auto contact = [](const std::string& resource) { return only_tuple(shows(resource)).child(kPidf, "contact")->text(); };
    EXPECT_EQ(contact("yn0cl4bnw0yr3vym"), "sip:juliet@example.com;gr=yn0cl4bnw0yr3vym");
    EXPECT_EQ(contact("1 \xC3\xA4/;?"), "sip:juliet@example.com;gr=1%20%C3%A4/%3B%3F");
    EXPECT_EQ(contact(""), "sip:juliet@example.com");
    EXPECT_EQ(*only_tuple(shows("1 \xC3\xA4/")).attribute("id"), "IDX-3120c3a42f");
    EXPECT_EQ(summary({{shows("a"), shows("a", Show::away), {"a", Availability::unavailable}}}), "ID-a open") << "ids are unique";
}

TEST(PidfWriter, PRES_56_PRES_59_NotesAndLanguages) {
    auto presence = shows("a");
    presence.lang = "en";
    presence.statuses = {{"in <Verona>", ""}, {"a Verona", "it"}};
    const auto tuple = only_tuple(presence);
    const auto notes = children(tuple);
    ASSERT_EQ(order(tuple), "status contact note note timestamp");
    EXPECT_EQ(notes[2].text(), "in <Verona>");
    EXPECT_EQ(*notes[2].lang(), "en");
    EXPECT_EQ(notes[3].text(), "a Verona");
    EXPECT_EQ(*notes[3].lang(), "it");
    auto other = shows("b");
    const auto language = [&](const std::string& lang) {
        other.lang = lang;
        return write_pidf({{presence, other}}, kJuliet, kNow).content_language;
    };
    EXPECT_EQ(language("en"), "en");
    EXPECT_EQ(language("it"), "");
    EXPECT_EQ(language(""), "");
    presence.lang = "no tag";
    EXPECT_EQ(language("no tag"), "");
    EXPECT_EQ(children(only_tuple(presence))[2].lang(), nullptr);
}

TEST(PidfWriter, PRES_57_PriorityIsCutToThreeDecimals) {
    const std::pair<int, const char*> rows[] = {{0, "0"},      {1, "0.007"},  {2, "0.015"},   {13, "0.102"},
                                                {63, "0.496"}, {64, "0.503"}, {126, "0.992"}, {127, "1"}};
    for (const auto& [priority, text] : rows) EXPECT_EQ(to_contact_priority(static_cast<std::int8_t>(priority)), text);
    std::set<std::string> all;
    for (int priority = 0; priority <= 127; ++priority) {
        const auto text = to_contact_priority(static_cast<std::int8_t>(priority));
        ASSERT_TRUE(text);
        EXPECT_EQ(from_contact_priority(*text), priority);
        all.insert(*text);
    }
    EXPECT_EQ(all.size(), 128u) << "each has its own";
    for (const auto negative : {-1, -128}) EXPECT_EQ(to_contact_priority(static_cast<std::int8_t>(negative)), std::nullopt);
    auto presence = shows("a");
    EXPECT_EQ(only_tuple(presence).child(kPidf, "contact")->attribute("priority"), nullptr);
    presence.priority = 5;
    EXPECT_EQ(*only_tuple(presence).child(kPidf, "contact")->attribute("priority"), "0.039");
    presence.priority = -5;
    EXPECT_EQ(only_tuple(presence).child(kPidf, "contact")->attribute("priority"), nullptr);
}

TEST(PidfWriter, PRES_58_ShowAndActivities) {
    const std::tuple<std::optional<Show>, const char*, const char*> rows[] = {{Show::away, "away", "away"},
                                                                              {Show::xa, "xa", "away"},
                                                                              {Show::dnd, "dnd", "busy"},
                                                                              {Show::chat, "chat", "(nobody)"},
                                                                              {std::nullopt, "(none)", "(nobody)"}};
    for (const auto& [show, word, activity] : rows) {
        const auto tuple = only_tuple(shows("a", show));
        const auto* said = tuple.child(kPidf, "status")->child(kClient, "show");
        EXPECT_EQ(said ? said->text() : "(none)", word);
        EXPECT_EQ(doing({{shows("a", show)}}), activity) << word;
        EXPECT_EQ(order(tuple), "status contact timestamp") << "activities are a person's";
    }
    EXPECT_EQ(doing({{shows("a", Show::away), shows("b", Show::dnd)}}), "busy") << "the most available one";
    EXPECT_EQ(doing({{shows("a", Show::away), shows("b")}}), "(nobody)");
    EXPECT_EQ(doing({{{"a", Availability::unavailable, Show::away}}}), "(nobody)");
}

TEST(PidfWriter, PRES_108_OnThePhoneIsSaidBothWays) {
    auto presence = shows("a");
    presence.on_the_phone = true;
    EXPECT_EQ(only_tuple(presence).child(kPidf, "status")->child(kClient, "show")->text(), "dnd");
    EXPECT_EQ(doing({{presence}}), "on-the-phone");
    EXPECT_EQ(doing({{presence, shows("b")}}), "(nobody)") << "another one is free";
}

TEST(PidfWriter, PRES_60_OneTupleForEachResource) {
    EXPECT_EQ(summary({{shows("xa", Show::xa), shows("dnd", Show::dnd), shows("free"), shows("chat", Show::chat)}}),
              "ID-chat open, ID-free open, ID-dnd open, ID-xa open");
    Presentity many;
    for (int i = 0; i < 100; ++i) many.resources.push_back(shows(std::to_string(i)));
    EXPECT_EQ(children(root(many)).size(), kMaxResources);
}

TEST(PidfWriter, PRES_61_TimeStamps) {
    const auto stamp = [](std::optional<UtcTime> since, std::optional<UtcTime> after = {}) {
        auto presence = shows("a");
        presence.since = since;
        return *stamps(write_pidf({{presence}}, kJuliet, kNow, after)).begin();
    };
    EXPECT_EQ(stamp({}), "2026-03-01T12:00:00.250Z");
    EXPECT_EQ(stamp(kNow - hours(2)), "2026-03-01T10:00:00.250Z");
    EXPECT_EQ(stamp(kNow + hours(2)), "2026-03-01T12:00:00.250Z") << "never of the future";
    EXPECT_EQ(stamp({}, kNow), "2026-03-01T12:00:00.251Z");
    EXPECT_EQ(stamp({}, kNow + seconds(5)), "2026-03-01T12:00:05.251Z") << "the clock was set back";
    EXPECT_EQ(stamp({}, kNow - seconds(5)), "2026-03-01T12:00:00.251Z") << "its milliseconds are taken";
}

TEST(PidfWriter, PRES_61_NoTimeTwiceInSuccessiveDocuments) {
    Presentity presentity;
    for (int i = 0; i < 6; ++i) {
        presentity.resources.push_back(shows(std::to_string(i)));
        if (i % 3) presentity.resources.back().since = kNow - milliseconds(1 << i);
        if (i == 4) presentity.resources.back().since = kNow - hours(40);
    }
    const milliseconds steps[] = {milliseconds(0),     milliseconds(1),   milliseconds(0),  milliseconds(999),
                                  seconds(1),          seconds(60),       milliseconds(-1), milliseconds(-999),
                                  milliseconds(-1000), milliseconds(750), milliseconds(0)};
    auto now = kNow;
    auto before = write_pidf(presentity, kJuliet, now);
    for (int round = 0; round < 300; ++round) {
        now += steps[static_cast<std::size_t>(round) % std::size(steps)];
        const auto next = write_pidf(presentity, kJuliet, now, before.stamp);
        EXPECT_GT(next.stamp, before.stamp);
        EXPECT_EQ(shared(stamps(before), stamps(next)), std::vector<std::string>{}) << round;
        before = next;
    }
}

TEST(PidfWriter, PRES_63_OrderOfElements) {
    auto presence = shows("a", Show::away);
    presence.statuses = {{"x", ""}, {"y", "en"}};
    const auto document = root({{shows("b", Show::xa), presence}});
    EXPECT_EQ(order(document), "tuple tuple person");
    EXPECT_EQ(order(children(document)[0]), "status contact note note timestamp");
    EXPECT_EQ(order(*children(document)[0].child(kPidf, "status")), "basic show");
    EXPECT_NE(document.child(kDm, "person")->attribute("id"), nullptr);
}

TEST(PidfWriter, LongDocumentsLeaveOutNotesThenResources) {
    Presentity presentity;
    for (std::size_t i = 0; i < kMaxResources; ++i) {
        presentity.resources.push_back(shows(std::string(300, 'a') + std::to_string(i)));
        for (const auto* lang : {"de", "en", "it"})
            add_status(presentity.resources.back().statuses, std::string(kMaxStatus_octets, 'x'), lang, "");
    }
    auto written = write_pidf(presentity, kJuliet, kNow);
    EXPECT_TRUE(written.left_out);
    EXPECT_EQ(test::value(read_pidf(written.document, "", kNow)).presentity.resources.size(), kMaxResources);
    EXPECT_EQ(written.document.find("xxx"), std::string::npos);
    presentity.resources.resize(10);
    EXPECT_FALSE(write_pidf(presentity, kJuliet, kNow).left_out);
    for (auto& one : presentity.resources) one.resource = std::string(1'000, ' ') + one.resource.substr(300);
    while (presentity.resources.size() < kMaxResources)
        presentity.resources.push_back(shows(std::string(1'000, ' ') + std::to_string(presentity.resources.size())));
    written = write_pidf(presentity, kJuliet, kNow);
    EXPECT_TRUE(written.left_out);
    EXPECT_LE(written.document.size(), kMaxPidf_octets);
    EXPECT_GT(test::value(read_pidf(written.document, "", kNow)).presentity.resources.size(), 10u);
    presentity.resources.resize(kMaxResources);
    presentity.resources.push_back(shows("one more"));
    EXPECT_TRUE(write_pidf(presentity, kJuliet, kNow).left_out);
}

TEST(PidfWriter, TextOfOthersIsEscaped) {
    auto presence = shows("</tuple>&'\"");
    presence.statuses = {{"]]><note>\x01", ""}};
    const auto tuple = only_tuple(presence);
    EXPECT_EQ(order(tuple), "status contact note timestamp");
    EXPECT_EQ(tuple.child(kPidf, "note")->text(), "]]><note>\xEF\xBF\xBD");
}

}  // namespace stox::presence
