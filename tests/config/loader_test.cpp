#include "plugin/config/loader.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::config;

std::vector<Problem> domain_problems(const std::string& text) {
    const auto loaded = load_domain("sip.example", {"example.com"}, text);
    const auto* problems = std::get_if<std::vector<Problem>>(&loaded);
    return problems ? *problems : std::vector<Problem>{};
}

std::string only(const std::vector<Problem>& problems) {
    EXPECT_EQ(problems.size(), 1u);
    return problems.empty() ? std::string() : problems.front().path + ": " + problems.front().text;
}

TEST(Loader, AWholeDomain) {
    const auto loaded = load_domain("SIP.Example.", {"example.com", "sip.example"}, R"({
        "name": "Phones", "scheme": "nested", "sip_domain": "VoIP.example", "pager_as_chat": false, "message_accept_code": 200,
        "message_hold_ms": 50, "from_gr": true,
        "allow_6xx": true, "service_unavailable_code": 403, "language": "de", "user_rate": 20,
        "peers": {"pbx": {"kind": "proxy", "match": {"source": ["192.0.2.0/24"]}, "next_hop": "sip:192.0.2.7;transport=TCP",
                          "identities": ["Example.net"], "targets": "example.net", "default": true}}})");
    ASSERT_TRUE(std::holds_alternative<DomainOptions>(loaded));
    const auto& options = std::get<DomainOptions>(loaded);
    EXPECT_EQ(options.domain, "sip.example");
    EXPECT_EQ(options.xmpp_domains, std::vector<std::string>{"example.com"}) << "the gateway is no user domain of its own";
    EXPECT_EQ(options.scheme, AddressScheme::nested);
    EXPECT_EQ(options.sip_domain, "voip.example");
    EXPECT_FALSE(options.pager_as_chat);
    EXPECT_EQ(options.message_accept_code, 200);
    EXPECT_EQ(options.message_hold_ms, 50u);
    EXPECT_TRUE(options.from_gr);
    EXPECT_TRUE(options.allow_6xx);
    EXPECT_EQ(options.service_unavailable_code, 403);
    EXPECT_EQ(options.language, "de");
    EXPECT_EQ(options.user_rate, 20u);
    ASSERT_EQ(options.peers.size(), 1u);
    const auto& peer = options.peers.front();
    EXPECT_EQ(peer.name, "pbx");
    EXPECT_EQ(peer.source.front().to_string(), "192.0.2.0/24");
    ASSERT_EQ(peer.next_hops.size(), 1u);
    EXPECT_EQ(peer.next_hops.front().transport, Transport::tcp);
    EXPECT_EQ(peer.next_hops.front().address, Address::v4({192, 0, 2, 7}));
    EXPECT_FALSE(peer.next_hops.front().port);
    EXPECT_EQ(peer.identities, (std::vector{Identity{"example.net", "", {}}}));
    EXPECT_EQ(peer.targets, (std::vector{TargetRule{"example.net", ""}}));
    EXPECT_TRUE(peer.is_default);
}

TEST(Loader, Presence) {
    const auto loaded = load_domain("sip.example", {"example.com"}, R"({"presence": {"mode": "static", "expires": 61,
        "min_expires": 62, "max_expires": 63, "subscribe_rate": 64, "contacts_per_user": 65, "watchers_per_user": 66,
        "watchers_per_peer": 67, "relations": 68, "on_the_phone": true}})");
    ASSERT_TRUE(std::holds_alternative<DomainOptions>(loaded));
    const PresenceOptions wanted{PresenceMode::pretended, 61, 62, 63, 64, 65, 66, 67, 68, true};
    EXPECT_EQ(std::get<DomainOptions>(loaded).presence, wanted);
    const auto off = load_domain("sip.example", {"example.com"}, R"({"presence": {"mode": "off"}})");
    EXPECT_EQ(std::get<DomainOptions>(off).presence.mode, PresenceMode::off);
    EXPECT_EQ(only(domain_problems(R"({"presence": {"min_expires": 100, "max_expires": 99}})")),
              "presence.min_expires: is more than presence.max_expires: no subscription would fit between them");
    EXPECT_TRUE(domain_problems(R"({"presence": {"min_expires": 99, "max_expires": 99}})").empty());
}

TEST(Loader, WhereTheStoreIsAndWhatItSurvives) {
    const auto options = std::get<EngineOptions>(load_engine(R"({"state_dir":"/var/lib/stox//","store_durability":"normal"})"));
    EXPECT_EQ(options.state_dir, "/var/lib/stox");
    EXPECT_FALSE(options.store_survives_power_cut);
    for (const std::string bad : {"/", "//", "stox", "./stox"})
        EXPECT_EQ(std::get<std::vector<Problem>>(load_engine(R"({"state_dir":")" + bad + "\"}")).size(), 1u) << bad;
}

TEST(Loader, AWordThatIsNearlyRightIsSuggested) {
    EXPECT_EQ(only(domain_problems(R"({"peerz":{}})")), "peerz: unknown option, did you mean peers?");
    EXPECT_EQ(only(domain_problems(R"({"peers":{"carrier":{"kind":"trunc"}}})")),
              "peers.carrier.kind: unknown \"trunc\", did you mean trunk?");
    EXPECT_EQ(only(domain_problems(R"({"peers":{"a":{"nexthop":"x"}}})")),
              "peers.a.nexthop: unknown option, did you mean next_hop?");
    EXPECT_EQ(only(domain_problems(R"({"frobnicate":1})")), "frobnicate: unknown option");
}

TEST(Loader, AnOptionInTheWrongPlaceIsToldWhereItBelongs) {
    EXPECT_NE(only(domain_problems(R"({"bind":[]})")).find("Prosody's global section"), std::string::npos);
    const auto loaded = load_engine(R"({"peers":{}})");
    EXPECT_NE(only(std::get<std::vector<Problem>>(loaded)).find("belongs to a domain"), std::string::npos);
}

TEST(Loader, EveryProblemIsToldAtOnce) {
    EXPECT_EQ(domain_problems(R"({"scheme":"x","from_gr":1,"peers":{"a":{"kind":2,"next_hop":"tel:1"}}})").size(), 4u);
}

TEST(Loader, NextHopsThatCannotBeDialledAreRefusedWithTheReason) {
    const auto hop = [](const std::string& text) {
        return only(domain_problems(R"({"peers":{"a":{"next_hop":")" + text + R"("}}})"));
    };
    EXPECT_NE(hop("sip:").find("needs a host"), std::string::npos);
    EXPECT_NE(hop("sip:192.0.2.300").find("needs a host"), std::string::npos) << "a mistyped address is no name";
    EXPECT_NE(hop("sip:a..example").find("needs a host"), std::string::npos);
    EXPECT_NE(hop("sip:2001:db8::1").find("needs a host"), std::string::npos);
    EXPECT_NE(hop("sip:192.0.2.1;transport=sctp").find("udp, tcp or tls"), std::string::npos);
    EXPECT_NE(hop("sips:192.0.2.1;transport=udp").find("never UDP"), std::string::npos);
    EXPECT_NE(hop("sip:192.0.2.1;maddr=192.0.2.2").find("only parameter"), std::string::npos);
    EXPECT_NE(hop("sip:192.0.2.1:0").find("1 to 65535"), std::string::npos);
    EXPECT_NE(hop("sip:proxy.example?Route=x").find("no headers"), std::string::npos);
    EXPECT_NE(hop("192.0.2.1").find("SIP URI"), std::string::npos);
    EXPECT_TRUE(domain_problems(R"({"peers":{"a":{"next_hop":"sip:[2001:db8::1]"}}})").empty());
}

TEST(Loader, PeersThatCouldNotBeToldApartAreRefused) {
    EXPECT_NE(
        only(domain_problems(R"({"peers":{"a":{"match":{"source":["192.0.2.1"]}},"b":{"match":{"source":["192.0.2.1/32"]}}}})"))
            .find("peers.a"),
        std::string::npos);
    EXPECT_NE(
        only(
            domain_problems(
                R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","default":true},"b":{"next_hop":"sip:192.0.2.2","default":true}}})"))
            .find("one default"),
        std::string::npos);
    EXPECT_NE(only(domain_problems(R"({"peers":{"a":{}}})")).find("match.source"), std::string::npos);
}

TEST(Loader, WhatIsNoConfigurationAtAll) {
    EXPECT_EQ(domain_problems("{").size(), 1u);
    EXPECT_EQ(domain_problems("7").size(), 1u);
    EXPECT_EQ(domain_problems("[1]").size(), 1u);
    EXPECT_TRUE(std::holds_alternative<std::vector<Problem>>(load_domain("no domain", {}, "{}")));
    EXPECT_TRUE(std::holds_alternative<std::vector<Problem>>(load_engine(R"({"bind":[]})")));
    EXPECT_TRUE(
        std::holds_alternative<std::vector<Problem>>(load_engine(R"({"bind":["udp:192.0.2.1:5060","udp:192.0.2.1:5060"]})")));
}

}  // namespace
