// The values of presence: their order and their bounds.

#include "mapping/presence/state.h"

#include <gtest/gtest.h>

namespace stox::presence {

namespace {

ResourcePresence shows(std::string resource, std::optional<Show> show, std::optional<std::int8_t> priority = {}) {
    return {std::move(resource), Availability::available, show, priority};
}

std::vector<std::string> names(const Presentity& presentity) {
    std::vector<std::string> all;
    for (const auto& one : presentity.resources) all.push_back(one.resource);
    return all;
}

}  // namespace

TEST(PresenceState, TheMostAvailableIsFirst) {
    Presentity presentity{{
        {"unknown", Availability::unknown},
        {"gone", Availability::unavailable},
        shows("xa", Show::xa),
        shows("away", Show::away),
        shows("dnd", Show::dnd),
        shows("low", std::nullopt, -1),
        shows("silent", std::nullopt),
        shows("high", std::nullopt, 127),
        shows("zero", std::nullopt, 0),
        shows("chat", Show::chat, -128),
    }};
    EXPECT_FALSE(put_in_order(presentity));
    EXPECT_EQ(names(presentity),
              (std::vector<std::string>{"chat", "high", "silent", "zero", "low", "dnd", "away", "xa", "gone", "unknown"}));
}

TEST(PresenceState, EachResourceOnceTheMoreAvailableOneOfTwo) {
    Presentity presentity{
        {shows("a", Show::away), {"b", Availability::unavailable}, shows("a", Show::chat), shows("b", Show::xa)}};
    EXPECT_FALSE(put_in_order(presentity));
    EXPECT_EQ(presentity, (Presentity{{shows("a", Show::chat), shows("b", Show::xa)}}));
}

TEST(PresenceState, NotMoreResourcesThanTheLimit) {
    Presentity presentity;
    for (std::size_t i = 0; i < kMaxResources; ++i) presentity.resources.push_back(shows(std::to_string(i), std::nullopt));
    presentity.resources.push_back(shows("0", Show::xa));
    EXPECT_FALSE(put_in_order(presentity)) << "one was there twice";
    presentity.resources.push_back(shows("one more", Show::xa));
    EXPECT_TRUE(put_in_order(presentity));
    ASSERT_EQ(presentity.resources.size(), kMaxResources);
    EXPECT_EQ(presentity.resources.back().resource, std::to_string(kMaxResources - 1));
}

TEST(PresenceState, AllStatusesTogetherAreBounded) {
    const auto says = [](std::string resource, std::size_t texts) {
        auto one = shows(std::move(resource), std::nullopt);
        for (std::size_t i = 0; i < texts; ++i)
            add_status(one.statuses, std::string(kMaxStatus_octets, 'x'), std::string(1, static_cast<char>('a' + i)), "");
        return one;
    };
    constexpr auto kMost = kMaxAll_octets / kMaxStatus_octets;
    Presentity whole{{says("a", kMost - 1), says("b", 1), says("c", 0)}};
    EXPECT_FALSE(cut_statuses(whole));
    EXPECT_EQ(whole.resources[1].statuses.size(), 1u);
    Presentity more{{says("a", kMost - 1), says("b", 2), says("c", 1)}};
    EXPECT_TRUE(cut_statuses(more)) << "one octet more would do";
    EXPECT_EQ(more.resources[0].statuses.size(), kMost - 1);
    EXPECT_TRUE(more.resources[1].statuses.empty());
    EXPECT_EQ(more.resources[2].statuses.size(), 1u) << "there is room for this one";
}

TEST(PresenceState, PRES_76_TheFourShows) {
    for (const auto& [show, name] :
         {std::pair(Show::chat, "chat"), std::pair(Show::away, "away"), std::pair(Show::dnd, "dnd"), std::pair(Show::xa, "xa")}) {
        EXPECT_EQ(read_show(name), show);
        EXPECT_EQ(to_string(show), name);
    }
    for (const auto* none : {"", "Away", " away", "busy", "online"}) EXPECT_EQ(read_show(none), std::nullopt) << none;
}

TEST(PresenceState, PRES_59_PRES_79_OneStatusForEachLanguage) {
    std::vector<xmpp::LangText> statuses;
    EXPECT_TRUE(add_status(statuses, " \n ", "en", ""));
    EXPECT_TRUE(add_status(statuses, "\n\tin Verona ", "", "en"));
    EXPECT_TRUE(add_status(statuses, "the same language", "EN", "en"));
    EXPECT_TRUE(add_status(statuses, "no language", "not a tag", "en"));
    EXPECT_TRUE(add_status(statuses, "a Verona", "it", "en"));
    EXPECT_TRUE(add_status(statuses, "altrove", "IT", "en"));
    EXPECT_EQ(statuses, (std::vector<xmpp::LangText>{{"in Verona", ""}, {"a Verona", "it"}}));
}

TEST(PresenceState, StatusesAreBounded) {
    std::vector<xmpp::LangText> statuses;
    EXPECT_TRUE(add_status(statuses, std::string(kMaxStatus_octets, 'x'), "a", ""));
    EXPECT_FALSE(add_status(statuses, std::string(kMaxStatus_octets - 1, 'x') + "\xE2\x82\xAC", "b", ""));
    EXPECT_EQ(statuses[0].text.size(), kMaxStatus_octets);
    EXPECT_EQ(statuses[1].text, std::string(kMaxStatus_octets - 1, 'x')) << "no half of a character";
    EXPECT_FALSE(add_status(statuses, std::string(kMaxStatus_octets, 'x') + "y", "c", ""));
    EXPECT_EQ(statuses[2].text.size(), kMaxStatus_octets);
    for (char lang = 'd'; statuses.size() < kMaxStatuses; ++lang)
        EXPECT_TRUE(add_status(statuses, "x", std::string(1, lang), ""));
    EXPECT_TRUE(add_status(statuses, "x", "a", "")) << "it has one";
    EXPECT_FALSE(add_status(statuses, "x", "z", ""));
    EXPECT_EQ(statuses.size(), kMaxStatuses);
}

}  // namespace stox::presence
