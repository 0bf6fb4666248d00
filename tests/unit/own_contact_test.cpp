// Our own address in a dialog.

#include "mapping/sip/own_contact.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::sip {

namespace {

using stox::test::code;
using stox::test::value;

std::string written(const OwnAddress& us, bool gruu = false, bool secure = false) {
    return value(own_contact(us, "k7", gruu, secure)).uri.to_string();
}

}  // namespace

TEST(OwnContact, CORE_45_ItIsReachedAtTheListener) {
    EXPECT_EQ(written({"192.0.2.2", 5060, Transport::udp}), "sip:k7@192.0.2.2:5060;transport=udp");
    EXPECT_EQ(written({"2001:db8::2", 5080, Transport::tcp}), "sip:k7@[2001:db8::2]:5080;transport=tcp");
    EXPECT_EQ(written({"[2001:db8::2]", 5061, Transport::tls}), "sip:k7@[2001:db8::2]:5061;transport=tls");
    EXPECT_EQ(written({"gw.example", {}, Transport::tcp}), "sip:k7@gw.example;transport=tcp");
    EXPECT_EQ(written({"gw.example", 5061, Transport::tls}, false, true), "sips:k7@gw.example:5061;transport=tcp");
    for (const auto* bad : {"", "a@b", "a;b", "a b", "a%", "a:b"})
        EXPECT_EQ(code(own_contact({"gw.example", {}, {}}, bad, false)), Code::malformed);
    for (const auto* bad : {"", "a b", "gw.example;x", "-", "[x]"}) EXPECT_FALSE(own_contact({bad, {}, {}}, "k7", false)) << bad;
}

TEST(OwnContact, CORE_46_ANotifiersHasAGrWithoutValue) {
    const auto contact = value(own_contact({"192.0.2.2", 5060, Transport::udp}, "k7", true));
    ASSERT_TRUE(contact.uri.parameter("gr"));
    EXPECT_FALSE(contact.uri.parameter("gr")->value);
    EXPECT_EQ(value(Uri::parse(contact.uri.to_string())), contact.uri);
    EXPECT_FALSE(value(own_contact({"192.0.2.2", 5060, Transport::udp}, "k7", false)).uri.parameter("gr"));
}

TEST(OwnContact, CORE_45_WhatComesBackToItIsKnownByItsToken) {
    for (const OwnAddress& us : {OwnAddress{"192.0.2.2", 5060, Transport::udp}, OwnAddress{"2001:db8::2", 5080, Transport::tcp},
                                 OwnAddress{"GW.example", {}, Transport::tls}, OwnAddress{"gw.example", 5061, Transport::tls}})
        for (const bool secure : {false, true}) {
            if (secure && us.transport != Transport::tls) continue;
            EXPECT_EQ(own_token(us, value(own_contact(us, "k7", true, secure)).uri), "k7") << us.host;
        }
    const OwnAddress us{"192.0.2.2", 5060, Transport::udp};
    const auto token = [&](std::string_view text) { return own_token(us, value(Uri::parse(text))); };
    EXPECT_EQ(token("sip:k7@192.0.2.2"), "k7");
    EXPECT_EQ(token("sip:k7@192.0.2.2:5060;gr;lr;x=y"), "k7") << "parameters are the way, not the place";
    for (const auto* other : {"sip:k7@192.0.2.3", "sip:k7@192.0.2.2:5061", "sip:192.0.2.2", "sip:k%37@192.0.2.2",
                              "tel:+15551230000", "im:k7@192.0.2.2", "sip:k7@192.0.2.2?Subject=x"})
        EXPECT_EQ(token(other), "") << other;
}

TEST(OwnContact, CORE_45_WithoutAPortItIsTheTransportsUsualOne) {
    for (const auto& [transport, port] : {std::pair{Transport::udp, "5060"}, std::pair{Transport::tcp, "5060"}, std::pair{Transport::tls, "5061"}}) {
        const OwnAddress us{"gw.example", {}, transport};
        EXPECT_EQ(own_token(us, value(Uri::parse("sip:k7@gw.example:" + std::string(port)))), "k7") << port;
        EXPECT_EQ(own_token(us, value(Uri::parse("sip:k7@gw.example:5062"))), "");
        EXPECT_EQ(own_token(us, value(Uri::parse("sip:k7@gw.example"))), "k7");
    }
}

}  // namespace stox::sip
