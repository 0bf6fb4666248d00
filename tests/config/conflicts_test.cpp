#include "plugin/config/loader.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::config;

DomainOptions domain(const std::string& name, const std::string& users, const std::string& source) {
    return std::get<DomainOptions>(load_domain(name, {users}, R"({"peers":{"p":{"match":{"source":[")" + source + R"("]}}}})"));
}

TEST(Conflicts, DomainsThatShareNothingAreFine) {
    EXPECT_TRUE(conflicts({domain("a.test", "x.test", "192.0.2.1"), domain("b.test", "y.test", "192.0.2.1")}).empty());
    EXPECT_TRUE(conflicts({domain("a.test", "x.test", "192.0.2.1"), domain("b.test", "x.test", "192.0.2.2")}).empty())
        << "the source tells them apart";
}

TEST(Conflicts, ASourceThatCouldMeanEitherIsNamed) {
    const auto found = conflicts({domain("a.test", "x.test", "192.0.2.1"), domain("b.test", "x.test", "192.0.2.1")});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(found.front().text.find("a.test and of b.test"), std::string::npos) << found.front().text;
}

TEST(Conflicts, ASipDomainBelongsToOne) {
    auto one = domain("a.test", "x.test", "192.0.2.1"), two = domain("b.test", "y.test", "192.0.2.2");
    one.sip_domain = "sip.test";
    two.sip_domain = "sip.test";
    EXPECT_EQ(conflicts({one, two}).size(), 1u);
    two.sip_domain = "a.test";
    EXPECT_EQ(conflicts({one, two}).size(), 1u);
}

TEST(Conflicts, AGatewayIsNobodysUserDomain) {
    EXPECT_EQ(conflicts({domain("a.test", "b.test", "192.0.2.1"), domain("b.test", "y.test", "192.0.2.2")}).size(), 1u);
}

}  // namespace
