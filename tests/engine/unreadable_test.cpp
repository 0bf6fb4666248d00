// Stanzas of which only the envelope could be read: who hears of it, and what an error or a result still means.

#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using xmpp::Condition, xmpp::ErrorType;

xmpp::Message envelope(xmpp::MessageType type = xmpp::MessageType::chat) {
    auto message = message_stanza("m9");
    message.bodies.clear();
    message.type = type;
    if (type == xmpp::MessageType::error) message.error = xmpp::StanzaError{};
    return message;
}

Rig& refuse(Rig& rig, xmpp::Stanza stanza) {
    return rig.feed(UnreadableStanzaIn{std::move(stanza), {Code::too_large, "elements too deep"}});
}

TEST(Unreadable, ItsAuthorHearsWhy) {
    Rig rig;
    refuse(rig, envelope());
    EXPECT_EQ(rig.error().condition, Condition::policy_violation);
    EXPECT_EQ(rig.error().type, ErrorType::modify);
    EXPECT_FALSE(rig.error().text->empty());
    const auto& answer = std::get<xmpp::Message>(rig.stanzas.front());
    EXPECT_EQ(answer.id, "m9");
    EXPECT_EQ(answer.to, message_stanza().from);
    EXPECT_EQ(answer.from, message_stanza().to);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_TRUE(rig.logged("elements too deep"));

    xmpp::Iq iq;
    iq.from = message_stanza().from;
    iq.to = {{}, "capulet.test", {}};
    iq.id = "q9";
    iq.type = xmpp::IqType::set;
    EXPECT_EQ(refuse(rig, iq).error().condition, Condition::policy_violation);
    EXPECT_EQ(std::get<xmpp::Iq>(rig.stanzas.front()).id, "q9");
}

TEST(Unreadable, CORE_72_AStrangerIsForbiddenWhateverItSends) {
    Rig rig;
    auto message = envelope();
    message.from.domain = "elsewhere.test";
    EXPECT_EQ(refuse(rig, message).error().condition, Condition::forbidden);
    EXPECT_EQ(rig.error().type, ErrorType::auth);
}

TEST(Unreadable, IM_18_OurOwnDomainAndForeignTargetsHearNothing) {
    Rig rig;
    auto message = envelope();
    message.from = {"nurse", "capulet.test", {}};
    EXPECT_TRUE(refuse(rig, message).stanzas.empty());
    xmpp::Iq iq;
    iq.from = iq.to = {{}, "capulet.test", {}};
    EXPECT_TRUE(refuse(rig, iq).stanzas.empty());
    message = envelope();
    message.to.domain = "verona.test";
    EXPECT_TRUE(refuse(rig, message).stanzas.empty());
}

TEST(Unreadable, CORE_52_ErrorsResultsAndPresencesAreAnsweredByNothing) {
    Rig rig;
    EXPECT_TRUE(refuse(rig, envelope(xmpp::MessageType::error)).stanzas.empty());
    xmpp::Iq iq;
    iq.from = message_stanza().from;
    iq.to = {{}, "capulet.test", {}};
    for (const auto type : {xmpp::IqType::result, xmpp::IqType::error}) {
        iq.type = type;
        EXPECT_TRUE(refuse(rig, iq).stanzas.empty());
    }
    xmpp::Presence presence;
    presence.from = message_stanza().from;
    presence.to = message_stanza().to;
    EXPECT_TRUE(refuse(rig, presence).stanzas.empty());
}

TEST(Unreadable, AnErrorStillFailsTheMessageItAnswers) {
    Rig rig;
    rig.request(message_request());
    const auto message = rig.messages().front();
    auto failure = envelope(xmpp::MessageType::error);
    failure.from = message.to;
    failure.to = message.from;
    failure.id = message.id;
    refuse(rig, failure);
    if (rig.answers.empty()) rig.answer_ping();
    EXPECT_GE(rig.answer().status, 400);
}

TEST(Unreadable, AResultStillAnswersThePing) {
    Rig rig;
    rig.request(message_request());
    ASSERT_TRUE(rig.answers.empty());
    EXPECT_EQ(refuse(rig, rig.ping_result()).answer().status, 202);
}

}  // namespace
