// Presence, as a document, as presence again.

#include "mapping/im/timestamps.h"
#include "mapping/presence/pidf.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace stox::presence {

namespace {

const UtcTime kNow = *im::read_time("2026-03-01T12:00:00.250Z");
const PidfSubject kJuliet{"pres:juliet@example.com", sip::Uri::parse("sip:juliet@example.com").value()};

Presentity there_and_back(const Presentity& presentity) {
    const auto written = write_pidf(presentity, kJuliet, kNow);
    const auto read = test::value(read_pidf(written.document, written.content_language, kNow));
    EXPECT_EQ(read.entity, kJuliet.entity);
    EXPECT_FALSE(read.left_out);
    return read.presentity;
}

ResourcePresence random_presence(std::mt19937& random, const std::string& lang) {
    constexpr std::optional<Show> kShows[] = {std::nullopt, Show::chat, Show::away, Show::dnd, Show::xa};
    ResourcePresence presence;
    const std::string_view letters = "abZ01-._ :/<&\"";
    for (auto left = random() % 10; left > 0; --left) presence.resource += letters[random() % letters.size()];
    presence.resource += static_cast<char>('a' + random() % 26);
    if (random() % 3 == 0) presence.resource.insert(0, "\xC3\xA4\xF0\x9F\x93\x9E");
    presence.lang = lang;
    presence.since = std::chrono::floor<std::chrono::seconds>(kNow) - std::chrono::seconds(random() % 100'000);
    for (const auto* own : {"", "de", "pt-BR"})
        if (random() % 2) add_status(presence.statuses, "text " + std::to_string(random()) + " <&>\n\"\xE2\x82\xAC", own, lang);
    presence.show = kShows[random() % std::size(kShows)];
    if (random() % 2) presence.priority = static_cast<std::int8_t>(random() % 128);
    return presence;
}

}  // namespace

TEST(PidfRoundTrip, PresenceComesBackAsItWas) {
    std::mt19937 random(3863);
    for (int round = 0; round < 300; ++round) {
        Presentity presentity;
        const std::string lang = round % 2 ? "en" : "";
        for (auto left = 1 + random() % 6; left > 0; --left) presentity.resources.push_back(random_presence(random, lang));
        auto gone = random_presence(random, lang);
        gone.availability = Availability::unavailable;
        gone.show.reset(), gone.priority.reset();
        presentity.resources.push_back(gone);
        put_in_order(presentity);
        auto back = there_and_back(presentity);
        for (auto& one : back.resources) one.since = std::chrono::floor<std::chrono::seconds>(one.since.value());
        EXPECT_EQ(back, presentity) << write_pidf(presentity, kJuliet, kNow).document;
    }
}

TEST(PidfRoundTrip, PRES_54_PRES_72_EveryResourceIsItsNameAgain) {
    for (const std::string resource : {"1 \xC3\xA4/", "ID-a", "IDX-61", ";gr=x", "%41", "a@b", "&<>\"'", "\xF0\x9F\x93\x9E"})
        EXPECT_EQ(there_and_back({{{resource}}}).resources.at(0).resource, resource);
    std::string longest;
    while (longest.size() < 1'023) longest += "\xE2\x82\xAC";
    EXPECT_EQ(there_and_back({{{longest}}}).resources.at(0).resource, longest) << "its contact is longer than any URI";
}

TEST(PidfRoundTrip, PRES_52_GoneOnceThenNotThere) {
    Presentity presentity{{{"balcony"}, {"orchard", Availability::unavailable}}};
    const auto availability = [&presentity] {
        std::vector<Availability> all;
        for (const auto& one : there_and_back(presentity).resources) all.push_back(one.availability);
        return all;
    };
    EXPECT_EQ(availability(), (std::vector{Availability::available, Availability::unavailable}));
    forget_unavailable(presentity);
    EXPECT_EQ(availability(), std::vector{Availability::available});
    presentity.resources[0].availability = Availability::unavailable;
    EXPECT_EQ(there_and_back(presentity).resources.at(0).resource, "balcony");
    forget_unavailable(presentity);
    EXPECT_EQ(availability(), std::vector{Availability::unavailable});
}

TEST(PidfRoundTrip, PRES_108_OnThePhoneIsDndToXmpp) {
    Presentity presentity{{{"desk"}}};
    presentity.resources[0].on_the_phone = true;
    const auto back = there_and_back(presentity).resources.at(0);
    EXPECT_EQ(back.show, Show::dnd);
}

}  // namespace stox::presence
