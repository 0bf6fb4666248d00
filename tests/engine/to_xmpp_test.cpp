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
    const SipRequestIn in{ServerTransaction{9}, message_request(), {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp};
    std::size_t messages = 0;
    for (const auto& action : rig.engine.handle(in, rig.now)) {
        const auto* sent = std::get_if<SendStanza>(&action);
        if (!sent) continue;
        const auto* iq = std::get_if<xmpp::Iq>(&sent->stanza);
        if (iq) {
            EXPECT_EQ(iq->to.to_string(), "montague.test") << "the server alone";
        } else {
            messages += std::holds_alternative<xmpp::Message>(sent->stanza);
            EXPECT_TRUE(std::holds_alternative<xmpp::Message>(sent->stanza));
        }
    }
    EXPECT_EQ(messages, 1u);
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

TEST(ToXmpp, AServerThatIsSilentFor10SecondsGets503AndPhones480) {
    for (const auto& [kind, status] :
         {std::pair(config::PeerKind::proxy, 503), {config::PeerKind::trunk, 503}, {config::PeerKind::phone, 480}}) {
        auto options = Rig::default_options();
        options.peers.front().kind = kind;
        Rig rig(options);
        rig.request(message_request());
        EXPECT_TRUE(rig.pass(seconds(9)).answers.empty());
        rig.pass(seconds(1));
        EXPECT_EQ(rig.answer().status, status);
        EXPECT_TRUE(rig.answer().header("Retry-After"));
    }
}

TEST(ToXmpp, CORE_05_WithoutStreamNothingIsAccepted) {
    Rig rig(Rig::default_options(), false);
    const auto answer = rig.request(message_request()).answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(*answer.header("Retry-After"), "10");
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(ToXmpp, ALostStreamRefusesWhatWasHeld) {
    Rig rig;
    rig.request(message_request("one"));
    rig.request(message_request("two"));
    rig.feed(StreamDown{});
    ASSERT_EQ(rig.answers.size(), 2u);
    for (const auto& answer : rig.answers) EXPECT_EQ(answer.response.status, 503);
    EXPECT_FALSE(rig.engine.next_timeout());
    rig.feed(StreamUp{});
    rig.request(message_request("three"));
    EXPECT_EQ(rig.answer_ping().answer().status, 202) << "a new stream begins anew";
}

TEST(ToXmpp, AtMost1024AreHeld) {
    Rig rig;
    for (int i = 0; i < 1'024; ++i) ASSERT_TRUE(rig.request(message_request()).answers.empty());
    const auto answer = rig.request(message_request()).answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(*answer.header("Retry-After"), "2");
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

TEST(ToXmpp, ADomainThatGoesAnswersWhatItHeld) {
    Rig rig;
    rig.request(message_request());
    EXPECT_EQ(rig.feed(Shutdown{}).answer().status, 503);
    EXPECT_EQ(rig.request(message_request()).answer().status, 503) << "nothing is taken that nobody would answer";
    EXPECT_TRUE(rig.stanzas.empty());
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
