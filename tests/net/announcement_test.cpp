#include "tests/net/node_rig.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stox::net::test {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

/// What one subscriber with that scope hears.
struct Listener {
    Listener(NodeRig& rig, Scope scope)
        : id(rig.subscriptions.add(scope, [this](const Announcement& one) { heard.push_back(to_string(one)); })) {}
    Names take() { return std::exchange(heard, {}); }
    Names heard;
    Subscriptions::Id id;
};

TEST(Announcements, API_01_InterfacesThatExistThenThoseThatComeAndGo) {
    NodeRig rig;
    rig.report({trunk(), address(kTrunk, "10.0.0.2/24")});
    Listener interfaces(rig, {.element = ElementKind::interface});
    EXPECT_EQ(interfaces.take(), Names{}) << "not from inside the call";
    rig.subscriptions.deliver(rig.provisioning.snapshot());
    EXPECT_EQ(interfaces.take(), Names{"interface-up trunk0"});
    rig.report({inet()});
    rig.report({inet()});
    rig.report({trunk(false)});
    rig.report({gone(inet())});
    EXPECT_EQ(interfaces.take(), (Names{"interface-up inet0", "interface-changed trunk0 down", "interface-gone inet0"}));
    rig.subscriptions.stop(interfaces.id);
    rig.report({inet()});
    EXPECT_EQ(interfaces.take(), Names{});
}

TEST(Announcements, API_02_DomainsOfOneInterfaceAndOfAll) {
    NodeRig rig;
    Listener all(rig, {}), one(rig, {.interface = kTrunk});
    rig.report({trunk(), inet()});
    EXPECT_EQ(one.take(), (Names{"interface-up trunk0", "pvd-up trunk0"}));
    EXPECT_EQ(all.take(),
              (Names{"interface-up trunk0", "interface-up inet0", "pvd-up trunk0", "pvd-up inet0", "default-changed"}));
    rig.report({of("corp.example", address(kTrunk, "2001:db8::2/64"))});
    EXPECT_EQ(one.take(), (Names{"pvd-gone trunk0", "pvd-up corp.example", "address-up corp.example 2001:db8::2"}));
}

TEST(Announcements, API_03_OneKindOfElementOfADomain) {
    NodeRig rig;
    rig.report({trunk(), inet(), server(kTrunk, "10.0.0.1"), route(kTrunk, "0.0.0.0/0", "10.0.0.1")});
    Listener dns_of_trunk(rig, {.pvd = rig.pvd("trunk0")->ref, .element = ElementKind::dns});
    rig.subscriptions.deliver(rig.provisioning.snapshot());
    EXPECT_EQ(dns_of_trunk.take(), Names{"element-changed trunk0 dns"}) << "what there is";
    rig.report({route(kTrunk, "10.0.0.0/8", ""), server(kInet, "10.0.0.1"), address(kTrunk, "10.0.0.2/24")});
    EXPECT_EQ(dns_of_trunk.take(), Names{});
    rig.report({server(kTrunk, "10.0.0.9")});
    EXPECT_EQ(dns_of_trunk.take(), Names{"element-changed trunk0 dns"});
}

TEST(Announcements, API_03_EveryKindIsTold) {
    NodeRig rig(two_domains());
    rig.report({trunk()});
    rig.heard();
    const Home home{kTrunk, {}, false};
    const std::vector<std::pair<Element, std::string>> each{
        {route(kTrunk, "0.0.0.0/0", "10.0.0.1").element, "route"},
        {server(kTrunk, "10.0.0.1").element, "dns"},
        {search(kTrunk, "trunk.example").element, "search"},
        {Nat64Prefix{net("64:ff9b::/96"), kTrunk, kNever, Origin::router_advertisement}, "nat64"},
        {CaptivePortal{"https://portal.example", kTrunk, kNever, Origin::router_advertisement}, "captive-portal"},
        {ReceivedPolicy{PolicyTable({PolicyRow{net("::/0"), 9, 9}}), kTrunk, kNever, Origin::dhcpv6}, "policy"},
    };
    for (const auto& [element, kind] : each) {
        const Names expected{"pvd-changed trunk", "element-changed trunk " + kind};
        rig.report({Learnt{home, element}});
        EXPECT_EQ(rig.heard(), expected);
        rig.report({Learnt{home, element}});
        EXPECT_EQ(rig.heard(), Names{}) << "said again";
        rig.report({Withdrawn{home, element}});
        EXPECT_EQ(rig.heard(), expected);
    }
}

TEST(Announcements, API_04_ATentativeAddressIsNotThereAndADeprecatedOneChanged) {
    NodeRig rig;
    rig.report({trunk()});
    Listener addresses(rig, {.element = ElementKind::address});
    auto local = address(kTrunk, "2001:db8::2/64");
    auto& fields = std::get<LocalAddress>(local.element);
    fields.tentative = true;
    rig.report({local});
    EXPECT_EQ(addresses.take(), Names{});
    EXPECT_TRUE(rig.pvd("trunk0")->addresses.empty());
    fields.tentative = false;
    rig.report({local});
    EXPECT_EQ(addresses.take(), Names{"address-up trunk0 2001:db8::2"});
    fields.deprecated = true;
    rig.report({local});
    EXPECT_EQ(addresses.take(), Names{"address-changed trunk0 2001:db8::2"});
    rig.report({gone(local)});
    EXPECT_EQ(addresses.take(), Names{"address-gone trunk0 2001:db8::2"});
}

TEST(Announcements, API_05_TheSnapshotIsWhatWasAnnounced) {
    NodeRig rig;
    PvdPtr announced;
    rig.subscriptions.add({}, [&](const Announcement& one) {
        if (const auto* changed = std::get_if<ElementChanged>(&one)) announced = changed->pvd;
    });
    rig.report({trunk(), address(kTrunk, "10.0.0.2/24"), server(kTrunk, "10.0.0.1")});
    EXPECT_EQ(announced, rig.snapshot().find(announced->ref).value());
    const auto kept = rig.provisioning.snapshot();
    rig.report({gone(server(kTrunk, "10.0.0.1"))});
    EXPECT_EQ(servers(kept->named("trunk0")), Names{"10.0.0.1"}) << "one that somebody keeps does not change";
    EXPECT_EQ(announced, rig.snapshot().find(announced->ref).value());
}

TEST(Announcements, API_09_NothingComesAfterStopAlsoFromInsideTheCallback) {
    NodeRig rig;
    Names heard;
    Subscriptions::Id other = 0, self = 0;
    self = rig.subscriptions.add({}, [&](const Announcement& one) {
        heard.push_back(to_string(one));
        rig.subscriptions.stop(self);
        rig.subscriptions.stop(self);
        rig.subscriptions.stop(other);
    });
    other = rig.subscriptions.add({}, [&](const Announcement& one) { heard.push_back("other " + to_string(one)); });
    rig.report({trunk(), inet()});
    EXPECT_EQ(heard, Names{"interface-up trunk0"});
    rig.report({gone(inet())});
    EXPECT_EQ(heard.size(), 1U);
    rig.subscriptions.stop(self);
    EXPECT_EQ(rig.subscriptions.size(), 1U);
}

TEST(Announcements, API_09_ASubscriptionEndsWithItsOwner) {
    const auto subscriptions = std::make_shared<Subscriptions>();
    Names heard;
    const auto hear = [&](const Announcement& one) { heard.push_back(to_string(one)); };
    {
        Subscription kept(subscriptions, subscriptions->add({}, hear)), moved = std::move(kept);
        EXPECT_EQ(subscriptions->size(), 1U);
        kept.stop();
        EXPECT_EQ(subscriptions->size(), 1U);
        moved = Subscription(subscriptions, subscriptions->add({}, hear));
        EXPECT_EQ(subscriptions->size(), 1U);
    }
    EXPECT_EQ(subscriptions->size(), 0U);
}

TEST(Announcements, API_11_ExplicitAndImplicitDomainsAreToldAlike) {
    for (const bool named : {false, true}) {
        NodeRig rig;
        const auto learn = [&](const Learnt& learnt) { return named ? of("trunk0", learnt) : learnt; };
        rig.report({trunk(), learn(address(kTrunk, "10.0.0.2/24")), learn(server(kTrunk, "10.0.0.1"))});
        EXPECT_EQ(rig.heard(), (Names{"interface-up trunk0", "pvd-up trunk0", "address-up trunk0 10.0.0.2",
                                      "element-changed trunk0 dns", "default-changed"}));
        EXPECT_EQ(rig.pvd("trunk0")->id.explicit_, named);
        rig.report({trunk(false)});
        EXPECT_EQ(rig.heard(),
                  (Names{"address-gone trunk0 10.0.0.2", "pvd-gone trunk0", "interface-changed trunk0 down", "default-changed"}));
    }
}

TEST(Announcements, API_12_TheDefaultDomainIsReadableAndItsChangeTold) {
    NodeRig rig;
    rig.report({trunk(), inet(), route(kInet, "0.0.0.0/0", "10.0.0.1", 200)});
    EXPECT_EQ(rig.snapshot().default_pvd, rig.pvd("inet0")->ref) << "the one with the default route";
    rig.heard();
    rig.report({route(kTrunk, "0.0.0.0/0", "10.0.0.1", 100)});
    EXPECT_EQ(rig.snapshot().default_pvd, rig.pvd("trunk0")->ref) << "the better one";
    EXPECT_EQ(rig.heard(), (Names{"pvd-changed trunk0", "element-changed trunk0 route", "default-changed"}));
    NodePolicy policy;
    policy.default_pvd = "inet0";
    rig.provisioning.set_policy(policy, rig.now);
    EXPECT_EQ(rig.snapshot().default_pvd, rig.pvd("inet0")->ref) << "the operator's";
    rig.report({inet(false)});
    EXPECT_EQ(rig.snapshot().default_pvd, PvdRef::none()) << "and no other in its place";
}

TEST(Announcements, PVD_12_UpChangedGoneOnceEach) {
    NodeRig rig;
    Listener domains(rig, {});
    rig.report({trunk()});
    rig.report({trunk()});
    rig.report({server(kTrunk, "10.0.0.1", {}, rig.now + 60s)});
    rig.report({server(kTrunk, "10.0.0.1", {}, rig.now + 90s)});
    rig.report({gone(trunk())});
    rig.report({gone(trunk())});
    auto heard = domains.take();
    std::erase_if(heard, [](const std::string& text) { return !text.starts_with("pvd-"); });
    EXPECT_EQ(heard, (Names{"pvd-up trunk0", "pvd-changed trunk0", "pvd-gone trunk0"}));
}

TEST(Announcements, PVD_12_AFlapWithinOneBatchIsAnotherAttachment) {
    NodeRig rig;
    rig.report({trunk(), address(kTrunk, "10.0.0.2/24")});
    rig.heard();
    rig.report({trunk(false), trunk(), address(kTrunk, "10.0.0.2/24")});
    EXPECT_EQ(rig.heard(), (Names{"address-gone trunk0 10.0.0.2", "pvd-gone trunk0", "pvd-up trunk0",
                                  "address-up trunk0 10.0.0.2", "default-changed"}));
}

TEST(Announcements, PVD_14_OneFamily) {
    NodeRig rig;
    Listener ipv4(rig, {.family = Family::ipv4});
    rig.report(
        {trunk(), inet(), address(kTrunk, "10.0.0.2/24"), address(kTrunk, "2001:db8::2/64"), address(kInet, "2001:db8:b::2/64")});
    const auto heard = ipv4.take();
    EXPECT_EQ(std::ranges::count(heard, "pvd-up inet0"), 0);
    EXPECT_EQ(std::ranges::count(heard, "pvd-up trunk0"), 1);
    EXPECT_EQ(std::ranges::count(heard, "address-up trunk0 10.0.0.2"), 1);
    EXPECT_EQ(std::ranges::count(heard, "address-up trunk0 2001:db8::2"), 0);
}

TEST(Announcements, API_20_WhatIsAboutToEndIsToldBefore) {
    NodeRig rig;
    rig.report({trunk(), address(kTrunk, "2001:db8::2/64", rig.now + 100s), address(kTrunk, "2001:db8::3/64", rig.now + 200s)});
    rig.heard();
    rig.wait(69s);
    EXPECT_EQ(rig.heard(), Names{});
    rig.wait(1s);
    EXPECT_EQ(rig.heard(),
              (Names{"pvd-changed trunk0", "address-changed trunk0 2001:db8::2", "address-ending trunk0 2001:db8::2"}));
    rig.wait(30s);
    EXPECT_EQ(rig.heard(), (Names{"address-gone trunk0 2001:db8::2", "pvd-changed trunk0"})) << "the other one has time";
    rig.wait(70s);
    EXPECT_EQ(rig.heard(), (Names{"pvd-changed trunk0", "address-changed trunk0 2001:db8::3", "address-ending trunk0 2001:db8::3",
                                  "pvd-ending trunk0"}));
    rig.report({address(kTrunk, "2001:db8::3/64", rig.now + 500s)});
    EXPECT_FALSE(rig.pvd("trunk0")->ending) << "it was renewed";
}

TEST(Announcements, API_20_ThePreferredLifetimeEndsToo) {
    NodeRig rig;
    auto local = address(kTrunk, "2001:db8::2/64", rig.now + 1000s);
    std::get<LocalAddress>(local.element).preferred = rig.now + 100s;
    rig.report({trunk(), local});
    rig.wait(70s);
    EXPECT_TRUE(rig.pvd("trunk0")->addresses[0].ending);
    EXPECT_FALSE(rig.pvd("trunk0")->addresses[0].deprecated);
    rig.wait(30s);
    EXPECT_TRUE(rig.pvd("trunk0")->addresses[0].deprecated) << "without word of the kernel";
    EXPECT_FALSE(rig.pvd("trunk0")->addresses[0].ending);
}

TEST(Announcements, API_21_PolicyHidesADomain) {
    auto policy = two_domains();
    policy.pvds[0].hidden = true;
    NodeRig rig(policy);
    rig.report({trunk(), inet(), server(kTrunk, "10.0.0.1")});
    EXPECT_EQ(rig.names(), Names{"inet"});
    const auto heard = rig.heard();
    EXPECT_TRUE(std::ranges::none_of(heard, [](const std::string& text) {
        return text.starts_with("pvd-up trunk") || text.starts_with("element-changed trunk");
    }));
}

TEST(Announcements, ASubscriberThatWasAddedWhileOthersAreToldHearsAllOnce) {
    NodeRig rig;
    Names late;
    bool added = false;
    rig.subscriptions.add({}, [&](const Announcement&) {
        if (std::exchange(added, true)) return;
        rig.subscriptions.add({.element = ElementKind::interface},
                              [&](const Announcement& one) { late.push_back(to_string(one)); });
    });
    rig.report({trunk()});
    EXPECT_TRUE(rig.subscriptions.due(rig.provisioning.snapshot()));
    rig.report({inet()});
    EXPECT_EQ(late, (Names{"interface-up trunk0", "interface-up inet0"}));
    EXPECT_FALSE(rig.subscriptions.due(rig.provisioning.snapshot()));
}

}  // namespace
}  // namespace stox::net::test
