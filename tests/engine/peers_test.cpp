// Whose a request is, which way ours go, whom a peer may speak for.

#include "plugin/engine/peers.h"

#include "plugin/engine/author.h"
#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;

config::Peer peer(const std::string& name, const std::vector<std::string>& source, std::vector<std::string> tls_names = {},
                  std::vector<std::string> users = {}) {
    config::Peer made;
    made.name = name;
    for (const auto& prefix : source) made.source.push_back(Prefix::parse(prefix).value());
    made.tls_names = std::move(tls_names);
    made.users = std::move(users);
    return made;
}

config::DomainOptions with(std::vector<config::Peer> peers) {
    auto options = Rig::default_options();
    options.peers = std::move(peers);
    return options;
}

sip::CertifiedNames by_system(std::vector<std::string> names) { return {"system", std::move(names)}; }

std::string who(const config::DomainOptions& options, const Sender& sender) {
    const auto found = match(options, sender);
    return found.peer ? found.peer->name : found.several ? "several" : "nobody";
}

TEST(PeerMatch, DigestUserThenTlsNameThenLongestPrefix) {
    const auto options = with({
        peer("wide", {"10.0.0.0/8", "192.0.2.0/24"}),
        peer("close", {"10.0.0.0/24"}),
        peer("host", {"10.0.0.7"}),
        peer("tls", {}, {"pbx.test", "pbx2.test"}),
        peer("tls at home", {"10.0.0.0/24"}, {"pbx.test"}),
        peer("other tls", {}, {"sbc.test"}),
        peer("user", {}, {}, {"alice", "bob"}),
        peer("user by tls", {}, {"pbx.test"}, {"alice"}),
        peer("user at home", {"10.0.0.0/24"}, {}, {"alice"}),
        peer("not heard", {}),
    });
    const auto from = [](const char* text) { return Address::parse(text).value(); };
    struct Case {
        Sender sender;
        const char* whose;
    };
    const std::vector<Case> cases{
        {{from("192.0.2.9")}, "wide"},
        {{from("10.0.1.1")}, "wide"},
        {{from("10.0.0.1")}, "close"},
        {{from("10.0.0.7")}, "host"},
        {{from("198.51.100.1")}, "nobody"},
        {{from("2001:db8::1")}, "nobody"},
        {{from("198.51.100.1"), by_system({"pbx.test"})}, "tls"},
        {{from("10.0.0.7"), by_system({"pbx2.test"})}, "tls"},
        {{from("10.0.0.1"), by_system({"pbx.test"})}, "tls at home"},
        {{from("10.0.0.1"), by_system({"elsewhere.test"})}, "close"},
        {{from("198.51.100.1"), by_system({"pbx2.test", "sbc.test"})}, "several"},
        {{from("10.0.0.1"), by_system({"pbx.test", "sbc.test"})}, "tls at home"},
        {{from("198.51.100.1"), {}, "bob"}, "user"},
        {{from("10.0.0.7"), {}, "bob"}, "user"},
        {{from("198.51.100.1"), {}, "alice"}, "user"},
        {{from("10.0.0.7"), {}, "alice"}, "user at home"},
        {{from("10.0.0.7"), by_system({"pbx.test"}), "alice"}, "user by tls"},
        {{from("198.51.100.1"), {}, "carol"}, "nobody"},
        {{from("10.0.0.7"), {}, "carol"}, "host"},
    };
    for (const auto& one : cases)
        EXPECT_EQ(who(options, one.sender), one.whose)
            << one.sender.source.to_string() << ' ' << one.sender.user << ' ' << one.sender.tls.names.size();
}

TEST(PeerMatch, NamesCountOnlyWhereTheDomainTrustsWhoCertifiedThem) {
    auto options = with({peer("pbx", {}, {"pbx.test"})});
    const auto anywhere = Address::v4({198, 51, 100, 1});
    EXPECT_EQ(who(options, {anywhere, {"system", {"pbx.test"}}}), "pbx");
    EXPECT_EQ(who(options, {anywhere, {"/etc/other/authority.pem", {"pbx.test"}}}), "nobody");
    EXPECT_EQ(who(options, {anywhere, {"", {"pbx.test"}}}), "nobody");
    options.tls.trust = "/etc/own/authority.pem";
    EXPECT_EQ(who(options, {anywhere, {"/etc/own/authority.pem", {"pbx.test"}}}), "pbx");
    EXPECT_EQ(who(options, {anywhere, {"system", {"pbx.test"}}}), "nobody");
}

TEST(PeerMatch, ACertificateOfTwoPeersIsRefusedAndCounted) {
    auto options = with({peer("one", {}, {"one.test"}), peer("two", {}, {"two.test"})});
    Rig rig(options);
    const auto stranger = Address::v4({192, 0, 2, 1});
    EXPECT_EQ(rig.request(message_request(), stranger, {"one.test", "two.test"}).answer().status, 403);
    EXPECT_TRUE(rig.logged("certificate of several peers"));
    EXPECT_EQ(rig.refused, std::vector{stranger});
    EXPECT_EQ(rig.request(message_request(), stranger, {"two.test"}).messages().size(), 1u);
    EXPECT_TRUE(rig.refused.empty());
}

TEST(PeerMatch, WhatAPeerDoesWrongBansNobody) {
    Rig rig;
    auto forged = message_request();
    forged.from.uri = uri("sip:mercutio@montague.test");
    EXPECT_EQ(rig.request(forged).answer().status, 403);
    EXPECT_TRUE(rig.refused.empty()) << "one forger behind a proxy must not cut off all others";
    EXPECT_EQ(rig.request(message_request(), Address::v4({192, 0, 2, 1})).refused.size(), 1u);
}

TEST(SelectPeer, NumbersThenDomainsThenDefaultThenTheOnlyOne) {
    auto uk = peer("uk", {}), london = peer("london", {}), verona = peer("verona", {}), fallback = peer("fallback", {}),
         mute = peer("mute", {});
    for (auto* one : {&uk, &london, &verona, &fallback}) one->next_hops = {hop(1)};
    uk.targets = {{"", "+44"}, {"tel.test", ""}};
    london.targets = {{"", "+4420"}};
    verona.targets = {{"verona.test", ""}, {"capulet.test", ""}};
    fallback.is_default = true;
    mute.targets = {{"deep.verona.test", ""}, {"", "+442071"}};
    const auto way = [](const config::DomainOptions& options, const std::string& target) {
        const auto* found = select_peer(options, uri(target));
        return found ? found->name : std::string("none");
    };
    const auto options = with({uk, london, verona, fallback, mute});
    for (const auto& [target, name] : {std::pair("sip:+442071234567@capulet.test", "london"),
                                       {"sip:+44-(161)-4960000@capulet.test", "uk"},
                                       {"tel:+4420123", "london"},
                                       {"sip:%2B4420@capulet.test", "london"},
                                       {"sip:4420@capulet.test", "verona"},
                                       {"sip:+49301@capulet.test", "verona"},
                                       {"sip:+4420@other.test", "fallback"},
                                       {"sip:nurse@verona.test", "verona"},
                                       {"sip:nurse@deep.verona.test", "verona"},
                                       {"sip:nurse@notverona.test", "fallback"},
                                       {"sip:x@sub.tel.test", "uk"}})
        EXPECT_EQ(way(options, target), name) << target;
    EXPECT_EQ(way(with({uk, mute}), "sip:nurse@verona.test"), "none");
    auto plain = peer("plain", {});
    plain.next_hops = {hop(1)};
    EXPECT_EQ(way(with({plain, mute}), "sip:nurse@anywhere.test"), "plain");
    EXPECT_EQ(way(with({plain, fallback, mute}), "sip:nurse@anywhere.test"), "fallback");
    EXPECT_EQ(way(with({plain, uk}), "sip:nurse@anywhere.test"), "none") << "two ways and no default";
}

TEST(Author, CORE_64_CORE_65_WhomEachKindOfIdentityCovers) {
    const std::vector<std::string> everybody{
        "sip:juliet@capulet.test",    "sip:juliet@voip.test", "sip:juliet@verona.test",         "sip:nurse@verona.test",
        "sip:romeo@montague.test",    "tel:+442071230005",    "sip:+442071230005@capulet.test", "sip:+442071230005@verona.test",
        "sip:%6Aul%69et@verona.test", "sip:verona.test",      "im:juliet@verona.test"};
    struct Case {
        std::vector<config::Identity> identities;
        std::string allowed;  ///< one letter for each of everybody
    };
    const config::Numbers range{"+442071230000", "+442071230009", false}, prefix{"+4420", "", true}, other{"+49", "", true};
    const std::vector<Case> cases{
        {{}, "yy    y    "},
        {{{"verona.test", "", {}}}, "  yy   yy  "},
        {{{"verona.test", "juliet", {}}}, "  y     y  "},
        {{{"", "", range}}, "     yy    "},
        {{{"", "", prefix}}, "     yy    "},
        {{{"verona.test", "", prefix}}, "       y   "},
        {{{"", "", other}}, "           "},
        {{{"montague.test", "", {}}}, "           "},
        {{{"verona.test", "nurse", {}}, {"capulet.test", "", {}}}, "y  y  y    "},
    };
    auto options = Rig::default_options();
    options.sip_domain = "voip.test";
    for (std::size_t row = 0; row < cases.size(); ++row) {
        auto one = options.peers.front();
        one.identities = cases[row].identities;
        std::string allowed;
        for (const auto& somebody : everybody) allowed += may_assert(options, one, uri(somebody)) ? 'y' : ' ';
        EXPECT_EQ(allowed, cases[row].allowed) << "row " << row;
    }
}

TEST(Author, CORE_64_TheAssertedIdentityCountsOnlyWhereItIsTrusted) {
    auto options = Rig::default_options();
    auto request = message_request();
    request.headers = {{"P-Asserted-Identity", "<tel:+4420>, <sip:nurse@capulet.test>"}};
    const auto from = [&](Rig& rig) {
        const auto messages = rig.request(request).messages();
        return messages.empty() ? std::to_string(rig.answer().status) : messages.front().from.to_string();
    };
    Rig ignoring(options);
    EXPECT_EQ(from(ignoring), "juliet@capulet.test");
    options.peers.front().pai_trusted = true;
    Rig trusting(options);
    request.call_id = "c2";
    EXPECT_EQ(from(trusting), "nurse@capulet.test");
    request.call_id = "c3";
    request.from.uri = uri("sip:unknown@carrier.invalid");
    EXPECT_EQ(from(trusting), "nurse@capulet.test") << "From is no identity then";
    request.headers = {{"P-Asserted-Identity", "<sip:romeo@montague.test>"}};
    EXPECT_EQ(from(trusting), "403") << "a trusted peer does not speak for our accounts either";
    request.headers = {{"P-Asserted-Identity", "nonsense"}};
    EXPECT_EQ(from(trusting), "403") << "what cannot be read asserts nothing; From must do";
}

TEST(Author, CORE_66_WhoWantsPrivacyIsShownToNobody) {
    auto options = Rig::default_options();
    options.peers.front().pai_trusted = true;
    Rig rig(options);
    auto request = message_request();
    request.headers = {{"P-Asserted-Identity", "<sip:nurse@capulet.test>"}, {"Privacy", "id"}};
    request.from.uri = uri("sip:anonymous@anonymous.invalid");
    const auto first = rig.request(request).messages().at(0).from;
    EXPECT_EQ(first.local + '@' + first.domain, "anonymous@capulet.test");
    request.call_id = "c2";
    EXPECT_NE(rig.request(request).messages().at(0).from.resource, first.resource) << "nothing ties two messages together";
    request.call_id = "c3";
    request.headers.clear();
    EXPECT_EQ(rig.request(request).messages().at(0).from.local, "anonymous");
    request.headers = {{"P-Asserted-Identity", "<sip:ceo@bank.test>"}, {"Privacy", "id"}};
    EXPECT_EQ(rig.request(request).answer().status, 403) << "hidden is not unchecked";
    request.call_id = "c4";
    request.headers = {{"Privacy", "none"}};
    request.from.uri = uri("sip:juliet@capulet.test");
    EXPECT_EQ(rig.request(request).messages().at(0).from.to_string(), "juliet@capulet.test");
}

}  // namespace
