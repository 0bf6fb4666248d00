#include "mapping/core/endpoint.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox {

namespace {

using test::value;

Address address(std::string_view text) { return value(Address::parse(text)); }

}  // namespace

TEST(Endpoint, AddressesPrintInTheirShortestForm) {
    EXPECT_EQ(address("192.0.2.1").to_string(), "192.0.2.1");
    EXPECT_EQ(address("2001:DB8:0:0:0:0:0:1").to_string(), "2001:db8::1");
    EXPECT_EQ(address("[2001:db8::1]"), address("2001:db8::1"));
    EXPECT_TRUE(address("192.0.2.1").is_v4());
    EXPECT_FALSE(address("::1").is_v4());
}

TEST(Endpoint, MappedAddressIsTheIPv4Address) {
    EXPECT_EQ(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    EXPECT_TRUE(address("::ffff:c000:201").is_v4());
}

TEST(Endpoint, OnlyNumericAddressesAreRead) {
    for (const std::string_view text : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.01", "1.2.3.4 ", "[192.0.2.1]",
                                        "fe80::1%eth0", "[::1", "::1]", "[]", ":", "1::2::3"})
        EXPECT_FALSE(Address::parse(text)) << text;
    EXPECT_FALSE(Address::parse(std::string_view("192.0.2.1\0x", 11)));
}

TEST(Endpoint, PrefixHoldsWhatSharesItsBits) {
    const auto v4 = value(Prefix::parse("192.0.2.128/25"));
    EXPECT_TRUE(v4.contains(address("192.0.2.255")));
    EXPECT_FALSE(v4.contains(address("192.0.2.127")));
    EXPECT_TRUE(v4.contains(address("::ffff:192.0.2.200")));
    const auto v6 = value(Prefix::parse("2001:db8::/33"));
    EXPECT_TRUE(v6.contains(address("2001:db8:7fff::1")));
    EXPECT_FALSE(v6.contains(address("2001:db8:8000::1")));
    EXPECT_FALSE(value(Prefix::parse("::/0")).contains(address("192.0.2.1")));
    EXPECT_TRUE(value(Prefix::parse("0.0.0.0/0")).contains(address("192.0.2.1")));
}

TEST(Endpoint, PrefixWithoutLengthIsOneAddress) {
    EXPECT_EQ(value(Prefix::parse("192.0.2.1")).to_string(), "192.0.2.1/32");
    EXPECT_EQ(value(Prefix::parse("2001:db8::1")).to_string(), "2001:db8::1/128");
    EXPECT_EQ(Prefix::parse("::ffff:192.0.2.0/120"), Prefix::parse("192.0.2.0/24"));
}

TEST(Endpoint, PrefixWithBitsAfterItsLengthIsRefused) {
    for (const std::string_view text : {"192.0.2.1/24", "2001:db8::1/64", "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1",
                                        "192.0.2.0/+8", "::ffff:192.0.2.0/24", "192.0.2.0/24/1", "/24"})
        EXPECT_FALSE(Prefix::parse(text)) << text;
}

TEST(Endpoint, EndpointsReadWhatTheyPrint) {
    for (const std::string_view text : {"192.0.2.1:5060", "[2001:db8::1]:5061", "0.0.0.0:0", "[::]:65535"})
        EXPECT_EQ(value(Endpoint::parse(text)).to_string(), text);
    for (const std::string_view text :
         {"192.0.2.1", "2001:db8::1:5060", "[::1]", "192.0.2.1:65536", "192.0.2.1:", ":5060", "host:5060", "::1"})
        EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Endpoint, TransportsAreReadInAnyCase) {
    EXPECT_EQ(value(parse_transport("UDP")), Transport::udp);
    EXPECT_EQ(value(parse_transport("Tcp")), Transport::tcp);
    EXPECT_EQ(value(parse_transport("tls")), Transport::tls);
    EXPECT_FALSE(parse_transport("sctp"));
    EXPECT_FALSE(parse_transport(""));
    EXPECT_EQ(to_string(Transport::tls), "tls");
}

}  // namespace stox
