// XMPP users who watch SIP contacts, from stanza to SUBSCRIBE and from NOTIFY to stanza.

#include "mapping/presence/dialog_info.h"
#include "mapping/presence/pidf.h"
#include "mapping/sip/header_values.h"
#include "mapping/xmpp/caps.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/presence/shown_presence.h"
#include "plugin/engine/presence/subscribe_pacer.h"
#include "tests/engine/rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace stox::engine::test {

namespace {

using namespace std::chrono_literals;
using xmpp::Presence, xmpp::PresenceType;

const xmpp::Jid kRomeo{"romeo", "montague.test", "garden"}, kJuliet{"juliet", "capulet.test", {}};

constexpr std::array kTypes{"available",   "unavailable",  "subscribe", "subscribed",
                            "unsubscribe", "unsubscribed", "probe",     "error"};

/// "subscribed juliet@capulet.test", "available juliet@capulet.test/balcony away".
std::string words(const Presence& presence) {
    auto text = kTypes[static_cast<std::size_t>(presence.type)] + (' ' + presence.from.to_string());
    for (const auto& child : presence.payload)
        if (child.name == "show" || child.name == "status") text += ' ' + child.text();
    return text;
}

Presence presence(PresenceType type, xmpp::Jid from = kRomeo, xmpp::Jid to = kJuliet) {
    Presence made;
    made.from = std::move(from);
    made.to = std::move(to);
    made.type = type;
    return made;
}

/// One tuple for each "id" or "id/show"; "-id" is closed.
std::string pidf(const std::vector<std::string>& tuples) {
    std::string text = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:juliet@capulet.test'>";
    for (const auto& tuple : tuples) {
        const bool closed = tuple.front() == '-';
        const auto slash = tuple.find('/');
        text += "<tuple id='ID-" + tuple.substr(closed, slash - closed) + "'><status><basic>" + (closed ? "closed" : "open") +
                "</basic>";
        if (slash != std::string::npos) text += "<show xmlns='jabber:client'>" + tuple.substr(slash + 1) + "</show>";
        text += "</status></tuple>";
    }
    return text + "</presence>";
}

class ContactsRig {
public:
    explicit ContactsRig(config::DomainOptions options = Rig::default_options()) : rig(std::move(options)) {}

    /// What the user was told, in order.
    std::string told() {
        std::string text;
        for (const auto& stanza : rig.stanzas)
            if (const auto* one = std::get_if<Presence>(&stanza)) text += (text.empty() ? "" : ", ") + words(*one);
        return text;
    }
    std::string stanza(const Presence& in) {
        rig.stanza(in);
        return see();
    }
    /// And what is due at once.
    std::string subscribe(const xmpp::Jid& from = kRomeo, const xmpp::Jid& to = kJuliet) {
        return and_due(stanza(presence(PresenceType::subscribe, from, to)));
    }
    std::string probe(const xmpp::Jid& from = kRomeo, const xmpp::Jid& to = kJuliet) {
        return and_due(stanza(presence(PresenceType::probe, from, to)));
    }
    std::string and_due(std::string text) {
        const auto more = pass(0ms);
        return text + (text.empty() || more.empty() ? "" : ", ") + more;
    }
    /// Tick by tick.
    std::string pass(std::chrono::milliseconds time) {
        std::string all;
        const auto end = rig.now + time;
        for (auto due = rig.engine.next_timeout(); due && *due <= end; due = rig.engine.next_timeout()) {
            rig.now = std::max(rig.now, *due);
            rig.feed(Tick{});
            const auto text = see();
            all += (all.empty() || text.empty() ? "" : ", ") + text;
        }
        rig.now = end;
        return all;
    }
    /// To the refresh of the dialog.
    void pass_to_refresh() {
        const auto before = methods.size();
        for (auto due = rig.engine.next_timeout(); due && methods.size() == before; due = rig.engine.next_timeout())
            pass(std::chrono::ceil<std::chrono::milliseconds>(*due - rig.now));
    }
    std::string respond(int status, std::vector<sip::Header> headers = {}, std::vector<sip::NameAddr> contacts = {}) {
        sip::Response response;
        response.status = status;
        response.to_tag = "them";
        response.headers = std::move(headers);
        response.contacts = std::move(contacts);
        rig.feed(SipResponseIn{last.transaction, std::move(response)});
        return see();
    }
    sip::Request notification(const std::string& state, const std::string& body = {}) {
        sip::Request notify;
        notify.method = "NOTIFY";
        notify.uri = uri("sip:x@capulet.test");
        notify.from = {"", uri("sip:juliet@capulet.test"), "them"};
        notify.to = {"", uri("sip:romeo@montague.test"), first.request.from.tag};
        notify.call_id = first.request.call_id;
        notify.cseq = ++cseq;
        notify.contacts = {{"", uri("sip:juliet@10.0.0.1:5060"), ""}};
        notify.headers = {{"Event", "presence"}, {"Subscription-State", state}};
        if (!body.empty()) notify.content_type = std::string(presence::kPidfType);
        notify.body = body;
        return notify;
    }
    std::string notify(const std::string& state, const std::string& body = {}) {
        rig.request(notification(state, body));
        return and_due(see());
    }
    std::string request(const sip::Request& in) {
        rig.request(in);
        return see();
    }
    /// To a subscription that stands.
    ContactsRig& granted(const std::vector<std::string>& tuples = {"balcony"}) {
        subscribe();
        respond(200, {{"Expires", "3600"}});
        notify("active;expires=3600", pidf(tuples));
        return *this;
    }
    std::vector<ContactRow> rows() const {
        std::vector<ContactRow> found;
        for (const auto& record : rig.disk)
            if (const auto* row = std::get_if<ContactRow>(&record.value)) found.push_back(*row);
        return found;
    }

    Rig rig;
    SendSip last{}, first{};  ///< of the SUBSCRIBEs: any, and those that make a dialog
    std::size_t begun = 0;    ///< of these
    std::uint32_t cseq = 0;
    std::vector<std::string> methods;
    int answered = 0;

private:
    std::string see() {
        answered = 0;
        for (const auto& answer : rig.answers) answered = answer.response.status;
        for (const auto& sent : rig.sent) {
            methods.push_back(sent.request.method);
            last = sent;
            if (!sent.request.to.tag.empty()) continue;
            first = sent;
            ++begun;
            cseq = 0;
        }
        return told();
    }
};

std::string expires_of(const SendSip& sent) { return *sent.request.header("Expires"); }

}  // namespace

TEST(Contacts, PRES_10_SubscribeHeaderByHeader) {
    ContactsRig rig;
    EXPECT_EQ(rig.subscribe(), "");
    ASSERT_EQ(rig.begun, 1u);
    const auto& request = rig.first.request;
    EXPECT_EQ(request.method, "SUBSCRIBE");
    EXPECT_EQ(request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(request.from.uri.to_string(), "sip:romeo@montague.test");
    EXPECT_FALSE(request.from.tag.empty());
    EXPECT_EQ(*request.header("Event"), "presence");
    EXPECT_EQ(*request.header("Accept"), "application/pidf+xml");
    EXPECT_EQ(*request.header("Expires"), "3600");
    EXPECT_EQ(request.header("Supported"), nullptr) << "no event lists (PRES-96)";
    EXPECT_EQ(request.contacts.size(), 1u);
    EXPECT_EQ(request.max_forwards, 70u);
    EXPECT_EQ(rig.subscribe(), "");
    EXPECT_EQ(rig.subscribe({"romeo", "montague.test", "orchard"}), "");
    EXPECT_EQ(rig.begun, 1u) << "one dialog for one pair";
}

TEST(Contacts, PRES_100_ToOfAFirstSubscribeIsWhomItWatches) {
    ContactsRig rig;
    rig.subscribe(kRomeo, {"juliet", "capulet.test", "balcony"});
    EXPECT_EQ(rig.first.request.to.uri, rig.first.request.uri);
    EXPECT_EQ(rig.first.request.to.tag, "");
}

TEST(Contacts, ExpiresIsAnOption) {
    auto options = Rig::default_options();
    options.presence.expires = 600;
    ContactsRig rig(options);
    rig.subscribe();
    EXPECT_EQ(expires_of(rig.first), "600");
}

TEST(Contacts, PRES_11_AnAnswerSaysNothing) {
    for (const int status : {200, 202}) {
        ContactsRig rig;
        rig.subscribe();
        EXPECT_EQ(rig.respond(status, {{"Expires", "3600"}}), "") << status;
        EXPECT_EQ(rig.pass(1s), "") << status;
    }
}

TEST(Contacts, PRES_12_PendingSaysNothing) {
    ContactsRig rig;
    rig.subscribe();
    rig.respond(200);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(rig.notify("pending;expires=3000", pidf({"balcony"})), "");
        EXPECT_EQ(rig.answered, 200);
    }
}

TEST(Contacts, PRES_13_SubscribedThenPresence) {
    ContactsRig rig;
    rig.subscribe();
    rig.respond(200);
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony/away"})),
              "subscribed juliet@capulet.test, available juliet@capulet.test/balcony away");
    const auto& told = std::get<Presence>(rig.rig.stanzas.back());
    EXPECT_EQ(told.to, kRomeo.bare()) << "every device of the user sees it (PRES-81)";
}

TEST(Contacts, PRES_13_WithoutADocumentItIsUnavailableOnce) {
    ContactsRig rig;
    rig.subscribe();
    rig.respond(200);
    EXPECT_EQ(rig.notify("active;expires=3600"), "subscribed juliet@capulet.test, unavailable juliet@capulet.test");
    EXPECT_EQ(rig.notify("active;expires=3600"), "");
}

TEST(Contacts, PRES_14_AskedAgainItIsSubscribedAtOnce) {
    ContactsRig rig;
    rig.granted();
    EXPECT_EQ(rig.subscribe(), "subscribed juliet@capulet.test");
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony/dnd"})), "");
    EXPECT_EQ(rig.pass(1s), "available juliet@capulet.test/balcony dnd");
    EXPECT_EQ(rig.begun, 1u);
}

TEST(Contacts, PRES_15_CORE_S489_CORE_S603_RefusedForGood) {
    for (const int status : {403, 489, 603}) {
        ContactsRig rig;
        rig.subscribe();
        EXPECT_EQ(rig.respond(status), "unsubscribed juliet@capulet.test") << status;
        EXPECT_EQ(rig.pass(24h), "");
        EXPECT_EQ(rig.begun, 1u) << status;
        EXPECT_TRUE(rig.rows().empty());
        rig.subscribe();
        EXPECT_EQ(rig.begun, 2u) << status;
    }
}

TEST(Contacts, PRES_16_CORE_S423_TooBriefIsAskedForLonger) {
    ContactsRig rig;
    rig.subscribe();
    EXPECT_EQ(rig.respond(423, {{"Min-Expires", "7200"}}), "");
    EXPECT_EQ(expires_of(rig.last), "7200");
    EXPECT_EQ(rig.last.request.call_id, rig.first.request.call_id);
}

TEST(Contacts, PRES_16_LostDialogIsMadeAnew) {
    ContactsRig rig;
    rig.granted();
    const auto before = rig.first.request;
    rig.pass_to_refresh();
    EXPECT_EQ(rig.last.request.to.tag, "them") << "a refresh";
    EXPECT_EQ(rig.respond(481), "");
    EXPECT_EQ(rig.pass(1s), "");
    ASSERT_EQ(rig.begun, 2u);
    EXPECT_NE(rig.first.request.call_id, before.call_id);
    EXPECT_NE(rig.first.request.from.tag, before.from.tag);
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony"})), "") << "the same as before is not told again";
}

TEST(Contacts, PRES_17_NobodyThere) {
    ContactsRig rig;
    rig.subscribe();
    EXPECT_EQ(rig.respond(404), "unsubscribed juliet@capulet.test");
    ContactsRig known;
    known.granted();
    known.pass(1min);
    known.notify("terminated;reason=deactivated");
    EXPECT_EQ(known.respond(404), "unavailable juliet@capulet.test/balcony");
    EXPECT_TRUE(known.rows().front().granted);
    known.pass(31s);
    EXPECT_EQ(known.begun, 3u) << "it is tried again";
}

TEST(Contacts, PRES_17_SilenceIsTriedAgainLater) {
    ContactsRig rig;
    rig.subscribe();
    rig.rig.sip_response(rig.last.transaction, 408, LocalFailure::timeout);
    EXPECT_EQ(rig.told(), "");
    rig.pass(14s);
    EXPECT_EQ(rig.begun, 1u);
    rig.pass(17s);
    EXPECT_EQ(rig.begun, 2u);
}

TEST(Contacts, PRES_17_RedirectionIsFollowedOnceBySamePeer) {
    ContactsRig rig;
    rig.subscribe();
    EXPECT_EQ(rig.respond(302, {}, {{"", uri("sip:nurse@capulet.test"), ""}}), "");
    rig.pass(1s);
    ASSERT_EQ(rig.begun, 2u);
    EXPECT_EQ(rig.first.request.uri.to_string(), "sip:nurse@capulet.test");
    EXPECT_EQ(rig.first.request.to.uri.to_string(), "sip:juliet@capulet.test");
    rig.respond(302, {}, {{"", uri("sip:paris@capulet.test"), ""}});
    rig.pass(1s);
    EXPECT_EQ(rig.begun, 2u);
}

TEST(Contacts, PRES_17_ARedirectionToAnotherPeerIsNotFollowed) {
    auto options = Rig::default_options();
    options.peers.front().targets = {{"capulet.test", ""}};
    auto other = options.peers.front();
    other.name = "others";
    other.source.clear();
    other.next_hops = {hop(2)};
    other.targets = {{"verona.test", ""}};
    options.peers.push_back(other);
    ContactsRig rig(options);
    rig.subscribe();
    rig.respond(302, {}, {{"", uri("sip:juliet@verona.test"), ""}});
    rig.pass(1s);
    EXPECT_EQ(rig.begun, 1u);
    rig.pass(30s);
    EXPECT_EQ(rig.first.request.uri.to_string(), "sip:juliet@capulet.test") << "it is tried again where it was";
}

TEST(Contacts, PRES_111_WhereTheContactHasGone) {
    auto options = Rig::default_options();
    options.peers.front().targets = {{"capulet.test", ""}};
    ContactsRig rig(options);
    rig.granted();
    rig.pass(1min);
    rig.notify("terminated;reason=timeout");
    EXPECT_EQ(rig.respond(302, {}, {{"", uri("sip:juliet@verona.test"), ""}}), "unavailable juliet@capulet.test/balcony");
    rig.stanza(presence(PresenceType::probe));
    ASSERT_EQ(rig.rig.stanzas.size(), 1u);
    const auto& answer = std::get<Presence>(rig.rig.stanzas.front());
    EXPECT_EQ(answer.type, PresenceType::error);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->condition, xmpp::Condition::redirect);
}

TEST(Contacts, PRES_111_OfflineIsAnsweredOnceFromTheBareAddress) {
    ContactsRig rig;
    rig.granted({"-balcony"});
    rig.pass(5s);
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe)), "unavailable juliet@capulet.test");
}

TEST(Contacts, PRES_18_NoSubscribeWithoutTheUser) {
    ContactsRig rig;
    rig.granted();
    EXPECT_EQ(rig.stanza(presence(PresenceType::unavailable)), "");
    rig.pass(1min);
    EXPECT_EQ(expires_of(rig.last), "0");
    EXPECT_EQ(rig.last.request.to.tag, "them");
    rig.respond(200);
    EXPECT_EQ(rig.notify("terminated;reason=timeout"), "");
    const auto before = rig.methods.size();
    rig.pass(2h);
    EXPECT_EQ(rig.methods.size(), before);
    rig.stanza(presence(PresenceType::available));
    rig.pass(1s);
    EXPECT_EQ(rig.begun, 2u);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})), "available juliet@capulet.test/balcony");
}

TEST(Contacts, PRES_18_AnotherResourceIsTheUserToo) {
    ContactsRig rig;
    rig.granted();
    rig.stanza(presence(PresenceType::available, {"romeo", "montague.test", "orchard"}));
    rig.stanza(presence(PresenceType::unavailable));
    rig.pass(5min);
    EXPECT_EQ(rig.methods.size(), 1u);
    rig.stanza(presence(PresenceType::unavailable, {"romeo", "montague.test", "orchard"}));
    rig.pass(1min);
    EXPECT_EQ(expires_of(rig.last), "0");
}

TEST(Contacts, PRES_18_WhoWentWithoutAStreamKeepsNobodyThere) {
    ContactsRig rig;
    rig.granted();
    rig.stanza(presence(PresenceType::available, {"romeo", "montague.test", "orchard"}));
    rig.rig.feed(StreamDown{});
    rig.rig.feed(StreamUp{});
    rig.pass(0ms);
    rig.stanza(presence(PresenceType::available));
    rig.stanza(presence(PresenceType::unavailable));
    rig.pass(1min);
    EXPECT_EQ(expires_of(rig.last), "0");
}

TEST(Contacts, PRES_18_RefreshBeforeTheEnd) {
    ContactsRig rig;
    rig.granted();
    rig.pass_to_refresh();
    EXPECT_GE(rig.rig.now, TimePoint(30min));
    EXPECT_LE(rig.rig.now, TimePoint(3600s - 32s)) << "a whole transaction before the end (PRES-20)";
    EXPECT_EQ(rig.last.request.to.tag, "them");
    EXPECT_EQ(expires_of(rig.last), "3600");
    EXPECT_EQ(rig.begun, 1u);
}

TEST(Contacts, PRES_22_UnsubscribeEndsTheDialog) {
    for (const int status : {200, 408}) {
        ContactsRig rig;
        rig.granted();
        EXPECT_EQ(rig.stanza(presence(PresenceType::unsubscribe)), "unavailable juliet@capulet.test/balcony")
            << "first (PRES-23)";
        EXPECT_EQ(expires_of(rig.last), "0");
        EXPECT_EQ(rig.last.request.call_id, rig.first.request.call_id);
        auto end = rig.respond(status);
        if (status == 200) end += rig.notify("terminated;reason=timeout");
        EXPECT_EQ(end, "unsubscribed juliet@capulet.test") << status;
        EXPECT_EQ(rig.methods.size(), 2u) << "one SUBSCRIBE, no more";
        EXPECT_TRUE((rig.pass(1s), rig.rows().empty()));
    }
}

TEST(Contacts, PRES_23_EachShownResourceIsWithdrawn) {
    ContactsRig rig;
    rig.granted({"balcony", "garden", "-cellar"});
    EXPECT_EQ(rig.stanza(presence(PresenceType::unsubscribe)),
              "unavailable juliet@capulet.test/balcony, unavailable juliet@capulet.test/garden");
}

TEST(Contacts, PRES_24_NeverANotifyOfOurs) {
    ContactsRig rig;
    rig.granted();
    rig.stanza(presence(PresenceType::unsubscribe));
    rig.respond(200);
    rig.notify("terminated;reason=timeout", pidf({"balcony"}));
    EXPECT_EQ(rig.answered, 200);
    rig.pass(1h);
    EXPECT_EQ(std::ranges::count(rig.methods, "NOTIFY"), 0);
    EXPECT_EQ(rig.notify("active"), "");
    EXPECT_EQ(rig.answered, 481);
}

TEST(Contacts, PRES_25_TheFirstBranchThatNotifiesIsTheOne) {
    ContactsRig rig;
    rig.subscribe();
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony"})),
              "subscribed juliet@capulet.test, available juliet@capulet.test/balcony");
    auto other = rig.notification("active;expires=3600", pidf({"cellar"}));
    other.from.tag = "others";
    rig.rig.request(other);
    EXPECT_EQ(rig.rig.answer().status, 481);
    EXPECT_EQ(rig.told(), "");
}

TEST(Contacts, PRES_26_NotificationsThatCannotBe) {
    ContactsRig rig;
    rig.granted();
    const auto answer = [&](auto change) {
        auto notify = rig.notification("active;expires=3600", pidf({"cellar"}));
        change(notify);
        rig.rig.request(notify);
        EXPECT_EQ(rig.told(), "");
        return rig.rig.answer().status;
    };
    EXPECT_EQ(answer([](auto& n) { n.to.tag = "wrong"; }), 481);
    EXPECT_EQ(answer([](auto& n) { n.from.tag = "wrong"; }), 481);
    EXPECT_EQ(answer([](auto& n) { n.headers[0].value = "dialog"; }), 489);
    EXPECT_EQ(answer([](auto& n) { n.headers.pop_back(); }), 400);
    EXPECT_EQ(answer([](auto& n) { n.body = "<presence"; }), 400);
    EXPECT_EQ(answer([](auto& n) { n.body = "<!DOCTYPE p><presence xmlns='urn:ietf:params:xml:ns:pidf'/>"; }), 400);
    EXPECT_EQ(answer([](auto& n) { n.content_type = "text/plain"; }), 415);
    EXPECT_EQ(rig.rig.answers.front().response.header("Accept") ? *rig.rig.answers.front().response.header("Accept") : "",
              "application/pidf+xml");
    EXPECT_EQ(answer([](auto& n) { n.body = std::string(presence::kMaxPidf_octets + 1, ' '); }), 413);
    EXPECT_EQ(answer([](auto& n) { n.cseq = 1; }), 500);
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony/xa"})) + rig.pass(1s), "available juliet@capulet.test/balcony xa")
        << "the dialog stands";
}

TEST(Contacts, PRES_27_ProbeIsAnsweredFromWhatIsKnown) {
    ContactsRig rig;
    rig.granted({"balcony/chat", "garden"});
    rig.pass(10s);
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe)),
              "available juliet@capulet.test/balcony chat, available juliet@capulet.test/garden");
    EXPECT_EQ(rig.methods.size(), 1u);
}

TEST(Contacts, PRES_27_ProbeWithoutADialogAsks) {
    ContactsRig rig;
    rig.granted();
    rig.stanza(presence(PresenceType::unavailable));
    rig.pass(1min);
    rig.respond(200);
    rig.notify("terminated;reason=timeout");
    rig.pass(1s);
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe)), "");
    rig.pass(0ms);
    EXPECT_EQ(rig.begun, 2u);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})), "available juliet@capulet.test/balcony");
}

TEST(Contacts, PRES_27_AStoreThatWasLostCostsNoRoster) {
    ContactsRig rig;
    EXPECT_EQ(rig.probe(), "") << "the contact is asked instead";
    EXPECT_EQ(rig.begun, 1u);
    EXPECT_EQ(expires_of(rig.first), "3600");
    rig.respond(200);
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony"})), "available juliet@capulet.test/balcony")
        << "and nothing is said that the roster has";
    rig.pass(1s);
    EXPECT_EQ(rig.rows().at(0), (ContactRow{kRomeo.bare(), kJuliet, true, {"balcony"}}));
}

TEST(Contacts, PRES_27_WhatWasForgottenIsTakenBackByTheContactAlone) {
    ContactsRig silent;
    silent.stanza(presence(PresenceType::probe));
    silent.pass(0ms);
    EXPECT_EQ(silent.respond(503), "unavailable juliet@capulet.test");
    EXPECT_EQ(silent.pass(31s), "");
    EXPECT_EQ(silent.begun, 2u);
    EXPECT_EQ(silent.respond(404).find("unsubscribed"), std::string::npos) << "nobody there, for now";
    ContactsRig refused;
    refused.stanza(presence(PresenceType::probe));
    refused.pass(0ms);
    EXPECT_EQ(refused.respond(403), "unavailable juliet@capulet.test, unsubscribed juliet@capulet.test");
    EXPECT_EQ(std::get<Presence>(refused.rig.stanzas.front()).to, kRomeo.bare());
    refused.pass(1h);
    EXPECT_EQ(refused.begun, 1u);
    EXPECT_TRUE(refused.rows().empty());
}

// A trunk that has no presence says it of all its numbers at once, and would empty each roster that was full before.
TEST(Contacts, PRES_15_ATrunkWithoutPresenceStrikesNobodyOffARoster) {
    for (const int status : {405, 406, 489}) {
        ContactsRig rig;
        rig.stanza(presence(PresenceType::probe));
        rig.pass(0ms);
        EXPECT_EQ(rig.respond(status), "unavailable juliet@capulet.test") << status;
        EXPECT_EQ(rig.pass(1h), "") << status;
        EXPECT_EQ(rig.probe(), "") << status;
        EXPECT_EQ(rig.begun, 1u) << "a login asks nobody";
        // Nor after a restart, by which nothing more is known.
        rig.rig.restart();
        rig.rig.feed(StreamUp{});
        rig.pass(1s);
        EXPECT_EQ(rig.begun, 2u);
        EXPECT_EQ(rig.respond(status).find("unsubscribed"), std::string::npos) << status;
        rig.pass(24h - 1s);
        EXPECT_EQ(rig.begun, 2u);
        rig.pass(1s);
        EXPECT_EQ(rig.begun, 3u) << "it is asked once a day";
        EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony"})), "available juliet@capulet.test/balcony");
        rig.pass(1s);
        EXPECT_FALSE(rig.rows().at(0).assumed);
    }
    ContactsRig asked;
    asked.granted();
    asked.pass(1min);
    asked.notify("terminated;reason=timeout");
    EXPECT_EQ(asked.respond(489), "unavailable juliet@capulet.test/balcony, unsubscribed juliet@capulet.test")
        << "whom this gateway asked";
}

TEST(Contacts, PRES_27_AProbedAddressThatIsNotThereEndsWithoutAWord) {
    ContactsRig rig;
    rig.stanza(presence(PresenceType::probe));
    rig.pass(0ms);
    EXPECT_EQ(rig.respond(404), "unavailable juliet@capulet.test");
    const auto end = rig.rig.now + 27h;
    while (rig.rig.now < end) {
        const auto before = rig.begun;
        std::string told = rig.pass(14s);
        if (rig.begun != before) told += rig.respond(404);
        ASSERT_EQ(told, "");
    }
    rig.pass(1s);
    EXPECT_TRUE(rig.rows().empty());
    const auto before = rig.begun;
    rig.pass(10h);
    EXPECT_EQ(rig.begun, before);
    EXPECT_EQ(rig.probe(), "");
    EXPECT_EQ(rig.begun, before + 1) << "the roster says it still";
}

TEST(Contacts, PRES_27_WhatNobodyEverConfirmedIsNoRowForEver) {
    const UtcTime then = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
    ContactsRig rig;
    rig.rig.feed(StanzaIn{presence(PresenceType::probe), then});
    rig.stanza(presence(PresenceType::unavailable));
    rig.pass(1s);
    ASSERT_EQ(rig.rows().size(), 1u);
    const auto restart = [&](std::chrono::days later) {
        rig.rig.restart(Rig::default_options(), then + later);
        rig.rig.feed(StreamUp{});
        rig.stanza(presence(PresenceType::unavailable));
        rig.pass(1s);
        return rig.rows().size();
    };
    EXPECT_EQ(rig.rows().at(0).assumed, then);
    EXPECT_EQ(restart(std::chrono::days(29)), 1u);
    EXPECT_EQ(restart(std::chrono::days(31)), 1u) << "time passes while nobody runs, but there is a day to ask in";
    rig.pass(std::chrono::hours(24));
    EXPECT_EQ(rig.rows().size(), 0u);
}

TEST(Contacts, PRES_27_AProbeThatMayNotAskIsNotAnswered) {
    auto options = Rig::default_options();
    options.presence.contacts_per_user = 1;
    ContactsRig rig(options);
    const xmpp::Jid nurse{"nurse", "capulet.test", {}};
    rig.stanza(presence(PresenceType::probe));
    EXPECT_EQ(rig.probe(kRomeo, nurse), "") << "one more than there may be";
    EXPECT_EQ(rig.begun, 1u);
}

TEST(Contacts, PRES_27_NobodyIsAskedAnewWhileRelationsMayBeUnread) {
    ContactsRig rig;
    rig.rig.feed(Restored{{}, {}, false});
    EXPECT_EQ(rig.probe(), "");
    EXPECT_EQ(rig.begun, 0u);
    EXPECT_EQ(rig.stanza(presence(PresenceType::subscribe)), "") << "it may be asked for";
    rig.rig.feed(Restored{});
    rig.stanza(presence(PresenceType::probe, {"tybalt", "montague.test", "street"}));
    rig.pass(1s);
    EXPECT_EQ(rig.begun, 2u) << "the store has opened";
}

TEST(Contacts, PRES_27_ProbesDenyNobodyWhilePresenceIsOff) {
    auto options = Rig::default_options();
    options.presence.mode = config::PresenceMode::off;
    ContactsRig rig(options);
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe)), "");
    ContactsRig reloaded;
    reloaded.granted({"balcony"});
    reloaded.rig.feed(OptionsChanged{options});
    reloaded.pass(10s);
    EXPECT_EQ(reloaded.stanza(presence(PresenceType::probe)), "");
    reloaded.pass(1h);
    EXPECT_EQ(reloaded.told(), "");
}

TEST(Contacts, PRES_28_APollDuringABackOff) {
    ContactsRig rig;
    rig.granted();
    rig.pass(1min);
    rig.notify("terminated;reason=timeout");
    rig.respond(503, {{"Retry-After", "600"}});
    rig.pass(1s);
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe)), "");
    rig.pass(20ms);
    EXPECT_EQ(expires_of(rig.first), "0");
    EXPECT_EQ(rig.begun, 3u);
    rig.respond(200);
    EXPECT_EQ(rig.notify("terminated;reason=timeout", pidf({"balcony"})), "available juliet@capulet.test/balcony");
    EXPECT_TRUE(rig.rows().front().granted);
    rig.pass(20ms);
    EXPECT_EQ(expires_of(rig.first), "3600") << "who answers is asked again";
}

config::DomainOptions with_lines() {
    auto options = Rig::default_options();
    options.presence.on_the_phone = true;
    return options;
}

/// A notification of calls in the dialog begun last; "id/state" for each.
sip::Request calls(ContactsRig& rig, unsigned version, const std::vector<std::string>& all, bool full = true) {
    std::string body = "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='" + std::to_string(version) +
                       "' state='" + (full ? "full" : "partial") + "' entity='sip:juliet@capulet.test'>";
    for (const auto& one : all) {
        const auto slash = one.find('/');
        body += "<dialog id='" + one.substr(0, slash) + "'><state>" + one.substr(slash + 1) + "</state></dialog>";
    }
    auto notify = rig.notification("active;expires=600", body + "</dialog-info>");
    notify.headers.front().value = "dialog";
    notify.content_type = std::string(presence::kDialogInfoType);
    return notify;
}

/// And what is told within a second.
std::string feed_calls(ContactsRig& rig, const sip::Request& notify) {
    const auto text = rig.request(notify);
    EXPECT_EQ(rig.answered, 200);
    const auto more = rig.pass(1s);
    return text + (text.empty() || more.empty() ? "" : ", ") + more;
}

TEST(Contacts, PRES_113_WhoIsOnThePhoneIsBusy) {
    ContactsRig rig(with_lines());
    rig.granted({"balcony/away", "garden"});
    const auto presence_dialog = rig.first.request.call_id;
    rig.pass(1s);
    ASSERT_EQ(rig.begun, 2u);
    const auto& request = rig.first.request;
    EXPECT_EQ(*request.header("Event"), "dialog");
    EXPECT_EQ(*request.header("Accept"), "application/dialog-info+xml");
    EXPECT_EQ(request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_NE(request.call_id, presence_dialog);
    rig.respond(200);
    EXPECT_EQ(feed_calls(rig, calls(rig, 0, {})), "");
    EXPECT_EQ(feed_calls(rig, calls(rig, 1, {"a/early"}, false)), "") << "it rings";
    EXPECT_EQ(feed_calls(rig, calls(rig, 2, {"a/confirmed"}, false)),
              "available juliet@capulet.test/balcony dnd, available juliet@capulet.test/garden dnd");
    EXPECT_EQ(feed_calls(rig, calls(rig, 3, {"a/terminated"}, false)),
              "available juliet@capulet.test/balcony away, available juliet@capulet.test/garden");
}

TEST(Contacts, PRES_113_WhatIsMissingIsAskedForAnew) {
    ContactsRig rig(with_lines());
    rig.granted();
    rig.pass(1s);
    rig.respond(200);
    EXPECT_EQ(feed_calls(rig, calls(rig, 1, {"a/confirmed"})), "available juliet@capulet.test/balcony dnd");
    EXPECT_EQ(feed_calls(rig, calls(rig, 3, {"b/early"}, false)), "available juliet@capulet.test/balcony")
        << "nobody is busy of whom that is not known";
    EXPECT_EQ(expires_of(rig.last), "0");
    rig.respond(200);
    auto last = calls(rig, 4, {});
    last.headers[1].value = "terminated;reason=timeout";
    rig.request(last);
    rig.pass(1s);
    ASSERT_EQ(rig.begun, 3u);
    EXPECT_EQ(*rig.first.request.header("Event"), "dialog");
    rig.respond(200);
    EXPECT_EQ(feed_calls(rig, calls(rig, 0, {"b/confirmed"})), "available juliet@capulet.test/balcony dnd");
}

TEST(Contacts, PRES_113_WhoTellsOfNoCallsIsNotAskedAgain) {
    ContactsRig rig(with_lines());
    rig.granted();
    const auto subscribed = rig.first;
    rig.pass(1s);
    EXPECT_EQ(rig.respond(489), "") << "the presence is not touched";
    rig.pass(20min);
    EXPECT_EQ(rig.begun, 2u);
    rig.first = subscribed;
    rig.cseq = 10;
    EXPECT_EQ(rig.notify("active;expires=3600", pidf({"balcony/xa"})), "available juliet@capulet.test/balcony xa");
}

TEST(Contacts, PRES_113_TheLineGoesWithTheContact) {
    for (const bool unsubscribes : {true, false}) {
        ContactsRig rig(with_lines());
        rig.granted();
        rig.pass(1s);
        rig.respond(200);
        feed_calls(rig, calls(rig, 0, {"a/confirmed"}));
        if (unsubscribes)
            rig.rig.stanza(presence(PresenceType::unsubscribe));
        else
            rig.rig.feed(OptionsChanged{Rig::default_options()});
        EXPECT_EQ(rig.told(), std::string(unsubscribes ? "unavailable" : "available") + " juliet@capulet.test/balcony");
        EXPECT_EQ(rig.rig.sent.size(), unsubscribes ? 2u : 1u) << "each dialog is ended";
        rig.pass(20min);
        EXPECT_EQ(rig.begun, 2u);
    }
}

TEST(Contacts, PRES_113_WhatCannotBeRead) {
    ContactsRig rig(with_lines());
    rig.granted();
    rig.pass(1s);
    rig.respond(200);
    auto notify = calls(rig, 0, {"a/confirmed"});
    notify.content_type = std::string(presence::kPidfType);
    EXPECT_EQ(rig.rig.request(notify).answer().status, 415);
    EXPECT_EQ(*rig.rig.answer().header("Accept"), "application/dialog-info+xml");
    notify = calls(rig, 0, {"a/confirmed"});
    notify.body += '<';
    EXPECT_EQ(rig.rig.request(notify).answer().status, 400);
    EXPECT_EQ(feed_calls(rig, calls(rig, 0, {"a/confirmed"})), "available juliet@capulet.test/balcony dnd");
}

config::DomainOptions pretending() {
    auto options = Rig::default_options();
    options.presence.mode = config::PresenceMode::pretended;
    return options;
}

TEST(Contacts, PRES_29_StaticPresence) {
    ContactsRig rig(pretending());
    EXPECT_EQ(rig.subscribe(), "subscribed juliet@capulet.test, available juliet@capulet.test/phone");
    rig.pass(10s);
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe)), "available juliet@capulet.test/phone");
    EXPECT_EQ(rig.stanza(presence(PresenceType::unsubscribe)),
              "unavailable juliet@capulet.test/phone, unsubscribed juliet@capulet.test");
    EXPECT_TRUE(rig.methods.empty());
}

TEST(Contacts, PRES_29_ItsCapabilitiesAreThoseOfDisco) {
    ContactsRig rig(pretending());
    rig.stanza(presence(PresenceType::subscribe));
    const auto shown = std::get<Presence>(rig.rig.stanzas.back());
    const auto caps = std::ranges::find(shown.payload, "c", &xml::Element::name);
    ASSERT_NE(caps, shown.payload.end());
    xmpp::Iq ask;
    ask.from = kRomeo;
    ask.to = shown.from;
    ask.id = "d1";
    ask.payload = xml::Element(std::string(xmpp::ns::kDiscoInfo), "query");
    const auto node = *caps->attribute("node") + '#' + *caps->attribute("ver");
    ask.payload->set("node", node);
    rig.rig.stanza(ask);
    ASSERT_EQ(rig.rig.stanzas.size(), 1u);
    const auto& answer = std::get<xmpp::Iq>(rig.rig.stanzas.front());
    ASSERT_EQ(answer.type, xmpp::IqType::result);
    EXPECT_EQ(*answer.payload->attribute("node"), node);
    xmpp::DiscoInfo info;
    for (const auto& child : answer.payload->children) {
        const auto& element = std::get<xml::Element>(child);
        if (element.name == "feature") info.features.push_back(*element.attribute("var"));
        if (element.name == "identity")
            info.identities.push_back({*element.attribute("category"), *element.attribute("type"), {}, {}});
    }
    EXPECT_EQ(xmpp::caps_version(info), *caps->attribute("ver"));
}

TEST(Contacts, PRES_29_AReloadChangesTheMode) {
    ContactsRig rig(pretending());
    rig.subscribe();
    rig.rig.feed(OptionsChanged{Rig::default_options()});
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/phone") << "nobody is shown whose state is not known";
    rig.pass(0ms);
    EXPECT_EQ(rig.begun, 1u);
    rig.notify("active;expires=600", pidf({"balcony"}));
    rig.rig.feed(OptionsChanged{pretending()});
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony");
    rig.last = rig.rig.sent.back();
    EXPECT_EQ(expires_of(rig.last), "0");
    EXPECT_EQ(rig.notify("terminated;reason=timeout"), "");
    EXPECT_EQ(rig.pass(1s), "available juliet@capulet.test/phone");
}

TEST(Contacts, PRES_29_AReloadToAskTakesNobodyOffARoster) {
    for (const int status : {405, 406, 489}) {
        ContactsRig rig(pretending());
        rig.subscribe();
        rig.pass(1s);
        EXPECT_TRUE(rig.rows().at(0).assumed) << "a restart knows it, too";
        rig.rig.feed(OptionsChanged{Rig::default_options()});
        rig.pass(0ms);
        ASSERT_EQ(rig.begun, 1u);
        EXPECT_EQ(rig.respond(status).find("unsubscribed"), std::string::npos) << status;
        EXPECT_EQ(rig.pass(23h), "") << status;
        EXPECT_EQ(rig.rows().size(), 1u) << status;
    }
}

TEST(Contacts, PresenceThatIsOff) {
    auto options = Rig::default_options();
    options.presence.mode = config::PresenceMode::off;
    ContactsRig rig(options);
    rig.subscribe();
    ContactsRig on;
    on.granted();
    on.rig.feed(OptionsChanged{options});
    EXPECT_EQ(on.told(), "unavailable juliet@capulet.test/balcony");
    on.stanza(presence(PresenceType::subscribe));
    EXPECT_EQ(on.rig.error().condition, xmpp::Condition::feature_not_implemented);
    const auto before = on.begun;
    on.notify("terminated;reason=timeout");
    on.pass(24h);
    EXPECT_EQ(on.begun, before);
    on.rig.feed(OptionsChanged{Rig::default_options()});
    on.pass(1s);
    EXPECT_EQ(on.begun, before + 1) << "what was granted is kept";
}

TEST(Contacts, PRES_02_AfterARestartNothingIsAskedAgain) {
    ContactsRig rig;
    rig.granted({"balcony", "garden"});
    rig.pass(1s);
    ASSERT_EQ(rig.rows().size(), 1u);
    EXPECT_EQ(rig.rows().front(), (ContactRow{kRomeo.bare(), kJuliet, true, {"balcony", "garden"}}));
    rig.rig.restart();
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told(), "probe juliet@capulet.test");
    rig.pass(0ms);
    EXPECT_EQ(rig.begun, 2u);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})),
              "available juliet@capulet.test/balcony, unavailable juliet@capulet.test/garden");
    rig.pass(1s);
    EXPECT_EQ(rig.rows().front().shown, std::vector<std::string>{"balcony"});
}

TEST(Contacts, AfterARestartWhatNobodyConfirmsIsWithdrawn) {
    ContactsRig rig;
    rig.granted({"balcony"});
    rig.pass(1s);
    rig.rig.restart();
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.pass(29s), "");
    rig.notify("pending");
    EXPECT_EQ(rig.pass(30s), "");
    EXPECT_EQ(rig.pass(1s), "unavailable juliet@capulet.test/balcony");
    rig.pass(1s);
    EXPECT_TRUE(rig.rows().front().shown.empty());
    EXPECT_TRUE(rig.rows().front().granted);
}

TEST(Contacts, AfterARestartNobodyIsWithdrawnBeforeTheyWereAsked) {
    auto options = Rig::default_options();
    options.presence.subscribe_rate = 1;
    ContactsRig rig(options);
    constexpr std::size_t kContacts = 100;
    for (std::size_t i = 0; i < kContacts; ++i) {
        const xmpp::Jid contact{"c" + std::to_string(i), "capulet.test", {}};
        rig.rig.disk.push_back({Collection::contacts, kRomeo.bare().to_string() + ' ' + contact.to_string(),
                                ContactRow{kRomeo.bare(), contact, true, {"balcony"}}});
    }
    rig.rig.restart(options);
    rig.rig.feed(StreamUp{});
    std::string told;
    std::size_t answered = 0;
    for (int i = 0; i < 1'100 && answered < kContacts; ++i) {
        told += rig.pass(100ms);
        if (rig.begun == answered) continue;
        ++answered;
        told += rig.respond(200);
        told += rig.notify("active;expires=3600", pidf({"balcony"}));
        ASSERT_EQ(told.find("unavailable"), std::string::npos) << rig.begun;
    }
    EXPECT_EQ(rig.begun, kContacts);
    EXPECT_GT(rig.rig.now, TimePoint(90s));
}

TEST(Contacts, AfterARestartPendingIsAskedAgain) {
    ContactsRig rig;
    rig.subscribe();
    rig.notify("pending");
    rig.pass(1s);
    EXPECT_FALSE(rig.rows().front().granted);
    rig.rig.restart();
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told(), "");
    rig.pass(0ms);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})),
              "subscribed juliet@capulet.test, available juliet@capulet.test/balcony");
}

TEST(Contacts, AnUnsubscribedPairLeavesNoRow) {
    ContactsRig rig;
    rig.granted();
    rig.pass(1s);
    rig.stanza(presence(PresenceType::unsubscribe));
    rig.pass(1s);
    EXPECT_TRUE(rig.rows().empty()) << "before the dialog has ended, too";
}

TEST(Contacts, ANewStreamIsToldWhatIsKnown) {
    ContactsRig rig;
    rig.granted({"balcony/away"});
    rig.rig.feed(StreamDown{});
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony/dnd"})), "");
    rig.pass(10s);
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told() + rig.pass(1s), "probe juliet@capulet.test, available juliet@capulet.test/balcony dnd");
}

TEST(Contacts, ANewStreamIsToldWhatWasDecidedMeanwhile) {
    ContactsRig rig;
    rig.granted();
    rig.rig.feed(StreamDown{});
    EXPECT_EQ(rig.notify("terminated;reason=rejected"), "");
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony, unsubscribed juliet@capulet.test");
    rig.rig.feed(StreamDown{});
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told(), "");
}

TEST(Contacts, WithoutAStreamNobodyIsAskedForEver) {
    ContactsRig rig;
    rig.granted();
    rig.pass(1s);
    rig.rig.feed(StreamDown{});
    rig.pass(5min - 1ms);
    EXPECT_EQ(rig.methods.size(), 1u) << "a server that is started again finds what was there";
    rig.pass(1ms);
    EXPECT_EQ(expires_of(rig.last), "0");
    rig.respond(200);
    rig.notify("terminated;reason=timeout");
    const auto before = rig.methods.size();
    rig.pass(24h);
    EXPECT_EQ(rig.methods.size(), before);
    EXPECT_EQ(rig.rows().front(), (ContactRow{kRomeo.bare(), kJuliet, true, {"balcony"}}));
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told(), "probe juliet@capulet.test, unavailable juliet@capulet.test/balcony");
    rig.pass(0ms);
    EXPECT_EQ(rig.begun, 2u);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})) + rig.pass(1s), "available juliet@capulet.test/balcony");
}

TEST(Contacts, WithoutAStreamWhatFailsIsNotTriedForEverEither) {
    ContactsRig rig;
    rig.subscribe();
    rig.rig.feed(StreamDown{});
    rig.respond(503);
    rig.pass(5min);
    const auto before = rig.methods.size();
    EXPECT_GE(before, 2u);
    rig.respond(503);
    rig.pass(24h);
    EXPECT_EQ(rig.methods.size(), before);
    rig.rig.feed(StreamUp{});
    rig.pass(1h);
    EXPECT_GT(rig.begun, before);
}

TEST(Contacts, AServerThatNeverComesIsNotWaitedForEver) {
    ContactsRig rig;
    rig.granted();
    rig.pass(1s);
    rig.rig.restart();
    rig.pass(0ms);
    EXPECT_EQ(rig.begun, 2u) << "it is expected";
    rig.notify("active;expires=600", pidf({"balcony"}));
    rig.pass(5min);
    EXPECT_EQ(expires_of(rig.last), "0");
}

TEST(Contacts, AReloadThatMakesAContactUnaskableTakesNothingBack) {
    auto options = Rig::default_options();
    options.scheme = config::AddressScheme::phone;
    options.emergency_line = options.peers.front().name;
    ContactsRig rig(options);
    const auto notify = [&](const std::string& state) {
        auto made = rig.notification(state, pidf({"balcony"}));
        made.from.uri = uri("sip:+4930@capulet.test");
        const auto text = rig.request(made);
        return text + rig.pass(1s);
    };
    rig.subscribe(kRomeo, {"+4930", "capulet.test", {}});
    rig.respond(200);
    ASSERT_EQ(notify("active;expires=3600"), "subscribed +4930@capulet.test, available +4930@capulet.test/balcony");
    rig.pass(1min);
    auto slip = options;
    slip.phone.emergency_numbers = {"+4930"};
    rig.rig.feed(OptionsChanged{slip});
    EXPECT_EQ(notify("terminated;reason=deactivated"), "unavailable +4930@capulet.test/balcony");
    EXPECT_EQ(rig.pass(1h), "");
    EXPECT_EQ(rig.begun, 1u);
    rig.rig.feed(OptionsChanged{options});
    rig.pass_to_refresh();
    ASSERT_EQ(rig.begun, 2u);
    EXPECT_EQ(notify("active;expires=3600"), "available +4930@capulet.test/balcony");
}

TEST(Contacts, APeerThatAReloadTakesAwayIsLeft) {
    for (const bool other : {false, true}) {
        ContactsRig rig;
        rig.granted();
        rig.pass(1s);
        auto options = Rig::default_options();
        options.peers.front().name = "others";
        options.peers.front().next_hops = {hop(2)};
        if (!other) options.peers.front().targets = {{"elsewhere.test", ""}};
        rig.rig.feed(OptionsChanged{options});
        EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony");
        ASSERT_EQ(rig.rig.sent.size(), 1u);
        rig.last = rig.rig.sent.back();
        EXPECT_EQ(expires_of(rig.last), "0");
        rig.respond(200);
        const auto refused = rig.notification("terminated;reason=timeout");
        rig.rig.request(refused);
        EXPECT_EQ(rig.rig.answer().status, 403) << "it is no peer of ours any more";
        rig.pass(40s);
        EXPECT_EQ(rig.begun, other ? 2u : 1u);
        EXPECT_EQ(rig.first.target.endpoint.address, Address::v4({10, 0, 0, other ? std::uint8_t{2} : std::uint8_t{1}}));
        EXPECT_TRUE(rig.rows().front().granted);
    }
}

TEST(Contacts, AReloadLeavesOthersAlone) {
    ContactsRig rig;
    rig.granted();
    rig.pass(1s);
    auto options = Rig::default_options();
    options.presence.subscribe_rate = 7;
    rig.rig.feed(OptionsChanged{options});
    EXPECT_EQ(rig.told() + rig.pass(1min), "");
    EXPECT_EQ(rig.methods.size(), 1u);
}

TEST(Contacts, PRES_18_AReloadBringsNobodyBack) {
    ContactsRig rig(pretending());
    rig.subscribe();
    rig.stanza(presence(PresenceType::unavailable));
    rig.rig.feed(OptionsChanged{Rig::default_options()});
    rig.pass(1min);
    EXPECT_EQ(rig.begun, 0u);
    rig.stanza(presence(PresenceType::available));
    rig.pass(1s);
    EXPECT_EQ(rig.begun, 1u);
}

TEST(Contacts, AGracefulStopWithdrawsWhatIsShown) {
    ContactsRig rig;
    rig.granted({"balcony", "garden"});
    rig.rig.feed(Shutdown{});
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony, unavailable juliet@capulet.test/garden");
    rig.pass(2s);
    EXPECT_TRUE(rig.rig.engine.drained());
    ASSERT_EQ(rig.rows().size(), 1u);
    EXPECT_TRUE(rig.rows().front().granted && rig.rows().front().shown.empty());
    rig.rig.restart();
    rig.rig.feed(StreamUp{});
    rig.pass(0ms);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})), "available juliet@capulet.test/balcony");
}

TEST(Contacts, ADomainThatIsGoneForgetsItsContacts) {
    ContactsRig rig;
    rig.granted();
    rig.rig.feed(Shutdown{Shutdown::Why::removed});
    EXPECT_EQ(rig.told(), "unavailable juliet@capulet.test/balcony");
    rig.pass(2s);
    EXPECT_TRUE(rig.rows().empty());
}

TEST(Contacts, PRES_92_OneStanzaASecondForAResource) {
    ContactsRig rig;
    rig.granted({"balcony", "garden"});
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony/away", "garden"})), "");
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony/xa", "garden"})), "");
    EXPECT_EQ(rig.pass(999ms), "");
    EXPECT_EQ(rig.pass(1ms), "available juliet@capulet.test/balcony xa") << "the latest state alone";
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony/xa", "garden"})) + rig.pass(5s), "") << "nothing new";
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony/xa", "garden/dnd"})), "available juliet@capulet.test/garden dnd");
}

/// Thirty-two names that no document had before.
std::vector<std::string> new_names() {
    static unsigned number = 0;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < presence::kMaxResources; ++i) names.push_back("n" + std::to_string(100'000 + ++number));
    return names;
}

std::size_t count(const std::string& told) {
    return told.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(told, ',')) + 1;
}

TEST(Contacts, PRES_92_NewNamesAreNoWayRoundIt) {
    ContactsRig rig;
    rig.granted({"balcony"});
    std::size_t told = 0;
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) {
        names = new_names();
        told += count(rig.notify("active;expires=600", pidf(names)));
        told += count(rig.pass(100ms));
        EXPECT_LE(rig.rows().front().shown.size(), ContactRow::kMaxShown);
    }
    EXPECT_LE(told, ShownPresence::Told::kAtOnce + 40u) << "in 10 s";
    EXPECT_GE(told, 90u);
    rig.pass(1min);
    auto shown = rig.rows().front().shown;
    std::ranges::sort(shown);
    EXPECT_EQ(shown, names) << "what is true in the end is told in the end";
}

TEST(Contacts, PRES_92_DoubtAndItsEndAreNoWayRoundIt) {
    ContactsRig rig;
    rig.granted({"balcony"});
    EXPECT_EQ(rig.notify("pending"), "unavailable juliet@capulet.test/balcony");
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})), "") << "the second is not over";
    EXPECT_EQ(rig.notify("pending"), "");
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})) + rig.pass(999ms), "");
    EXPECT_EQ(rig.pass(1ms), "available juliet@capulet.test/balcony");
    std::size_t told = 0;
    for (int i = 0; i < 100; ++i) {
        told += count(rig.notify("pending"));
        told += count(rig.notify("active;expires=600", pidf(new_names())));
        told += count(rig.pass(100ms));
    }
    EXPECT_LE(told, 2 * ShownPresence::Told::kAtOnce + 40u);
}

TEST(Contacts, PRES_92_NobodyThereIsNoWayRoundItEither) {
    ContactsRig rig;
    rig.subscribe();
    rig.respond(200);
    std::size_t told = 0;
    for (int i = 0; i < 50; ++i) {
        told += count(rig.notify("active;expires=600", pidf({})));
        told += count(rig.notify("pending"));
    }
    EXPECT_LE(told, 2u) << "subscribed, unavailable";
}

TEST(Contacts, PRES_92_AResourceThatStaysClosedIsToldOnce) {
    ContactsRig rig;
    rig.granted({"-balcony"});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rig.pass(2s) + rig.notify("active;expires=600", pidf({"-balcony"})), "");
}

TEST(Contacts, PRES_92_AllContactsTogetherWaitInTurn) {
    auto options = Rig::default_options();
    options.presence.subscribe_rate = 1'000;
    ContactsRig rig(options);
    std::size_t told = 0;
    constexpr std::size_t kContacts = 200;
    for (std::size_t i = 0; i < kContacts; ++i) {
        told += count(rig.subscribe({"u" + std::to_string(i), "montague.test", "x"}));
        told += count(rig.pass(1ms));
        told += count(rig.notify("active;expires=600", pidf(new_names())));
    }
    const auto in_all = kContacts * (presence::kMaxResources + 1);
    EXPECT_LE(told, 5'000u + 5 * kContacts + kContacts)
        << "5,000 and what 200 ms make good, without the words of the subscriptions";
    EXPECT_LT(told, in_all);
    EXPECT_EQ(told + count(rig.pass(1s)), in_all) << "the others follow";
}

// A contact that all users watch is as many pairs; what it does again and again is told in the turn of each.
TEST(Contacts, PRES_92_OneThatFlapsLetsOthersHaveTheirTurn) {
    auto options = Rig::default_options();
    options.presence.subscribe_rate = 1'000;
    ContactsRig rig(options);
    std::vector<SendSip> dialogs;
    constexpr std::size_t kPairs = 250;
    for (std::size_t i = 0; i < kPairs; ++i) {
        rig.subscribe({"u" + std::to_string(i), "montague.test", "x"});
        rig.pass(1ms);
        rig.notify("active;expires=600", pidf(new_names()));
        dialogs.push_back(rig.first);
    }
    rig.subscribe(kRomeo, {"nurse", "capulet.test", {}});
    rig.pass(1ms);
    auto told = rig.notify("active;expires=600", pidf({"hall"}));
    ASSERT_EQ(told.find("hall"), std::string::npos) << "as many as there may be were told";
    const auto asked = rig.rig.now;
    for (std::size_t i = 0; i < 200 && told.find("hall") == std::string::npos; ++i) {
        rig.first = dialogs[i];
        rig.cseq = 100;
        rig.rig.now += 1ms;  // it comes before the tick does
        told = rig.notify("active;expires=600", pidf(new_names()));
    }
    EXPECT_LE(rig.rig.now - asked, 120ms) << "those before it, a few stanzas each";
}

TEST(Contacts, WhatIsOwedWithoutAStreamIsBounded) {
    auto options = Rig::default_options();
    options.presence.relations = 2;
    ContactsRig rig(options);
    rig.granted({"a", "b", "c", "d", "e", "f", "g", "h"});
    rig.rig.feed(StreamDown{});
    for (int i = 0; i < 100; ++i) {
        rig.notify("pending");
        rig.notify("active;expires=600", pidf({"a"}));
    }
    EXPECT_EQ(rig.notify("terminated;reason=rejected"), "");
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told(),
              "unavailable juliet@capulet.test/a, unavailable juliet@capulet.test/b, unavailable juliet@capulet.test/c, "
              "unavailable juliet@capulet.test/d, unsubscribed juliet@capulet.test");
}

TEST(Contacts, WhatEndedWithoutAStreamIsWithdrawnWithTheNextOne) {
    ContactsRig rig;
    rig.granted();
    rig.pass(1s);
    rig.rig.feed(StreamDown{});
    EXPECT_EQ(rig.notify("pending"), "");
    EXPECT_EQ(rig.rows().front().shown, std::vector<std::string>{"balcony"}) << "the user sees it still";
    rig.rig.feed(StreamUp{});
    EXPECT_EQ(rig.told(), "probe juliet@capulet.test, unavailable juliet@capulet.test/balcony");
}

TEST(Contacts, PRES_73_AResourceThatVanishesIsUnavailableAndPRES_74_AnEmptyDocumentAll) {
    ContactsRig rig;
    rig.granted({"balcony", "garden"});
    rig.pass(1s);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"garden"})), "unavailable juliet@capulet.test/balcony");
    EXPECT_EQ(rig.notify("active;expires=600"), "") << "without a document the last one counts";
    EXPECT_EQ(rig.notify("active;expires=600", pidf({})), "unavailable juliet@capulet.test/garden");
}

TEST(Contacts, PRES_93_SubscribesLeaveEvenly) {
    auto options = Rig::default_options();
    options.presence.subscribe_rate = 10;
    ContactsRig rig(options);
    for (int i = 0; i < 30; ++i)
        rig.stanza(presence(PresenceType::subscribe, kRomeo, {"c" + std::to_string(i), "capulet.test", {}}));
    rig.pass(0ms);
    EXPECT_EQ(rig.begun, 1u);
    rig.pass(1s);
    EXPECT_LE(rig.begun, 11u);
    EXPECT_GE(rig.begun, 10u);
    rig.pass(2s);
    EXPECT_EQ(rig.begun, 30u);
}

TEST(Contacts, PRES_97_TheGatewayItself) {
    ContactsRig rig;
    const xmpp::Jid gateway{{}, "capulet.test", {}};
    EXPECT_EQ(rig.subscribe(kRomeo, gateway), "subscribed capulet.test, available capulet.test");
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe, kRomeo, gateway)), "available capulet.test");
    EXPECT_EQ(rig.stanza(presence(PresenceType::available, kRomeo, gateway)), "");
    EXPECT_EQ(rig.stanza(presence(PresenceType::unsubscribed, kRomeo, gateway)), "");
    EXPECT_EQ(rig.stanza(presence(PresenceType::unsubscribe, kRomeo, gateway)),
              "unavailable capulet.test, unsubscribed capulet.test");
    EXPECT_TRUE(rig.methods.empty());
}

TEST(Contacts, PRES_97_NoWordAboutTheGatewayIsOneAboutAContact) {
    ContactsRig rig;
    rig.granted();
    const xmpp::Jid gateway{{}, "capulet.test", {}};
    for (const auto type : {PresenceType::unsubscribed, PresenceType::unsubscribe}) rig.stanza(presence(type, kRomeo, gateway));
    rig.stanza(presence(PresenceType::unsubscribed));
    rig.pass(2s);
    EXPECT_EQ(rig.rows().size(), 1u);
    EXPECT_EQ(rig.begun, 1u);
}

TEST(Contacts, PRES_102_NotifyBeforeTheAnswer) {
    ContactsRig rig;
    rig.subscribe();
    const auto subscribe = rig.last;
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony"})),
              "subscribed juliet@capulet.test, available juliet@capulet.test/balcony");
    rig.last = subscribe;
    EXPECT_EQ(rig.respond(200, {{"Expires", "600"}}), "");
}

TEST(Contacts, PRES_103_WithoutANotifyItIsTriedLater) {
    ContactsRig rig;
    rig.subscribe();
    rig.respond(200, {{"Expires", "3600"}});
    EXPECT_EQ(rig.pass(32s), "");
    EXPECT_EQ(rig.begun, 1u);
    EXPECT_EQ(rig.notify("active"), "");
    EXPECT_EQ(rig.answered, 481) << "too late";
    EXPECT_EQ(rig.pass(31s), "");
    EXPECT_EQ(rig.begun, 2u);
}

TEST(Contacts, PRES_104_ARefusedRefreshLeavesTheDialog) {
    ContactsRig rig;
    rig.granted();
    rig.pass_to_refresh();
    rig.respond(500);
    EXPECT_EQ(rig.notify("active;expires=600", pidf({"balcony/dnd"})), "available juliet@capulet.test/balcony dnd");
    EXPECT_EQ(rig.answered, 200);
}

TEST(Contacts, AtMostSoManyOfAUserAndOfADomain) {
    auto options = Rig::default_options();
    options.presence.contacts_per_user = 2;
    options.presence.relations = 3;
    ContactsRig rig(options);
    const auto ask = [&](const char* user, const char* contact) {
        rig.stanza(presence(PresenceType::subscribe, {user, "montague.test", "x"}, {contact, "capulet.test", {}}));
        return rig.rig.stanzas.empty() ? std::string() : *rig.rig.error().text;
    };
    EXPECT_EQ(ask("romeo", "a"), "");
    EXPECT_EQ(ask("romeo", "b"), "");
    EXPECT_EQ(ask("romeo", "c"), "You watch as many contacts as this gateway allows.");
    EXPECT_EQ(ask("romeo", "b"), "") << "no further one";
    EXPECT_EQ(ask("benvolio", "a"), "");
    EXPECT_EQ(ask("benvolio", "b"), "This gateway can watch no further contacts.");
    rig.stanza(presence(PresenceType::unsubscribe, {"romeo", "montague.test", "x"}, {"a", "capulet.test", {}}));
    EXPECT_EQ(ask("benvolio", "b"), "") << "there is room again";
}

TEST(Contacts, PRES_27_InAFullDomainTheOldestThatARosterAloneSaysMakesRoom) {
    auto options = Rig::default_options();
    options.presence.relations = 3;
    options.presence.contacts_per_user = 2;
    ContactsRig rig(options);
    const auto say = [&](PresenceType type, const char* user, const char* contact) {
        rig.stanza(presence(type, {user, "montague.test", "x"}, {contact, "capulet.test", {}}));
        const bool refused = std::ranges::any_of(rig.rig.stanzas, [](const auto& stanza) {
            const auto* one = std::get_if<Presence>(&stanza);
            return one && one->type == PresenceType::error;
        });
        const auto told = std::string(refused ? "refused" : "");
        rig.pass(1s);
        return told;
    };
    const auto known = [&] {
        std::set<std::string> all;
        for (const auto& row : rig.rows()) all.insert(row.user.local + ' ' + row.contact.local);
        return all;
    };
    rig.granted();
    for (const char* user : {"benvolio", "mercutio"}) {
        say(PresenceType::probe, user, "a");
        rig.respond(489);
    }
    EXPECT_EQ(known(), (std::set<std::string>{"romeo juliet", "benvolio a", "mercutio a"}));
    EXPECT_EQ(say(PresenceType::subscribe, "paris", "a"), "");
    EXPECT_EQ(known(), (std::set<std::string>{"romeo juliet", "mercutio a", "paris a"})) << "the oldest, without a word";
    say(PresenceType::probe, "benvolio", "b");
    EXPECT_EQ(known(), (std::set<std::string>{"romeo juliet", "paris a", "benvolio b"}));
    EXPECT_EQ(say(PresenceType::subscribe, "paris", "b"), "refused") << "what is being asked makes none";
    rig.respond(489);
    EXPECT_EQ(say(PresenceType::subscribe, "paris", "b"), "");
    EXPECT_EQ(known(), (std::set<std::string>{"romeo juliet", "paris a", "paris b"}));
    EXPECT_EQ(say(PresenceType::subscribe, "paris", "c"), "refused") << "nor is there more for one user";
    EXPECT_EQ(say(PresenceType::subscribe, "tybalt", "a"), "refused") << "who was agreed on stays, and who asked";
}

TEST(Contacts, AnAdministratorSeesAndEndsThem) {
    ContactsRig rig;
    rig.granted();
    rig.subscribe({"benvolio", "montague.test", "x"}, kJuliet);
    rig.pass(20ms);
    rig.notify("pending");
    rig.stanza(presence(PresenceType::subscribe, kRomeo, {"nurse", "capulet.test", {}}));
    const auto order = [&](AdminVerb verb, const AdminArguments& arguments) {
        return rig.rig.engine.administer(read_order(admin_command(verb), arguments).value());
    };
    const auto listed = [&](const char* user) {
        std::string text;
        const auto outcome = order(AdminVerb::subscriptions, {{"user", user}});
        for (const auto& row : outcome.tables.front().rows)
            text += std::get<std::string>(row[1]) + ' ' + std::get<std::string>(row[2]) + ' ' + std::get<std::string>(row[3]) +
                    ' ' + std::get<std::string>(row[4]) + '\n';
        return text;
    };
    EXPECT_EQ(listed("all"),
              "benvolio@montague.test juliet@capulet.test to_sip pending\n"
              "romeo@montague.test juliet@capulet.test to_sip granted\n"
              "romeo@montague.test nurse@capulet.test to_sip waiting\n");
    EXPECT_EQ(listed("benvolio@montague.test/x"), "benvolio@montague.test juliet@capulet.test to_sip pending\n");
    const auto cancel = [&](const char* contact) {
        return order(AdminVerb::cancel_subscription, {{"user", "romeo@montague.test"}, {"contact", contact}});
    };
    EXPECT_FALSE(cancel("mercutio@capulet.test").done);
    EXPECT_FALSE(cancel("@").done);
    EXPECT_EQ(cancel("nurse@capulet.test").note, "romeo@montague.test no longer watches nurse@capulet.test.");
    EXPECT_EQ(rig.pass(0ms), "unsubscribed nurse@capulet.test");
    EXPECT_TRUE(cancel("juliet@capulet.test").done);
    EXPECT_EQ(rig.pass(0ms), "unavailable juliet@capulet.test/balcony");
    EXPECT_EQ(listed("romeo@montague.test"), "romeo@montague.test juliet@capulet.test to_sip ending\n");
}

TEST(Contacts, PRES_83_AndWhenTheContactWentIsSaid) {
    ContactsRig rig;
    rig.granted({"balcony"});
    auto gone = pidf({"-balcony"});
    gone.insert(gone.find("</tuple>"), "<timestamp>2026-01-01T10:00:00Z</timestamp>");
    rig.pass(1s);
    rig.notify("active;expires=600", gone);
    rig.pass(5s);
    const UtcTime later = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2);
    rig.rig.feed(StanzaIn{presence(PresenceType::probe), later});
    ASSERT_EQ(rig.rig.stanzas.size(), 1u);
    const auto& answer = std::get<Presence>(rig.rig.stanzas.front());
    EXPECT_EQ(words(answer), "unavailable juliet@capulet.test");
    ASSERT_EQ(answer.payload.size(), 1u);
    EXPECT_EQ(answer.payload.front().name, "delay");
    EXPECT_EQ(answer.payload.front().attribute("stamp")->substr(0, 10), "2026-01-01");
}

TEST(Contacts, NoAddressNoSubscription) {
    auto options = Rig::default_options();
    options.peers.front().targets = {{"elsewhere.test", ""}};
    ContactsRig rig(options);
    rig.stanza(presence(PresenceType::subscribe));
    EXPECT_EQ(rig.rig.error().condition, xmpp::Condition::remote_server_not_found);
    EXPECT_EQ(rig.stanza(presence(PresenceType::probe)), "") << "which may be a slip of a reload";
}

TEST(SubscribePacer, PRES_93_WhoWaitsHasOnePlace) {
    SubscribePacer pacer;
    pacer.configure(50);
    TimePoint now{};
    for (int again = 0; again < 3; ++again)
        for (const std::uint64_t who : {1, 2}) pacer.push("phones", who, now);
    EXPECT_EQ(pacer.size(), 2u);
    const auto anybody = [](std::uint64_t) { return true; };
    EXPECT_EQ(pacer.take(now, anybody), 1u);
    EXPECT_EQ(pacer.take(now, anybody), std::nullopt);
    now += 20ms;
    pacer.push("phones", 1, now);
    EXPECT_EQ(pacer.take(now, anybody), 2u);
    now += 20ms;
    EXPECT_EQ(pacer.take(now, [](std::uint64_t who) { return who != 1; }), std::nullopt);
    EXPECT_EQ(pacer.size(), 0u);
    pacer.push("phones", 1, now);
    EXPECT_EQ(pacer.take(now, anybody), 1u);
}

/// The most that went within a second, whenever it began.
std::size_t most_in_a_second(const std::vector<TimePoint>& went) {
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < went.size(); ++last) {
        while (went[first] + 1s <= went[last]) ++first;
        most = std::max(most, last - first + 1);
    }
    return most;
}

// A loop that is late by up to 50 ms each time: the cap holds, and ten thousand are asked for within a minute.
TEST(SubscribePacer, PRES_93_NoSecondHoldsMoreThanThePeerWasPromisedHoweverLateTheTicks) {
    for (const auto late : {0ms, 1ms, 3ms, 7ms, 20ms, 33ms, 50ms}) {
        SubscribePacer pacer;
        pacer.configure(250);
        TimePoint now{1h};
        constexpr std::uint64_t kAll = 10'000;
        for (std::uint64_t who = 1; who <= kAll; ++who) pacer.push("pbx", who, now);
        std::vector<TimePoint> went;
        const auto begun = now;
        for (std::uint64_t tick = 0; went.size() < kAll; ++tick) {
            now = std::max(now, *pacer.next_timeout()) + late * (tick % 7) / 6;
            while (pacer.take(now, [](std::uint64_t) { return true; })) went.push_back(now);
        }
        EXPECT_LE(most_in_a_second(went), 250u) << late.count();
        EXPECT_LT(now - begun, 60s) << late.count();
    }
}

TEST(SubscribePacer, PRES_93_AQueueThatWasEmptyForAMomentBeginsNoNewSecond) {
    SubscribePacer pacer;
    pacer.configure(100);
    TimePoint now{1h};
    std::vector<TimePoint> went;
    const auto anybody = [](std::uint64_t) { return true; };
    for (std::uint64_t who = 1; who <= 3'000; ++who) {
        pacer.push("pbx", who, now);
        while (pacer.take(now, anybody)) went.push_back(now);
        now += who % 40 == 0 ? 49ms : 5ms;  // a late one, then each comes when the one before has gone
        while (pacer.take(now, anybody)) went.push_back(now);
    }
    EXPECT_LE(most_in_a_second(went), 100u);
    pacer.configure(10);
    for (std::uint64_t who = 4'000; who <= 4'100; ++who) pacer.push("pbx", who, now);
    std::size_t more = 0;
    for (int i = 0; i < 100; ++i, now += 10ms)
        while (pacer.take(now, anybody)) ++more;
    EXPECT_LE(more, 10u) << "a lower rate counts what went before";
}

}  // namespace stox::engine::test
