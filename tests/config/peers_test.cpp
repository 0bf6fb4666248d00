// Peers as an operator writes them: what is understood, and what could belong to two.

#include "plugin/config/loader.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::config;

/// A domain that could use every condition, with these peers.
Loaded<DomainOptions> load(const std::string& peers) {
    return load_domain("sip.example", {"example.com"},
                       R"({"tls":{"verify_client":"optional"},"digest":{"ha1_file":"/a/users"},"peers":{)" + peers + "}}");
}

DomainOptions loaded(const std::string& peers) {
    auto outcome = load(peers);
    if (const auto* problems = std::get_if<std::vector<Problem>>(&outcome)) {
        ADD_FAILURE() << problems->front().path << ": " << problems->front().text;
        return {};
    }
    return std::get<DomainOptions>(outcome);
}

/// Path and text of each problem, in lines.
std::string problems(const std::string& peers) {
    auto outcome = load(peers);
    std::string all;
    if (const auto* found = std::get_if<std::vector<Problem>>(&outcome))
        for (const auto& one : *found) all += one.path + ": " + one.text + '\n';
    return all;
}

std::string match(const std::string& name, const std::string& conditions) {
    return '"' + name + R"(":{"match":{)" + conditions + "}}";
}

TEST(Peers, NextHopsKeepTheirOrderUnlessTheOperatorSaysOtherwise) {
    const auto options = loaded(R"("a":{"next_hop":["sip:One.Example.;lr","sips:two.example:5071",
        {"uri":"sip:[2001:DB8::1]:5070;transport=TLS","priority":0,"weight":7}]})");
    ASSERT_EQ(options.peers.size(), 1u);
    const auto& hops = options.peers.front().next_hops;
    ASSERT_EQ(hops.size(), 3u);
    EXPECT_EQ(hops[0].host, "one.example");
    EXPECT_FALSE(hops[0].address || hops[0].port || hops[0].transport || hops[0].sips);
    EXPECT_EQ(hops[0].priority, 0u);
    EXPECT_EQ(hops[1].host, "two.example");
    EXPECT_TRUE(hops[1].sips);
    EXPECT_EQ(hops[1].transport, Transport::tls);
    EXPECT_EQ(hops[1].port, 5071);
    EXPECT_EQ(hops[1].priority, 1u);
    EXPECT_EQ(hops[2].host, "2001:db8::1");
    EXPECT_EQ(hops[2].address, Address::parse("2001:db8::1").value());
    EXPECT_EQ(hops[2].transport, Transport::tls);
    EXPECT_EQ(hops[2].priority, 0u);
    EXPECT_EQ(hops[2].weight, 7u);
}

TEST(Peers, IdentitiesAreDomainsUsersAndNumbers) {
    const auto options = loaded(R"("a":{"next_hop":"sip:192.0.2.1","identities":
        ["Example.NET","alice@Example.net","+4420*","+442071230000-+442071239999","+15551234567","+49*@carrier.example"]})");
    const auto& all = options.peers.at(0).identities;
    ASSERT_EQ(all.size(), 6u);
    EXPECT_EQ(all[0], (Identity{"example.net", "", {}}));
    EXPECT_EQ(all[1], (Identity{"example.net", "alice", {}}));
    EXPECT_EQ(all[2], (Identity{"", "", Numbers{"+4420", "", true}}));
    EXPECT_TRUE(all[3].numbers->contains("+442071230000") && all[3].numbers->contains("+442071239999"));
    EXPECT_FALSE(all[3].numbers->contains("+442071240000") || all[3].numbers->contains("+44207123999"));
    EXPECT_TRUE(all[4].numbers->contains("+15551234567"));
    EXPECT_FALSE(all[4].numbers->contains("+155512345678")) << "without a star it is one number";
    EXPECT_EQ(all[5], (Identity{"carrier.example", "", Numbers{"+49", "", true}}));
    for (const std::string bad :
         {"@example.net", "alice*@example.net", "+", "+44-+4", "+442-+441", "+123456789012345678901", "*"})
        EXPECT_NE(problems(R"("a":{"next_hop":"sip:192.0.2.1","identities":[")" + bad + R"("]})"), "") << bad;
}

TEST(Peers, WhatCouldBelongToTwoIsRefused) {
    const auto source = [](const std::string& prefix) { return R"("source":[")" + prefix + R"("])"; };
    const std::string user = R"("user":["alice","bob"])", other_user = R"("user":["carol"])", same_user = R"("user":["bob"])";
    const std::string name = R"("tls_name":["pbx.example"])", other_name = R"("tls_name":["sbc.example"])";
    struct Case {
        std::string one, other;
        const char* tie;  ///< where it is told; null: no tie
    };
    const std::vector<Case> cases{
        {source("192.0.2.1"), source("192.0.2.1/32"), "peers.b.match.source: 192.0.2.1/32 stands in peers.a too"},
        {source("192.0.2.1"), source("192.0.2.0/24"), nullptr},
        {source("192.0.2.1"), source("192.0.2.2"), nullptr},
        {name, name, "peers.b.match.tls_name: pbx.example stands in peers.a too"},
        {name, other_name, nullptr},
        {name, source("192.0.2.1"), nullptr},
        {name, name + ',' + source("192.0.2.1"), nullptr},
        {name + ',' + source("192.0.2.1"), name + ',' + source("192.0.2.2"), nullptr},
        {name + ',' + source("192.0.2.1"), name + ',' + source("192.0.2.1"), "peers.b.match.tls_name"},
        {user, same_user, "peers.b.match.user: bob stands in peers.a too"},
        {user, other_user, nullptr},
        {user, same_user + ',' + name, nullptr},
        {user, same_user + ',' + source("192.0.2.1"), nullptr},
        {user + ',' + source("192.0.2.1"), same_user + ',' + source("192.0.2.1"), "peers.b.match.user"},
    };
    for (const auto& one : cases) {
        const auto told = problems(match("a", one.one) + ',' + match("b", one.other));
        SCOPED_TRACE(one.one + " and " + one.other + ": " + told);
        if (one.tie)
            EXPECT_EQ(told.rfind(one.tie, 0), 0u);
        else
            EXPECT_EQ(told, "");
    }
}

TEST(Peers, AConditionThatCouldNeverHoldIsToldWithTheOptionItNeeds) {
    const auto told = [](const std::string& text) {
        const auto outcome = load_domain("sip.example", {}, text);
        const auto* found = std::get_if<std::vector<Problem>>(&outcome);
        return found && found->size() == 1 ? found->front().path + ": " + found->front().text : std::string();
    };
    EXPECT_NE(told(R"({"peers":{"a":{"match":{"tls_name":"pbx.example"}}}})").find("set tls.verify_client"), std::string::npos);
    EXPECT_NE(told(R"({"peers":{"a":{"match":{"user":"alice"}}}})").find("set digest.ha1_file"), std::string::npos);
    EXPECT_NE(told(R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"g","password_file":"/p","ha1_file":"/h"}}}})")
                  .find("not both"),
              std::string::npos);
    EXPECT_NE(told(R"({"peers":{"a":{"match":{"source":"192.0.2.1"},"auth":{"user":"g","password_file":"/p"}}}})")
                  .find("needs next_hop"),
              std::string::npos);
    EXPECT_NE(told(R"({"peers":{"a":{"next_hop":"sip:a","targets":"x"},"b":{"next_hop":"sip:b","targets":["X"]}}})")
                  .find("one way to it"),
              std::string::npos);
    EXPECT_NE(told(R"({"peers":{"a":{"next_hop":{"priority":1}}}})").find("peers.a.next_hop: needs uri"), std::string::npos);
}

TEST(Peers, AtMost32NextHops) {
    const auto hops = [](int count) {
        std::string list;
        for (int i = 0; i < count; ++i) list += (i ? ",\"sip:192.0.2." : "\"sip:192.0.2.") + std::to_string(i) + '"';
        return problems(R"("a":{"next_hop":[)" + list + "]}");
    };
    EXPECT_EQ(hops(32), "");
    EXPECT_NE(hops(33).find("more than 32"), std::string::npos);
}

TEST(Peers, TwoDomainsThatBothChallengeForOneXmppDomainAreRefused) {
    auto one = loaded(match("p", R"("user":["alice"])")), other = one;
    other.domain = "voip.example";
    const auto found = conflicts({one, other});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(found.front().text.find("sip.example and of voip.example"), std::string::npos);
    other.xmpp_domains = {"example.org"};
    EXPECT_TRUE(conflicts({one, other}).empty());
}

}  // namespace
