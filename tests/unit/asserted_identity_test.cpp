#include "mapping/sip/asserted_identity.h"

#include <gtest/gtest.h>

namespace {

using namespace stox::sip;

std::string identity(std::vector<Header> headers) {
    const auto found = asserted_identity(headers);
    return found ? found->display_name + '|' + found->uri.to_string() : "none";
}

std::string asserted(const std::string& value) { return identity({{"P-Asserted-Identity", value}}); }

TEST(AssertedIdentity, CORE_64_TheSipIdentityOfTwoIsTaken) {
    EXPECT_EQ(asserted("<sip:alice@a.test>"), "|sip:alice@a.test");
    EXPECT_EQ(asserted(R"("Cullen, \"J\" <x>" <sip:fluffy@a.test>)"), "Cullen, \"J\" <x>|sip:fluffy@a.test");
    EXPECT_EQ(asserted("Alice <sip:a,b@a.test>;x=1"), "Alice|sip:a,b@a.test");
    EXPECT_EQ(asserted("sip:alice@a.test;x=1"), "|sip:alice@a.test");
    EXPECT_EQ(asserted("<tel:+44201>, <sip:+44201@a.test;user=phone>"), "|sip:+44201@a.test;user=phone");
    EXPECT_EQ(identity({{"p-asserted-identity", "tel:+44201"}, {"P-Asserted-Identity", "<sip:alice@a.test>"}}),
              "|sip:alice@a.test");
}

TEST(AssertedIdentity, WhatCannotBeReadAssertsNothing) {
    for (const std::string bad :
         {"", ",,,", "<sip:alice@a.test", "alice", "<tel:+44201>", "\"<sip:alice@a.test>", "<http://a.test>"})
        EXPECT_EQ(asserted(bad), "none") << bad;
    EXPECT_EQ(identity({{"P-Preferred-Identity", "<sip:alice@a.test>"}}), "none") << "a wish, never believed";
    EXPECT_EQ(asserted("a,b,c,<sip:alice@a.test>"), "|sip:alice@a.test");
    EXPECT_EQ(asserted("a,b,c,d,<sip:alice@a.test>"), "none") << "four are looked at";
    EXPECT_EQ(asserted("<sip:" + std::string(1'000, 'x') + "@a.test>"), "|sip:" + std::string(1'000, 'x') + "@a.test");
    EXPECT_EQ(asserted("<sip:" + std::string(1'020, 'x') + "@a.test>"), "none");
}

TEST(AssertedIdentity, CORE_66_PrivacyThatHidesTheAuthor) {
    for (const std::string hidden : {"id", "ID; critical", "critical;user", "header", "none , session"})
        EXPECT_TRUE(wants_privacy({{"Privacy", hidden}})) << hidden;
    for (const std::string shown : {"none", "critical", "history", "", "identity"})
        EXPECT_FALSE(wants_privacy({{"Privacy", shown}})) << shown;
    EXPECT_FALSE(wants_privacy({}));
}

}  // namespace
