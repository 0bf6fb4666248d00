// Whole addresses in the four schemes: the vectors of docs/spec 1.5.1 and 1.5.2, both ways.

#include "mapping/address.h"
#include "mapping/phone.h"

#include "tests/unit/result_testing.h"
#include "tests/unit/spec_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stox {

namespace {

using test::spec_table;
using test::value;

constexpr std::string_view kComponent = "gw.example", kTrunk = "trunk.example";

Result<xmpp::Jid> to_jid(char scheme, const sip::Uri& uri) {
    if (scheme == 'A') return to_jid_native(uri);
    return scheme == 'C' ? to_jid_phone(uri, kComponent) : to_jid_nested(uri, kComponent);
}

Result<sip::Uri> to_uri(char scheme, const xmpp::Jid& jid) {
    if (scheme == 'A') return to_uri_native(jid);
    if (scheme != 'C') return to_uri_nested(jid, "");
    BOOST_OUTCOME_TRY(number, phone_number(jid));
    return to_uri_phone(number, kTrunk);
}

std::size_t rows_of(const std::vector<test::SpecRow>& rows, char scheme) {
    return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const auto& row) { return row.cells[0][0] == scheme; }));
}

void from_sip(char scheme) {
    const auto rows = spec_table("core.md", "1.5.1 ");
    EXPECT_GE(rows_of(rows, scheme), 8U);
    for (const auto& row : rows) {
        if (row.cells[0][0] != scheme) continue;
        const auto jid = to_jid(scheme, value(sip::Uri::parse(row.cells[1])));
        if (row.cells[2] == "REJECT") {
            EXPECT_FALSE(jid) << row.cells[1];
            continue;
        }
        ASSERT_TRUE(jid) << row.cells[1] << ": " << jid.error().detail;
        EXPECT_EQ(jid.value().to_string(), row.cells[2]) << row.cells[1];
        EXPECT_EQ(value(xmpp::Jid::parse(row.cells[2])), jid.value());
        EXPECT_EQ(value(to_uri(scheme, jid.value())).to_string(), row.cells[3]) << row.cells[1];
    }
}

void from_xmpp(char scheme, std::size_t least) {
    const auto rows = spec_table("core.md", "1.5.2 ");
    EXPECT_GE(rows_of(rows, scheme), least);
    for (const auto& row : rows) {
        if (row.cells[0][0] != scheme) continue;
        const auto uri = to_uri(scheme, value(xmpp::Jid::parse(row.cells[1])));
        if (row.cells[2] == "REJECT") {
            EXPECT_FALSE(uri) << row.cells[1];
            continue;
        }
        ASSERT_TRUE(uri) << row.cells[1] << ": " << uri.error().detail;
        EXPECT_EQ(uri.value().to_string(), row.cells[2]) << row.cells[1];
        if (row.cells[3] == "-") continue;
        EXPECT_EQ(value(to_jid(scheme, uri.value())).to_string(), row.cells[3]) << row.cells[1];
    }
}

}  // namespace

TEST(Schemes, CORE_09_NativeFromSip) { from_sip('A'); }
TEST(Schemes, CORE_09_NestedFromSip) { from_sip('B'); }
TEST(Schemes, CORE_09_CORE_35_PhoneFromSip) { from_sip('C'); }
TEST(Schemes, CORE_09_NativeFromXmpp) { from_xmpp('A', 2); }
TEST(Schemes, CORE_09_CORE_10_NestedFromXmpp) { from_xmpp('B', 6); }
TEST(Schemes, CORE_09_CORE_36_PhoneFromXmpp) { from_xmpp('C', 8); }
TEST(Schemes, CORE_09_AliasesComeBackNested) { from_xmpp('D', 6); }

TEST(Schemes, CORE_35_WhatIsDroppedIsNamed) {
    const auto number = value(phone_number(value(sip::Uri::parse("tel:+15551230000;rn=+1999;npdi;cpc=ordinary;isub=7;ext=5"))));
    EXPECT_EQ(number.dropped, (std::vector<std::string>{"rn", "npdi", "cpc", "isub"}));
    EXPECT_EQ(number.text(), "+15551230000;ext=5");
}

TEST(Schemes, CORE_35_CORE_37_SpellingsOfOneNumberAreOneAddress) {
    const auto jid = [](std::string_view text) { return value(to_jid_phone(value(sip::Uri::parse(text)), kComponent)); };
    const auto one = jid("tel:+1-555-123-0000;ext=5;zz=1");
    for (const std::string_view text : {"tel:+15551230000;zz=1;ext=5", "sip:+1(555)1230000;EXT=5;ZZ=1@trunk.example;user=phone",
                                        "sip:%2b15551230000;zz=1;ext=5@carrier.example"})
        EXPECT_EQ(jid(text), one) << text;
    EXPECT_NE(jid("tel:+15551230000"), one);
}

TEST(Schemes, CORE_35_NoParameterSmugglesAnotherOne) {
    const auto refused = [](std::string_view text) {
        const auto uri = sip::Uri::parse(text);
        return !uri || !to_jid_phone(uri.value(), kComponent);
    };
    for (const std::string_view text :
         {"tel:+1555;ext=5%3Bphone-context=x", "tel:+1555;a=%40evil.example", "tel:+1555;a=%22", "tel:+1555;a=%00", "tel:+1555;a=%C3%BC",
          "tel:+1555;a=b;A=c", "tel:5;phone-context=a%2Fb", "tel:5;phone-context=+", "sip:+1555;@trunk.example", "sip:+1555;=x@trunk.example"})
        EXPECT_TRUE(refused(text)) << text;
    EXPECT_TRUE(refused("tel:+" + std::string(33, '1')));
    EXPECT_FALSE(refused("tel:+" + std::string(32, '1')));
}

}  // namespace stox
