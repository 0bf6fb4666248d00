// message to MESSAGE: what is sent, in which order, and what its author hears.

#include "mapping/xmpp/namespaces.h"
#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using xmpp::Condition;

TEST(ToSip, IM_01_OneRequestToTheNextHop) {
    Rig rig;
    rig.stanza(message_stanza());
    ASSERT_EQ(rig.sent.size(), 1u);
    const auto& [transaction, request, target, open_within] = rig.sent.front();
    EXPECT_EQ(request.method, "MESSAGE");
    EXPECT_EQ(request.uri.to_string(), "sip:juliet@capulet.test");
    EXPECT_EQ(request.from.uri.to_string(), "sip:romeo@montague.test");
    EXPECT_FALSE(request.from.tag.empty());
    EXPECT_FALSE(request.header("Contact"));
    EXPECT_EQ(target.text(), "udp:10.0.0.1:5060");
}

TEST(ToSip, AnIdThatNoClientMakesIsRefusedBeforeAnythingIsStored) {
    for (const std::size_t octets : {1'024u, 1'025u}) {
        Rig rig;
        auto message = message_stanza();
        message.id = std::string(octets, 'i');
        rig.stanza(message);
        EXPECT_EQ(rig.sent.size(), octets == 1'024u ? 1u : 0u);
        EXPECT_EQ(rig.undelivered().size(), octets == 1'024u ? 1u : 0u);
        if (octets == 1'024u) continue;
        ASSERT_EQ(rig.stanzas.size(), 1u);
        EXPECT_EQ(std::get<xmpp::Message>(rig.stanzas.front()).error->condition, Condition::policy_violation);
    }
}

TEST(ToSip, IM_13_SuccessIsSilent) {
    for (const int status : {200, 202}) {
        Rig rig;
        rig.stanza(message_stanza());
        EXPECT_TRUE(rig.sip_response(rig.sent.front().transaction, status).stanzas.empty());
        EXPECT_EQ(rig.engine.pending().transactions, 0u);
    }
}

TEST(ToSip, IM_14_EveryFailureReachesItsAuthorAtOnce) {
    for (const auto& [status, condition] : {std::pair(302, Condition::redirect),
                                            {404, Condition::item_not_found},
                                            {486, Condition::recipient_unavailable},
                                            {500, Condition::internal_server_error},
                                            {603, Condition::recipient_unavailable}}) {
        Rig rig;
        rig.stanza(message_stanza("m7"));
        rig.sip_response(rig.sent.front().transaction, status, LocalFailure::none, "Not tonight");
        EXPECT_EQ(rig.error().condition, condition) << status;
        EXPECT_EQ(rig.error().text, "Not tonight");
        EXPECT_EQ(rig.error().sip_status, status);
        const auto& message = std::get<xmpp::Message>(rig.stanzas.front());
        EXPECT_EQ(message.id, "m7");
        EXPECT_EQ(message.from.to_string(), "juliet@capulet.test");
        EXPECT_EQ(message.to.to_string(), "romeo@montague.test/garden");
        EXPECT_TRUE(rig.sent.empty()) << "nothing is tried again";
    }
}

TEST(ToSip, IM_48_A6xxIsTheLastWordWhateverOtherWayThereIs) {
    auto options = Rig::default_options();
    options.peers.front().next_hops = {hop(1), hop(2)};
    Rig rig(options);
    rig.stanza(message_stanza());
    rig.sip_response(rig.sent.front().transaction, 503);
    ASSERT_EQ(rig.sent.size(), 1u) << "there is another way";
    rig.sip_response(rig.sent.front().transaction, 200);
    rig.stanza(message_stanza());
    rig.sip_response(rig.sent.front().transaction, 603);
    EXPECT_EQ(rig.stanzas.size(), 1u);
    EXPECT_EQ(rig.error().sip_status, 603);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_TRUE(rig.pass(std::chrono::minutes(2)).sent.empty());
    EXPECT_EQ(rig.engine.pending().transactions, 0u);
}

TEST(ToSip, IM_50_ProvisionalResponsesDecideNothing) {
    Rig rig;
    rig.stanza(message_stanza());
    const auto transaction = rig.sent.front().transaction;
    EXPECT_TRUE(rig.sip_response(transaction, 100).stanzas.empty());
    EXPECT_TRUE(rig.sip_response(transaction, 183).stanzas.empty());
    EXPECT_EQ(rig.engine.pending().transactions, 1u);
}

TEST(ToSip, CORE_55_LocalFailuresSayWhatIsKnown) {
    Rig rig;
    rig.stanza(message_stanza());
    rig.sip_response(rig.sent.front().transaction, 408, LocalFailure::timeout);
    EXPECT_EQ(rig.error().condition, Condition::remote_server_timeout);
    EXPECT_NE(rig.error().text->find("may have been delivered"), std::string::npos);
    rig.stanza(message_stanza());
    rig.sip_response(rig.sent.front().transaction, 503, LocalFailure::unsent);
    EXPECT_EQ(rig.error().condition, Condition::internal_server_error);
    EXPECT_EQ(rig.error().text->find("may have been"), std::string::npos);
    rig.stanza(message_stanza());
    rig.sip_response(rig.sent.front().transaction, 503, LocalFailure::transport);
    EXPECT_EQ(rig.error().condition, Condition::remote_server_timeout);
    EXPECT_NE(rig.error().text->find("may have been delivered"), std::string::npos);
}

TEST(ToSip, IM_12_OneAtATimeInOrderThenFull) {
    Rig rig;
    rig.stanza(message_stanza("m0", "0"));
    auto transaction = rig.sent.front().transaction;
    for (int i = 1; i <= 50; ++i) {
        rig.stanza(message_stanza("m" + std::to_string(i), std::to_string(i)));
        ASSERT_TRUE(rig.sent.empty());
        ASSERT_TRUE(rig.stanzas.empty());
    }
    EXPECT_EQ(rig.stanza(message_stanza("over")).error().condition, Condition::resource_constraint);
    auto other = message_stanza("other");
    other.to.local = "nurse";
    EXPECT_EQ(rig.stanza(other).sent.size(), 1u) << "another target is free";
    for (int i = 1; i <= 50; ++i) {
        rig.sip_response(transaction, i % 2 ? 200 : 404);
        ASSERT_EQ(rig.sent.size(), 1u);
        EXPECT_EQ(rig.sent.front().request.body, std::to_string(i));
        transaction = rig.sent.front().transaction;
    }
}

TEST(ToSip, IM_02_WhichTypesArePageMessages) {
    Rig rig;
    auto message = message_stanza();
    message.type = xmpp::MessageType::groupchat;
    EXPECT_EQ(rig.stanza(message).error().condition, Condition::not_acceptable);
    message.type = xmpp::MessageType::error;
    message.error = xmpp::StanzaError{};
    EXPECT_TRUE(rig.stanza(message).stanzas.empty());
    EXPECT_TRUE(rig.sent.empty());
    for (const auto type : {xmpp::MessageType::normal, xmpp::MessageType::chat, xmpp::MessageType::headline}) {
        Rig fresh;
        message = message_stanza("m1", "of this type");
        message.type = type;
        ASSERT_EQ(fresh.stanza(message).sent.size(), 1u) << static_cast<int>(type);
        EXPECT_EQ(fresh.sent.front().request.method, "MESSAGE");
        EXPECT_EQ(fresh.sent.front().request.body, "of this type");
    }
}

TEST(ToSip, IM_27_EncryptedContentIsSentBackWithItsReason) {
    Rig rig;
    auto message = message_stanza("m1", "This message is encrypted");
    message.payload = {xml::Element(std::string(xmpp::ns::kOmemo), "encrypted")};
    EXPECT_EQ(rig.stanza(message).error().condition, Condition::not_acceptable);
    EXPECT_NE(rig.error().text->find("encrypt"), std::string::npos);
    EXPECT_TRUE(rig.sent.empty());
}

TEST(ToSip, IM_10_OverUdpARequestHas1300OctetsAtMost) {
    Rig rig;
    EXPECT_EQ(rig.stanza(message_stanza("m1", std::string(1'300, 'x'))).error().condition, Condition::policy_violation);
    EXPECT_EQ(rig.stanza(message_stanza("m2", std::string(300, 'x'))).sent.size(), 1u);
    auto options = Rig::default_options();
    options.peers.front().next_hops.front().transport = Transport::tcp;
    Rig tcp(options);
    EXPECT_EQ(tcp.stanza(message_stanza("m1", std::string(5'000, 'x'))).sent.size(), 1u);
    EXPECT_EQ(tcp.stanza(message_stanza("m2", std::string(65'536, 'x'))).error().condition, Condition::policy_violation);
}

TEST(ToSip, AtMost10000AreOnTheirWayWhateverTheirTargets) {
    Rig rig;
    auto message = message_stanza();
    for (int i = 0; i < 10'000; ++i) {
        message.to.local = "contact" + std::to_string(i);
        ASSERT_EQ(rig.stanza(message).sent.size(), 1u);
    }
    message.to.local = "one.more";
    EXPECT_EQ(rig.stanza(message).error().condition, Condition::resource_constraint);
}

TEST(ToSip, AtMost64MebibytesWaitWhateverMakesAMessageLong) {
    const std::string much(64'000, 'x');
    auto text = message_stanza("m1", much), subject = message_stanza();
    subject.subjects = {{much, {}}};
    for (auto message : {text, subject}) {
        auto options = Rig::default_options();
        options.peers.front().next_hops.front().transport = Transport::tcp;
        Rig rig(options);
        std::size_t taken = 0;
        for (message.to.local = "c0"; taken < 2'000 && rig.stanza(message).sent.size() == 1;
             message.to.local = "c" + std::to_string(taken))
            ++taken;
        EXPECT_LE(taken, (64u << 20) / 64'000);
        EXPECT_GE(taken, (64u << 20) / 65'000);
        EXPECT_EQ(rig.error().condition, Condition::resource_constraint);
    }
}

TEST(ToSip, CORE_72_OnlyItsOwnUsersAreServed) {
    Rig rig;
    auto message = message_stanza();
    message.from.domain = "elsewhere.test";
    EXPECT_EQ(rig.stanza(message).error().condition, Condition::forbidden);
    EXPECT_EQ(rig.error().type, xmpp::ErrorType::auth);
    EXPECT_TRUE(rig.sent.empty());
}

TEST(ToSip, ARedirectionCarriesTheFirstContactThatXmppCanName) {
    Rig rig;
    const auto sent = rig.stanza(message_stanza()).sent.front();
    SipResponseIn moved{sent.transaction, {}};
    moved.response.status = 301;
    for (const auto* contact : {"tel:+12025550100", "sip:new&shiny@capulet.test", "sip:third@capulet.test"})
        moved.response.contacts.push_back({{}, sip::Uri::parse(contact).value(), {}});
    EXPECT_EQ(rig.feed(moved).error().condition, Condition::gone);
    EXPECT_EQ(rig.error().address, "xmpp:new%5C26shiny@capulet.test");
}

TEST(ToSip, CORE_25_AnAddressWithoutSipFormIsItemNotFound) {
    auto options = Rig::default_options();
    options.scheme = config::AddressScheme::nested;
    Rig rig(options);
    EXPECT_EQ(rig.stanza(message_stanza()).error().condition, Condition::item_not_found) << "nested without a SIP domain in it";
}

TEST(ToSip, CORE_10_TheLastAtSplitsANestedAddress) {
    auto options = Rig::default_options();
    options.scheme = config::AddressScheme::nested;
    Rig rig(options);
    auto message = message_stanza();
    message.to.local = "a\\40b\\40verona.test";
    EXPECT_EQ(rig.stanza(message).sent.front().request.uri.to_string(), "sip:a%40b@verona.test");
}

TEST(ToSip, NoPeerNoTraffic) {
    auto options = Rig::default_options();
    options.peers.front().targets = {{"verona.test", ""}};
    Rig rig(options);
    EXPECT_EQ(rig.stanza(message_stanza()).error().condition, Condition::remote_server_not_found);
    options.peers.front().is_default = true;
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(rig.stanza(message_stanza()).sent.size(), 1u);
}

TEST(ToSip, TheLongestTargetLeads) {
    auto options = Rig::default_options();
    options.scheme = config::AddressScheme::nested;
    auto second = options.peers.front();
    second.name = "second";
    second.next_hops.front().port = 6000;
    options.peers.front().targets = {{"test", ""}};
    second.targets = {{"verona.test", ""}};
    options.peers.push_back(second);
    Rig rig(options);
    auto message = message_stanza();
    message.to.local = "a\\40x.verona.test";
    EXPECT_EQ(rig.stanza(message).sent.front().target.endpoint.port, 6000);
    message.to.local = "a\\40notverona.test";
    EXPECT_EQ(rig.stanza(message).sent.front().target.endpoint.port, 5060);
}

TEST(ToSip, IM_03_TheResourceGoesIntoFromOnlyWhenWanted) {
    auto options = Rig::default_options();
    options.from_gr = true;
    Rig rig(options);
    EXPECT_EQ(rig.stanza(message_stanza()).sent.front().request.from.uri.to_string(), "sip:romeo@montague.test;gr=garden");
}

TEST(ToSip, NothingToSayIsNothingSent) {
    Rig rig;
    auto state = message_stanza();
    state.bodies.clear();
    state.payload = {xml::Element("http://jabber.org/protocol/chatstates", "composing")};
    rig.stanza(state);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_TRUE(rig.stanzas.empty());
}

}  // namespace
