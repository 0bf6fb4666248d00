// MESSAGE to message: when it is answered, and with what.

#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using std::chrono::seconds;

xmpp::Message error_for(const xmpp::Message& stanza, xmpp::Condition condition) {
    xmpp::StanzaError error;
    error.condition = condition;
    return std::get<xmpp::Message>(*xmpp::make_error(stanza, error));
}

TEST(ToXmpp, IM_29_AcceptedOnlyWhenTheServerHasIt) {
    Rig rig;
    rig.request(message_request());
    ASSERT_EQ(rig.messages().size(), 1u);
    EXPECT_TRUE(rig.answers.empty());
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
    EXPECT_EQ(rig.engine.pending().held_messages, 0u);
}

TEST(ToXmpp, IM_29_TheAcceptCodeIsTheOperators) {
    auto options = Rig::default_options();
    options.message_accept_code = 200;
    Rig rig(options);
    rig.request(message_request());
    EXPECT_EQ(rig.answer_ping().answer().status, 200);
}

TEST(ToXmpp, IM_30_AnErrorBeforeTheAnswerDecides) {
    Rig rig;
    const auto stanza = rig.request(message_request()).messages().front();
    EXPECT_EQ(rig.stanza(error_for(stanza, xmpp::Condition::service_unavailable)).answer().status, 480);
    EXPECT_TRUE(rig.answer_ping().answers.empty());
}

TEST(ToXmpp, IM_30_AnErrorAfterTheAnswerChangesNothing) {
    Rig rig;
    const auto stanza = rig.request(message_request()).messages().front();
    rig.answer_ping();
    rig.stanza(error_for(stanza, xmpp::Condition::service_unavailable));
    EXPECT_TRUE(rig.answers.empty());
    EXPECT_TRUE(rig.stanzas.empty()) << "an error is answered by nothing";
    EXPECT_TRUE(rig.logged("failed after it was accepted"));
}

TEST(ToXmpp, IM_35_NobodyIsAskedAboutTheUser) {
    Rig rig;
    rig.request(message_request());
    ASSERT_EQ(rig.stanzas.size(), 1u);
    EXPECT_EQ(rig.messages().size(), 1u);
    EXPECT_EQ(rig.ping_result().from.to_string(), "montague.test") << "the server alone is asked, and not about anybody";
}

TEST(ToXmpp, AnErrorFromAnotherAccountIsNobodysFate) {
    Rig rig;
    auto error = error_for(rig.request(message_request()).messages().front(), xmpp::Condition::forbidden);
    error.from = {"mercutio", "montague.test", "home"};
    EXPECT_TRUE(rig.stanza(error).answers.empty());
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
}

TEST(ToXmpp, APingCoversOnlyWhatWasWrittenBeforeIt) {
    Rig rig;
    rig.request(message_request("one"));
    rig.request(message_request("two"));
    rig.request(message_request("three"));
    EXPECT_EQ(rig.answer_ping().answers.size(), 1u);
    EXPECT_EQ(rig.answer_ping().answers.size(), 2u);
}

TEST(ToXmpp, IM_23_AddressesComeFromFromAndRequestUri) {
    Rig rig;
    auto request = message_request();
    request.to.uri = uri("sip:somebody.else@montague.test");
    const auto message = rig.request(request).messages().front();
    EXPECT_EQ(message.from.to_string(), "juliet@capulet.test");
    EXPECT_EQ(message.to.to_string(), "romeo@montague.test");
}

TEST(ToXmpp, CORE_11_ANestedUserOfOursIsReached) {
    Rig rig;
    auto request = message_request();
    request.uri = uri("sip:romeo%40montague.test@capulet.test");
    EXPECT_EQ(rig.request(request).messages().front().to.to_string(), "romeo@montague.test");
    request = message_request();
    request.uri = uri("sip:romeo%40elsewhere.test@capulet.test");
    EXPECT_EQ(rig.request(request).answer().status, 404) << "never a foreign domain";
}

TEST(ToXmpp, ThePingIsAnsweredAlsoByADomainThatAReloadTookAway) {
    Rig rig;
    rig.request(message_request());
    auto options = Rig::default_options();
    options.xmpp_domains = {"verona.test"};
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(rig.answer_ping().answer().status, 202);
}

}  // namespace
