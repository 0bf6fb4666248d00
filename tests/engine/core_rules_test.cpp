// Rules of docs/spec 1.8 and 1.10 that hold whatever is carried: identity, encryption, limits, order, mandatory headers.

#include "mapping/sip/mandatory_header.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/answers.h"
#include "plugin/engine/user_rates.h"
#include "tests/engine/rig.h"

#include <map>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using xmpp::Condition;

xml::Element element(const std::string& ns, const std::string& name, const std::string& text = {}) {
    xml::Element made(ns, name);
    if (!text.empty()) made.add_text(text);
    return made;
}

// Two sides

std::string text_of(const xmpp::Stanza& stanza) { return xml::write(xmpp::encode(stanza), xmpp::kComponentNs); }

std::string text_of(const sip::Request& request) {
    std::string text = request.method + '\n' + request.uri.to_string() + '\n' + request.from.uri.to_string() + '\n' +
                       request.from.display_name + '\n' + request.from.tag + '\n' + request.to.uri.to_string() + '\n' +
                       request.call_id + '\n' + request.content_type + '\n' + request.body;
    for (const auto& contact : request.contacts) text += '\n' + contact.uri.to_string();
    for (const auto& header : request.headers) text += '\n' + header.name + ": " + header.value;
    return text;
}

void expect_none(const std::string& text, std::initializer_list<const char*> words) {
    for (const auto* word : words) EXPECT_EQ(text.find(word), std::string::npos) << word << " in " << text;
}

TEST(TwoSides, CORE_01_NothingOfADialogOrATransactionIsAnAddressOnTheOtherSide) {
    Rig rig;
    auto request = message_request();
    request.call_id = "call-of-hers";
    request.from.tag = "tag-of-hers";
    request.contacts = {{"", uri("sip:device@192.0.2.7:5061"), ""}};
    request.headers = {{"Via", "SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKbranch"}, {"Record-Route", "<sip:192.0.2.9;lr>"}};
    const auto arrived = rig.request(request).messages().at(0);
    expect_none(text_of(arrived), {"tag-of-hers", "192.0.2.", "z9hG4bK"});
    EXPECT_EQ(arrived.thread, "call-of-hers") << "what IM-24 says";
    auto elsewhere = arrived;
    elsewhere.thread.reset();
    expect_none(text_of(elsewhere), {"call-of-hers"});

    auto message = message_stanza("id-of-his");
    message.thread = "thread-of-his";
    const auto sent = rig.stanza(message).sent.at(0).request;
    EXPECT_TRUE(sent.contacts.empty());
    expect_none(text_of(sent), {"id-of-his", "thread-of-his", "garden", "tag-of-hers", "192.0.2."});
    // An error finds its author by what is kept, not by what stood in the response.
    rig.sip_response(rig.sent.at(0).transaction, 404);
    EXPECT_EQ(std::get<xmpp::Message>(rig.stanzas.at(0)).id, "id-of-his");
    expect_none(text_of(rig.stanzas.at(0)), {sent.from.tag.c_str(), sent.call_id.c_str(), "z9hG4bK"});
}

// Mandatory headers

const std::map<int, std::string> kMandatory{{401, "WWW-Authenticate"}, {405, "Allow"},       {407, "Proxy-Authenticate"},
                                            {415, "Accept"},           {420, "Unsupported"}, {421, "Require"},
                                            {423, "Min-Expires"},      {469, "Recv-Info"},   {489, "Allow-Events"}};

TEST(MandatoryHeader, CORE_58_AStatusWithoutItsHeaderIsNeverSent) {
    for (int status = 100; status < 700; ++status) {
        const auto row = kMandatory.find(status);
        sip::Response response;
        response.status = status;
        response.reason = "Words";
        complete(response);
        const int otherwise = status == 401 || status == 407 ? 403 : 400;
        EXPECT_EQ(response.status, row == kMandatory.end() ? status : otherwise);
        EXPECT_EQ(response.reason.empty(), row != kMandatory.end());
        if (row == kMandatory.end()) continue;
        response.status = status;
        response.headers = {{row->second, "x"}};
        complete(response);
        EXPECT_EQ(response.status, status) << "with its header it is as it was";
    }
}

TEST(MandatoryHeader, CORE_58_EveryRefusalOfTheEngineHasIts) {
    std::map<int, unsigned> seen;
    const auto send = [&](const config::DomainOptions& options, sip::Request request) {
        Rig rig(options);
        rig.request(std::move(request));
        const auto& answers = rig.answers;
        if (answers.empty()) return;
        const auto& response = answers.front().response;
        ++seen[response.status];
        const auto header = sip::mandatory_header(response.status);
        const bool whole = header.empty() || (response.header(header) && !response.header(header)->empty());
        EXPECT_TRUE(whole) << response.status;
    };
    const auto options = Rig::default_options();
    for (const auto* method : {"MESSAGE", "OPTIONS", "INVITE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REGISTER", "INFO", "REFER", "DANCE"})
        for (const auto* type : {"", "text/plain", "image/png", "message/cpim", "text/plain;charset=none-such"})
            for (const auto* extension : {"", "100rel", "precondition, x"}) {
                auto request = message_request();
                request.method = method;
                request.content_type = type;
                if (*extension) request.headers = {{"Require", extension}};
                send(options, request);
                request.headers.push_back({"Content-Encoding", "gzip"});
                send(options, request);
            }
    for (const int status : {405, 415, 420}) EXPECT_GT(seen[status], 0u) << status;
}

TEST(MandatoryHeader, CORE_58_WhatWeRequireIsAlwaysNamedInFull) {
    Rig rig;
    auto request = message_request();
    request.headers = {{"Require", "100rel, x-one"}, {"Require", "x-two"}};
    EXPECT_EQ(*rig.request(request).answer().header("Unsupported"), "100rel, x-one, x-two");
    request = message_request();
    request.content_type = "image/png";
    EXPECT_TRUE(rig.request(request).answer().header("Accept-Encoding"));
    request = message_request();
    request.method = "INVITE";
    EXPECT_NE(rig.request(request).answer().header("Allow")->find("MESSAGE"), std::string::npos);
}

// Identity

TEST(Identity, CORE_63_NothingInAStanzaButItsFromSaysWhoItIsFrom) {
    Rig plain;
    const auto wanted = plain.stanza(message_stanza()).sent.at(0).request;
    auto message = message_stanza();
    message.subjects = {{"From: sip:prince@verona.test", {}}};
    message.thread = "sip:prince@verona.test";
    message.id = "sip:prince@verona.test";
    message.payload = {element("http://jabber.org/protocol/nick", "nick", "Prince <sip:prince@verona.test>"),
                       element("jabber:x:oob", "x", "sip:prince@verona.test"),
                       element("urn:xmpp:forward:0", "forwarded", "sip:prince@verona.test")};
    xml::Element addresses("http://jabber.org/protocol/address", "addresses");
    addresses.add({addresses.ns, "address"}).set("type", "ofrom").set("jid", "prince@verona.test");
    message.payload.push_back(addresses);
    xml::Element shim(std::string(xmpp::ns::kShim), "headers");
    for (const auto* name : {"From", "P-Asserted-Identity", "Remote-Party-ID", "Call-Info", "Contact", "Reply-To"})
        shim.add({shim.ns, "header"}).set("name", name).add_text("<sip:prince@verona.test>");
    message.payload.push_back(shim);
    Rig rig;
    const auto request = rig.stanza(message).sent.at(0).request;
    EXPECT_EQ(request.from.uri, wanted.from.uri);
    EXPECT_EQ(request.from.uri.to_string(), "sip:romeo@montague.test");
    EXPECT_EQ(request.from.display_name, wanted.from.display_name);
    EXPECT_EQ(request.uri, wanted.uri);
    for (const auto* name : {"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Call-Info", "Reply-To", "Identity"})
        EXPECT_FALSE(request.header(name)) << name;
    EXPECT_TRUE(request.contacts.empty());
}

TEST(Identity, CORE_63_TheAuthorIsTheFromThatTheServerStamped) {
    Rig rig;
    for (const auto* local : {"romeo", "benvolio", "r\\40x"}) {
        auto message = message_stanza();
        message.from.local = local;
        message.to.local = local;  // another queue
        EXPECT_EQ(rig.stanza(message).sent.at(0).request.from.uri.host, "montague.test");
    }
    auto message = message_stanza();
    message.from.domain = "verona.test";
    EXPECT_EQ(rig.stanza(message).error().condition, Condition::forbidden);
}

// Encryption

TEST(Encryption, CORE_67_WhatSipCannotCarryIsNeitherDroppedNorSentInTheClear) {
    for (const auto ns : {xmpp::ns::kOmemo, xmpp::ns::kOmemo2, xmpp::ns::kOpenPgp, xmpp::ns::kLegacyOpenPgp}) {
        Rig rig;
        auto message = message_stanza();
        message.payload = {element(std::string(ns), "encrypted", "secret")};
        EXPECT_EQ(rig.stanza(message).error().condition, Condition::not_acceptable) << ns;
        EXPECT_TRUE(rig.error().text) << "and they learn why";
        EXPECT_TRUE(rig.sent.empty());
    }
}

TEST(Encryption, CORE_67_NothingPromisesSecurityThatIsNotThere) {
    Rig rig;
    xmpp::Iq iq;
    iq.from = {"romeo", "montague.test", "garden"};
    iq.to = {"juliet", "capulet.test", {}};
    iq.id = "q";
    iq.payload = element(std::string(xmpp::ns::kDiscoInfo), "query");
    rig.stanza(iq);
    const auto text = [](const xml::Element& info) {
        std::string all;
        for (const auto& node : info.children)
            if (const auto* child = std::get_if<xml::Element>(&node); child && child->attribute("var")) all += *child->attribute("var");
        return all;
    }(*std::get<xmpp::Iq>(rig.stanzas.at(0)).payload);
    EXPECT_NE(text, "");
    for (const auto* secure : {"dtls", "omemo", "axolotl", "openpgp", "encrypted", "srtp"})
        EXPECT_EQ(text.find(secure), std::string::npos) << secure;
    auto sips = message_request();
    sips.uri = sips.to.uri = uri("sips:romeo@montague.test");
    EXPECT_EQ(rig.request(sips).answer().status, 416) << "no way to keep what sips promises";
    auto packed = message_request();
    packed.content_type = "application/pkcs7-mime";
    EXPECT_EQ(rig.request(packed).answer().status, 415) << "its author hears that it was not read";
}

// Limits

config::DomainOptions limited(unsigned user_rate) {
    auto options = Rig::default_options();
    options.user_rate = user_rate;
    return options;
}

TEST(Limits, CORE_71_AFloodOfOneUserLeavesTheOthersAlive) {
    Rig rig(limited(5));
    auto flood = message_stanza();
    unsigned sent = 0, refused = 0;
    for (int i = 0; i < 100; ++i) {
        flood.to.local = "contact" + std::to_string(i);
        flood.from.resource = "r" + std::to_string(i);
        rig.stanza(flood);
        sent += static_cast<unsigned>(rig.sent.size());
        if (rig.stanzas.empty()) continue;
        EXPECT_EQ(rig.error().condition, Condition::resource_constraint);
        EXPECT_EQ(rig.error().type, xmpp::ErrorType::wait);
        ++refused;
    }
    EXPECT_EQ(sent, 5u);
    EXPECT_EQ(refused, 95u);
    auto other = message_stanza();
    other.from.local = "benvolio";
    EXPECT_EQ(rig.stanza(other).sent.size(), 1u);
    rig.pass(std::chrono::seconds(1));
    flood.to.local = "later";
    EXPECT_EQ(rig.stanza(flood).sent.size(), 1u) << "and then it goes on";
}

TEST(Limits, CORE_71_AFloodOfOneSipUserLeavesTheOthersAlive) {
    for (const bool phone : {false, true}) {
        auto options = limited(5);
        if (phone) options.peers.front().kind = config::PeerKind::phone;
        Rig rig(options);
        for (int i = 0; i < 5; ++i) EXPECT_EQ(rig.request(message_request()).messages().size(), 1u);
        EXPECT_EQ(rig.request(message_request()).answer().status, phone ? 480 : 503);
        EXPECT_TRUE(rig.answer().header("Retry-After"));
        auto other = message_request();
        other.from.uri = uri("sip:nurse@capulet.test");
        EXPECT_EQ(rig.request(other).messages().size(), 1u);
    }
}

TEST(Limits, CORE_71_APeerThatAsksForTooMuchLeavesTheOthersAlive) {
    auto options = Rig::default_options();
    options.peers.front().limits.per_second = 5;
    options.peers.front().kind = config::PeerKind::trunk;
    options.peers.push_back(options.peers.front());
    options.peers.back().name = "others";
    options.peers.back().source = {{Address::v4({10, 0, 0, 9}), 32}};
    Rig rig(options);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rig.request(message_request()).messages().size(), 1u);
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    EXPECT_TRUE(rig.answer().header("Retry-After"));
    EXPECT_EQ(rig.request(message_request(), Address::v4({10, 0, 0, 9})).messages().size(), 1u);
}

TEST(Limits, CORE_71_UsersAreRememberedWithinABound) {
    UserRates rates;
    rates.configure(1);
    const TimePoint now{std::chrono::seconds(10)};
    for (std::size_t i = 0; i <= UserRates::kCapacity + 5; ++i) {
        EXPECT_TRUE(rates.take(std::to_string(i), now));
        ASSERT_LE(rates.size(), UserRates::kCapacity);
    }
    EXPECT_FALSE(rates.take(std::to_string(UserRates::kCapacity), now));
    rates.configure(0);
    EXPECT_EQ(rates.size(), 0u);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(rates.take("one", now)) << "0 is no limit";
}

// Names

TEST(Names, CORE_73_ANameThatCouldBeTakenForAnotherIsToldOnceAndDelivered) {
    Rig rig;
    auto message = message_stanza();
    message.from.local = "p\u0430ypal";
    EXPECT_EQ(rig.stanza(message).sent.size(), 1u);
    EXPECT_TRUE(rig.logged("name that could be taken for another"));
    message.to.local = "nurse";
    EXPECT_EQ(rig.stanza(message).sent.size(), 1u);
    EXPECT_FALSE(rig.logged("name that could")) << "once";
    auto request = message_request();
    request.from.uri = uri("sip:%D0%B0pple@capulet.test");
    EXPECT_EQ(rig.request(request).messages().size(), 1u);
    EXPECT_TRUE(rig.logged("name that could"));
    EXPECT_FALSE(rig.request(message_request()).logged("name that could"));
}

TEST(Names, CORE_73_ADisplayNameIsNobodysIdentity) {
    Rig rig;
    auto request = message_request();
    request.from.display_name = "romeo@montague.test";
    const auto sent = rig.request(request).messages().at(0);
    EXPECT_EQ(sent.from.local, "juliet");
    EXPECT_EQ(sent.from.domain, "capulet.test");
}

// Order

TEST(Order, CORE_77_HundredMessagesLeaveForSipAsTheyCame) {
    Rig rig;
    std::map<std::string, std::vector<std::string>> arrived;  // by contact
    std::vector<SendSip> under_way;
    const auto collect = [&] {
        for (const auto& sent : rig.sent) {
            arrived[sent.request.uri.user].push_back(sent.request.body);
            under_way.push_back(sent);
        }
    };
    std::map<std::string, std::vector<std::string>> wanted;
    for (int i = 0; i < 100; ++i)
        for (const auto* contact : {"juliet", "nurse"}) {
            auto message = message_stanza("m", std::to_string(i));
            message.to.local = contact;
            wanted[contact].push_back(std::to_string(i));
            rig.stanza(message);
            collect();
            // Answers come late, in any order, good and bad.
            if (i % 3 == 2 && !under_way.empty()) {
                const auto answered = under_way.front();
                under_way.erase(under_way.begin());
                rig.sip_response(answered.transaction, i % 2 ? 200 : 486);
                collect();
            }
            if (under_way.size() > 1 && i % 2) {
                const auto answered = under_way.back();
                under_way.pop_back();
                rig.sip_response(answered.transaction, 202);
                collect();
            }
        }
    while (!under_way.empty()) {
        const auto answered = under_way.back();
        under_way.pop_back();
        rig.sip_response(answered.transaction, 200);
        collect();
    }
    EXPECT_EQ(arrived, wanted);
}

TEST(Order, CORE_77_HundredMessagesLeaveForXmppAsTheyCame) {
    Rig rig;
    std::vector<std::string> arrived, wanted;
    for (int i = 0; i < 100; ++i) {
        wanted.push_back(std::to_string(i));
        for (const auto& message : rig.request(message_request(wanted.back())).messages()) arrived.push_back(message.bodies.at(0).text);
        if (i % 7 == 6) rig.answer_ping();
    }
    EXPECT_EQ(arrived, wanted);
}

}  // namespace
