// SIP contacts that watch XMPP users: from SUBSCRIBE to the stanzas, and from the stanzas to NOTIFY.   (RFC 8048 §5.3)

#include "plugin/engine/dialogs.h"
#include "plugin/engine/merged_requests.h"
#include "plugin/engine/presence/watchers.h"
#include "tests/engine/rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using xmpp::PresenceType;

const xmpp::Jid kRomeo{"romeo", "montague.test", {}}, kJuliet{"juliet", "capulet.test", {}};

/// juliet's phone at 10.0.0.1:5080 watches romeo.
class WatcherRig : public Rig {
public:
    explicit WatcherRig(config::DomainOptions options = default_options()) : Rig(std::move(options)) {}

    sip::Request subscribe_request(const std::string& expires = "600", const std::string& user = "sip:romeo@montague.test") {
        static unsigned number = 0;
        sip::Request made;
        made.method = "SUBSCRIBE";
        made.uri = uri(user);
        made.from = {"", uri("sip:juliet@capulet.test"), "w1"};
        made.to = {"", made.uri, ""};
        made.call_id = "watch" + std::to_string(++number);
        made.cseq = 1;
        made.contacts = {{{}, uri("sip:juliet@10.0.0.1:5080"), {}}};
        made.headers = {{"Event", "presence"}};
        if (!expires.empty()) made.headers.push_back({"Expires", expires});
        return made;
    }
    WatcherRig& subscribe(const std::string& expires = "600") {
        subscribed = subscribe_request(expires);
        request(subscribed);
        if (!answers.empty()) subscribed.to.tag = answers.front().response.to_tag;
        take_notify();
        return *this;
    }
    /// In the dialog of the latest one.
    WatcherRig& refresh(const std::string& expires, std::vector<sip::Header> more = {}) {
        ++subscribed.cseq;
        subscribed.headers = {{"Event", "presence"}, {"Expires", expires}};
        for (auto& one : more) subscribed.headers.push_back(std::move(one));
        auto inside = subscribed;
        if (notify) inside.uri = notify->contacts.front().uri;
        request(inside);
        take_notify();
        return *this;
    }
    WatcherRig& presence(PresenceType type, const std::string& resource = {}, std::vector<xml::Element> payload = {}) {
        xmpp::Presence made;
        made.from = kRomeo;
        made.from.resource = resource;
        made.to = kJuliet;
        made.type = type;
        made.payload = std::move(payload);
        stanza(made);
        take_notify();
        return *this;
    }
    WatcherRig& later(std::chrono::milliseconds time) {
        pass(time);
        take_notify();
        return *this;
    }
    /// The NOTIFY of the last input is answered, so that the next one may go.
    void take_notify() {
        notify.reset();
        notifies = 0;
        const auto all = sent;
        const auto [told, said] = std::pair(answers, stanzas);
        for (const auto& one : all) {
            if (one.request.method != "NOTIFY") continue;
            notify = one.request;
            ++notifies;
            if (!answer_notifies) continue;
            sip_response(one.transaction, notify_status);
        }
        sent = all, answers = told, stanzas = said;
    }
    std::string state() const { return notify ? *notify->header("Subscription-State") : "no NOTIFY"; }
    bool shows(const std::string& part) const { return notify && notify->body.find(part) != std::string::npos; }
    /// The only presence stanza of the last input.
    xmpp::Presence told() const {
        EXPECT_EQ(stanzas.size(), 1u);
        const auto* presence = stanzas.size() == 1 ? std::get_if<xmpp::Presence>(&stanzas.front()) : nullptr;
        return presence ? *presence : xmpp::Presence{};
    }
    WatcherRig& stand() {
        subscribe();
        presence(PresenceType::subscribed);
        presence(PresenceType::available, "orchard");
        return later(250ms);
    }

    sip::Request subscribed;
    std::optional<sip::Request> notify;
    std::size_t notifies = 0;
    bool answer_notifies = true;
    int notify_status = 200;
};

TEST(Watchers, PRES_30_ASubscribeIsAnsweredAtOnceAndRefusedWithWhatWouldDo) {
    WatcherRig rig;
    rig.subscribe("");
    EXPECT_EQ(rig.answer().status, 200);
    EXPECT_EQ(*rig.answer().header("Expires"), "3600");
    EXPECT_EQ(*WatcherRig().subscribe("86400").answer().header("Expires"), "3600");
    rig.subscribe("5");
    EXPECT_EQ(rig.answer().status, 423);
    EXPECT_EQ(*rig.answer().header("Min-Expires"), "60");
    auto other = rig.subscribe_request();
    other.headers = {{"Event", "dialog"}};
    EXPECT_EQ(rig.request(other).answer().status, 489);
    EXPECT_EQ(*rig.answer().header("Allow-Events"), "presence");
    auto none = rig.subscribe_request();
    none.headers.clear();
    EXPECT_EQ(rig.request(none).answer().status, 489);
    auto text = rig.subscribe_request();
    text.headers.push_back({"Accept", "text/plain"});
    EXPECT_EQ(rig.request(text).answer().status, 406);
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Watchers, PRES_31_PendingIsToldAtOnceWithoutABody) {
    WatcherRig rig;
    rig.subscribe();
    ASSERT_TRUE(rig.notify);
    EXPECT_EQ(rig.state(), "pending;expires=600");
    EXPECT_TRUE(rig.notify->body.empty());
    EXPECT_TRUE(rig.notify->content_type.empty());
}

TEST(Watchers, PRES_32_TheUserIsAskedOnceAndRefreshesAskNobody) {
    WatcherRig rig;
    rig.subscribe();
    const auto asked = rig.told();
    EXPECT_EQ(asked.type, PresenceType::subscribe);
    EXPECT_EQ(asked.from, kJuliet);
    EXPECT_EQ(asked.to, kRomeo);
    for (int i = 0; i < 10; ++i) {
        rig.refresh("600");
        EXPECT_EQ(rig.answer().status, 200);
        EXPECT_EQ(rig.state(), "pending;expires=600");
        EXPECT_TRUE(rig.stanzas.empty());
    }
}

TEST(Watchers, PRES_33_AnApprovalActivatesAndASilentUserIsProbed) {
    WatcherRig rig;
    rig.subscribe();
    rig.presence(PresenceType::subscribed);
    EXPECT_EQ(rig.state(), "active;expires=600");
    EXPECT_TRUE(rig.notify->body.empty());
    rig.later(1s);
    EXPECT_EQ(rig.told().type, PresenceType::probe);
    EXPECT_EQ(rig.told().to, kRomeo);
}

TEST(Watchers, PRES_34_DenialEndsPendingAndActiveOnes) {
    for (const bool active : {false, true}) {
        WatcherRig rig;
        active ? rig.stand() : rig.subscribe();
        rig.presence(PresenceType::unsubscribed);
        EXPECT_EQ(rig.state(), "terminated;reason=rejected");
        EXPECT_EQ(rig.refresh("600").answer().status, 481);
        rig.presence(PresenceType::available, "orchard");
        EXPECT_FALSE(rig.notify);
    }
}

TEST(Watchers, PRES_32_WhoSaidNoIsNotAskedAgainTheSameDay) {
    WatcherRig rig;
    rig.stand();
    rig.presence(PresenceType::unsubscribed);
    for (int minute = 0; minute < 3; ++minute) {
        rig.pass(1min);
        rig.subscribe("60");
        EXPECT_EQ(rig.state(), "pending;expires=60") << "as for anybody";
        EXPECT_TRUE(rig.notify->body.empty());
        EXPECT_TRUE(rig.stanzas.empty());
        if (minute == 1) rig.restart(), rig.feed(StreamUp{});
    }
    EXPECT_EQ(rig.disk.size(), 1u);
    for (const auto time : {std::chrono::milliseconds(61s), std::chrono::milliseconds(24h), 20ms}) rig.pass(time);
    EXPECT_TRUE(rig.disk.empty());
    EXPECT_EQ(rig.subscribe().told().type, PresenceType::subscribe);
}

TEST(Watchers, PRES_32_ADialogThatIsOnlyRefreshedAsksWhenTheDayIsOver) {
    WatcherRig rig;
    rig.stand();
    rig.presence(PresenceType::unsubscribed);
    rig.pass(1min);
    rig.subscribe("3600");
    const auto refresh_after = [&](std::chrono::minutes time) {
        rig.pass(time);
        ++rig.subscribed.cseq;
        auto inside = rig.subscribed;
        inside.uri = rig.notify->contacts.front().uri;
        SipRequestIn in{ServerTransaction{1'000 + inside.cseq}, inside, {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp};
        in.received = UtcTime(std::chrono::duration_cast<UtcTime::duration>(rig.now.time_since_epoch()));
        rig.feed(std::move(in));
        rig.take_notify();
        EXPECT_EQ(rig.state(), "pending;expires=3600");
    };
    for (int hour = 0; hour < 24; ++hour) {
        refresh_after(59min);
        ASSERT_TRUE(rig.stanzas.empty()) << "not before";
    }
    refresh_after(30min);
    EXPECT_EQ(rig.told().type, PresenceType::subscribe);
    rig.presence(PresenceType::subscribed);
    EXPECT_EQ(rig.state(), "active;expires=3600");
}

std::vector<WatcherRow> watcher_rows(const Rig& rig) {
    std::vector<WatcherRow> rows;
    for (const auto& record : rig.disk)
        if (const auto* row = std::get_if<WatcherRow>(&record.value)) rows.push_back(*row);
    return rows;
}

TEST(Watchers, PRES_32_WhoAsksToSeeTheContactIsAskedAgain) {
    WatcherRig rig;
    rig.subscribe();
    rig.presence(PresenceType::unsubscribed);
    rig.pass(1s);
    rig.subscribe();
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_EQ(rig.presence(PresenceType::subscribe).state(), "terminated;reason=deactivated") << "who waits comes again";
    rig.pass(20ms);
    EXPECT_TRUE(watcher_rows(rig).empty());
    EXPECT_EQ(rig.subscribe().told().type, PresenceType::subscribe);
    EXPECT_EQ(rig.presence(PresenceType::subscribe).notifies, 0u) << "they were asked";
    rig.presence(PresenceType::subscribed);
    EXPECT_EQ(rig.presence(PresenceType::subscribe).notifies, 0u) << "they have agreed";
    auto options = Rig::default_options();
    options.presence.relations = 1;
    WatcherRig let_go(options);
    let_go.subscribe("60");
    let_go.presence(PresenceType::unsubscribed);
    EXPECT_EQ(let_go.request(let_go.subscribe_request("60", "sip:mercutio@montague.test")).answer().status, 200);
    let_go.take_notify();
    let_go.pass(61s);
    let_go.presence(PresenceType::subscribe);
    EXPECT_EQ(let_go.subscribe().told().type, PresenceType::subscribe);
}

TEST(Watchers, AnAdministratorSeesThemAndForgetsWhatTheUserSaid) {
    WatcherRig rig;
    const auto order = [&](AdminVerb verb, const AdminArguments& arguments) {
        return rig.engine.administer(read_order(admin_command(verb), arguments).value());
    };
    const auto listed = [&] {
        std::string text;
        const auto outcome = order(AdminVerb::subscriptions, {{"user", "romeo@montague.test"}});
        for (const auto& row : outcome.tables.front().rows)
            text += std::get<std::string>(row[3]) + ' ' + std::get<std::string>(row[4]);
        return text;
    };
    const auto cancel = [&] {
        return order(AdminVerb::cancel_subscription, {{"user", "romeo@montague.test"}, {"contact", "juliet@capulet.test"}});
    };
    EXPECT_FALSE(cancel().done);
    rig.subscribe();
    EXPECT_EQ(listed(), "to_xmpp pending");
    rig.presence(PresenceType::unsubscribed);
    EXPECT_EQ(listed(), "to_xmpp refused");
    EXPECT_EQ(cancel().note, "juliet@capulet.test no longer watches romeo@montague.test.");
    rig.pass(20ms);
    rig.pass(20ms);
    EXPECT_EQ(listed(), "");
    EXPECT_TRUE(watcher_rows(rig).empty());
    EXPECT_EQ(rig.subscribe().told().type, PresenceType::subscribe);
    rig.presence(PresenceType::subscribed);
    EXPECT_EQ(listed(), "to_xmpp granted");
    EXPECT_TRUE(cancel().done);
    EXPECT_EQ(rig.later(0ms).state(), "terminated;reason=deactivated");
    EXPECT_FALSE(cancel().done);
}

/// romeo sees juliet, too, as another life has left it.
void add_contact(Rig& rig) {
    rig.disk.push_back({Collection::contacts, "romeo@montague.test juliet@capulet.test", ContactRow{kRomeo, kJuliet, true, {}}});
}

/// What romeo has said of juliet, as the next life will find it.
std::optional<WatcherRow::Said> said(const Rig& rig) {
    for (const auto& record : rig.disk)
        if (const auto* row = std::get_if<WatcherRow>(&record.value)) return row->said;
    return std::nullopt;
}

bool probes(const Rig& rig) {
    return std::ranges::any_of(rig.stanzas, [](const xmpp::Stanza& one) {
        const auto* presence = std::get_if<xmpp::Presence>(&one);
        return presence && presence->type == PresenceType::probe;
    });
}

// A server answers a probe with `unsubscribed` when the roster of the user does not let the contact see them.
TEST(Watchers, PRES_34_TheAnswerToAProbeOfOursIsNoDenial) {
    WatcherRig rig;
    add_contact(rig);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_TRUE(probes(rig));
    rig.subscribe();
    EXPECT_EQ(rig.presence(PresenceType::unsubscribed).notifies, 0u);
    EXPECT_EQ(rig.presence(PresenceType::unsubscribed).state(), "terminated;reason=rejected") << "that was the user";
    WatcherRig answered;
    add_contact(answered);
    answered.restart();
    answered.feed(StreamUp{});
    answered.presence(PresenceType::unsubscribed);
    answered.subscribe();
    EXPECT_EQ(answered.presence(PresenceType::unsubscribed).state(), "terminated;reason=rejected") << "one answer to one probe";
    WatcherRig late;
    add_contact(late);
    late.restart();
    late.feed(StreamUp{});
    late.pass(10s);
    late.subscribe();
    EXPECT_EQ(late.presence(PresenceType::unsubscribed).state(), "terminated;reason=rejected");
}

TEST(Watchers, PRES_34_WhoWaitsForTheUsersWordProbesNobody) {
    WatcherRig rig;
    rig.subscribe();
    rig.pass(20ms);
    add_contact(rig);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_FALSE(probes(rig));
    rig.pass(1s);
    EXPECT_FALSE(probes(rig));
    EXPECT_EQ(said(rig), WatcherRow::Said::asked);
    rig.presence(PresenceType::unsubscribed);
    rig.pass(20ms);
    ASSERT_EQ(watcher_rows(rig).size(), 1u);
    EXPECT_EQ(watcher_rows(rig).front().said, WatcherRow::Said::refused) << "an answer of the next day is one, too";
}

TEST(Watchers, PRES_34_WhoWasRefusedIsNotProbedForAndTheAnswerOfAServerEndsNoneOfTheirs) {
    WatcherRig rig;
    rig.subscribe();
    rig.presence(PresenceType::unsubscribed);
    rig.pass(20ms);
    add_contact(rig);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_FALSE(probes(rig));
    rig.pass(1s);
    EXPECT_FALSE(probes(rig));
    auto options = Rig::default_options();
    options.presence.relations = 1;
    WatcherRig let_go(options);
    add_contact(let_go);
    let_go.restart(options);
    let_go.feed(StreamUp{});
    let_go.pass(10s);
    let_go.subscribe("60");
    let_go.presence(PresenceType::unsubscribed);
    auto other = let_go.subscribe_request("60", "sip:mercutio@montague.test");
    EXPECT_EQ(let_go.request(other).answer().status, 200);
    let_go.take_notify();
    let_go.pass(61s);
    let_go.feed(StreamDown{});
    let_go.feed(StreamUp{});
    EXPECT_TRUE(probes(let_go)) << "nobody watches";
    let_go.subscribe();
    EXPECT_EQ(let_go.state(), "pending;expires=600");
    EXPECT_EQ(let_go.presence(PresenceType::unsubscribed).notifies, 0u);
    EXPECT_EQ(let_go.presence(PresenceType::unsubscribed).state(), "terminated;reason=rejected") << "that was the user";
}

TEST(Watchers, PRES_34_WhatWasGrantedAServerTakesBack) {
    WatcherRig rig;
    rig.stand();
    rig.pass(20ms);
    add_contact(rig);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_TRUE(probes(rig));
    rig.presence(PresenceType::unsubscribed);
    rig.pass(20ms);
    EXPECT_TRUE(watcher_rows(rig).empty());
    rig.subscribe();
    EXPECT_EQ(rig.state(), "pending;expires=600");
    EXPECT_EQ(rig.told().type, PresenceType::subscribe) << "the user has not said no";
}

TEST(Watchers, PRES_34_AServerThatAnswersTheProbeOfAWatcherSpeaksForNobody) {
    WatcherRig rig;
    rig.subscribe();
    rig.presence(PresenceType::subscribed);
    rig.later(1s);
    EXPECT_TRUE(probes(rig));
    EXPECT_EQ(rig.presence(PresenceType::unsubscribed).state(), "terminated;reason=rejected");
    EXPECT_EQ(rig.subscribe().told().type, PresenceType::subscribe);
    WatcherRig late;
    late.subscribe();
    late.presence(PresenceType::subscribed);
    late.later(1s);
    EXPECT_TRUE(probes(late));
    late.later(10s);
    late.presence(PresenceType::unsubscribed);
    late.subscribe();
    EXPECT_EQ(late.state(), "pending;expires=600");
    EXPECT_TRUE(late.stanzas.empty()) << "that was the user";
}

TEST(Watchers, PRES_34_PresenceAnswersAProbeSoThatANoAfterItIsTheUsers) {
    WatcherRig rig;
    rig.stand();
    rig.pass(20ms);
    add_contact(rig);
    rig.restart();
    rig.feed(StreamUp{});
    rig.pass(0ms);
    rig.presence(PresenceType::available, "orchard");
    rig.presence(PresenceType::unsubscribed);
    rig.pass(20ms);
    ASSERT_EQ(watcher_rows(rig).size(), 1u);
    EXPECT_EQ(watcher_rows(rig).front().said, WatcherRow::Said::refused);
}

TEST(Watchers, PRES_35_AnApprovedWatcherIsActiveStraightAway) {
    WatcherRig rig;
    rig.stand();
    rig.subscribe();
    EXPECT_EQ(rig.state(), "active;expires=600");
    EXPECT_TRUE(rig.shows("<basic>open</basic>")) << rig.notify->body;
    EXPECT_TRUE(rig.stanzas.empty());
    rig.feed(StreamDown{});
    rig.feed(StreamUp{});
    rig.pass(0ms);
    EXPECT_EQ(rig.told().type, PresenceType::probe) << "what was known may be wrong by now";
    rig.subscribe();
    EXPECT_EQ(rig.state(), "active;expires=600");
    EXPECT_TRUE(rig.notify->body.empty());
}

TEST(Watchers, PRES_36_ARefreshIsToldTheStateOrNothing) {
    WatcherRig rig;
    rig.subscribe();
    rig.presence(PresenceType::subscribed);
    EXPECT_EQ(rig.refresh("600").state(), "active;expires=600");
    EXPECT_TRUE(rig.notify->body.empty());
    rig.presence(PresenceType::available, "orchard");
    rig.later(250ms);
    rig.refresh("300");
    EXPECT_EQ(rig.state(), "active;expires=300");
    EXPECT_TRUE(rig.shows("<basic>open</basic>"));
    EXPECT_EQ(rig.notify->content_type, "application/pidf+xml");
}

TEST(Watchers, PRES_37_WhoLeavesIsToldClosedAndTheUserThatTheyAreGone) {
    WatcherRig rig;
    rig.stand();
    rig.refresh("0");
    EXPECT_EQ(rig.answer().status, 200);
    EXPECT_EQ(rig.state(), "terminated;reason=timeout");
    EXPECT_TRUE(rig.shows("<basic>closed</basic>"));
    EXPECT_FALSE(rig.shows("<basic>open</basic>"));
    EXPECT_EQ(rig.told().type, PresenceType::unavailable);
    EXPECT_EQ(rig.subscribe().state(), "active;expires=600") << "the authorisation stays";
}

TEST(Watchers, PRES_38_TimeEndsItTheSameWay) {
    WatcherRig rig;
    rig.subscribe("60");
    rig.presence(PresenceType::subscribed);
    rig.presence(PresenceType::available, "orchard");
    rig.later(250ms);
    rig.pass(59s);
    rig.later(1s);
    EXPECT_EQ(rig.state(), "terminated;reason=timeout");
    EXPECT_TRUE(rig.shows("<basic>closed</basic>"));
    EXPECT_EQ(rig.told().type, PresenceType::unavailable);
}

TEST(Watchers, PRES_40_AStrangersPollTellsNothingAndAsksNobody) {
    WatcherRig rig;
    rig.subscribe("0");
    EXPECT_EQ(rig.answer().status, 200);
    EXPECT_EQ(*rig.answer().header("Expires"), "0");
    EXPECT_EQ(rig.state(), "terminated;reason=timeout");
    EXPECT_TRUE(rig.notify->body.empty());
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_TRUE(rig.disk.empty());
}

TEST(Watchers, PRES_40_AnApprovedPollIsProbedForAndAnswered) {
    WatcherRig rig;
    rig.subscribe();
    rig.presence(PresenceType::subscribed);
    rig.refresh("0");
    rig.subscribe("0");
    EXPECT_EQ(rig.answer().status, 200);
    EXPECT_FALSE(rig.notify) << "the 200 waits for nobody, the NOTIFY does";
    EXPECT_EQ(rig.told().type, PresenceType::probe);
    rig.presence(PresenceType::available, "orchard");
    rig.later(250ms);
    EXPECT_EQ(rig.state(), "terminated;reason=timeout");
    EXPECT_TRUE(rig.shows("<basic>open</basic>"));
}

/// To what the user was sent last, whatever else of the pair may come back.
WatcherRig& fail(WatcherRig& rig, xmpp::Presence sent, xmpp::Condition condition) {
    std::swap(sent.from, sent.to);
    sent.type = PresenceType::error;
    sent.error.emplace();
    sent.error->condition = condition;
    auto other = sent;
    other.id = "another";
    rig.stanza(other);
    EXPECT_TRUE(rig.sent.empty()) << "an error to something else";
    rig.stanza(sent);
    rig.take_notify();
    return rig;
}

TEST(Watchers, PRES_41_AnErrorOfTheServerEndsWhatWasGranted) {
    using xmpp::Condition;
    for (const auto& [condition, reason] :
         {std::pair(Condition::item_not_found, "noresource"), std::pair(Condition::forbidden, "rejected"),
          std::pair(Condition::remote_server_timeout, "probation;retry-after=300")}) {
        WatcherRig rig;
        rig.subscribe();
        rig.presence(PresenceType::subscribed);
        rig.later(1s);
        EXPECT_EQ(fail(rig, rig.told(), condition).state(), std::string("terminated;reason=") + reason);
        rig.pass(20ms);
        EXPECT_EQ(rig.disk.empty(), condition != Condition::remote_server_timeout);
    }
}

TEST(Watchers, PRES_41_PRES_91_WhileItIsPendingAnErrorTellsNothing) {
    using xmpp::Condition;
    for (const auto condition : {Condition::item_not_found, Condition::forbidden, Condition::remote_server_timeout}) {
        const bool passes = condition == Condition::remote_server_timeout;
        WatcherRig rig;
        rig.subscribe("3600");
        EXPECT_EQ(fail(rig, rig.told(), condition).notifies, 0u);
        EXPECT_EQ(rig.later(299s).notifies, 0u);
        rig.refresh("3600");
        EXPECT_EQ(rig.state(), "pending;expires=3600");
        EXPECT_TRUE(rig.stanzas.empty());
        rig.pass(1s);
        rig.refresh("3600");
        EXPECT_EQ(rig.state(), "pending;expires=3600");
        EXPECT_EQ(rig.stanzas.size(), passes ? 1u : 0u) << "the user is asked again";
        rig.refresh("3600");
        EXPECT_TRUE(rig.stanzas.empty());
        rig.presence(PresenceType::subscribed);
        EXPECT_EQ(rig.state(), "active;expires=3600");
    }
}

TEST(Watchers, PRES_42_ANotifyThatIsRefusedForGoodIsTheLast) {
    WatcherRig rig;
    rig.stand();
    rig.notify_status = 481;
    rig.presence(PresenceType::unavailable, "orchard");
    rig.later(5s);
    EXPECT_EQ(rig.notifies, 1u);
    rig.notify_status = 200;
    rig.presence(PresenceType::available, "orchard");
    rig.later(10s);
    EXPECT_EQ(rig.notifies, 0u);
    EXPECT_EQ(rig.subscribe().state(), "active;expires=600");
    rig.notify_status = 503;
    rig.presence(PresenceType::unavailable, "orchard");
    rig.later(5s);
    rig.presence(PresenceType::available, "orchard");
    rig.later(6s);
    EXPECT_EQ(rig.notifies, 1u) << "what may pass leaves it in place";
}

TEST(Watchers, PRES_44_AnUnsubscribeIsAboutTheOtherDirection) {
    WatcherRig rig;
    rig.stand();
    rig.presence(PresenceType::unsubscribe);
    EXPECT_FALSE(rig.notify);
    EXPECT_EQ(rig.refresh("600").answer().status, 200);
}

TEST(Watchers, PRES_45_TwoPhonesAreOneQuestionAndTwoStreamsOfNotify) {
    WatcherRig rig;
    rig.subscribe();
    rig.subscribe();
    EXPECT_TRUE(rig.stanzas.empty());
    rig.presence(PresenceType::subscribed);
    EXPECT_EQ(rig.notifies, 2u);
    rig.presence(PresenceType::available, "orchard");
    EXPECT_EQ(rig.later(250ms).notifies, 2u);
}

TEST(Watchers, PRES_52_AResourceThatGoesIsClosedInOneDocument) {
    WatcherRig rig;
    rig.stand();
    rig.presence(PresenceType::available, "balcony");
    rig.later(6s);
    EXPECT_TRUE(rig.shows("ID-orchard"));
    EXPECT_TRUE(rig.shows("ID-balcony"));
    rig.presence(PresenceType::unavailable, "balcony");
    rig.later(6s);
    EXPECT_TRUE(rig.shows("<basic>closed</basic>"));
    EXPECT_TRUE(rig.shows("ID-balcony"));
    rig.presence(PresenceType::available, "orchard", {xml::Element("jabber:component:accept", "show")});
    xml::Element show("jabber:component:accept", "show");
    show.add_text("away");
    rig.presence(PresenceType::available, "orchard", {show});
    rig.later(6s);
    EXPECT_TRUE(rig.shows("away")) << rig.notify->body;
    EXPECT_FALSE(rig.shows("ID-balcony"));
    rig.presence(PresenceType::unavailable, "orchard");
    rig.later(6s);
    EXPECT_FALSE(rig.shows("<basic>open</basic>"));
}

TEST(Watchers, PRES_90_WhatOneMaySeeIsNotShownToAnother) {
    auto options = Rig::default_options();
    options.peers.front().identities = {{"capulet.test", {}, {}}};
    WatcherRig rig(options);
    rig.stand();
    auto tybalt = rig.subscribe_request();
    tybalt.from.uri = uri("sip:tybalt@capulet.test");
    rig.request(tybalt);
    rig.take_notify();
    EXPECT_EQ(rig.state(), "pending;expires=600");
    EXPECT_TRUE(rig.notify->body.empty());
    rig.presence(PresenceType::available, "balcony");
    EXPECT_EQ(rig.later(6s).notifies, 1u);
    EXPECT_EQ(rig.notify->to.uri, uri("sip:juliet@capulet.test"));
}

std::string bare_of_tags(const sip::Response& response) {
    std::string text = std::to_string(response.status);
    for (const auto& header : response.headers) text += '\n' + header.name + ": " + header.value;
    return text + response.body;
}

TEST(Watchers, PRES_91_ExistingMissingAndBlockedUsersAreAnsweredAlike) {
    std::set<std::string> answers;
    for (const auto* user : {"sip:romeo@montague.test", "sip:nobody@montague.test", "sip:mercutio@montague.test"}) {
        WatcherRig rig;
        rig.request(rig.subscribe_request("600", user));
        const auto answer = bare_of_tags(rig.answer());
        rig.take_notify();
        answers.insert(answer + rig.state() + rig.notify->body);
    }
    EXPECT_EQ(answers.size(), 1u);
}

TEST(Watchers, PRES_92_AFlappingClientIsAFewNotifies) {
    WatcherRig rig;
    rig.stand();
    std::size_t told = 0;
    for (int i = 0; i < 100; ++i) {
        rig.presence(i % 2 == 0 ? PresenceType::unavailable : PresenceType::available, "orchard");
        told += rig.notifies;
        rig.later(200ms);
        told += rig.notifies;
    }
    EXPECT_GE(told, 4u);
    EXPECT_LE(told, 5u) << "in 20 s";
}

TEST(Watchers, PRES_101_WhoIsNotAuthenticatedIsChallengedAndNobodyIsAsked) {
    WatcherRig rig;
    rig.request(rig.subscribe_request(), Address::v4({10, 9, 9, 9}));
    EXPECT_EQ(rig.answer().status, 403) << "this domain has no realm for it";
    EXPECT_TRUE(rig.stanzas.empty());
    auto stranger = rig.subscribe_request();
    stranger.from.uri = uri("sip:tybalt@verona.test");
    EXPECT_EQ(rig.request(stranger).answer().status, 403) << "nobody whom the peer may speak for";
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(Watchers, PRES_105_AMuteServerHoldsNothingUp) {
    WatcherRig rig;
    rig.feed(StreamDown{});
    rig.subscribe();
    EXPECT_EQ(rig.answer().status, 200);
    EXPECT_EQ(rig.state(), "pending;expires=600");
    rig.feed(StreamUp{});
    rig.pass(0ms);
    EXPECT_EQ(rig.told().type, PresenceType::subscribe) << "the question waited for the stream";
}

TEST(Watchers, CORE_05_WithoutStreamASubscribeIsServedAndItsQuestionWaits) {
    WatcherRig rig;
    rig.stand();  // romeo has agreed
    rig.feed(StreamDown{});
    rig.refresh("600");
    EXPECT_EQ(rig.answer().status, 200) << "a dialog goes on";
    EXPECT_EQ(rig.state(), "active;expires=600");
    rig.subscribe();
    EXPECT_EQ(rig.answer().status, 200);
    EXPECT_FALSE(rig.answer().header("Retry-After"));
    EXPECT_EQ(rig.state(), "active;expires=600") << "what was granted holds";
    EXPECT_TRUE(rig.notify->body.empty()) << "and nothing is known";
    auto other = rig.subscribe_request("600", "sip:mercutio@montague.test");
    rig.request(other);
    EXPECT_EQ(rig.answer().status, 200);
    rig.take_notify();
    EXPECT_EQ(rig.state(), "pending;expires=600");
    EXPECT_TRUE(rig.stanzas.empty());

    rig.feed(StreamUp{});
    std::map<std::string, PresenceType> asked;
    for (int turn = 0; turn < 3; ++turn) {
        rig.pass(50ms);
        for (const auto& stanza : rig.stanzas)
            if (const auto* one = std::get_if<xmpp::Presence>(&stanza)) asked[one->to.local] = one->type;
    }
    EXPECT_EQ(asked, (std::map<std::string, PresenceType>{{"mercutio", PresenceType::subscribe}, {"romeo", PresenceType::probe}}));
    rig.presence(PresenceType::available, "orchard");
    rig.later(5s);
    EXPECT_EQ(rig.notifies, 2u) << "to both dialogs";
    EXPECT_TRUE(rig.shows("<basic>open</basic>"));
}

TEST(Watchers, PRES_106_AServersReceiptIsNoAnswer) {
    WatcherRig rig;
    rig.subscribe();
    rig.presence(PresenceType::unavailable);
    EXPECT_FALSE(rig.notify);
    rig.later(10s);
    EXPECT_FALSE(rig.notify);
    EXPECT_EQ(rig.refresh("600").state(), "pending;expires=600");
}

TEST(Watchers, PRES_107_ThreeApprovalsAreOneNotify) {
    WatcherRig rig;
    rig.subscribe();
    std::size_t told = 0;
    for (int i = 0; i < 3; ++i) told += rig.presence(PresenceType::subscribed).notifies;
    EXPECT_EQ(told, 1u);
}

TEST(Watchers, PRES_110_ARefreshThatTakesNoPidfIsRefused) {
    WatcherRig rig;
    rig.stand();
    EXPECT_EQ(rig.refresh("600", {{"Accept", "text/plain"}}).answer().status, 406);
    EXPECT_EQ(rig.refresh("600", {{"Accept", "application/pidf+xml"}}).answer().status, 200);
}

TEST(Watchers, PRES_43_WhatTheUserSaidOutlivesTheProcessAndDialogsDoNot) {
    WatcherRig rig;
    rig.subscribe();
    rig.pass(20ms);
    ASSERT_EQ(rig.disk.size(), 1u);
    rig.restart();
    rig.feed(StreamUp{});
    EXPECT_EQ(rig.refresh("600").answer().status, 481);
    rig.subscribe();
    EXPECT_EQ(rig.state(), "pending;expires=600");
    EXPECT_TRUE(rig.stanzas.empty()) << "the user was asked before";
    rig.presence(PresenceType::subscribed);
    rig.pass(1s);
    rig.restart();
    rig.feed(StreamUp{});
    rig.pass(0ms);
    EXPECT_EQ(rig.subscribe().state(), "active;expires=600");
    EXPECT_EQ(rig.told().type, PresenceType::probe);
}

TEST(Watchers, PRES_43_WhatWasGrantedHoldsForWhoCameBeforeTheStoreWasRead) {
    WatcherRig rig;
    rig.subscribe();
    EXPECT_EQ(rig.state(), "pending;expires=600");
    WatcherRow row{kRomeo, kJuliet};
    row.peer = "phones";
    rig.disk.push_back({Collection::watchers, "before", row});
    rig.feed(Restored{{rig.disk.back()}});
    rig.take_notify();
    EXPECT_EQ(rig.state(), "active;expires=600");
    rig.pass(20ms);
    ASSERT_EQ(watcher_rows(rig).size(), 1u);
    EXPECT_EQ(watcher_rows(rig).front().said, WatcherRow::Said::granted);
    EXPECT_EQ(rig.subscribe().state(), "active;expires=600");
}

TEST(Watchers, AGracefulStopSaysWhenToComeBackAndARemovalForgets) {
    for (const auto why : {Shutdown::Why::stop, Shutdown::Why::removed}) {
        WatcherRig rig;
        rig.stand();
        rig.pass(1s);
        rig.feed(Shutdown{why});
        rig.take_notify();
        const bool stops = why == Shutdown::Why::stop;
        EXPECT_EQ(rig.state(), stops ? "terminated;reason=probation;retry-after=10" : "terminated;reason=noresource");
        rig.pass(100ms);
        EXPECT_EQ(rig.disk.empty(), !stops);
    }
}

TEST(Watchers, WatchersOfAUserOfAPeerAndOfTheDomainAreBounded) {
    auto options = Rig::default_options();
    options.presence.watchers_per_user = 2;
    const auto watch = [](WatcherRig& rig, const std::string& who, const std::string& user) {
        auto request = rig.subscribe_request("600", user);
        request.from.uri = uri(who);
        return rig.request(request).answer().status;
    };
    WatcherRig users(options);
    EXPECT_EQ(watch(users, "sip:a@capulet.test", "sip:romeo@montague.test"), 200);
    EXPECT_EQ(watch(users, "sip:b@capulet.test", "sip:romeo@montague.test"), 200);
    EXPECT_EQ(watch(users, "sip:c@capulet.test", "sip:romeo@montague.test"), 200) << "as if there were no such user   (PRES-91)";
    EXPECT_TRUE(users.stanzas.empty());
    ASSERT_EQ(users.sent.size(), 1u);
    EXPECT_EQ(*users.sent.front().request.header("Subscription-State"), "pending;expires=600");
    users.sip_response(users.sent.front().transaction, 200);
    EXPECT_TRUE(users.sent.empty());
    EXPECT_EQ(watch(users, "sip:c@capulet.test", "sip:mercutio@montague.test"), 200);
    options = Rig::default_options();
    options.presence.watchers_per_peer = 2;
    WatcherRig peers(options);
    for (const int status : {200, 200, 503}) EXPECT_EQ(watch(peers, "sip:a@capulet.test", "sip:romeo@montague.test"), status);
    options = Rig::default_options();
    options.presence.relations = 1;
    WatcherRig relations(options);
    EXPECT_EQ(watch(relations, "sip:a@capulet.test", "sip:romeo@montague.test"), 200);
    EXPECT_EQ(watch(relations, "sip:a@capulet.test", "sip:mercutio@montague.test"), 503);
    EXPECT_EQ(watch(relations, "sip:a@capulet.test", "sip:romeo@montague.test"), 200) << "the same relation again";
}

/// Who watches whom; each is somebody else.
int watch(WatcherRig& rig, const std::string& who, const std::string& user, const std::string& expires = "600") {
    auto request = rig.subscribe_request(expires, "sip:" + user + "@montague.test");
    request.from.uri = uri("sip:" + who + "@capulet.test");
    const auto status = rig.request(request).answer().status;
    rig.take_notify();
    return status;
}

config::DomainOptions fast_options() {
    auto options = Rig::default_options();
    options.user_rate = 100'000;
    return options;
}

std::set<std::string> users_on_disk(const WatcherRig& rig) {
    std::set<std::string> users;
    for (const auto& record : rig.disk)
        if (const auto* row = std::get_if<WatcherRow>(&record.value)) users.insert(row->user.local);
    return users;
}

TEST(Watchers, PRES_45_ThePhonesOfOneContactAreBoundedAndSoAreTheUsersItWatches) {
    WatcherRig pair(fast_options());
    for (std::size_t phone = 0; phone < Watchers::kPerPair; ++phone) EXPECT_EQ(watch(pair, "juliet", "romeo"), 200);
    for (const auto* user : {"romeo", "romeo"}) {
        EXPECT_EQ(watch(pair, "juliet", user), 486) << "503 would be about the whole peer";
        EXPECT_TRUE(pair.answer().header("Retry-After"));
    }
    EXPECT_EQ(watch(pair, "nurse", "romeo"), 200);
    EXPECT_EQ(watch(pair, "juliet", "mercutio"), 200);
    WatcherRig author(fast_options());
    for (std::size_t phone = 0; phone < Watchers::kPerAuthor; ++phone)
        ASSERT_EQ(watch(author, "juliet", "u" + std::to_string(phone / 2)), 200) << phone;
    EXPECT_EQ(watch(author, "juliet", "one-more"), 486);
    EXPECT_TRUE(author.stanzas.empty());
    EXPECT_EQ(watch(author, "nurse", "one-more"), 200);
}

TEST(Watchers, PRES_91_WhoFindsNoRoomAtAUserWaitsLikeAnybodyAndIsCounted) {
    auto options = fast_options();
    options.presence.watchers_per_user = 1;
    options.presence.watchers_per_peer = 2;
    WatcherRig rig(options);
    EXPECT_EQ(watch(rig, "juliet", "romeo"), 200);
    const auto first = rig.state();
    rig.subscribed = rig.subscribe_request("600");
    rig.subscribed.from.uri = uri("sip:nurse@capulet.test");
    EXPECT_EQ(rig.request(rig.subscribed).answer().status, 200);
    rig.subscribed.to.tag = rig.answer().to_tag;
    rig.take_notify();
    EXPECT_EQ(rig.state(), first);
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_EQ(rig.refresh("600").state(), first);
    EXPECT_EQ(watch(rig, "tybalt", "mercutio"), 503) << "of the peer there are two";
    rig.refresh("0");
    EXPECT_EQ(rig.state(), "terminated;reason=timeout");
    EXPECT_TRUE(rig.notify->body.empty());
    rig.pass(1s);
    EXPECT_EQ(watch(rig, "tybalt", "romeo"), 200);
    options.presence.mode = config::PresenceMode::off;
    rig.feed(OptionsChanged{options});
    rig.take_notify();
    EXPECT_EQ(rig.notifies, 2u);
    EXPECT_EQ(rig.state(), "terminated;reason=noresource");
}

TEST(Watchers, PRES_91_HowManyPhonesFindRoomTellsNothingOfTheUser) {
    for (const unsigned room : {100u, 1u}) {
        auto options = fast_options();
        options.presence.watchers_per_user = room;
        WatcherRig rig(options);
        ASSERT_EQ(watch(rig, "nurse", "romeo"), 200);
        for (std::size_t phone = 0; phone < Watchers::kPerPair; ++phone) ASSERT_EQ(watch(rig, "juliet", "romeo"), 200) << room;
        EXPECT_EQ(watch(rig, "juliet", "romeo"), 486) << "romeo has room for " << room;
        EXPECT_EQ(watch(rig, "juliet", "mercutio"), 200);
    }
}

TEST(Watchers, PRES_40_WhatIsAnsweredAtOnceCountsUntilItIsOver) {
    WatcherRig rig(fast_options());
    rig.answer_notifies = false;
    for (std::size_t poll = 0; poll < Watchers::kPerAuthor; ++poll) ASSERT_EQ(watch(rig, "juliet", "romeo", "0"), 200) << poll;
    rig.pass(1s);
    EXPECT_EQ(watch(rig, "juliet", "romeo", "0"), 486);
    EXPECT_EQ(watch(rig, "juliet", "mercutio"), 486);
    EXPECT_EQ(watch(rig, "nurse", "romeo", "0"), 200);
    rig.pass(70s);
    EXPECT_EQ(watch(rig, "juliet", "romeo", "0"), 200) << "nobody has answered";
    WatcherRig answered(fast_options());
    for (std::size_t poll = 0; poll < 2 * Watchers::kPerAuthor; ++poll) {
        ASSERT_EQ(watch(answered, "juliet", "romeo", "0"), 200) << poll;
        answered.pass(1ms);
    }
}

TEST(Watchers, PRES_91_WhoIsPutOffCountsUntilItIsOver) {
    auto options = fast_options();
    options.presence.watchers_per_user = 1;
    options.presence.watchers_per_peer = 3;
    WatcherRig rig(options);
    rig.answer_notifies = false;
    for (const auto& [who, status] : {std::pair("a", 200), std::pair("b", 200), std::pair("c", 200), std::pair("d", 503)})
        EXPECT_EQ(watch(rig, who, "romeo"), status) << who;
}

TEST(Watchers, ATenthOfAllDialogsIsThereForWhatUsersAskFor) {
    EXPECT_TRUE(Dialogs::leaves_room(36'000, 72'000));
    EXPECT_FALSE(Dialogs::leaves_room(36'001, 36'001));
    EXPECT_FALSE(Dialogs::leaves_room(1, 72'001));
}

TEST(Watchers, PRES_61_OneDocumentIsWrittenForAllPhonesAndNoneGetsItTwice) {
    WatcherRig rig;
    rig.stand();
    rig.pass(10s);
    const auto first = rig.subscribe().notify->body;
    rig.pass(10ms);
    EXPECT_EQ(rig.subscribe().notify->body, first);
    rig.pass(10ms);
    const auto again = rig.refresh("600").notify->body;
    EXPECT_NE(again, first) << "another time stamp";
    EXPECT_TRUE(rig.shows("<basic>open</basic>"));
    EXPECT_EQ(rig.subscribe("0").notify->body, again) << "a poll";
    rig.presence(PresenceType::available, "balcony");
    rig.later(10s);
    EXPECT_EQ(rig.notifies, 3u);
    EXPECT_TRUE(rig.shows("ID-balcony"));
    rig.subscribe();
    EXPECT_TRUE(rig.shows("ID-balcony"));
    rig.presence(PresenceType::unavailable, "balcony");
    rig.subscribe();
    EXPECT_FALSE(rig.shows("ID-balcony"));
    rig.later(10s);
    EXPECT_TRUE(rig.shows("<basic>closed</basic>")) << "who has gone is told to those who knew of them";
    EXPECT_FALSE(rig.subscribe().shows("<basic>closed</basic>")) << "and to nobody else";
}

TEST(Watchers, PRES_43_QuestionsThatNobodyWaitsForMakeRoomOldestFirstAndGrantsNever) {
    auto options = fast_options();
    options.presence.relations = 3;
    options.presence.watchers_per_peer = 100;
    WatcherRig rig(options);
    rig.stand();
    rig.refresh("0");
    // A quarter of three is one: that is what a peer's strangers may have.
    EXPECT_EQ(watch(rig, "juliet", "mercutio", "60"), 200);
    EXPECT_EQ(watch(rig, "juliet", "benvolio", "60"), 503) << "somebody waits for the answer";
    EXPECT_TRUE(rig.stanzas.empty());
    rig.pass(61s);
    EXPECT_EQ(watch(rig, "juliet", "benvolio", "60"), 200);
    rig.pass(20ms);
    EXPECT_EQ(users_on_disk(rig), (std::set<std::string>{"romeo", "benvolio"}));
    rig.pass(61s);
    EXPECT_EQ(watch(rig, "juliet", "mercutio", "60"), 200);
    EXPECT_TRUE(rig.stanzas.empty()) << "who was asked an hour ago is not asked again";
    rig.pass(20ms);
    EXPECT_EQ(users_on_disk(rig), (std::set<std::string>{"romeo", "mercutio"}));
    EXPECT_EQ(rig.subscribe().state(), "active;expires=600") << "who was granted stays";
}

TEST(Watchers, PRES_43_TheQuestionsOfOneContactAreBounded) {
    WatcherRig rig(fast_options());
    for (std::size_t user = 0; user < Watchers::kStrangersPerAuthor; ++user) {
        ASSERT_EQ(watch(rig, "juliet", "u" + std::to_string(user), "60"), 200);
        if (user == 0) rig.pass(1s);
    }
    rig.later(62s);  // the last NOTIFYs are answered
    for (int i = 0; i < 3; ++i) rig.later(20ms);
    EXPECT_EQ(rig.disk.size(), Watchers::kStrangersPerAuthor);
    EXPECT_EQ(watch(rig, "juliet", "one-more"), 200);
    EXPECT_EQ(rig.told().type, PresenceType::subscribe);
    rig.pass(20ms);
    EXPECT_EQ(rig.disk.size(), Watchers::kStrangersPerAuthor);
    EXPECT_FALSE(users_on_disk(rig).contains("u0")) << "the oldest";
    EXPECT_EQ(watch(rig, "nurse", "u1"), 200) << "another contact's are counted apart";
    rig.pass(20ms);
    EXPECT_EQ(rig.disk.size(), Watchers::kStrangersPerAuthor + 1);
}

TEST(Watchers, PRES_43_AQuestionThatWasLetGoAndIsAnsweredIsNotLost) {
    auto options = fast_options();
    options.presence.relations = 1;
    for (const auto answer : {PresenceType::subscribed, PresenceType::unsubscribed}) {
        WatcherRig rig(options);
        rig.subscribe("60");
        rig.pass(61s);
        EXPECT_EQ(watch(rig, "juliet", "mercutio", "60"), 200);
        rig.pass(61s);
        rig.presence(answer);
        rig.subscribe();
        EXPECT_EQ(rig.state(), "pending;expires=600");
        // Their server answers for who has agreed.
        EXPECT_EQ(rig.stanzas.size(), answer == PresenceType::subscribed ? 1u : 0u);
    }
}

TEST(Watchers, CORE_71_FurtherSubscriptionsInsideADialogCountForTheRateOfTheirAuthor) {
    auto options = Rig::default_options();
    options.user_rate = 3;
    WatcherRig rig(options);
    rig.subscribe();
    const auto target = rig.notify->contacts.front().uri;
    const auto inside = [&](const char* event) {
        auto request = rig.subscribed;
        request.uri = target;
        request.cseq = ++rig.subscribed.cseq;
        request.headers = {{"Event", event}, {"Expires", "600"}};
        rig.request(request);
        return rig.answer().status;
    };
    EXPECT_EQ(inside("presence;id=1"), 200);
    EXPECT_EQ(inside("presence;id=2"), 200);
    EXPECT_EQ(inside("presence;id=3"), 503) << "which ends nothing of the dialog";
    EXPECT_EQ(*rig.answer().header("Retry-After"), "1");
    EXPECT_EQ(inside("presence"), 200) << "a refresh makes nothing new";
    rig.pass(1s);
    EXPECT_EQ(inside("presence;id=3"), 200);
}

TEST(Watchers, IM_34_AFloodOfSubscribesMakesNoCopyOfAMessageASecondOne) {
    auto options = Rig::default_options();
    options.presence.mode = config::PresenceMode::off;
    WatcherRig rig(options);
    const auto message = message_request();
    EXPECT_EQ(rig.request(message).messages().size(), 1u);
    auto request = rig.subscribe_request();
    for (std::size_t i = 0; i <= MergedRequests::kCapacity; ++i) {
        request.call_id = std::to_string(i);
        request.from.uri.user = std::to_string(i % 1'000);
        rig.feed(SipRequestIn{ServerTransaction{1'000'000 + i}, request, {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp});
        ASSERT_EQ(rig.answer().status, 489);
    }
    EXPECT_EQ(rig.request(message).answer().status, 482);
    request.call_id = "0";
    EXPECT_EQ(rig.request(request).answer().status, 489) << "that one was forgotten";
}

TEST(Watchers, AReloadEndsTheSubscriptionsOfPeersThatAreGoneOrAll) {
    for (const bool off : {false, true}) {
        WatcherRig rig;
        rig.stand();
        auto options = Rig::default_options();
        rig.feed(OptionsChanged{options});
        EXPECT_TRUE(rig.sent.empty()) << "nothing has changed";
        if (off)
            options.presence.mode = config::PresenceMode::off;
        else
            options.peers.front().name = "others";
        rig.feed(OptionsChanged{options});
        rig.take_notify();
        EXPECT_EQ(rig.state(), "terminated;reason=noresource");
        EXPECT_EQ(rig.refresh("600").answer().status, 481);
    }
}

TEST(Watchers, WithoutPresenceNobodyWatches) {
    auto options = Rig::default_options();
    options.presence.mode = config::PresenceMode::off;
    WatcherRig rig(options);
    EXPECT_EQ(rig.request(rig.subscribe_request()).answer().status, 489);
    EXPECT_TRUE(rig.stanzas.empty());
}

}  // namespace
