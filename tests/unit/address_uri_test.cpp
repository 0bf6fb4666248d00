// Whole addresses: domains, schemes, resources.

#include "mapping/address.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox {

namespace {

using test::code;
using test::value;

std::string utf8(const char8_t* text) { return reinterpret_cast<const char*>(text); }
sip::Uri uri(std::string_view text) { return value(sip::Uri::parse(text)); }
xmpp::Jid jid(std::string_view text) { return value(xmpp::Jid::parse(text)); }
std::string native(std::string_view text) { return value(to_jid_native(uri(text))).to_string(); }
std::string nested(std::string_view text) { return value(to_jid_nested(uri(text), "gw.example")).to_string(); }

}  // namespace

TEST(Address, CORE_30_DomainsAreULabelsInJidsAndALabelsInSip) {
    EXPECT_EQ(value(domain_to_jid("xn--tschss-6ya.example")), utf8(u8"tsch\u00FCss.example"));
    EXPECT_EQ(value(domain_to_sip(utf8(u8"tsch\u00FCss.example"))), "xn--tschss-6ya.example");
    EXPECT_EQ(value(domain_to_sip(utf8(u8"TSCH\u00DCSS.Example"))), "xn--tschss-6ya.example");
    EXPECT_EQ(value(domain_to_sip(utf8(u8"fa\u00DF.example"))), "xn--fa-hia.example");  // non-transitional
    EXPECT_EQ(value(domain_to_jid("Example.COM.")), "example.com");
    EXPECT_EQ(value(domain_to_sip("Example.COM.")), "example.com");
    EXPECT_EQ(value(domain_to_jid("localhost")), "localhost");
    for (const std::string_view literal : {"192.0.2.1", "[2001:db8::1]"}) {
        EXPECT_EQ(value(domain_to_jid(literal)), literal);
        EXPECT_EQ(value(domain_to_sip(literal)), literal);
    }
    EXPECT_EQ(value(domain_to_jid("[2001:DB8::A]")), "[2001:db8::a]");
    EXPECT_EQ(value(to_uri_native(jid(native("sip:a@xn--tschss-6ya.example")))).host, "xn--tschss-6ya.example");
}

TEST(Address, CORE_30_WhatIsNoDomainIsUnmappable) {
    for (const std::string_view host :
         {"", ".", "xn--a", "xn--a-.example", "xn--999999999.example", "a_b.example", "-a.example", "a..example", "a b.example",
          "2001:db8::1", "[192.0.2.1]", "[", "1.2.3.999", "example.com..", "a@b", "a/b", "a:b"})
        EXPECT_FALSE(domain_to_jid(host)) << host;
    for (const std::string_view domain : {"", "a_b.example", "a b", "a@b.example", "a\xff", "1.2.3.999", "example.com.."})
        EXPECT_FALSE(domain_to_sip(domain)) << domain;
    EXPECT_FALSE(domain_to_jid("xn--fa-hia.example"));  // nameprep would make fass.example of it
    EXPECT_FALSE(domain_to_sip(std::string(64, 'a') + ".example"));
    EXPECT_FALSE(domain_to_sip(std::string(2000, 'a')));
}

TEST(Address, CORE_31_PortAndParametersAreNoPartOfTheJid) {
    EXPECT_EQ(native("sip:a@d.example:5080;transport=tcp;maddr=192.0.2.1;lr;ttl=1;method=INVITE;user=phone;x=y"), "a@d.example");
    EXPECT_EQ(nested("sip:a@d.example:5080;transport=tcp"), "a\\40d.example@gw.example");
    EXPECT_EQ(value(to_uri_native(jid("a@d.example"))).to_string(), "sip:a@d.example");
}

TEST(Address, CORE_32_SipsIsNotTranslated) {
    EXPECT_EQ(code(to_jid_native(uri("sips:a@d.example"))), Code::unmappable);
    EXPECT_EQ(code(to_jid_nested(uri("sips:a@d.example"), "gw.example")), Code::unmappable);
    EXPECT_EQ(value(to_uri_native(jid("a@d.example"))).scheme, sip::Scheme::sip);
}

TEST(Address, CORE_33_ImAndPresAreMappedLikeSip) {
    EXPECT_EQ(native("im:a%28b@d.example"), "a(b@d.example");
    EXPECT_EQ(native("pres:o'malley@d.example"), "o\\27malley@d.example");
    EXPECT_EQ(value(localpart_to_im_user(".a.b..c.")), "%2Ea.b.%2Ec%2E");
    EXPECT_FALSE(to_jid_native(uri("tel:+15551230000")));
}

TEST(Address, CORE_34_WithoutUserThereIsNoContact) {
    EXPECT_EQ(code(to_jid_native(uri("sip:d.example"))), Code::unmappable);
    EXPECT_EQ(code(to_jid_nested(uri("sip:d.example"), "gw.example")), Code::unmappable);
    EXPECT_EQ(value(to_uri_native(jid("d.example"))).to_string(), "sip:d.example");
    EXPECT_FALSE(to_uri_nested(jid("gw.example"), "d.example"));
}

TEST(Address, CORE_40_GrWithAValueIsTheResource) {
    EXPECT_EQ(native("sip:foo@d.example;gr=bar"), "foo@d.example/bar");
    EXPECT_EQ(native("sip:foo@d.example;gr=urn:uuid:f81d4fae"), "foo@d.example/urn:uuid:f81d4fae");
    EXPECT_EQ(nested("sip:foo@d.example;gr=bar"), "foo\\40d.example@gw.example/bar");
    EXPECT_EQ(value(to_uri_native(jid("foo@d.example/bar"))).to_string(), "sip:foo@d.example");
    EXPECT_FALSE(to_jid_native(uri("sip:foo@d.example;gr=%00")));
    EXPECT_FALSE(to_jid_native(uri("sip:foo@d.example;gr=%FF")));
}

TEST(Address, CORE_41_ATemporaryGruuIsNoIdentity) {
    EXPECT_FALSE(to_jid_native(uri("sip:tgruu.7hs==@d.example;gr")));
    EXPECT_FALSE(to_jid_nested(uri("sip:tgruu.7hs==@d.example;gr"), "gw.example"));
}

TEST(Address, CORE_42_ResourcesRoundTripThroughGr) {
    for (const auto* resource : {u8"Conv \u00E4;=@/x", u8"\"<>#%,?", u8"Phone \U0001F4F1", u8"a/b/c"}) {
        auto contact = uri("sip:foo@d.example");
        contact.parameters.push_back({"gr", sip::percent_encode_parameter(utf8(resource))});
        EXPECT_EQ(value(to_jid_native(uri(contact.to_string()))).resource, utf8(resource));
    }
}

TEST(Address, CORE_09_SchemesNativeAndNestedBothWays) {
    EXPECT_EQ(native("sip:o'malley@d.example"), "o\\27malley@d.example");
    EXPECT_EQ(nested("sip:user%40x@d.example"), "user\\40x\\40d.example@gw.example");
    EXPECT_EQ(nested("sip:alice@[2001:db8::1]"), "alice\\40[2001\\3adb8\\3a\\3a1]@gw.example");
    EXPECT_EQ(nested("sip:alice@xn--tschss-6ya.example"), utf8(u8"alice\\40tsch\u00FCss.example@gw.example"));
    for (const std::string_view text :
         {"sip:alice@d.example", "sip:user%40x@d.example", "sip:alice@[2001:db8::1]", "sip:alice@xn--tschss-6ya.example",
          "sip:a;b?c/d@192.0.2.1", "sip:a%5C40b@d.example", "sip:a%5C@d.example", "sip:a%20b@d.example"}) {
        EXPECT_EQ(value(to_uri_nested(jid(nested(text)), "")).to_string(), text);
        EXPECT_EQ(value(to_uri_native(jid(native(text)))).to_string(), text);
    }
}

TEST(Address, CORE_10_TheLastAtSplitsAndWithoutOneTheDefaultDomainCounts) {
    EXPECT_EQ(value(to_uri_nested(jid("a\\40b\\40c@gw.example"), "")).to_string(), "sip:a%40b@c");
    EXPECT_EQ(value(to_uri_nested(jid("alice@gw.example"), "d.example")).to_string(), "sip:alice@d.example");
    EXPECT_EQ(value(to_uri_nested(jid("alice\\40e.example@gw.example"), "d.example")).host, "e.example");
    EXPECT_EQ(code(to_uri_nested(jid("alice@gw.example"), "")), Code::unmappable);
    for (const std::string_view local : {"a\\40", "\\40d", "\\40", "a\\40b\\20c", "a\\40d\\3a5060", "a\\5c40d"})
        EXPECT_FALSE(to_uri_nested(jid(std::string(local) + "@gw.example"), "")) << local;
}

TEST(Address, CORE_37_TwoSpellingsAreOneAddress) {
    EXPECT_EQ(native("sip:o'Malley@D.example."), native("sip:o%27malley@d.EXAMPLE:5060"));
    EXPECT_NE(native("sip:a%40b@d.example"), native("sip:a%5C40b@d.example"));
}

}  // namespace stox
