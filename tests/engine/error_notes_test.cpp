// What stands beside the status in the tables of errors: headers, addresses, choices of the operator.

#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using xmpp::Condition;

/// The answer to a MESSAGE whose stanza came back with that error.
sip::Response answer_to(xmpp::StanzaError error, const config::DomainOptions& options = Rig::default_options()) {
    Rig rig(options);
    const auto sent = rig.request(message_request()).messages().at(0);
    return rig.stanza(*xmpp::make_error(sent, std::move(error))).answer();
}

xmpp::StanzaError with(Condition condition, std::optional<std::string> address = {}) {
    xmpp::StanzaError error;
    error.condition = condition;
    error.address = std::move(address);
    return error;
}

/// The error that its author gets when a message is answered so.
xmpp::StanzaError error_of(sip::Response response) {
    Rig rig;
    rig.stanza(message_stanza());
    return rig.feed(SipResponseIn{rig.sent.at(0).transaction, std::move(response)}).error();
}

sip::Response status(int code, std::vector<std::string> contacts = {}, std::vector<sip::Header> headers = {}) {
    sip::Response response;
    response.status = code;
    for (const auto& contact : contacts) response.contacts.push_back({"", uri(contact), "", {}});
    response.headers = std::move(headers);
    return response;
}

/// A request to a full JID, as ;gr asks for.
TEST(ErrorNotes, CORE_X03_405SaysWhatIsServed) {
    Rig rig;
    auto request = message_request();
    request.uri = uri("sip:romeo@montague.test;gr=garden");
    const auto sent = rig.request(request).messages().at(0);
    ASSERT_FALSE(sent.to.resource.empty());
    const auto answer = rig.stanza(*xmpp::make_error(sent, with(Condition::feature_not_implemented))).answer();
    EXPECT_EQ(answer.status, 405);
    ASSERT_TRUE(answer.header("Allow"));
    EXPECT_EQ(answer_to(with(Condition::feature_not_implemented)).status, 501);
}

TEST(ErrorNotes, CORE_X05_GoneNamesTheNewAddressIfThereIsOne) {
    const auto moved = answer_to(with(Condition::gone, "xmpp:romeo@mantua.test"));
    EXPECT_EQ(moved.status, 301);
    ASSERT_TRUE(moved.header("Contact"));
    EXPECT_EQ(*moved.header("Contact"), "<sip:romeo@mantua.test>");
    const auto gone = answer_to(with(Condition::gone));
    EXPECT_EQ(gone.status, 410);
    EXPECT_FALSE(gone.header("Contact"));
    EXPECT_EQ(answer_to(with(Condition::gone, "mailto:romeo@mantua.test")).status, 410);
}

TEST(ErrorNotes, CORE_X14_ARedirectionHasItsContactOrIsNone) {
    const auto moved = answer_to(with(Condition::redirect, "sip:romeo@mantua.test"));
    EXPECT_EQ(moved.status, 302);
    ASSERT_TRUE(moved.header("Contact"));
    EXPECT_EQ(*moved.header("Contact"), "<sip:romeo@mantua.test>");
    EXPECT_EQ(answer_to(with(Condition::redirect)).status, 480);
    EXPECT_FALSE(answer_to(with(Condition::redirect)).header("Contact"));
}

TEST(ErrorNotes, CORE_X18_AConstraintSaysWhenToComeBack) {
    const auto answer = answer_to(with(Condition::resource_constraint));
    EXPECT_EQ(answer.status, 500);
    EXPECT_TRUE(answer.header("Retry-After"));
    EXPECT_FALSE(answer_to(with(Condition::internal_server_error)).header("Retry-After"));
}

TEST(ErrorNotes, CORE_X19_ServiceUnavailableIsAsTheOperatorSaysAndNever503) {
    EXPECT_EQ(answer_to(with(Condition::service_unavailable)).status, 480);
    auto options = Rig::default_options();
    options.service_unavailable_code = 403;
    EXPECT_EQ(answer_to(with(Condition::service_unavailable), options).status, 403);
    for (int i = 0; i <= static_cast<int>(Condition::unexpected_request); ++i)
        EXPECT_NE(answer_to(with(static_cast<Condition>(i))).status, 503) << i;
}

TEST(ErrorNotes, CORE_53_ABareAddressGives6xxOnlyWhereTheOperatorAllowsIt) {
    auto sure = Rig::default_options();
    sure.allow_6xx = true;
    EXPECT_EQ(answer_to(with(Condition::item_not_found)).status, 404);
    EXPECT_EQ(answer_to(with(Condition::item_not_found), sure).status, 604);
    EXPECT_EQ(answer_to(with(Condition::forbidden), sure).status, 603);
    EXPECT_EQ(answer_to(with(Condition::not_acceptable), sure).status, 606);
}

TEST(ErrorNotes, CORE_X11_CORE_X15_NoChallengeThatWeCouldNotMeet) {
    EXPECT_EQ(answer_to(with(Condition::not_authorized)).status, 403);
    EXPECT_EQ(answer_to(with(Condition::registration_required)).status, 403);
}

TEST(ErrorNotes, CORE_S300_CORE_S301_CORE_S302_TheFirstContactWithAFormInXmppIsTheNewAddress) {
    for (const auto& [code, condition] :
         {std::pair(300, Condition::redirect), {301, Condition::gone}, {302, Condition::redirect}, {305, Condition::redirect}}) {
        const auto error = error_of(status(code, {"tel:+15551230000", "sip:nobody@elsewhere.test", "sip:nurse@capulet.test",
                                                  "sip:tybalt@capulet.test"}));
        EXPECT_EQ(error.condition, condition) << code;
        EXPECT_EQ(error.address.value_or("none"), "xmpp:nurse@capulet.test") << code;
        const auto without = error_of(status(code, {"sip:nobody@elsewhere.test"}));
        EXPECT_EQ(without.condition, Condition::redirect) << code;
        EXPECT_FALSE(without.address) << code;
    }
}

TEST(ErrorNotes, CORE_S410_GoneForGoodNamesNoAddress) {
    const auto error = error_of(status(410, {"sip:nurse@capulet.test"}));
    EXPECT_EQ(error.condition, Condition::gone);
    EXPECT_FALSE(error.address);
}

TEST(ErrorNotes, CORE_S500_WithRetryAfterItIsWorthWaiting) {
    EXPECT_EQ(error_of(status(500)).type, xmpp::ErrorType::cancel);
    EXPECT_EQ(error_of(status(500, {}, {{"Retry-After", "30"}})).type, xmpp::ErrorType::wait);
}

TEST(ErrorNotes, CORE_S503_TheNextTargetComesFirstAndItIsNotServiceUnavailable) {
    auto options = Rig::default_options();
    options.peers.front().next_hops = {hop(1), hop(2)};
    options.peers.front().next_hops[1].priority = 1;
    Rig rig(options);
    rig.stanza(message_stanza());
    rig.sip_response(rig.sent.at(0).transaction, 503);
    EXPECT_TRUE(rig.stanzas.empty());
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().target.text(), "udp:10.0.0.2:5060");
    rig.sip_response(rig.sent.front().transaction, 503);
    EXPECT_EQ(rig.error().condition, Condition::internal_server_error);
}

TEST(ErrorNotes, CORE_S401_CORE_S407_ShownOnlyWhereThereAreNoCredentials) {
    EXPECT_EQ(error_of(status(401, {}, {{"WWW-Authenticate", "Digest realm=\"x\", nonce=\"y\""}})).condition,
              Condition::not_authorized);
    EXPECT_EQ(error_of(status(407, {}, {{"Proxy-Authenticate", "Digest realm=\"x\", nonce=\"y\""}})).condition,
              Condition::registration_required);
}

TEST(ErrorNotes, CORE_S424_AnIdentityThatIsNotBelievedIsLoggedAsSuch) {
    for (const int code : {428, 436, 437, 438}) {
        Rig rig;
        rig.stanza(message_stanza());
        rig.sip_response(rig.sent.at(0).transaction, code);
        ASSERT_EQ(rig.logs.size(), 1u) << code;
        EXPECT_EQ(rig.logs.front().level, Level::info);
        const auto& text = rig.logs.front().text;
        EXPECT_NE(text.find(" status=" + std::to_string(code) + " "), std::string::npos) << text;
        EXPECT_EQ(rig.error().condition, Condition::forbidden) << code;
    }
}

TEST(ErrorNotes, CORE_78_EveryErrorGoesBackWithTheIdItCameWith) {
    for (int code = 300; code < 700; ++code) {
        Rig rig;
        auto original = message_stanza("id " + std::to_string(code));
        rig.stanza(original);
        rig.sip_response(rig.sent.at(0).transaction, code);
        ASSERT_EQ(rig.stanzas.size(), 1u) << code;
        const auto& error = std::get<xmpp::Message>(rig.stanzas.front());
        EXPECT_EQ(error.id, original.id);
        EXPECT_EQ(error.type, xmpp::MessageType::error);
        EXPECT_EQ(error.from, original.to);
        EXPECT_EQ(error.to, original.from);
        EXPECT_TRUE(error.bodies.empty());
    }
}

}  // namespace
