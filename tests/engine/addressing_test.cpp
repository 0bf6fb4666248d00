// Who is who on either side: schemes, spellings, numbers, devices, and what has no address.

#include "plugin/engine/addressing.h"

#include "plugin/engine/devices.h"
#include "plugin/engine/dial_plan.h"
#include "plugin/engine/seen_spellings.h"
#include "tests/engine/rig.h"

#include <random>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using config::AddressScheme;
using xmpp::Condition;

config::DomainOptions scheme(AddressScheme scheme) {
    auto options = Rig::default_options();
    options.scheme = scheme;
    return options;
}

config::DomainOptions phone() {
    auto options = scheme(AddressScheme::phone);
    options.sip_domain = "trunk.test";
    return options;
}

sip::Request from(const std::string& who, const std::string& to = "sip:romeo@montague.test") {
    auto request = message_request();
    request.from.uri = uri(who);
    request.uri = request.to.uri = uri(to);
    return request;
}

xmpp::Message to(const std::string& whom) {
    auto message = message_stanza();
    message.to = xmpp::Jid::parse(whom).value();
    return message;
}

/// Who the author of that request is for XMPP, or the status it was refused with.
std::string author(Rig& rig, sip::Request request) {
    const auto messages = rig.request(std::move(request)).messages();
    return messages.empty() ? std::to_string(rig.answer().status) : messages.front().from.to_string();
}

/// The Request-URI of what a stanza to that JID becomes, or the condition of its refusal.
std::string target(Rig& rig, const std::string& whom) {
    rig.stanza(to(whom));
    if (rig.sent.empty()) return rig.stanzas.empty() ? "nothing" : std::string(to_string(rig.error().condition));
    const auto [transaction, request, where, open_within] = rig.sent.front();
    rig.sip_response(transaction, 200);
    EXPECT_EQ(request.to.uri, request.uri);
    return request.uri.to_string();
}

// The domain of the other side

TEST(Routing, CORE_79_TheRequestUriDecidesAndNotTo) {
    Rig rig;
    auto request = from("sip:juliet@capulet.test");
    request.to.uri = uri("sip:mercutio@montague.test");
    EXPECT_EQ(rig.request(request).messages().at(0).to.to_string(), "romeo@montague.test");
    request.call_id += "b";
    request.uri = uri("sip:romeo@verona.test");
    request.to.uri = uri("sip:romeo@montague.test");
    EXPECT_EQ(rig.request(request).answer().status, 404);
    EXPECT_TRUE(rig.stanzas.empty());
    // The other way the domain of `to` decides: what is not the component's is none of ours.
    EXPECT_EQ(target(rig, "juliet@verona.test"), "nothing");
}

TEST(Routing, CORE_07_AnXmppDomainOfOursIsNeverASipDomain) {
    auto options = scheme(AddressScheme::nested);
    options.xmpp_domains.push_back("tschüss.test");
    Rig rig(options);
    EXPECT_EQ(target(rig, "nurse\\40verona.test@capulet.test"), "sip:nurse@verona.test");
    for (const auto* ours : {"mercutio\\40montague.test@capulet.test", "mercutio%montague.test@capulet.test",
                             "mercutio\\40MONTAGUE.test.@capulet.test", "mercutio\\40tschüss.test@capulet.test",
                             "mercutio\\40xn--tschss-6ya.test@capulet.test"})
        EXPECT_EQ(target(rig, ours), "item-not-found") << ours;
}

TEST(Routing, CORE_11_UsersOfADomainThatSipDoesNotRouteToUsAreNested) {
    auto options = Rig::default_options();
    options.xmpp_domains = {"montague.test", "verona.test"};
    options.nested_xmpp_domains = {"verona.test"};
    options.from_gr = true;
    Rig rig(options);
    auto message = to("juliet@capulet.test");
    EXPECT_EQ(rig.stanza(message).sent.at(0).request.from.uri.to_string(), "sip:romeo@montague.test;gr=garden");
    rig.sip_response(rig.sent.at(0).transaction, 200);
    message.from = {"o\\27nurse", "verona.test", "garden"};
    const auto seen = rig.stanza(message).sent.at(0).request.from.uri;
    EXPECT_EQ(seen.to_string(), "sip:o'nurse%40verona.test@capulet.test;gr=garden");
    // Whoever calls that back reaches the same one.
    auto back = from("sip:juliet@capulet.test", seen.to_string());
    EXPECT_EQ(rig.request(back).messages().at(0).to.to_string(), "o\\27nurse@verona.test/garden");
}

TEST(Routing, CORE_33_ImAndPresTargetsAreRead) {
    Rig rig;
    EXPECT_EQ(rig.request(from("sip:juliet@capulet.test", "im:romeo@montague.test")).messages().at(0).to.to_string(),
              "romeo@montague.test");
    EXPECT_EQ(rig.request(from("sip:juliet@capulet.test", "pres:o%27malley@montague.test")).messages().at(0).to.to_string(),
              "o\\27malley@montague.test");
    EXPECT_EQ(target(rig, "juliet@capulet.test"), "sip:juliet@capulet.test") << "we write sip";
}

TEST(Routing, CORE_34_WhoHasNoUserNeitherWritesNorIsWrittenTo) {
    Rig rig;
    auto message = to("juliet@capulet.test");
    message.from = {{}, "montague.test", {}};
    EXPECT_EQ(rig.stanza(message).error().condition, Condition::not_acceptable);
    EXPECT_TRUE(rig.sent.empty());
    Rig plain, numbers(phone());
    const auto nobody = from("sip:juliet@capulet.test", "sip:montague.test");
    EXPECT_EQ(plain.request(nobody).answer().status, 404);
    EXPECT_EQ(numbers.request(from("tel:+4420", "sip:montague.test")).answer().status, 484);
}

TEST(Routing, CORE_24_CORE_25_WhatHasNoJidIs404) {
    Rig rig;
    for (const auto* nobody : {"sip:%20a@montague.test", "sip:a%FFb@montague.test", "sip:%00@montague.test", "sip:a%20@montague.test"})
        EXPECT_EQ(rig.request(from("sip:juliet@capulet.test", nobody)).answer().status, 404) << nobody;
    EXPECT_EQ(author(rig, from("sip:a%FFb@capulet.test")), "404");
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_EQ(target(rig, "\\20a@capulet.test"), "item-not-found");
}

TEST(Routing, CORE_29_ATargetThatIsTooLongIs414AndAnAuthor404) {
    Rig rig;
    const std::string longest(1'023, 'a');
    EXPECT_EQ(rig.request(from("sip:juliet@capulet.test", "sip:" + longest + "@montague.test")).messages().size(), 1u);
    EXPECT_EQ(rig.request(from("sip:juliet@capulet.test", "sip:" + longest + "a@montague.test")).answer().status, 414);
    EXPECT_EQ(author(rig, from("sip:" + longest + "a@capulet.test")), "404");
}

// Spellings

TEST(Spellings, CORE_27_TheFormLastSeenIsTheOneThatIsWrittenBack) {
    Rig rig;
    EXPECT_EQ(target(rig, "a;b@capulet.test"), "sip:a;b@capulet.test");
    EXPECT_EQ(author(rig, from("sip:a%3bb@capulet.test")), "a;b@capulet.test");
    EXPECT_EQ(target(rig, "a;b@capulet.test"), "sip:a%3Bb@capulet.test");
    EXPECT_EQ(author(rig, from("sip:a;b@capulet.test")), "a;b@capulet.test");
    EXPECT_EQ(target(rig, "a;b@capulet.test"), "sip:a;b@capulet.test") << "the last one counts";
    for (const std::string both : {"a%3Bb", "a%2Fb", "a%3Fb", "a%26b", "a%3Db", "a%2Bb", "a%24b", "a%2Cb"}) {
        const auto contact = author(rig, from("sip:" + both + "@capulet.test"));
        EXPECT_EQ(target(rig, contact), "sip:" + both + "@capulet.test");
    }
    EXPECT_EQ(target(rig, author(rig, from("sip:%6aul%2Di%65t@capulet.test"))), "sip:jul-iet@capulet.test") << "an escape that means nothing";
}

TEST(Spellings, CORE_28_TheCaseLastSeenIsTheOneThatIsWrittenBack) {
    auto options = scheme(AddressScheme::nested);
    options.peers.front().identities = {{"verona.test", "", {}}};
    Rig rig(options);
    EXPECT_EQ(author(rig, from("sip:Alice@Verona.test")), "alice\\40verona.test@capulet.test");
    EXPECT_EQ(target(rig, "alice\\40verona.test@capulet.test"), "sip:Alice@verona.test");
    EXPECT_EQ(target(rig, "ALICE%verona.test@capulet.test/x"), "sip:Alice@verona.test") << "however the contact is written";
    EXPECT_EQ(target(rig, "alice\\40other.test@capulet.test"), "sip:alice@other.test") << "somebody else";
}

TEST(Spellings, CORE_27_OnlyWhoMaySpeakIsRemembered) {
    auto options = Rig::default_options();
    options.peers.front().identities = {{"capulet.test", "bob", {}}};
    Rig rig(options);
    EXPECT_EQ(author(rig, from("sip:Alice@capulet.test")), "403");
    EXPECT_EQ(target(rig, "alice@capulet.test"), "sip:alice@capulet.test");
    auto hidden = from("sip:Bob@capulet.test");
    options.peers.front().identities = {{"capulet.test", "", {}}};
    rig.feed(OptionsChanged{options});
    hidden.headers = {{"Privacy", "id"}};
    rig.request(hidden);
    EXPECT_EQ(target(rig, "bob@capulet.test"), "sip:bob@capulet.test") << "and nobody who hides";
}

TEST(Spellings, CORE_28_AReloadKeepsWhatAddressesStillMean) {
    auto options = Rig::default_options();
    Rig rig(options);
    author(rig, from("sip:Alice@capulet.test"));
    options.name = "other";
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(target(rig, "alice@capulet.test"), "sip:Alice@capulet.test");
    options.sip_domain = "voip.test";
    rig.feed(OptionsChanged{options});
    EXPECT_EQ(target(rig, "alice@capulet.test"), "sip:alice@voip.test") << "another user of another domain";
}

TEST(Spellings, CORE_27_CORE_28_TheMemoryIsBounded) {
    SeenSpellings seen;
    const auto spell = [](const std::string& user) {
        sip::Uri uri;
        uri.user = user;
        return uri;
    };
    const auto back = [&](const std::string& local) {
        auto uri = spell(local);
        seen.restore({local, "capulet.test", "any"}, uri);
        return uri.user;
    };
    const auto number = [](std::size_t i) { return "a" + std::to_string(i); };
    for (std::size_t i = 0; i < SeenSpellings::kMost; ++i) seen.remember({number(i), "capulet.test", {}}, spell("A" + std::to_string(i)), spell(number(i)));
    seen.remember({"a0", "capulet.test", {}}, spell("A0"), spell("a0"));
    seen.remember({"b", "capulet.test", {}}, spell("B"), spell("b"));
    EXPECT_EQ(seen.size(), SeenSpellings::kMost);
    EXPECT_EQ(back("b"), "B");
    EXPECT_EQ(back("a0"), "A0");
    EXPECT_EQ(back("a1"), "a1") << "the one longest unseen";
    EXPECT_EQ(back("a2"), "A2");
    seen.remember({"b", "capulet.test", {}}, spell("b"), spell("b"));
    EXPECT_EQ(seen.size(), SeenSpellings::kMost - 1) << "what the JID says by itself needs no memory";
    const std::string much(1'000, 'l'), MUCH(1'000, 'L');
    seen.remember({much, "capulet.test", {}}, spell(MUCH), spell(much));
    EXPECT_EQ(back(much), much);
}

TEST(Spellings, CORE_37_TwoSpellingsOfOneContactAreOneQueue) {
    Rig rig;
    rig.stanza(to("a;b@capulet.test"));
    ASSERT_EQ(rig.sent.size(), 1u);
    const auto first = rig.sent.front().transaction;
    author(rig, from("sip:A%3BB@capulet.test"));
    EXPECT_TRUE(rig.stanza(to("a;b@capulet.test")).sent.empty()) << "one at a time, in order";
    EXPECT_TRUE(rig.stanza(to("A;B@capulet.test/x")).sent.empty());
    rig.sip_response(first, 200);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().request.uri.to_string(), "sip:A%3BB@capulet.test");
}

// Numbers

TEST(Phone, CORE_35_CallersByTelAndByUserPhone) {
    Rig rig(phone());
    EXPECT_EQ(author(rig, from("tel:+1-555-123-0000;ext=5")), "+15551230000;ext=5@capulet.test");
    EXPECT_EQ(author(rig, from("sip:+1(555)1230000@trunk.test;user=phone")), "+15551230000@capulet.test");
    EXPECT_EQ(author(rig, from("sip:alice@trunk.test")), "404") << "no number";
    EXPECT_EQ(author(rig, from("sip:+15551230000@elsewhere.test;user=phone")), "403") << "not this trunk's to say";
    EXPECT_EQ(author(rig, from("tel:+15551230000;rn=+1999;npdi;cpc=ordinary")), "+15551230000@capulet.test");
    EXPECT_TRUE(rig.logged("parameters=rn,npdi,cpc"));
}

TEST(Phone, CORE_35_WithoutPlusANumberNeedsAContextOrADialPlan) {
    auto options = phone();
    options.phone.contexts = {"example.com", "+1555"};
    options.phone.dial_plan = {"7xxx", "*21#"};
    Rig rig(options);
    EXPECT_EQ(author(rig, from("tel:7042;phone-context=Example.com")), "7042;phone-context=example.com@capulet.test");
    EXPECT_EQ(author(rig, from("tel:7042;phone-context=+1-555")), "7042;phone-context=+1555@capulet.test");
    EXPECT_EQ(author(rig, from("tel:7042;phone-context=evil.test")), "484");
    EXPECT_EQ(author(rig, from("tel:7042")), "7042@capulet.test") << "the dial plan has it";
    EXPECT_EQ(author(rig, from("sip:8042@trunk.test")), "484");
    EXPECT_EQ(target(rig, "7042;phone-context=example.com@capulet.test"), "sip:7042;phone-context=example.com@trunk.test;user=phone");
    EXPECT_EQ(target(rig, "7042;phone-context=evil.test@capulet.test"), "item-not-found");
    EXPECT_EQ(target(rig, "8042@capulet.test"), "item-not-found");
    EXPECT_NE(rig.stanza(to("8042@capulet.test")).error().text->find("country code"), std::string::npos);
}

TEST(Phone, CORE_36_NumbersAndCodesThatAreDialled) {
    auto options = phone();
    options.phone.dial_plan = {"*21#", "*21*x."};
    Rig rig(options);
    EXPECT_EQ(target(rig, "+15551230000@capulet.test"), "sip:+15551230000@trunk.test;user=phone");
    EXPECT_EQ(target(rig, "+1-555-123.0000@capulet.test"), "sip:+15551230000@trunk.test;user=phone");
    EXPECT_EQ(target(rig, "*21#@capulet.test"), "sip:*21%23@trunk.test");
    EXPECT_EQ(target(rig, "*21*42#@capulet.test"), "sip:*21*42%23@trunk.test");
    EXPECT_EQ(target(rig, "*22#@capulet.test"), "item-not-found");
    EXPECT_EQ(target(rig, "juliet@capulet.test"), "item-not-found");
}

TEST(Phone, CORE_36_DialPlans) {
    const std::vector<std::tuple<std::string, std::string, bool>> cases{
        {"7xxx", "7042", true}, {"7xxx", "704", false},  {"7xxx", "70422", false}, {"7xxx", "704*", false}, {"7xxx", "8042", false},
        {"0.", "0", false},     {"0.", "01", true},      {"0.", "0*#9", true},     {"0.", "0a", false},     {".", "5", true},
        {".", "", false},       {"*21#", "*21#", true},  {"*21#", "*21", false},   {"x", "x", false}};
    for (const auto& [pattern, digits, fits] : cases) EXPECT_EQ(matches(pattern, digits), fits) << pattern << ' ' << digits;
}

TEST(Phone, CORE_36_EmergencyNumbersAreRefusedWithAPlainWord) {
    auto options = phone();
    options.phone.dial_plan = {"xxx"};
    options.phone.contexts = {"+49"};
    Rig rig(options);
    for (const auto* help : {"112", "911", "1-1-2", "112;phone-context=+49", "112;ext=1", "１１２"}) {
        EXPECT_EQ(target(rig, std::string(help) + "@capulet.test"), "not-allowed") << help;
        EXPECT_NE(rig.stanza(to(std::string(help) + "@capulet.test")).error().text->find("Use a telephone"), std::string::npos);
    }
    EXPECT_EQ(target(rig, "113@capulet.test"), "sip:113@trunk.test");
}

TEST(Phone, CORE_36_TheEmergencyLineTakesThemPastEveryLimit) {
    auto options = phone();
    auto line = options.peers.front();
    line.name = "psap";
    line.source.clear();
    line.next_hops = {hop(9)};
    line.limits.transactions = 1;
    line.trunk_domain = "psap.test";
    options.peers.front().is_default = true;
    options.peers.push_back(line);
    options.emergency_line = "psap";
    Rig rig(options);
    for (const auto* help : {"112", "110", "911"}) {
        ASSERT_EQ(rig.stanza(to(std::string(help) + "@capulet.test")).sent.size(), 1u) << help;
        EXPECT_EQ(rig.sent.front().target.text(), "udp:10.0.0.9:5060");
        EXPECT_EQ(rig.sent.front().request.uri.to_string(), "sip:" + std::string(help) + "@psap.test");
    }
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(rig.stanza(to("112@capulet.test")).stanzas.empty()) << "nor is a line ever too long";
    EXPECT_EQ(target(rig, "+49301234@capulet.test"), "sip:+49301234@trunk.test;user=phone") << "the others go their own way";
}

TEST(Phone, CORE_36_EachTrunkHasItsDomain) {
    auto options = phone();
    auto uk = options.peers.front();
    uk.name = "uk";
    uk.source.clear();
    uk.targets = {{"", "+44"}};
    uk.trunk_domain = "uk.test";
    options.peers.front().is_default = true;
    options.peers.push_back(uk);
    Rig rig(options);
    EXPECT_EQ(target(rig, "+4420@capulet.test"), "sip:+4420@uk.test;user=phone");
    EXPECT_EQ(target(rig, "+4930@capulet.test"), "sip:+4930@trunk.test;user=phone");
}

TEST(Phone, CORE_64_TheAssertedNumberCountsBeforeTheAssertedAddress) {
    auto options = phone();
    options.peers.front().pai_trusted = true;
    Rig rig(options);
    auto request = from("sip:unknown@trunk.test");
    request.headers = {{"P-Asserted-Identity", "<sip:+4930@trunk.test>, <tel:+4420>"}};
    EXPECT_EQ(author(rig, request), "+4420@capulet.test");
    request.call_id += "b";
    request.headers = {{"P-Asserted-Identity", "<sip:+4930@trunk.test>"}};
    EXPECT_EQ(author(rig, request), "+4930@capulet.test");
    options.peers.front().identities = {{"", "", config::Numbers{"+49", "", true}}};
    rig.feed(OptionsChanged{options});
    request.call_id += "b";
    request.headers = {{"P-Asserted-Identity", "<sip:+4930@trunk.test>, <tel:+4420>"}};
    EXPECT_EQ(author(rig, request), "403") << "not its number";
}

// Devices

TEST(Devices, CORE_40_AGruuIsAResourceBothWays) {
    Rig rig;
    EXPECT_EQ(target(rig, "juliet@capulet.test/desk"), "sip:juliet@capulet.test") << "no known GRUU";
    EXPECT_EQ(author(rig, from("sip:Juliet@capulet.test;gr=d%20k")), "juliet@capulet.test/d k");
    EXPECT_EQ(target(rig, "juliet@capulet.test/d k"), "sip:Juliet@capulet.test;gr=d%20k");
    EXPECT_EQ(target(rig, "juliet@capulet.test/balcony"), "sip:Juliet@capulet.test");
    EXPECT_EQ(target(rig, "nurse@capulet.test/d k"), "sip:nurse@capulet.test");
    auto request = from("sip:juliet@capulet.test");
    request.contacts = {{"", uri("sip:juliet@capulet.test;gr=urn:uuid:f81d4fae"), ""}};
    EXPECT_EQ(author(rig, request), "juliet@capulet.test/urn:uuid:f81d4fae");
    request.call_id += "b";
    request.contacts = {{"", uri("sip:nurse@capulet.test;gr=urn:uuid:f81d4faf"), ""}};
    EXPECT_EQ(author(rig, request), "juliet@capulet.test") << "somebody else's GRUU";
}

TEST(Devices, CORE_41_ATemporaryGruuIsNobodyUnlessItIsAllThereIs) {
    auto options = Rig::default_options();
    options.peers.front().pai_trusted = true;
    Rig rig(options);
    auto request = from("sip:t.7hs==x@capulet.test;gr");
    EXPECT_EQ(author(rig, request).substr(0, 23), "anonymous@capulet.test/");
    request.call_id += "b";
    request.headers = {{"P-Asserted-Identity", "<sip:nurse@capulet.test>"}};
    EXPECT_EQ(author(rig, request), "nurse@capulet.test");
    request = from("sip:juliet@capulet.test");
    request.headers = {{"P-Asserted-Identity", "<sip:t.7hs==x@capulet.test;gr>"}};
    EXPECT_EQ(author(rig, request), "juliet@capulet.test");
}

TEST(Devices, CORE_43_TwoPhonesOfOneAddressAreTwoResources) {
    Rig rig;
    const auto behind = [&](const std::string& contact, std::vector<sip::UriParameter> parameters = {}) {
        auto request = from("sip:juliet@capulet.test");
        request.contacts = {{"", uri(contact), "", std::move(parameters)}};
        return author(rig, request);
    };
    const auto first = behind("sip:juliet@10.0.0.11:5060"), second = behind("sip:juliet@10.0.0.12:5060");
    EXPECT_EQ(first.substr(0, 24), "juliet@capulet.test/sip-");
    EXPECT_NE(first, second);
    EXPECT_EQ(behind("sip:juliet@10.0.0.11:5060"), first) << "stable";
    const sip::UriParameter instance{"+sip.instance", "<urn:uuid:f81d4fae>"};
    const auto moved = behind("sip:juliet@10.0.0.11:5070", {instance});
    EXPECT_EQ(behind("sip:juliet@10.0.0.13:5080", {instance}), moved) << "the same device elsewhere";
    EXPECT_NE(moved, first);
    EXPECT_EQ(target(rig, first), "sip:juliet@capulet.test") << "its resource is ours, and no GRUU";
}

TEST(Devices, CORE_43_AResourceIsMappedBackByTheTableAlone) {
    Devices devices;
    IdGenerator ids([random = std::mt19937_64(2)](std::span<std::uint8_t> wanted) mutable {
        for (auto& octet : wanted) octet = static_cast<std::uint8_t>(random());
    });
    const xmpp::Jid juliet{"juliet", "capulet.test", {}};
    const auto with = [&](const std::string& resource) { return xmpp::Jid{juliet.local, juliet.domain, resource}; };
    const auto resource = devices.resource_of(juliet, {"", uri("sip:j@10.0.0.11"), ""}, ids);
    EXPECT_EQ(devices.behind(with(resource)), uri("sip:j@10.0.0.11"));
    EXPECT_FALSE(devices.is_gruu(with(resource)));
    EXPECT_FALSE(devices.behind(with("sip-0123456789abcdef0123")));
    EXPECT_FALSE(devices.behind({"nurse", "capulet.test", resource}));
    devices.saw_gruu(with("desk"));
    EXPECT_TRUE(devices.is_gruu(with("desk")));
    EXPECT_FALSE(devices.behind(with("desk")));
    for (std::size_t i = 0; i + 1 < Devices::kOfOneContact; ++i) devices.saw_gruu(with("d" + std::to_string(i)));
    EXPECT_FALSE(devices.behind(with(resource))) << "the oldest made room";
    EXPECT_TRUE(devices.is_gruu(with("desk")));
    EXPECT_EQ(devices.resource_of(juliet, {"", uri("sip:" + std::string(1'020, 'j') + "@10.0.0.11"), ""}, ids), "");
}

TEST(Devices, CORE_44_ATargetWithAResourceIsThatResource) {
    Rig rig;
    const auto whom = [&](const std::string& target) {
        const auto messages = rig.request(from("sip:juliet@capulet.test", target)).messages();
        return messages.empty() ? std::to_string(rig.answer().status) : messages.front().to.to_string();
    };
    EXPECT_EQ(whom("sip:romeo@montague.test;gr=a%20garden"), "romeo@montague.test/a garden");
    EXPECT_EQ(whom("sip:t.7hs==x@montague.test;gr"), "404") << "a temporary GRUU that we did not make";
    // Only the server knows which resources there are; its word is the answer.
    for (const auto& [condition, status] : {std::pair(Condition::recipient_unavailable, 480), {Condition::item_not_found, 404}}) {
        const auto sent = rig.request(from("sip:juliet@capulet.test", "sip:romeo@montague.test;gr=gone")).messages().at(0);
        xmpp::StanzaError why;
        why.condition = condition;
        rig.stanza(*xmpp::make_error(sent, why));
        EXPECT_EQ(rig.answer().status, status);
    }
}

}  // namespace
