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
    Rig rig;
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

}  // namespace
