// What devices publish of their contacts (RFC 3903), one by one and in any order.

#include "mapping/presence/publications.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace stox::presence {

namespace {

using namespace std::chrono_literals;
using Outcome = Publications::Outcome;

const std::string kJuliet = "juliet@capulet.test", kPeer = "phones";

ResourcePresence resource(const std::string& name, Availability availability = Availability::available,
                          std::optional<Show> show = {}) {
    ResourcePresence made;
    made.resource = name;
    made.availability = availability;
    made.show = show;
    return made;
}

Presentity document(std::vector<ResourcePresence> resources) { return {std::move(resources)}; }

/// "desk dnd, cell, -car": in the order of who is most available; - is unavailable, ? unknown.
std::string words(const Presentity& presentity) {
    std::string text;
    for (const auto& one : presentity.resources) {
        constexpr std::array kMarks{"", "-", "?"};
        text += (text.empty() ? "" : ", ") + std::string(kMarks[static_cast<std::size_t>(one.availability)]) + one.resource;
        if (one.show) text += ' ' + std::string(to_string(*one.show));
    }
    return text;
}

class PublicationsTest : public ::testing::Test {
protected:
    Outcome say(std::vector<ResourcePresence> resources, const std::string& tag, const std::string& contact = kJuliet,
                const std::string& peer = kPeer) {
        return all.publish({contact, peer, {}, 600s, document(std::move(resources))}, tag, now);
    }
    Outcome change(const std::string& match, const std::string& tag, std::vector<ResourcePresence> resources) {
        return all.publish({kJuliet, kPeer, match, 600s, document(std::move(resources))}, tag, now);
    }
    Outcome refresh(const std::string& match, const std::string& tag, std::chrono::seconds expires = 600s,
                    const std::string& peer = kPeer) {
        return all.publish({kJuliet, peer, match, expires, {}}, tag, now);
    }
    std::string composed() { return words(all.composed(kJuliet)); }

    Publications all;
    Publications::TimePoint now{1h};
};

TEST_F(PublicationsTest, PRES_94_InitialRefreshModifyRemove) {
    EXPECT_EQ(all.version(kJuliet), std::nullopt);
    EXPECT_EQ(say({resource("desk")}, "a"), Outcome::taken);
    EXPECT_EQ(composed(), "desk");
    EXPECT_EQ(refresh("a", "b"), Outcome::taken);
    EXPECT_EQ(change("b", "c", {resource("desk", Availability::available, Show::dnd)}), Outcome::taken);
    EXPECT_EQ(composed(), "desk dnd");
    EXPECT_EQ(refresh("c", "d", 0s), Outcome::taken);
    EXPECT_EQ(composed(), "");
    EXPECT_EQ(all.version(kJuliet), std::nullopt);
    EXPECT_EQ(all.size(), 0u);
    EXPECT_EQ(all.octets(), 0u);
}

TEST_F(PublicationsTest, PRES_94_ATagIsGoodOnceAndForItsPeerAlone) {
    EXPECT_EQ(refresh("never", "x"), Outcome::no_match);
    say({resource("desk")}, "a");
    EXPECT_EQ(refresh("a", "x", 600s, "others"), Outcome::no_match) << "another peer's";
    EXPECT_EQ(all.publish({"romeo@capulet.test", kPeer, "a", 600s, {}}, "x", now), Outcome::no_match) << "another contact's";
    EXPECT_EQ(refresh("a", "b"), Outcome::taken);
    EXPECT_EQ(refresh("a", "c"), Outcome::no_match) << "it has another one now";
    now += 600s;
    EXPECT_EQ(refresh("b", "c"), Outcome::no_match) << "it has lapsed";
}

TEST_F(PublicationsTest, PRES_94_WithoutADocumentNothingBegins) {
    EXPECT_EQ(all.publish({kJuliet, kPeer, {}, 600s, {}}, "a", now), Outcome::no_document);
    EXPECT_EQ(all.publish({kJuliet, kPeer, {}, 0s, document({resource("desk")})}, "a", now), Outcome::taken);
    EXPECT_EQ(all.size(), 0u) << "what lasts no time is taken and not kept";
}

TEST_F(PublicationsTest, PRES_94_SeveralAreOne) {
    say({resource("desk", Availability::available, Show::away)}, "a");
    say({resource("cell")}, "b");
    EXPECT_EQ(composed(), "cell, desk away");
    // A phone that has forgotten its tag.
    say({resource("desk", Availability::unavailable)}, "c");
    EXPECT_EQ(composed(), "cell, -desk") << "of one name the latest counts";
    say({resource("desk", Availability::unknown)}, "d");
    EXPECT_EQ(composed(), "cell, -desk") << "who says nothing changes nothing";
    refresh("a", "e");
    EXPECT_EQ(composed(), "cell, -desk") << "a refresh says nothing new";
    refresh("c", "f", 0s);
    EXPECT_EQ(composed(), "cell, desk away");
}

TEST_F(PublicationsTest, PRES_75_WhoSaysNothingHasPublishedNothing) {
    say({resource("desk", Availability::unknown)}, "a");
    EXPECT_EQ(all.version(kJuliet), std::nullopt);
    say({}, "b");
    EXPECT_NE(all.version(kJuliet), std::nullopt) << "nobody is there: that is something";
    refresh("b", "", 0s);
    change("a", "c", {resource("desk", Availability::unknown), resource("cell")});
    EXPECT_NE(all.version(kJuliet), std::nullopt);
}

TEST_F(PublicationsTest, PRES_94_ItLapsesUnlessItIsRefreshed) {
    say({resource("desk")}, "a");
    say({resource("cell")}, "b");
    EXPECT_EQ(all.take_changed(now), kJuliet);
    EXPECT_EQ(all.take_changed(now), std::nullopt);
    now += 599s;
    refresh("a", "c");
    EXPECT_EQ(all.take_changed(now), std::nullopt) << "the same holds still";
    now += 1s;
    EXPECT_EQ(all.next_timeout(), now);
    EXPECT_EQ(all.take_changed(now), kJuliet);
    EXPECT_EQ(composed(), "desk");
    now += 600s;
    EXPECT_EQ(all.take_changed(now), kJuliet);
    EXPECT_EQ(all.version(kJuliet), std::nullopt);
    now += Publications::kApart;
    EXPECT_EQ(all.take_changed(now), std::nullopt);
    EXPECT_EQ(all.next_timeout(), std::nullopt) << "nothing is left of it";
}

// However many watch: each of them would else wait for hundreds of long names to be compared.
TEST_F(PublicationsTest, PRES_92_AVersionIsComposedOnce) {
    say({resource("desk")}, "a");
    say({resource("cell")}, "b");
    const auto* first = all.composed(kJuliet).resources.data();
    refresh("a", "c");
    EXPECT_EQ(all.composed(kJuliet).resources.data(), first) << "a refresh says nothing new";
    change("c", "d", {resource("desk", Availability::available, Show::dnd)});
    EXPECT_EQ(composed(), "cell, desk dnd") << "and a new version is no old one";
    now += 600s;
    say({resource("car")}, "e");
    EXPECT_EQ(composed(), "car");
}

TEST_F(PublicationsTest, PRES_92_AContactThatFlapsIsLookedAtOnceASecond) {
    say({resource("desk")}, "t0");
    EXPECT_EQ(all.take_changed(now), kJuliet);
    for (int i = 0; i < 9; ++i) {
        now += 100ms;
        change("t" + std::to_string(i), "t" + std::to_string(i + 1), {resource("desk", Availability::available, Show::away)});
        EXPECT_EQ(all.take_changed(now), std::nullopt);
    }
    refresh("t9", "", 0s);
    say({resource("desk")}, "u");
    refresh("u", "", 0s);
    EXPECT_EQ(all.take_changed(now), std::nullopt) << "nor is it who goes and comes";
    EXPECT_EQ(all.next_timeout(), now + 100ms);
    now += 100ms;
    EXPECT_EQ(all.take_changed(now), kJuliet);
}

TEST(Publications, PRES_94_Bounds) {
    const Publications::TimePoint now{1h};
    const auto one = document({resource("desk")});
    Publications probe;
    probe.publish({kJuliet, kPeer, {}, 60s, one}, "a", now);
    const auto each = probe.octets();

    Publications full({2, 3, 4, 100 * each});
    const auto say = [&](const std::string& contact, const std::string& peer, const std::string& tag) {
        return full.publish({contact, peer, {}, 60s, one}, tag, now);
    };
    EXPECT_EQ(say("a", "one", "1"), Outcome::taken);
    EXPECT_EQ(say("a", "one", "2"), Outcome::taken);
    EXPECT_EQ(full.publish({"a", "one", "1", 60s, {}}, "1b", now), Outcome::taken);
    EXPECT_EQ(say("a", "one", "3"), Outcome::taken) << "in the place of the second, which was refreshed longest ago";
    EXPECT_EQ(full.publish({"a", "one", "2", 60s, {}}, "x", now), Outcome::no_match);
    EXPECT_EQ(full.publish({"a", "one", "1b", 60s, {}}, "1c", now), Outcome::taken);
    EXPECT_EQ(say("b", "one", "4"), Outcome::taken);
    EXPECT_EQ(say("c", "one", "5"), Outcome::full) << "of a peer";
    EXPECT_EQ(say("a", "one", "6"), Outcome::taken) << "that takes no more room";
    EXPECT_EQ(say("c", "two", "7"), Outcome::taken);
    EXPECT_EQ(say("d", "two", "8"), Outcome::full) << "in all";
    EXPECT_EQ(full.size(), 4u);
    EXPECT_EQ(full.publish({"c", "two", "7", 0s, {}}, "x", now), Outcome::taken);
    EXPECT_EQ(say("d", "two", "9"), Outcome::taken);

    Publications small({16, 10, 10, 2 * each, 2 * each});
    EXPECT_EQ(small.publish({"a", "one", {}, 60s, one}, "1", now), Outcome::taken);
    EXPECT_EQ(small.publish({"b", "one", {}, 60s, one}, "2", now), Outcome::taken);
    EXPECT_EQ(small.publish({"c", "one", {}, 60s, one}, "3", now), Outcome::full) << "octets";
    EXPECT_EQ(small.publish({"b", "one", "2", 60s, document({resource("desk"), resource("cell")})}, "3", now), Outcome::full);
    EXPECT_EQ(words(small.composed("b")), "desk") << "what was there stays";
    EXPECT_EQ(small.publish({"b", "one", "2", 60s, one}, "3", now), Outcome::taken) << "under the tag it had";
}

TEST_F(PublicationsTest, PRES_94_WhatAPeerSaidGoesWithIt) {
    say({resource("desk")}, "a");
    say({resource("cell")}, "b", kJuliet, "others");
    EXPECT_EQ(all.take_changed(now), kJuliet);
    now += 1s;
    all.keep([](const std::string& peer, const std::string&) { return peer == "others"; }, now);
    EXPECT_EQ(all.take_changed(now), kJuliet);
    EXPECT_EQ(composed(), "cell");
}

TEST(Publications, PRES_94_OnePeerLeavesRoomForOthers) {
    const Publications::TimePoint now{1h};
    const auto one = document({resource("desk")}), two = document({resource("desk"), resource("cell")});
    Publications probe;
    probe.publish({kJuliet, kPeer, {}, 60s, one}, "a", now);
    const auto each = probe.octets();
    PublicationLimits limits;
    EXPECT_EQ(limits.octets_of_peer, limits.octets / 2);
    limits.octets = 4 * each;
    limits.octets_of_peer = 2 * each;
    Publications all(limits);
    EXPECT_EQ(all.publish({"a", "one", {}, 60s, one}, "1", now), Outcome::taken);
    EXPECT_EQ(all.publish({"b", "one", {}, 60s, one}, "2", now), Outcome::taken);
    EXPECT_EQ(all.publish({"c", "one", {}, 60s, one}, "3", now), Outcome::full);
    EXPECT_EQ(all.publish({"a", "one", "1", 60s, two}, "3", now), Outcome::full) << "nor by what it says next";
    EXPECT_EQ(all.publish({"c", "two", {}, 60s, one}, "3", now), Outcome::taken);
    EXPECT_EQ(all.publish({"a", "one", "1", 0s, {}}, "", now), Outcome::taken);
    EXPECT_EQ(all.publish({"c", "one", {}, 60s, one}, "4", now), Outcome::taken) << "what is taken back is room again";
    EXPECT_EQ(all.publish({"d", "one", {}, 60s, one}, "5", now), Outcome::full);
}

// In any order, against a plain list of what was said.

struct Said {
    std::string contact, peer, tag;
    Presentity document;
    Publications::TimePoint until;
    unsigned order;
};

class Plain {
public:
    Outcome publish(const Publish& what, const std::string& tag, Publications::TimePoint now) {
        std::erase_if(all, [now](const Said& one) { return one.until <= now; });
        if (!what.if_match) {
            if (!what.document) return Outcome::no_document;
            if (what.expires.count() > 0)
                all.push_back({what.contact, what.peer, tag, *what.document, now + what.expires, ++order});
            return Outcome::taken;
        }
        const auto found = std::ranges::find_if(all, [&](const Said& one) {
            return one.contact == what.contact && one.peer == what.peer && one.tag == *what.if_match;
        });
        if (found == all.end()) return Outcome::no_match;
        if (what.expires.count() == 0) return all.erase(found), Outcome::taken;
        if (what.document) found->document = *what.document, found->order = ++order;
        found->tag = tag;
        found->until = now + what.expires;
        return Outcome::taken;
    }
    /// Of each resource the latest word.
    std::map<std::string, std::pair<unsigned, ResourcePresence>> composed(const std::string& contact,
                                                                          Publications::TimePoint now) const {
        std::map<std::string, std::pair<unsigned, ResourcePresence>> made;
        for (const auto& said : all) {
            if (said.contact != contact || said.until <= now) continue;
            for (const auto& one : said.document.resources) {
                auto& [at, last] = made[one.resource];
                if (at < said.order) at = said.order, last = one;
            }
        }
        return made;
    }
    std::vector<Said> all;
    unsigned order = 0;
};

TEST(Publications, PRES_94_InAnyOrderTheySayWhatWasSaidLast) {
    constexpr std::array kContacts{"a", "b"}, kPeers{"one", "two"};
    constexpr std::array kResources{"x", "y", "z"};
    for (unsigned seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        const auto below = [&](std::size_t bound) { return random() % bound; };
        Publications real;
        Plain plain;
        Publications::TimePoint now{1h};
        std::vector<std::string> tags{"none"};
        std::map<std::string, std::string> seen;  // as of the last look at each contact
        for (int step = 0; step < 200; ++step) {
            Publish what{kContacts[below(2)], kPeers[below(2)], {}, std::chrono::seconds(below(4) * 5), {}};
            if (below(3) != 0) what.if_match = tags[tags.size() - 1 - below(std::min<std::size_t>(tags.size(), 6))];
            if (below(3) != 0) {
                std::vector<ResourcePresence> resources;
                for (const auto* name : kResources)
                    if (below(2) == 0)
                        resources.push_back(resource(name, below(2) == 0 ? Availability::available : Availability::unavailable));
                what.document = document(std::move(resources));
            }
            tags.push_back("t" + std::to_string(step));
            // Eviction is the business of another test.
            const auto held = std::ranges::count(plain.all, what.contact, &Said::contact);
            if (held < 15) {
                ASSERT_EQ(real.publish(what, tags.back(), now), plain.publish(what, tags.back(), now));
            }
            now += std::chrono::milliseconds(below(3) * 700);
            while (const auto changed = real.take_changed(now)) seen[*changed] = words(real.composed(*changed));
            ASSERT_TRUE(!real.next_timeout() || *real.next_timeout() > now) << "what is due was taken";
            for (const auto* contact : kContacts) {
                const auto expected = plain.composed(contact, now);
                const auto found = real.composed(contact);
                ASSERT_EQ(found.resources.size(), expected.size());
                for (const auto& one : found.resources) ASSERT_EQ(one, expected.at(one.resource).second);
            }
        }
        now += 1h;
        while (const auto changed = real.take_changed(now)) seen[*changed] = words(real.composed(*changed));
        for (const auto& [contact, text] : seen) ASSERT_EQ(text, "") << contact;
        now += 1s;
        ASSERT_EQ(real.take_changed(now), std::nullopt);
        ASSERT_EQ(real.size() + real.octets(), 0u);
        ASSERT_EQ(real.next_timeout(), std::nullopt);
    }
}

}  // namespace

}  // namespace stox::presence
