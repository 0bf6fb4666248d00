// What the gateway answers for itself and for SIP contacts.

#include "mapping/xmpp/namespaces.h"
#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;

xmpp::Iq ask(std::string_view ns, std::string_view name, const std::string& local = {}) {
    xmpp::Iq iq;
    iq.from = {"romeo", "montague.test", "garden"};
    iq.to = {local, "capulet.test", {}};
    iq.id = "q1";
    iq.payload = xml::Element(std::string(ns), std::string(name));
    return iq;
}

xmpp::Iq answered(Rig& rig, xmpp::Iq iq) {
    rig.stanza(std::move(iq));
    EXPECT_EQ(rig.stanzas.size(), 1u);
    EXPECT_TRUE(rig.sent.empty()) << "never by way of SIP";
    return rig.stanzas.empty() ? xmpp::Iq{} : std::get<xmpp::Iq>(rig.stanzas.front());
}

TEST(Services, CORE_12_TheGatewayAnswersForItself) {
    Rig rig;
    const auto info = answered(rig, ask(xmpp::ns::kDiscoInfo, "query"));
    EXPECT_EQ(info.type, xmpp::IqType::result);
    EXPECT_EQ(info.id, "q1");
    EXPECT_EQ(info.from.to_string(), "capulet.test");
    EXPECT_EQ(*info.payload->child(xmpp::ns::kDiscoInfo, "identity")->attribute("category"), "gateway");
    EXPECT_EQ(answered(rig, ask(xmpp::ns::kDiscoItems, "query")).type, xmpp::IqType::result);
    EXPECT_EQ(answered(rig, ask(xmpp::ns::kPing, "ping")).type, xmpp::IqType::result);
    const auto version = answered(rig, ask(xmpp::ns::kVersion, "query"));
    EXPECT_EQ(version.payload->child(xmpp::ns::kVersion, "name")->text(), "stox");
    EXPECT_EQ(answered(rig, ask("urn:unheard-of", "x")).error->condition, xmpp::Condition::service_unavailable);
}

TEST(Services, CORE_13_AContactAnswersEveryIq) {
    Rig rig;
    const auto info = answered(rig, ask(xmpp::ns::kDiscoInfo, "query", "juliet"));
    EXPECT_EQ(info.from.to_string(), "juliet@capulet.test");
    EXPECT_EQ(*info.payload->child(xmpp::ns::kDiscoInfo, "identity")->attribute("category"), "client");
    EXPECT_EQ(answered(rig, ask("urn:unheard-of", "x", "juliet")).error->condition, xmpp::Condition::service_unavailable);
}

TEST(Services, CORE_72_StrangersLearnNothing) {
    Rig rig;
    auto iq = ask(xmpp::ns::kDiscoInfo, "query");
    iq.from.domain = "elsewhere.test";
    EXPECT_EQ(answered(rig, iq).error->condition, xmpp::Condition::forbidden);
}

TEST(Services, CORE_52_ResultsAndErrorsAreAnsweredByNothing) {
    Rig rig;
    auto iq = ask(xmpp::ns::kPing, "ping");
    iq.type = xmpp::IqType::result;
    EXPECT_TRUE(rig.stanza(iq).stanzas.empty());
    iq.type = xmpp::IqType::error;
    iq.error = xmpp::StanzaError{};
    EXPECT_TRUE(rig.stanza(iq).stanzas.empty());
}

TEST(Services, CORE_78_AnIqRequestThatIsNoneIsAnsweredBadRequest) {
    Rig rig;
    auto iq = ask({}, {});
    iq.payload.reset();
    rig.feed(UnreadableStanzaIn{iq, {Code::malformed, "without exactly one child"}});
    EXPECT_EQ(rig.error().condition, xmpp::Condition::bad_request);
    EXPECT_EQ(rig.error().type, xmpp::ErrorType::modify);
    const auto& answer = std::get<xmpp::Iq>(rig.stanzas.front());
    EXPECT_EQ(answer.id, "q1");
    EXPECT_EQ(answer.to, iq.from);
    EXPECT_EQ(answer.from, iq.to);
}

TEST(Services, ASubscriptionThatNothingCouldAnswerIsRefused) {
    auto options = Rig::default_options();
    options.presence.mode = config::PresenceMode::off;
    Rig rig(options);
    xmpp::Presence presence;
    presence.from = {"romeo", "montague.test", {}};
    presence.to = {"juliet", "capulet.test", {}};
    presence.type = xmpp::PresenceType::subscribe;
    EXPECT_EQ(rig.stanza(presence).error().condition, xmpp::Condition::feature_not_implemented);
    presence.type = xmpp::PresenceType::available;
    EXPECT_TRUE(rig.stanza(presence).stanzas.empty());
}

TEST(Services, AMessageToTheGatewayItselfIsRefused) {
    Rig rig;
    auto message = message_stanza();
    message.to.local.clear();
    EXPECT_EQ(rig.stanza(message).error().condition, xmpp::Condition::service_unavailable);
}

TEST(Services, IM_18_WhatComesFromOurOwnDomainIsALoop) {
    Rig rig;
    auto message = message_stanza();
    message.from = {"juliet", "capulet.test", {}};
    message.to = {"nurse", "capulet.test", {}};
    rig.stanza(message);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_TRUE(rig.stanzas.empty());
}

std::vector<std::string> features_of(const xmpp::Iq& info) {
    std::vector<std::string> features;
    for (const auto& node : info.payload->children)
        if (const auto& child = std::get<xml::Element>(node); child.name == "feature") features.push_back(*child.attribute("var"));
    return features;
}

using Features = std::vector<std::string>;

/// The feature works, as far as it can be asked for.
void expect_works(Rig& rig, const std::string& feature, const std::string& local) {
    if (feature == xmpp::ns::kCommands) {
        auto command = ask(feature, "command", local);
        command.type = xmpp::IqType::set;
        command.payload->set("node", "unheard-of");
        EXPECT_EQ(answered(rig, command).error->condition, xmpp::Condition::item_not_found) << "no such command, but commands";
        return;
    }
    const std::string name = feature == xmpp::ns::kPing ? "ping" : "query";
    const auto answer = answered(rig, ask(feature, name, local));
    EXPECT_EQ(answer.type, xmpp::IqType::result) << feature;
}

TEST(Services, CORE_14_EachFeatureOfTheGatewayWorksAndEachThatWorksIsNamed) {
    Rig rig;
    const auto info = answered(rig, ask(xmpp::ns::kDiscoInfo, "query"));
    const auto* identity = info.payload->child(xmpp::ns::kDiscoInfo, "identity");
    ASSERT_TRUE(identity);
    EXPECT_EQ(*identity->attribute("category"), "gateway");
    EXPECT_EQ(*identity->attribute("type"), "simple") << "a type of the registrar's list";
    const auto features = features_of(info);
    EXPECT_EQ(features, (Features{"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items",
                                  "jabber:iq:version", "urn:xmpp:ping", "http://jabber.org/protocol/commands"}));
    for (const auto& feature : features) expect_works(rig, feature, {});
    for (const auto* other : {"jabber:iq:register", "jabber:iq:gateway", "vcard-temp", "jabber:iq:last", "urn:xmpp:time"})
        EXPECT_EQ(answered(rig, ask(other, "query")).error->condition, xmpp::Condition::service_unavailable) << other;
}

TEST(Services, CORE_15_AContactAdvertisesWhatItCanDoTodayAndNoMore) {
    Rig rig;
    const auto info = answered(rig, ask(xmpp::ns::kDiscoInfo, "query", "juliet"));
    const auto features = features_of(info);
    EXPECT_EQ(features, (Features{"http://jabber.org/protocol/disco#info"}));
    for (const auto& feature : features) expect_works(rig, feature, "juliet");
    for (const auto& feature : features) {
        EXPECT_FALSE(feature.starts_with("urn:xmpp:jingle")) << "there are no calls";
        EXPECT_NE(feature, "urn:ietf:rfc:3264");
    }
}

TEST(Services, CORE_14_ANodeThatNobodyNamedIsNotThere) {
    Rig rig;
    for (const std::string_view ns : {xmpp::ns::kDiscoInfo, xmpp::ns::kDiscoItems}) {
        auto iq = ask(ns, "query");
        iq.payload->set("node", "http://somewhere.test#caps");
        EXPECT_EQ(answered(rig, iq).error->condition, xmpp::Condition::item_not_found);
    }
}

}  // namespace
