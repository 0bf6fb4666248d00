#include "tests/net/node_rig.h"

#include <gtest/gtest.h>

namespace stox::net::test {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

TEST(Provisioning, PVD_01_ASecondDomainOverwritesNothing) {
    NodeRig rig;
    rig.report({trunk(), address(kTrunk, "10.0.0.2/24"), route(kTrunk, "0.0.0.0/0", "10.0.0.1"), server(kTrunk, "10.0.0.1")});
    const auto before = rig.pvd("trunk0");
    rig.report({inet(), address(kInet, "10.0.0.2/24"), route(kInet, "0.0.0.0/0", "10.0.0.1"), server(kInet, "10.0.0.1")});
    rig.report({gone(server(kInet, "10.0.0.1"))});
    EXPECT_EQ(rig.pvd("trunk0"), before);
    EXPECT_EQ(servers(rig.pvd("inet0")), Names{});
    EXPECT_EQ(addresses(rig.pvd("inet0")), Names{"10.0.0.2"});
}

TEST(Provisioning, PVD_01_TwoSourcesOfOneDomainKeepWhatEachSaid) {
    NodeRig rig;
    rig.report({trunk(), server(kTrunk, "10.0.0.1")}, "one");
    auto same = server(kTrunk, "10.0.0.1", {"trunk.example"});
    std::get<Rdnss>(same.element).origin = Origin::dhcpv4;
    rig.report({same, server(kTrunk, "10.0.0.9")}, "two");
    EXPECT_EQ(servers(rig.pvd("trunk0")).size(), 2U) << "the server of both stands once";
    rig.report({gone(server(kTrunk, "10.0.0.1"))}, "one");
    ASSERT_EQ(rig.pvd("trunk0")->resolvers.size(), 1U) << "its claim alone is nothing in an untrusted domain";
    EXPECT_EQ(servers(rig.pvd("trunk0")), Names{"10.0.0.9"});
}

TEST(Provisioning, PVD_02_OneImplicitDomainOfEachInterfaceThatIsUp) {
    NodePolicy policy;
    policy.node = "machine";
    NodeRig rig(policy), again(policy), other;
    auto loopback = link(1, "lo");
    std::get<Interface>(loopback.element).loopback = true;
    for (auto* one : {&rig, &again, &other}) one->report({loopback, trunk(), inet(), link(4, "spare0", false)});
    EXPECT_EQ(rig.names(), (Names{"trunk0", "inet0"}));
    const auto id = rig.pvd("trunk0")->id;
    EXPECT_FALSE(id.explicit_);
    EXPECT_EQ(id, again.pvd("trunk0")->id) << "the same after a restart";
    EXPECT_NE(id, rig.pvd("inet0")->id);
    EXPECT_NE(id, other.pvd("trunk0")->id) << "unique beyond the machine";
    EXPECT_EQ(id.text.size(), 36U);
    rig.report({trunk(false), trunk()});
    EXPECT_EQ(rig.pvd("trunk0")->id, id) << "the same after an attachment";
}

TEST(Provisioning, PVD_04_OneDomainOnTwoLinksAndTwoOnOneLink) {
    NodePolicy policy;
    PvdPolicy corporate;
    corporate.name = "corporate";
    corporate.id = dns("corp.example");
    policy.pvds = {corporate};
    NodeRig rig(policy);
    rig.report({trunk(), inet(), of("corp.example", address(kTrunk, "2001:db8:a::2/64"), true),
                of("corp.example", address(kInet, "2001:db8:b::2/64"), true), server(kInet, "192.0.2.1")});
    EXPECT_EQ(rig.pvd("corporate")->interfaces, (std::vector{kTrunk, kInet}));
    EXPECT_EQ(rig.pvd("corporate")->trust, Trust::authenticated);
    EXPECT_EQ(rig.pvd("inet0")->interfaces, std::vector{kInet}) << "the implicit one has what named no domain";
    EXPECT_EQ(servers(rig.pvd("inet0")), Names{"192.0.2.1"});
    EXPECT_EQ(rig.pvd("trunk0"), nullptr) << "everything there is of the explicit one";
}

TEST(Provisioning, PVD_05_NothingIsCompletedFromAnotherDomain) {
    NodeRig rig(two_domains());
    rig.report({trunk(), inet(), address(kTrunk, "10.0.0.2/24"), address(kInet, "10.0.0.2/24"), server(kInet, "192.0.2.53"),
                route(kInet, "0.0.0.0/0", "10.0.0.1"), search(kInet, "isp.example")});
    const auto pvd = rig.pvd("trunk");
    EXPECT_TRUE(pvd->resolvers.empty() && pvd->routes.empty() && pvd->search.empty());
    EXPECT_FALSE(pvd->connected(Family::ipv4)) << "an address without a route";
    EXPECT_TRUE(rig.pvd("inet")->connected(Family::ipv4));
}

TEST(Provisioning, PVD_10_ClaimsOfUntrustedDomainsAreNothing) {
    NodeRig rig(two_domains());
    rig.report({trunk(), inet()});
    for (const int interface : {kTrunk, kInet})
        rig.report({server(interface, "10.0.0.1", {".", "trunk.example"}), server(interface, "10.0.0.9", {"trunk.example"}),
                    search(interface, "trunk.example")});
    EXPECT_EQ(servers(rig.pvd("trunk")), (Names{"10.0.0.1 trunk.example", "10.0.0.9 trunk.example"}));
    EXPECT_EQ(rig.pvd("trunk")->search.size(), 1U);
    EXPECT_EQ(rig.pvd("inet")->trust, Trust::untrusted);
    EXPECT_EQ(servers(rig.pvd("inet")), Names{"10.0.0.1"}) << "a default resolver, and no more";
    EXPECT_TRUE(rig.pvd("inet")->search.empty());
}

TEST(Provisioning, PVD_10_WhatTheOperatorSaysOfAnUntrustedDomainHolds) {
    auto policy = two_domains();
    Rdnss own;
    own.address = ip("192.0.2.7");
    policy.pvds[1].resolvers = {own};
    policy.pvds[1].domains = {dns("partner.example")};
    policy.pvds[1].default_resolver = false;
    NodeRig rig(policy);
    rig.report({inet(), server(kInet, "10.0.0.1", {".", "trunk.example"})});
    EXPECT_EQ(servers(rig.pvd("inet")), (Names{"192.0.2.7 partner.example", "10.0.0.1 partner.example"}));
    for (const auto& one : rig.pvd("inet")->resolvers) EXPECT_EQ(one.rules.size(), 1U) << "no default resolver";
}

TEST(Provisioning, PVD_11_EqualNamesAreOneDomainOnlyWhenAuthenticated) {
    auto policy = two_domains();
    policy.pvds[0].id = dns("corp.example");
    NodeRig rig(policy);
    rig.report({trunk(), inet(), of("corp.example", server(kTrunk, "10.0.0.1"), true),
                of("corp.example", server(kInet, "10.6.6.6"), false)});
    EXPECT_EQ(servers(rig.pvd("trunk")), Names{"10.0.0.1"});
    EXPECT_EQ(rig.pvd("trunk")->interfaces, std::vector{kTrunk});
    const auto& spoofed = rig.snapshot().pvds.back();
    EXPECT_EQ(servers(spoofed), Names{"10.6.6.6"});
    EXPECT_EQ(spoofed->trust, Trust::untrusted);
    EXPECT_EQ(spoofed->roles, std::set<std::string>{}) << "it gets nothing of the configuration";
}

TEST(Provisioning, PVD_14_BothFamiliesInOneDomainAndListsOfOne) {
    NodeRig rig;
    rig.report({trunk(), inet(), address(kTrunk, "10.0.0.2/24"), address(kTrunk, "2001:db8:a::2/64"),
                address(kTrunk, "fe80::1/64"), address(kInet, "2001:db8:b::2/64"), address(kInet, "169.254.1.1/16")});
    EXPECT_EQ(rig.names(), (Names{"trunk0", "inet0"}));
    EXPECT_EQ(addresses(rig.pvd("trunk0")).size(), 3U);
    ASSERT_EQ(rig.snapshot().list(Family::ipv4).size(), 1U) << "a link-local address connects nothing";
    EXPECT_EQ(rig.snapshot().list(Family::ipv4)[0]->name, "trunk0");
    EXPECT_EQ(rig.snapshot().list(Family::ipv6).size(), 2U);
    EXPECT_EQ(rig.snapshot().list().size(), 2U);
}

TEST(Provisioning, PVD_15_WhatWasLearntBeforeTheLinkWentIsNotUsed) {
    NodeRig rig;
    rig.report(
        {trunk(), address(kTrunk, "10.0.0.2/24"), server(kTrunk, "10.0.0.1", {}, rig.now + 60s), server(kTrunk, "10.0.0.9")});
    rig.report({trunk(false)});
    rig.report({address(kTrunk, "10.0.0.2/24")});  // what the kernel says while it is down
    rig.report({trunk()});
    EXPECT_TRUE(rig.pvd("trunk0")->resolvers.empty());
    EXPECT_TRUE(rig.pvd("trunk0")->addresses.empty());
    rig.report({address(kTrunk, "10.0.0.2/24"), server(kTrunk, "10.0.0.9")});
    EXPECT_EQ(servers(rig.pvd("trunk0")), Names{"10.0.0.9"}) << "the one that was learnt anew";
    EXPECT_EQ(addresses(rig.pvd("trunk0")), Names{"10.0.0.2"});
    EXPECT_TRUE(rig.provisioning.next_timeout()) << "the other one ends by itself";
    rig.wait(61s);
    EXPECT_FALSE(rig.provisioning.next_timeout());
}

TEST(Provisioning, PVD_16_AValidNameAloneGivesNoTrust) {
    auto policy = two_domains();
    policy.pvds[0].id = dns("corp.example");
    NodeRig rig(policy);
    rig.report({trunk(), inet(), of("unlisted.example", server(kTrunk, "10.0.0.1", {".", "bank.example"}), true),
                of("unlisted.example", server(kInet, "10.0.0.1"), true), of("corp.example", server(kTrunk, "10.0.0.2"), false)});
    std::size_t unlisted = 0;
    for (const auto& pvd : rig.snapshot().pvds) {
        if (pvd->id.text != "unlisted.example") continue;
        ++unlisted;
        EXPECT_EQ(pvd->trust, Trust::untrusted);
        EXPECT_EQ(servers(pvd), Names{"10.0.0.1"});
    }
    EXPECT_EQ(unlisted, 2U) << "nor is it merged";
    EXPECT_EQ(rig.pvd("corp.example")->trust, Trust::by_attachment) << "listed, on a link that the operator calls safe";
}

TEST(Provisioning, PVD_18_OnlyTheConfigurationMergesSupplementsAndOverrides) {
    auto policy = two_domains();
    policy.pvds.pop_back();
    policy.pvds[0].interfaces = {"trunk0", "inet0"};
    NodeRig merged(policy), apart;
    Rdnss own;
    own.address = ip("192.0.2.7");
    for (auto* rig : {&merged, &apart}) rig->report({trunk(), inet(), server(kTrunk, "10.0.0.1"), server(kInet, "10.0.0.2")});
    EXPECT_EQ(merged.names(), Names{"trunk"});
    EXPECT_EQ(servers(merged.pvd("trunk")).size(), 2U);
    EXPECT_EQ(apart.names().size(), 2U);
    policy.pvds[0].resolvers = {own};
    merged.provisioning.set_policy(policy, merged.now);
    EXPECT_EQ(servers(merged.pvd("trunk")), (Names{"192.0.2.7", "10.0.0.1", "10.0.0.2"})) << "configured ones first";
    policy.pvds[0].learnt_resolvers = false;
    merged.provisioning.set_policy(policy, merged.now);
    EXPECT_EQ(servers(merged.pvd("trunk")), Names{"192.0.2.7"});
}

TEST(Provisioning, PVD_21_AHandleIsOfOneAttachment) {
    NodeRig rig;
    rig.report({trunk(), inet(), address(kTrunk, "10.0.0.2/24")});
    const auto handle = rig.pvd("trunk0")->ref;
    const auto id = rig.pvd("trunk0")->id;
    rig.report({server(kTrunk, "10.0.0.1")});
    ASSERT_TRUE(rig.snapshot().find(handle)) << "it stays while the content changes";
    rig.report({trunk(false), trunk()});
    const auto stale = rig.snapshot().find(handle);
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().stage, Stage::gone);
    EXPECT_NE(rig.pvd("trunk0")->ref, handle);
    EXPECT_EQ(rig.pvd("trunk0")->id, id);
    rig.report({gone(trunk()), gone(inet()), link(kTrunk, "other0")});
    EXPECT_EQ(rig.snapshot().find(handle).error().stage, Stage::gone) << "never another one";
}

TEST(Provisioning, PVD_21_ADomainOnTwoLinksStaysWhileOneIsAttached) {
    auto policy = two_domains();
    policy.pvds.pop_back();
    policy.pvds[0].interfaces = {"trunk0", "inet0"};
    NodeRig rig(policy);
    rig.report({trunk(), inet()});
    const auto handle = rig.pvd("trunk")->ref;
    rig.report({trunk(false), trunk()});
    EXPECT_EQ(rig.pvd("trunk")->ref, handle);
    rig.report({trunk(false), inet(false), trunk(), inet()});
    EXPECT_NE(rig.pvd("trunk")->ref, handle);
}

TEST(Provisioning, API_15_ReservedHandles) {
    NodeRig rig;
    EXPECT_EQ(rig.snapshot().find(PvdRef::unspecified()).error().stage, Stage::no_pvd);
    EXPECT_EQ(rig.snapshot().default_pvd, PvdRef::none());
    rig.report({trunk()});
    EXPECT_EQ(rig.snapshot().find(PvdRef::unspecified()).value(), rig.pvd("trunk0"));
    EXPECT_EQ(rig.snapshot().find(PvdRef::none()).error().stage, Stage::no_pvd);
}

TEST(Provisioning, TheNodesOwnDomainIsWhatTheHostDoesAsAWhole) {
    auto policy = two_domains();
    policy.pvds.pop_back();
    NodeRig rig(policy);
    auto resolv_conf = server(0, "192.0.2.53");
    std::get<Rdnss>(resolv_conf.element).origin = Origin::resolv_conf;
    rig.report(
        {trunk(), inet(), address(kTrunk, "10.0.0.2/24"), address(kInet, "10.0.0.2/24"), route(kInet, "0.0.0.0/0", "10.0.0.1")});
    rig.report({resolv_conf}, "resolv.conf");
    const auto node = rig.pvd("node");
    ASSERT_TRUE(node);
    EXPECT_FALSE(node->device_bound);
    EXPECT_EQ(node->interfaces, std::vector{kInet}) << "the trunk was given to a domain of its own";
    EXPECT_EQ(servers(node), Names{"192.0.2.53"});
    EXPECT_TRUE(node->connected(Family::ipv4));
    EXPECT_TRUE(rig.pvd("inet0")->resolvers.empty());
    EXPECT_EQ(rig.snapshot().default_pvd, node->ref);
    rig.report({inet(false)});
    EXPECT_EQ(rig.pvd("node")->ref, node->ref) << "it has no attachment that could end";
}

TEST(Provisioning, ROUTE_04_ElementsEndWithoutAnEventOfTheNetwork) {
    NodeRig rig;
    rig.report({trunk(), route(kTrunk, "2001:db8:5160::/48", "fe80::1", 0, rig.now + 200s), route(kTrunk, "::/0", "fe80::1")});
    rig.heard();
    rig.wait(199s);
    EXPECT_EQ(rig.pvd("trunk0")->routes.size(), 2U);
    rig.wait(1s);
    EXPECT_EQ(rig.pvd("trunk0")->routes.size(), 1U);
    EXPECT_EQ(rig.heard(), (Names{"pvd-changed trunk0", "element-changed trunk0 route"}));
}

TEST(Provisioning, ADumpWithdrawsWhatItDoesNotSay) {
    NodeRig rig;
    const std::vector kinds{ElementKind::interface, ElementKind::address};
    rig.report({trunk(), inet(), address(kTrunk, "10.0.0.2/24"), address(kTrunk, "10.0.0.3/24")});
    rig.report({server(kInet, "10.0.0.9")}, "other");
    const auto before = rig.provisioning.snapshot();
    rig.heard();
    rig.report(
        {DumpBegins{kinds}, trunk(), inet(), address(kTrunk, "10.0.0.2/24"), address(kTrunk, "10.0.0.3/24"), DumpEnds{kinds}});
    EXPECT_EQ(rig.provisioning.snapshot(), before);
    EXPECT_EQ(rig.heard(), Names{});
    rig.report({DumpBegins{kinds}, trunk(), address(kTrunk, "10.0.0.2/24")});
    EXPECT_EQ(rig.provisioning.snapshot(), before) << "not before it is whole";
    rig.report({DumpEnds{kinds}});
    EXPECT_EQ(rig.heard(),
              (Names{"address-gone trunk0 10.0.0.3", "pvd-gone inet0", "interface-gone inet0", "pvd-changed trunk0"}));
}

TEST(Provisioning, SEC_09_AFloodIsBoundedAndTakesNothingFromOthers) {
    NodeRig rig(two_domains());
    rig.report({trunk(), inet(), server(kTrunk, "10.0.0.1")});
    std::vector<Change> flood;
    for (int i = 0; i < 3'000; ++i) {
        const auto text =
            "2001:db8::" + Address::v4({0, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}).to_string();
        flood.push_back(server(kInet, text));
        flood.push_back(of("p" + std::to_string(i) + ".example", server(kInet, text)));
    }
    rig.report(flood);
    EXPECT_EQ(servers(rig.pvd("trunk")), Names{"10.0.0.1"});
    EXPECT_LE(rig.pvd("inet")->resolvers.size(), ElementStore::kMaxOfKind);
    EXPECT_EQ(rig.snapshot().pvds.size(), 2 + ElementStore::kMaxExplicitPvds);
    EXPECT_GT(rig.provisioning.dropped(), 1'000U);
    rig.report({server(kTrunk, "10.0.0.2")});
    EXPECT_EQ(servers(rig.pvd("trunk")).size(), 2U);
    rig.report({gone(inet()), inet(), server(kInet, "192.0.2.1")});
    EXPECT_EQ(servers(rig.pvd("inet")), Names{"192.0.2.1"}) << "what went makes room";
}

}  // namespace
}  // namespace stox::net::test
