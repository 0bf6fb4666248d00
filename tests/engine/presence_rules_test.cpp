// Rules of presence that hold over both directions, and clocks that jump.

#include "tests/engine/presence_rig.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stox::engine::test {

namespace {

using namespace std::chrono_literals;
using xmpp::PresenceType;

std::string pidf(const std::vector<std::string>& tuples) { return PresenceRig::pidf(tuples); }

/// Both see each other.
PresenceRig& both(PresenceRig& rig) {
    rig.granted(pidf({"balcony"}));
    EXPECT_EQ(rig.watch(), 200);
    rig.user(PresenceType::subscribed).user(PresenceType::available).pass(250ms);
    rig.told();
    rig.said.clear();
    return rig;
}

std::size_t count(const std::vector<std::string>& all, std::string_view beginning) {
    return static_cast<std::size_t>(std::ranges::count_if(all, [&](const auto& one) { return one.starts_with(beginning); }));
}

}  // namespace

TEST(PresenceRules, PRES_01_WhoNoLongerWatchesIsStillWatched) {
    PresenceRig rig;
    both(rig);
    rig.user(PresenceType::unsubscribe);
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony, unsubscribed juliet@capulet.test");
    EXPECT_EQ(rig.said, std::vector<std::string>{"SUBSCRIBE 0"});
    rig.said.clear();
    rig.pass(5s).user(PresenceType::unavailable).pass(5s);
    ASSERT_EQ(count(rig.said, "NOTIFY active"), 1u) << "the contact sees the user go";
    EXPECT_NE(rig.last_notify_body().find("closed"), std::string::npos);
    EXPECT_EQ(rig.watch_again("600"), 200);
    EXPECT_EQ(count(rig.said, "NOTIFY active"), 2u);
}

TEST(PresenceRules, PRES_01_WhoIsNoLongerWatchedStillWatches) {
    PresenceRig rig;
    both(rig);
    rig.user(PresenceType::unsubscribed);
    EXPECT_EQ(rig.said, std::vector<std::string>{"NOTIFY terminated;reason=rejected"});
    EXPECT_EQ(rig.told(), "");
    rig.pass(1s);
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony/dnd"})), 200);
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/balcony dnd");
    rig.user(PresenceType::subscribe);
    EXPECT_EQ(rig.told(), "subscribed juliet@capulet.test") << "what the contact has granted is granted";
    EXPECT_EQ(rig.begun, 1u);
}

TEST(PresenceRules, PRES_03_NothingOfOursIsSaidForGood) {
    PresenceRig rig;
    both(rig);
    rig.user(PresenceType::unavailable).pass(2h);
    rig.first_state = "active;expires=3600";
    rig.user(PresenceType::available).pass(2h);
    const auto before = count(rig.said, "SUBSCRIBE 0");
    rig.user(PresenceType::unsubscribe).user(PresenceType::unsubscribed);
    rig.pass(2h);
    EXPECT_EQ(count(rig.said, "SUBSCRIBE 0"), before + 1) << "this ends what can be ended";
    EXPECT_EQ(count(rig.said, "SUBSCRIBE ") + count(rig.said, "NOTIFY "), rig.said.size())
        << "and there is nothing else, no PUBLISH";
}

struct EndRow {
    const char* reason;
    const char* told;           ///< at once
    std::chrono::seconds wait;  ///< at least, then SUBSCRIBE is sent again within as much; 0: at once
    bool again = true;
};

constexpr const char* kGone = "unavailable juliet@capulet.test/balcony";
constexpr const char* kOver = "unavailable juliet@capulet.test/balcony, unsubscribed juliet@capulet.test";
constexpr std::array kEnds{
    EndRow{";reason=rejected", kOver, 24h, false},
    EndRow{";reason=rejected;retry-after=10", kOver, 24h, false},
    EndRow{";reason=noresource", kOver, 24h, false},
    EndRow{";reason=deactivated", "", 0s},
    EndRow{";reason=deactivated;retry-after=500", "", 0s},
    EndRow{";reason=timeout", "", 0s},
    EndRow{";reason=probation", kGone, 300s},
    EndRow{";reason=probation;retry-after=40", "", 40s},
    EndRow{";reason=giveup", kGone, 3600s},
    EndRow{";reason=giveup;retry-after=50", "", 50s},
    EndRow{";reason=invariant;retry-after=10", "", 24h, false},
    EndRow{"", "", 15s},
    EndRow{";reason=whatever", "", 15s},
    EndRow{";reason=whatever;retry-after=100", kGone, 100s},
};

TEST(PresenceRules, PRES_21_PRES_T4_PRES_T8_WhatFollowsEachEnd) {
    for (const auto& row : kEnds) {
        SCOPED_TRACE(row.reason);
        PresenceRig rig;
        rig.granted(pidf({"balcony"}));
        rig.pass(1min);
        rig.first_state = "active;expires=86400";
        EXPECT_EQ(rig.notify(std::string("terminated") + row.reason), 200);
        EXPECT_EQ(rig.told(), row.told);
        if (row.wait > 0s) {
            rig.pass(row.wait - 1s);
            EXPECT_EQ(rig.begun, 1u) << "too early";
        }
        rig.pass(std::max<std::chrono::seconds>(row.wait, 1s));
        EXPECT_EQ(rig.begun, row.again ? 2u : 1u);
    }
}

TEST(PresenceRules, PRES_T2_ActiveIsSubscribedOnceThenPresenceAndIsRefreshed) {
    PresenceRig rig;
    rig.user(PresenceType::subscribe);
    rig.notify("active;expires=600", pidf({"balcony"}));
    EXPECT_EQ(rig.told(), "subscribed juliet@capulet.test, available juliet@capulet.test/balcony");
    rig.pass(1s);
    rig.notify("active;expires=600", pidf({"balcony/away"}));
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/balcony away") << "no second `subscribed`";
    rig.said.clear();
    rig.pass(599s);
    EXPECT_EQ(rig.said, std::vector<std::string>{"SUBSCRIBE 3600"}) << "before the 600 s are over";
    EXPECT_EQ(rig.begun, 1u) << "in the dialog";
}

TEST(PresenceRules, PRES_74_NoDocumentLeavesTheLastOneAndAnEmptyOneIsOne) {
    PresenceRig rig;
    rig.granted(pidf({"balcony", "orchard"}));
    rig.pass(1s);
    rig.notify("active;expires=3600");
    rig.pass(5s);
    EXPECT_EQ(rig.told(), "");
    rig.notify("active;expires=3600", pidf({}));
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony, unavailable juliet@capulet.test/orchard");
}

TEST(PresenceRules, PRES_20_RefreshedBeforeTheEndWhoeverSaysWhenThatIs) {
    PresenceRig rig;
    rig.subscribe_headers = {{"Expires", "60"}};
    rig.user(PresenceType::subscribe);
    rig.notify("active", pidf({"balcony"}));
    rig.said.clear();
    rig.pass(27s);
    EXPECT_EQ(rig.said.size(), 0u);
    rig.pass(1s);
    EXPECT_EQ(rig.said, std::vector<std::string>{"SUBSCRIBE 3600"}) << "28 s: the answer said 60, the NOTIFY nothing";
    rig.said.clear();
    rig.notify("active;expires=300");
    rig.pass(149s);
    EXPECT_EQ(rig.said.size(), 0u) << "the NOTIFY says how long it is";
    rig.pass(119s);
    EXPECT_EQ(rig.said.size(), 1u);
    EXPECT_EQ(rig.begun, 1u) << "all in one dialog";
    PresenceRig longer;
    longer.subscribe_headers = {{"Expires", "86400"}};
    longer.user(PresenceType::subscribe);
    longer.notify("active", pidf({"balcony"}));
    longer.said.clear();
    longer.pass(3568s);
    EXPECT_GE(longer.said.size(), 1u) << "never longer than asked for";
}

TEST(PresenceRules, PRES_96_ThereAreNoLists) {
    PresenceRig rig;
    auto request = rig.watch_request();
    request.headers.push_back({"Require", "eventlist"});
    const auto refusal = rig.ask(request);
    EXPECT_EQ(refusal.status, 420);
    EXPECT_EQ(*refusal.header("Unsupported"), "eventlist");
    EXPECT_EQ(rig.told(), "") << "and nobody is asked";
}

TEST(PresenceRules, PRES_39_AWatcherThatLeavesIsNotGoneIfItsPresenceSaysOtherwise) {
    PresenceRig rig;
    both(rig);
    EXPECT_EQ(rig.watch_again("0"), 200);
    EXPECT_EQ(rig.told(), "") << "the balcony is there, as its own presence says";
    EXPECT_EQ(rig.watch(), 200);
    rig.pass(1s);
    rig.notify("active;expires=3600", pidf({"-balcony"}));
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony");
    EXPECT_EQ(rig.watch_again("0"), 200);
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test") << "nothing says otherwise now";
}

TEST(PresenceRules, PRES_39_WhatIsPublishedSaysOtherwiseToo) {
    PresenceRig rig;
    rig.granted({});
    rig.publish(pidf({"desk"}), "3600");
    rig.told();
    EXPECT_EQ(rig.watch(), 200);
    rig.user(PresenceType::subscribed);
    rig.told();
    EXPECT_EQ(rig.watch_again("0"), 200);
    EXPECT_EQ(rig.told(), "");
}

// The load of refreshes: what is known of a user is known from their own server, so no user is asked by the gateway's address.

TEST(PresenceRules, PRES_19_ARefreshIsForWhoIsKnownToBeThere) {
    PresenceRig rig;
    both(rig);
    rig.pass(1h);
    EXPECT_EQ(count(rig.said, "SUBSCRIBE 3600"), 1u) << "the user is known to be there";
    rig.first_state = "active;expires=3600";
    EXPECT_EQ(rig.told().find("probe capulet.test"), std::string::npos) << "so nobody is asked";
    rig.user(PresenceType::unavailable);
    rig.said.clear();
    rig.pass(3h);
    EXPECT_EQ(count(rig.said, "SUBSCRIBE 3600"), 0u) << "or not to be";
    rig.user(PresenceType::available);
    EXPECT_EQ(rig.begun, 2u);
}

TEST(PresenceRules, PRES_19_WhoSaysNoToTheGatewayHasSaidNoToNobody) {
    PresenceRig rig;
    both(rig);
    const xmpp::Jid gateway{{}, "capulet.test", {}};
    rig.user(PresenceType::unsubscribed, {}, gateway).user(PresenceType::unavailable, {}, gateway);
    rig.pass(2min);
    EXPECT_EQ(rig.told(), "");
    EXPECT_TRUE(rig.said.empty());
    rig.notify("active;expires=3600", pidf({"balcony/dnd"}));
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/balcony dnd");
    EXPECT_EQ(rig.watch_again("600"), 200);
    EXPECT_EQ(count(rig.said, "NOTIFY active"), 1u);
}

TEST(PresenceRules, PRES_95_WhoWatchesIsToldToNobody) {
    PresenceRig rig;
    both(rig);
    auto request = rig.watch_request();
    request.headers = {{"Event", "presence.winfo"}, {"Accept", "application/watcherinfo+xml"}, {"Expires", "600"}};
    const auto refusal = rig.ask(request);
    EXPECT_EQ(refusal.status, 489);
    EXPECT_EQ(*refusal.header("Allow-Events"), "presence");
    EXPECT_TRUE(rig.said.empty());
}

TEST(PresenceRules, PRES_98_ACallIsNoPresence) {
    PresenceRig rig;
    both(rig);
    const auto before = rig.last_notify_body();
    auto call = rig.publish_request({});
    call.method = "INVITE";
    call.uri = call.to.uri = uri("sip:romeo@montague.test");
    call.headers.clear();
    rig.ask(call);
    rig.pass(10s);
    EXPECT_TRUE(rig.said.empty()) << "nobody is told of it";
    EXPECT_EQ(rig.watch_again("600"), 200);
    EXPECT_EQ(rig.last_notify_body().find("on-the-phone"), std::string::npos);
    EXPECT_EQ(before.find("on-the-phone"), std::string::npos);
}

TEST(PresenceRules, PRES_112_AGatewaySpeaksForItsOwnUsersAlone) {
    PresenceRig rig;
    both(rig);
    auto foreign = rig.watch_request();
    foreign.from.uri = uri("sip:juliet@verona.test");
    EXPECT_EQ(rig.ask(foreign).status, 403);
    EXPECT_EQ(rig.told(), "") << "and nobody is asked";
    auto options = PresenceRig::default_options();
    config::Identity verona;
    verona.domain = "verona.test";
    options.peers.front().identities = {verona};
    options.scheme = config::AddressScheme::nested;
    PresenceRig gateway(options);
    EXPECT_EQ(gateway.ask(foreign).status, 200) << "unless that domain is its";
    EXPECT_EQ(gateway.watch(), 403) << "and then no other one";
}

// Clocks

/// The wall clock goes wrong by that much; what is steady goes on.
class WallClock : public ::testing::TestWithParam<std::chrono::seconds> {
protected:
    static constexpr UtcTime kThen{std::chrono::hours(24 * 365 * 50)};

    void receive(xmpp::Presence stanza, PresenceRig& rig) {
        rig.feed(
            StanzaIn{std::move(stanza), kThen + jump + std::chrono::duration_cast<UtcTime::duration>(rig.now - TimePoint{})});
    }
    std::chrono::seconds jump{0};
};

TEST_P(WallClock, NoSubscriptionEndsOrBeginsByIt) {
    PresenceRig rig;
    both(rig);
    const auto say = [&](const char* show) {
        xmpp::Presence made;
        made.from = {"romeo", "montague.test", "garden"};
        made.to = PresenceRig::kJuliet;
        made.payload = {xml::Element("jabber:component:accept", "show")};
        made.payload.front().children = {std::string(show)};
        receive(made, rig);
        rig.pass(5s);
    };
    say("away");
    rig.said.clear();
    jump = GetParam();
    say("dnd");
    EXPECT_EQ(rig.said, std::vector<std::string>{"NOTIFY active;expires=589"}) << "what is left of it is true";
    rig.said.clear();
    rig.pass(1h);
    EXPECT_EQ(count(rig.said, "SUBSCRIBE 3600"), 1u) << "refreshed once, as ever";
    EXPECT_EQ(count(rig.said, "NOTIFY terminated;reason=timeout"), 1u) << "the watcher's 600 s were over";
    EXPECT_EQ(rig.begun, 1u);
    EXPECT_EQ(rig.told().find("unsubscribed"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(OfAnHour, WallClock, ::testing::Values(3600s, -3600s));

/// The process was stopped, or its machine: everything that was due meanwhile is due at once.
TEST(SteadyClock, AnHourThatNobodySawIsMadeGood) {
    auto options = PresenceRig::default_options();
    options.presence.subscribe_rate = 10;
    PresenceRig rig(options);
    both(rig);
    rig.publish(pidf({"desk"}), "600");
    rig.said.clear();
    rig.first_state = "active;expires=3600";
    rig.now += 2h;
    rig.pass(0ms);
    EXPECT_EQ(count(rig.said, "NOTIFY terminated;reason=timeout"), 1u) << "the watcher was not there for so long";
    EXPECT_LE(count(rig.said, "SUBSCRIBE 3600"), 1u);
    rig.pass(2min);
    EXPECT_GE(rig.begun, 2u) << "ours is over as well, and begun anew";
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony/away"})), 200);
    rig.pass(1s);
    EXPECT_NE(rig.told().find("available juliet@capulet.test/balcony away"), std::string::npos);
    EXPECT_EQ(rig.told().find("unsubscribed"), std::string::npos);
    EXPECT_EQ(rig.publish({}).status, 412);
    EXPECT_EQ(rig.watch(), 200);
    EXPECT_EQ(count(rig.said, "NOTIFY active"), 1u) << "what was granted is granted";
}

}  // namespace stox::engine::test
