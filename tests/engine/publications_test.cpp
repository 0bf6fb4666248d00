// PUBLISH of a peer's (RFC 3903), from the request to what the users who watch the contact see.   (PRES-94)

#include "tests/engine/presence_rig.h"

#include <gtest/gtest.h>

#include <set>

namespace stox::engine::test {

namespace {

using namespace std::chrono_literals;
using xmpp::PresenceType;

std::string pidf(const std::vector<std::string>& tuples) { return PresenceRig::pidf(tuples); }

/// A contact who may be seen, and says nothing of itself.
PresenceRig& silent(PresenceRig& rig) { return rig.granted({}); }

}  // namespace

TEST(Published, PRES_94_WhatAContactPublishesIsSeenByWhoWatchesIt) {
    PresenceRig rig;
    silent(rig);
    const auto answer = rig.publish(pidf({"desk/away"}));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(*answer.header("Expires"), "600");
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk away");
    rig.pass(1s);
    rig.publish(pidf({"desk/dnd", "cell"}));
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/cell, available juliet@capulet.test/desk dnd");
    rig.pass(1s);
    EXPECT_EQ(rig.publish({}).status, 200) << "a refresh";
    EXPECT_EQ(rig.told(), "");
    rig.publish({}, "0");
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/cell, unavailable juliet@capulet.test/desk")
        << "unknown is not online";
}

TEST(Published, PRES_94_EachAnswerHasANewTag) {
    PresenceRig rig;
    std::set<std::string> tags;
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(rig.publish(i == 3 ? "" : pidf({"desk"})).status, 200);
        EXPECT_GE(rig.etag.size(), 20u) << "nobody guesses it";
        EXPECT_TRUE(tags.insert(rig.etag).second);
    }
    const auto wrong = rig.ask(rig.publish_request({}, {{"SIP-If-Match", *tags.begin() + "x"}}));
    EXPECT_EQ(wrong.status, 412);
    EXPECT_EQ(wrong.header("SIP-ETag"), nullptr);
}

TEST(Published, PRES_94_ItLapses) {
    PresenceRig rig;
    silent(rig);
    rig.publish(pidf({"desk"}), "60");
    rig.told();
    rig.pass(59s);
    EXPECT_EQ(rig.told(), "");
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/desk");
    EXPECT_EQ(rig.publish({}, "60").status, 412);
}

TEST(Published, PRES_94_WhatTheContactSaysItselfCountsMore) {
    PresenceRig rig;
    rig.granted(pidf({"balcony"}));
    EXPECT_EQ(rig.publish(pidf({"desk/dnd"})).status, 200);
    EXPECT_EQ(rig.told(), "") << "its subscription says what it is";
    rig.pass(1s);
    // Its notifier goes, and what it has said is not known to hold: what is published holds, and nobody sees it go.
    rig.subscribe_status = 503;
    rig.subscribe_headers = {{"Retry-After", "600"}};
    rig.notify("terminated;reason=probation;retry-after=600");
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony, available juliet@capulet.test/desk dnd");
    rig.subscribe_status = 200;
    rig.subscribe_headers = {{"Expires", "3600"}};
    rig.pass(590s);
    rig.told();
    rig.publish(pidf({"desk/dnd"}));
    rig.pass(20s);
    ASSERT_EQ(rig.begun, 2u);
    rig.notify("active;expires=3600", pidf({"balcony/away"}));
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/balcony away, unavailable juliet@capulet.test/desk");
    rig.pass(1s);
    rig.publish(pidf({"desk/away"}));
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "");
}

TEST(Published, PRES_94_NobodySeesThatItIsSaidByAnother) {
    PresenceRig rig;
    rig.granted(pidf({"balcony", "desk/dnd"}));
    rig.publish(pidf({"balcony", "desk"}), "3600");
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "");
    rig.subscribe_status = 503;
    rig.subscribe_headers.clear();
    rig.notify("terminated;reason=probation;retry-after=600");
    rig.pass(5min);
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk") << "what is the same is not told, and nobody goes and comes back";
}

TEST(Published, PRES_111_WhoHasMovedAndPublishesIsSeen) {
    PresenceRig rig;
    silent(rig);
    rig.pass(1min);
    rig.subscribe_status = 302;
    rig.notify("terminated;reason=deactivated");
    rig.pass(1s);
    rig.told();
    rig.user(PresenceType::probe);
    EXPECT_EQ(rig.told(), "error juliet@capulet.test") << "it is elsewhere";
    rig.pass(1s);
    rig.publish(pidf({"desk"}));
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk");
    rig.pass(1s);
    rig.user(PresenceType::probe);
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk");
}

TEST(Published, PRES_94_NobodySeesWhatTheyMayNot) {
    PresenceRig rig;
    rig.publish(pidf({"desk"}));
    rig.user(PresenceType::subscribe);
    EXPECT_EQ(rig.told(), "") << "it has not been decided";
    rig.notify("pending;expires=3600");
    rig.pass(1s);
    rig.publish(pidf({"desk/dnd"}));
    EXPECT_EQ(rig.told(), "");
    rig.notify("active;expires=3600");
    EXPECT_EQ(rig.told(), "subscribed juliet@capulet.test, available juliet@capulet.test/desk dnd");
    rig.pass(1s);
    rig.notify("terminated;reason=rejected");
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/desk, unsubscribed juliet@capulet.test");
    rig.publish(pidf({"desk"}));
    rig.pass(1min);
    EXPECT_EQ(rig.told(), "");
}

// A notifier that has come to doubt an agreement ends the dialog, or the user goes and comes: the doubt stays.
TEST(Published, PRES_94_AnAgreementInDoubtIsNone) {
    PresenceRig rig;
    rig.granted(pidf({"balcony"}));
    rig.publish(pidf({"desk"}), "3600");
    rig.pass(1min);
    rig.told();
    rig.notify("pending;expires=3600");
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony");
    rig.subscribe_status = 503;
    rig.subscribe_headers = {{"Retry-After", "600"}};
    rig.notify("terminated;reason=timeout");
    rig.pass(1min);
    EXPECT_EQ(rig.begun, 2u);
    rig.publish(pidf({"desk/dnd"}), "3600");
    rig.pass(1min);
    EXPECT_EQ(rig.told(), "");
    rig.subscribe_status = 200;
    rig.subscribe_headers = {{"Expires", "3600"}};
    rig.pass(490s);
    ASSERT_EQ(rig.begun, 3u);
    rig.notify("active;expires=3600");
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk dnd") << "as soon as it is none";
}

TEST(Published, PRES_94_AProbeIsNoPermission) {
    PresenceRig rig;
    rig.publish(pidf({"desk"}), "3600");
    rig.user(PresenceType::probe);
    rig.pass(10s);
    EXPECT_EQ(rig.begun, 1u);
    EXPECT_EQ(rig.told(), "") << "the contact has not answered";
    rig.notify("active;expires=3600");
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk");
}

TEST(Published, PRES_29_NobodyIsPretendedToBeThereWhoseStateIsKnown) {
    PresenceRig rig(PresenceRig::pretending());
    rig.user(PresenceType::subscribe);
    EXPECT_EQ(rig.told(), "subscribed juliet@capulet.test, available juliet@capulet.test/phone");
    rig.pass(1s);
    rig.publish(pidf({"-desk"}));
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/desk, unavailable juliet@capulet.test/phone");
    rig.pass(1s);
    rig.publish(pidf({"desk/dnd"}));
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk dnd");
    ASSERT_FALSE(rig.stanzas.empty());
    const auto& shown = std::get<xmpp::Presence>(rig.stanzas.back());
    EXPECT_TRUE(std::ranges::any_of(shown.payload, [](const auto& child) { return child.name == "c"; }))
        << "it can be called still";
    rig.user(PresenceType::probe);
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk dnd");
    rig.pass(1s);
    rig.publish({}, "0");
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/desk, available juliet@capulet.test/phone")
        << "nothing is known again";
    EXPECT_EQ(rig.begun, 0u);
}

TEST(Published, PRES_94_WhatWasPretendedIsNoPermission) {
    PresenceRig rig(PresenceRig::pretending());
    rig.user(PresenceType::subscribe);
    rig.publish(pidf({"desk"}), "3600");
    rig.pass(1s);
    ASSERT_NE(rig.told().find("available juliet@capulet.test/desk"), std::string::npos);
    rig.subscribe_status = 489;
    rig.feed(OptionsChanged{PresenceRig::default_options()});
    EXPECT_TRUE(std::ranges::any_of(rig.stanzas, [](const auto& stanza) {
        const auto* one = std::get_if<xmpp::Presence>(&stanza);
        return one && one->type == PresenceType::unavailable && one->from.resource == "desk";
    }));
    rig.pass(1s);
    EXPECT_EQ(rig.begun, 1u);
    EXPECT_EQ(rig.told().find("unsubscribed"), std::string::npos);
    rig.publish(pidf({"desk/dnd"}), "3600");
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "") << "no contact has agreed";
}

TEST(Published, PRES_18_WhoIsAwayIsToldWhenTheyAreBack) {
    PresenceRig rig(PresenceRig::pretending());
    rig.user(PresenceType::subscribe);
    rig.user(PresenceType::available);
    rig.publish(pidf({"desk"}));
    rig.pass(1s);
    rig.told();
    rig.user(PresenceType::unavailable);
    rig.publish(pidf({"desk/away"}));
    rig.pass(1min);
    EXPECT_EQ(rig.told(), "");
    rig.user(PresenceType::probe);
    EXPECT_EQ(rig.told(), "available juliet@capulet.test/desk away");
}

TEST(Published, PRES_94_WhatIsWrongWithItIsSaid) {
    PresenceRig rig(PresenceRig::pretending());
    rig.user(PresenceType::subscribe);
    rig.told();
    const auto answer = [&](auto change) {
        auto request = rig.publish_request(pidf({"desk"}));
        change(request);
        return rig.ask(request);
    };
    for (const auto* event : {"dialog", "presence.winfo", ";"}) {
        const auto refusal = answer([&](auto& r) { r.headers = {{"Event", event}}; });
        EXPECT_EQ(refusal.status, 489) << event;
        EXPECT_EQ(*refusal.header("Allow-Events"), "presence");
    }
    EXPECT_EQ(answer([](auto& r) { r.headers.clear(); }).status, 489);
    const auto brief = answer([](auto& r) { r.headers.push_back({"Expires", "59"}); });
    EXPECT_EQ(brief.status, 423);
    EXPECT_EQ(*brief.header("Min-Expires"), "60");
    for (const auto* type : {"text/plain", "application/pidf-diff+xml", "", ";"}) {
        const auto refusal = answer([&](auto& r) { r.content_type = type; });
        EXPECT_EQ(refusal.status, 415) << type;
        EXPECT_EQ(*refusal.header("Accept"), "application/pidf+xml");
    }
    const auto encoded = answer([](auto& r) { r.headers.push_back({"Content-Encoding", "gzip"}); });
    EXPECT_EQ(encoded.status, 415);
    EXPECT_EQ(*encoded.header("Accept-Encoding"), "identity");
    EXPECT_EQ(answer([](auto& r) { r.body = "<presence"; }).status, 400);
    EXPECT_EQ(answer([](auto& r) { r.body = "<!DOCTYPE x [<!ENTITY e 'e'>]><presence/>"; }).status, 400);
    EXPECT_EQ(answer([](auto& r) { r.body += std::string(70'000, ' '); }).status, 413);
    EXPECT_EQ(answer([](auto& r) { r.body.clear(), r.content_type.clear(); }).status, 400) << "nothing that could hold";
    EXPECT_EQ(answer([](auto& r) { r.headers.insert(r.headers.end(), 2, {"SIP-If-Match", "x"}); }).status, 400);
    EXPECT_EQ(answer([](auto& r) { r.headers.push_back({"Require", "x-one"}); }).status, 420);
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "") << "nothing of that was taken";
    EXPECT_EQ(*answer([](auto& r) { r.headers.push_back({"Expires", "86400"}); }).header("Expires"), "3600");
    EXPECT_EQ(*answer([](auto&) {}).header("Expires"), "3600");
    EXPECT_EQ(answer([](auto& r) { r.content_type = "Application/PIDF+xml;charset=utf-8"; }).status, 200);
}

TEST(Published, PRES_94_NobodyPublishesForAnother) {
    auto options = PresenceRig::pretending();
    options.peers.front().pai_trusted = true;
    PresenceRig rig(options);
    rig.user(PresenceType::subscribe);
    rig.told();
    const auto status = [&](auto change) {
        auto request = rig.publish_request(pidf({"-desk"}));
        change(request);
        return rig.ask(request).status;
    };
    EXPECT_EQ(status([](auto& r) { r.from.uri = uri("sip:tybalt@capulet.test"); }), 403) << "one contact for another";
    EXPECT_EQ(status([](auto& r) { r.headers.push_back({"P-Asserted-Identity", "<sip:tybalt@capulet.test>"}); }), 403);
    EXPECT_EQ(status([](auto& r) { r.from.uri = uri("sip:juliet@verona.test"); }), 403) << "no identity of that peer's";
    EXPECT_EQ(status([](auto& r) { r.from.uri = uri("sip:romeo@montague.test"), r.uri = r.from.uri; }), 403) << "a user of ours";
    EXPECT_EQ(status([](auto& r) { r.headers.push_back({"Privacy", "id"}); }), 433);
    EXPECT_EQ(status([](auto& r) { r.uri = uri("sip:romeo@montague.test"); }), 404) << "nobody watches users of ours so";
    auto request = rig.publish_request(pidf({"-desk"}));
    rig.request(request, Address::v4({10, 0, 0, 9}));
    EXPECT_EQ(rig.answer().status, 403) << "a stranger";
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "");
    EXPECT_EQ(status([](auto& r) { r.uri = uri("sip:juliet@capulet.test;gr=desk"); }), 200);
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/desk, unavailable juliet@capulet.test/phone");
}

TEST(Published, PRES_94_ACopyByAnotherWayIsNone) {
    PresenceRig rig;
    const auto request = rig.publish_request(pidf({"desk"}));
    EXPECT_EQ(rig.ask(request).status, 200);
    EXPECT_EQ(rig.ask(request).status, 482);
}

TEST(Published, PRES_92_AFlappingContactIsToldOnceASecond) {
    PresenceRig rig;
    silent(rig);
    unsigned told = 0;
    for (int i = 0; i < 100; ++i) {
        rig.publish(pidf({i % 3 == 0 ? "desk/dnd" : i % 3 == 1 ? "desk/away" : "desk/xa"}));
        rig.pass(100ms);
        told += rig.told().empty() ? 0 : 1;
    }
    EXPECT_GE(told, 9u);
    EXPECT_LE(told, 11u);
}

TEST(Published, PRES_92_WhoIsWatchedByAllStallsNobody) {
    auto options = PresenceRig::pretending();
    options.user_rate = 0;
    PresenceRig rig(options);
    constexpr unsigned kUsers = 500;
    for (unsigned i = 0; i < kUsers; ++i) {
        xmpp::Presence ask;
        ask.from = {"user" + std::to_string(i), "montague.test", {}};
        ask.to = PresenceRig::kJuliet;
        ask.type = PresenceType::subscribe;
        rig.stanza(ask);
        rig.pass(1s);
    }
    rig.told();
    rig.request(rig.publish_request(pidf({"desk/dnd"})));
    ASSERT_EQ(rig.answer().status, 200);
    std::set<std::string> told;
    unsigned ticks = 0;
    for (auto due = rig.engine.next_timeout(); due && *due <= rig.now + 900ms; due = rig.engine.next_timeout(), ++ticks) {
        rig.now = std::max(rig.now, *due);
        const auto before = told.size();
        rig.feed(Tick{});
        for (const auto& stanza : rig.stanzas)
            if (const auto* one = std::get_if<xmpp::Presence>(&stanza); one && one->from.resource == "desk")
                told.insert(one->to.to_string());
        ASSERT_LE(told.size() - before, 64u) << "a slice at a time";
    }
    EXPECT_EQ(told.size(), kUsers) << "and soon everybody";
    EXPECT_GE(ticks, kUsers / 64);
}

TEST(Published, CORE_71_WhoPublishesTooMuchIsToldToComeBack) {
    auto options = PresenceRig::default_options();
    options.user_rate = 5;
    PresenceRig rig(options);
    std::set<int> seen;
    for (int i = 0; i < 20; ++i) seen.insert(rig.ask(rig.publish_request(pidf({"desk"}))).status);
    EXPECT_EQ(seen, (std::set{200, 503}));
}

TEST(Published, PRES_94_ARestartForgetsThemAndSaysSo) {
    PresenceRig rig;
    silent(rig);
    rig.publish(pidf({"desk"}));
    rig.pass(1s);  // what is kept is written
    rig.told();
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.publish({}).status, 412);
    rig.etag.clear();
    EXPECT_EQ(rig.publish(pidf({"desk/away"})).status, 200);
    rig.pass(1s);
    EXPECT_NE(rig.told().find("available juliet@capulet.test/desk away"), std::string::npos);
}

TEST(Published, PRES_94_AReloadKeepsThoseOfPeersThatAreThere) {
    PresenceRig rig;
    silent(rig);
    rig.publish(pidf({"desk"}));
    rig.pass(1s);
    rig.told();
    rig.feed(OptionsChanged{PresenceRig::default_options()});
    EXPECT_EQ(rig.publish({}).status, 200);
    auto options = PresenceRig::default_options();
    options.presence.mode = config::PresenceMode::off;
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(rig.ask(rig.publish_request({}, {{"SIP-If-Match", rig.etag}})).status, 489);
    rig.feed(OptionsChanged{PresenceRig::default_options()});
    EXPECT_EQ(rig.publish({}).status, 412) << "what was off is forgotten";
    rig.etag.clear();
    EXPECT_EQ(rig.publish(pidf({"desk"})).status, 200);
    options = PresenceRig::default_options();
    options.peers.front().name = "others";
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(rig.publish({}).status, 412) << "nor is what a peer said that is none any more";
}

TEST(Published, PRES_94_AReloadForgetsWhatAPeerMayNotSayAnyMore) {
    PresenceRig rig;
    silent(rig);
    rig.publish(pidf({"desk"}));
    rig.pass(1s);
    rig.told();
    auto options = PresenceRig::default_options();
    options.peers.front().identities = {{{}, "juliet", {}}};
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(rig.publish({}).status, 200) << "of her it may speak still";
    options.peers.front().identities.front().user = "tybalt";
    rig.feed(OptionsChanged{options});
    rig.pass(1s);
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/desk");
    rig.feed(OptionsChanged{PresenceRig::default_options()});
    EXPECT_EQ(rig.publish({}).status, 412) << "nothing of it is left";
}

TEST(Published, AnAdministratorSeesHowManyThereAre) {
    PresenceRig rig;
    const auto used = [&] {
        const auto outcome = rig.engine.administer(read_order(admin_command(AdminVerb::limits), AdminArguments{}).value());
        for (const auto& row : outcome.tables.front().rows)
            if (std::get<std::string>(row[1]) == "publications") return std::get<std::uint64_t>(row[3]);
        return std::uint64_t{999};
    };
    EXPECT_EQ(used(), 0u);
    rig.publish(pidf({"desk"}));
    EXPECT_EQ(used(), 1u);
    rig.publish({}, "0");
    EXPECT_EQ(used(), 0u);
}

TEST(Published, AGracefulStopWithdrawsThemAndTakesNoMore) {
    PresenceRig rig;
    silent(rig);
    rig.publish(pidf({"desk"}));
    rig.pass(1s);
    rig.told();
    rig.feed(Shutdown{});
    bool withdrawn = false;
    for (const auto& stanza : rig.stanzas) {
        const auto* one = std::get_if<xmpp::Presence>(&stanza);
        withdrawn = withdrawn || (one && one->type == PresenceType::unavailable && one->from.resource == "desk");
    }
    EXPECT_TRUE(withdrawn);
    const auto answer = rig.ask(rig.publish_request(pidf({"desk"})));
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.header("Retry-After"));
}

TEST(Published, PRES_94_NothingIsPublishedInADialog) {
    PresenceRig rig;
    ASSERT_EQ(rig.watch(), 200);
    auto inside = rig.publish_request(pidf({"desk"}));
    inside.to.tag = "none-of-ours";
    EXPECT_EQ(rig.ask(inside).status, 481);
}

}  // namespace stox::engine::test
