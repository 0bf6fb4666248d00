#include "plugin/engine/domain_table.h"

#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;

config::DomainOptions domain(const std::string& name, std::vector<std::string> users, const std::string& source) {
    config::DomainOptions options;
    options.domain = name;
    options.xmpp_domains = std::move(users);
    config::Peer peer;
    peer.name = "p";
    peer.source = {Prefix::parse(source).value()};
    options.peers = {peer};
    return options;
}

Domains all_of(const std::vector<config::DomainOptions>& domains) {
    Domains all;
    for (const auto& domain : domains) all.push_back(&domain);
    return all;
}

const Address kSource = Address::v4({10, 0, 0, 1});

TEST(DomainTable, CORE_08_AHostLeadsToTheDomainThatServesIt) {
    auto one = domain("a.test", {"users.test"}, "10.0.0.0/8"), two = domain("b.test", {"others.test"}, "10.0.0.0/8");
    two.sip_domain = "sip.b.test";
    const std::vector all{one, two};
    EXPECT_EQ(std::get<std::string>(route(all_of(all), "a.test", Sender{kSource})), "a.test");
    EXPECT_EQ(std::get<std::string>(route(all_of(all), "others.test", Sender{kSource})), "b.test");
    EXPECT_EQ(std::get<std::string>(route(all_of(all), "sip.b.test", Sender{kSource})), "b.test");
    EXPECT_TRUE(std::holds_alternative<NotServed>(route(all_of(all), "elsewhere.test", Sender{kSource})));
}

TEST(DomainTable, AmongSeveralTheClosestPeerDecidesAndATieIsNobodys) {
    const auto wide = domain("a.test", {"users.test"}, "10.0.0.0/8"), close = domain("b.test", {"users.test"}, "10.0.0.1"),
               same = domain("c.test", {"users.test"}, "10.0.0.1");
    EXPECT_EQ(std::get<std::string>(route(all_of({wide, close}), "users.test", Sender{kSource})), "b.test");
    EXPECT_TRUE(std::holds_alternative<Ambiguous>(route(all_of({wide, close, same}), "users.test", Sender{kSource})));
    EXPECT_TRUE(
        std::holds_alternative<Ambiguous>(route(all_of({wide, close}), "users.test", Sender{Address::v4({192, 0, 2, 1})})));
    EXPECT_EQ(std::get<std::string>(route(all_of({wide}), "users.test", Sender{Address::v4({192, 0, 2, 1})})), "a.test")
        << "its own checks refuse and log";
}

TEST(DomainTable, ACertificateIsCloserThanAnyPrefixAndAChallengeIsTheLastResort) {
    auto close = domain("a.test", {"users.test"}, "10.0.0.1"), tls = domain("b.test", {"users.test"}, "192.0.2.1"),
         digest = domain("c.test", {"users.test"}, "192.0.2.2");
    tls.peers.front().source.clear();
    tls.peers.front().tls_names = {"pbx.test"};
    digest.peers.front().users = {"alice"};
    const std::vector all{close, tls, digest};
    const auto elsewhere = Address::v4({203, 0, 113, 1});
    EXPECT_EQ(std::get<std::string>(route(all_of(all), "users.test", {kSource, {"system", {"pbx.test"}}})), "b.test");
    EXPECT_EQ(std::get<std::string>(route(all_of(all), "users.test", {kSource, {"system", {"other.test"}}})), "a.test");
    EXPECT_EQ(std::get<std::string>(route(all_of(all), "users.test", {elsewhere})), "c.test") << "may prove to be a user there";
    EXPECT_TRUE(std::holds_alternative<Ambiguous>(route(all_of({close, tls}), "users.test", {elsewhere})));
    EXPECT_TRUE(is_peer(all_of(all), {elsewhere, {"system", {"pbx.test"}}}));
    EXPECT_FALSE(is_peer(all_of(all), {elsewhere}));
}

TEST(DomainTable, APeerOfAnyDomainIsKnown) {
    const std::vector all{domain("a.test", {}, "10.0.0.0/8")};
    EXPECT_TRUE(is_peer(all_of(all), Sender{kSource}));
    EXPECT_FALSE(is_peer(all_of(all), Sender{Address::v4({192, 0, 2, 1})}));
}

}  // namespace
