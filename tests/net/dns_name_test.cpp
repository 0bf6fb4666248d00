#include "net/dns_name.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace {

using stox::net::DnsName;

TEST(DnsName, ReadsAndRefuses) {
    const std::string longest_label(63, 'a');
    std::string longest;
    while (longest.size() < 250) longest += "aa.";
    longest += "a";  // 253
    ASSERT_EQ(longest.size(), 253U);
    const struct {
        std::string text;
        std::optional<std::string> name;
    } rows[] = {
        {"example.com", "example.com"},
        {"Example.COM.", "example.com"},
        {"_SIP._udp.Example.com", "_sip._udp.example.com"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {".", "."},
        {longest_label + ".x", longest_label + ".x"},
        {longest, longest},
        {longest + ".", longest},
        {"", {}},
        {"..", {}},
        {".com", {}},
        {"a..com", {}},
        {"a.com..", {}},
        {longest_label + "a.x", {}},
        {longest_label + "a", {}},
        {longest + "a", {}},
        {"a b", {}},
        {"b\xc3\xbc"
         "cher.example",
         {}},
        {std::string("a\0b", 3), {}},
        {"a\\.b", {}},
        {"sip:a", {}},
    };
    for (const auto& row : rows) {
        const auto name = DnsName::parse(row.text);
        EXPECT_EQ(name ? std::optional(name.value().text()) : std::nullopt, row.name) << row.text;
    }
}

TEST(DnsName, SpellingsAreOneKey) {
    EXPECT_EQ(stox::test::value(DnsName::parse("EXAMPLE.com.")), stox::test::value(DnsName::parse("example.com")));
    EXPECT_TRUE(DnsName().is_root());
    EXPECT_EQ(DnsName().text(), ".");
}

}  // namespace
