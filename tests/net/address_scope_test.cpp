#include "net/address_scope.h"
#include "net/policy_table.h"
#include "tests/net/node_rig.h"

#include <gtest/gtest.h>

namespace stox::net::test {
namespace {

TEST(AddressScope, AsRfc6724Says) {
    const std::vector<std::pair<std::string_view, AddressScope>> rows{
        {"10.0.0.1", AddressScope::global},        {"192.0.2.1", AddressScope::global},
        {"169.254.3.4", AddressScope::link_local}, {"127.0.0.1", AddressScope::link_local},
        {"::1", AddressScope::link_local},         {"fe80::1", AddressScope::link_local},
        {"fec0::1", AddressScope::site_local},     {"fc00::1", AddressScope::global},
        {"2001:db8::1", AddressScope::global},     {"ff01::1", AddressScope::interface_local},
        {"ff02::1", AddressScope::link_local},     {"ff05::2", AddressScope::site_local},
        {"ff0e::1", AddressScope::global},         {"febf::1", AddressScope::link_local},
        {"fdff::1", AddressScope::global},
    };
    for (const auto& [text, expected] : rows) EXPECT_EQ(scope(ip(text)), expected) << text;
}

TEST(AddressScope, Kinds) {
    EXPECT_TRUE(is_multicast(ip("224.0.0.1")) && is_multicast(ip("239.255.255.255")) && is_multicast(ip("ff02::1")));
    EXPECT_FALSE(is_multicast(ip("223.255.255.255")) || is_multicast(ip("240.0.0.1")) || is_multicast(ip("fe80::1")));
    EXPECT_TRUE(is_unspecified(ip("0.0.0.0")) && is_unspecified(ip("::")));
    EXPECT_FALSE(is_unspecified(ip("::1")));
    EXPECT_EQ(common_bits(ip("2001:db8::1"), ip("2001:db8::3")), 126U);
    EXPECT_EQ(common_bits(ip("10.0.0.1"), ip("10.0.0.1")), 128U);
    EXPECT_EQ(common_bits(ip("10.0.0.1"), ip("138.0.0.1")), 96U);
    EXPECT_EQ(common_bits(ip("8000::"), ip("::")), 0U);
}

TEST(PolicyTable, SEL_11_TheStandardTableWhereNoneWasReceived) {
    struct Row {
        std::string_view address;
        unsigned precedence, label;
    };
    const std::vector<Row> rows{{"::1", 50, 0},        {"2001:db8::1", 40, 1}, {"192.0.2.1", 35, 4}, {"2002:a::1", 30, 2},
                                {"2001:0:1::1", 5, 5}, {"fc00::1", 3, 13},     {"fdff::1", 3, 13},   {"::2", 1, 3},
                                {"fec0::1", 1, 11},    {"3ffe::1", 1, 12}};
    for (const auto& row : rows) {
        const auto found = PolicyTable::standard().find(ip(row.address));
        EXPECT_EQ(unsigned{found.precedence}, row.precedence) << row.address;
        EXPECT_EQ(unsigned{found.label}, row.label) << row.address;
    }
    EXPECT_EQ(PolicyTable::standard().rows().size(), 9U);
    NodeRig rig;
    rig.report({trunk(), inet(),
                Learnt{{kTrunk, {}, false},
                       ReceivedPolicy{PolicyTable({PolicyRow{net("::/0"), 9, 9}}), kTrunk, kNever, Origin::dhcpv6}}});
    EXPECT_EQ(unsigned{rig.pvd("trunk0")->policy_table().find(ip("192.0.2.1")).precedence}, 9U) << "::/0 holds IPv4 too";
    EXPECT_EQ(rig.pvd("inet0")->policy_table(), PolicyTable::standard());
}

TEST(PolicyTable, WithoutARowForTheAddress) {
    const PolicyTable table({PolicyRow{net("10.0.0.0/8"), 7, 7}});
    EXPECT_EQ(unsigned{table.find(ip("10.1.2.3")).label}, 7U);
    EXPECT_EQ(unsigned{table.find(ip("11.1.2.3")).precedence}, 0U);
    EXPECT_EQ(unsigned{table.find(ip("2001:db8::1")).label}, 255U);
}

}  // namespace
}  // namespace stox::net::test
