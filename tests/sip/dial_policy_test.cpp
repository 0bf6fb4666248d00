// Where a request of ours may go.

#include "sip/edge/dial_policy.h"

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace stox;

Endpoint endpoint(const std::string& text) { return Endpoint::parse(text).value(); }

sip::NextHop hop(const Endpoint& endpoint, bool configured) {
    sip::NextHop made{Transport::udp, endpoint};
    made.configured = configured;
    return made;
}

const std::array kOwn{endpoint("203.0.113.5:5060"), endpoint("[2001:db8:ffff::5]:5061")};

TEST(DialPolicy, AStrangersContactIsNoReasonToConnectAnywhere) {
    for (const std::string closed : {"0.0.0.0:5060",
                                     "0.1.2.3:5060",
                                     "10.0.0.1:5060",
                                     "100.64.0.1:5060",
                                     "127.0.0.1:5060",
                                     "127.8.8.8:5060",
                                     "169.254.169.254:80",
                                     "169.254.0.1:5060",
                                     "172.16.0.1:5060",
                                     "172.31.255.255:5060",
                                     "192.168.1.1:5060",
                                     "192.0.0.8:5060",
                                     "198.18.0.1:5060",
                                     "224.0.1.75:5060",
                                     "239.255.255.250:5060",
                                     "255.255.255.255:5060",
                                     "240.0.0.1:5060",
                                     "[::]:5060",
                                     "[::1]:5060",
                                     "[fe80::1]:5060",
                                     "[fc00::1]:5060",
                                     "[fd12:3456::1]:5060",
                                     "[ff02::1]:5060",
                                     "[fec0::1]:5060",
                                     "[100::1]:5060",
                                     "[::ffff:127.0.0.1]:5060",
                                     "[::ffff:10.1.1.1]:5060",
                                     "[64:ff9b::7f00:1]:5060",
                                     "[64:ff9b::a00:1]:5060",
                                     "[2002:7f00:1::1]:5060",
                                     "[2002:c0a8:101::]:5060",
                                     "[::127.0.0.1]:5060",
                                     "[64:ff9b:1::1]:5060",
                                     "[2001:0:7f00:1::f7f7:f7f7]:5060",
                                     "[2001:0:808:808:0:0:80ff:fffe]:5060",
                                     "[2001:0:808:808:8000:63bf:f5fe:fefe]:5060",
                                     "[2001:db8::5efe:127.0.0.1]:5060",
                                     "[2001:db8::200:5efe:10.1.1.1]:5060",
                                     "[2001:db8:1:2:100:5efe:c0a8:101]:5060",
                                     "[::ffff:0:127.0.0.1]:5060",
                                     "[64:ff9b::203.0.113.5]:5060",
                                     "203.0.113.5:5060",
                                     "[2001:db8:ffff::5]:5061"})
        EXPECT_FALSE(may_send(hop(endpoint(closed), false), kOwn)) << closed;
}

TEST(DialPolicy, TheOpenNetworkIsOpen) {
    for (const std::string open :
         {"8.8.8.8:5060", "172.15.0.1:5060", "172.32.0.1:5060", "100.128.0.1:5060", "169.253.0.1:5060", "203.0.113.5:5070",
          "203.0.113.6:5060", "223.255.255.255:1", "[2001:4860::1]:5060", "[2001:0:808:808::f7f7:f7f7]:5060",
          "[2001:db8::5efe:808:808]:5060", "[2001:db8::5eff:7f00:1]:5060", "[2002:808:808::1]:5060", "[64:ff9b::808:808]:5061"})
        EXPECT_TRUE(may_send(hop(endpoint(open), false), kOwn)) << open;
}

TEST(DialPolicy, WhatIsConfiguredIsAlwaysMeant) {
    for (const std::string any : {"127.0.0.1:5060", "10.0.0.1:5060", "[fe80::1]:5060", "203.0.113.5:5060", "169.254.169.254:80"})
        EXPECT_TRUE(may_send(hop(endpoint(any), true), kOwn)) << any;
}

// Who speaks from one port says nothing about the others: a metadata service, a database may be there.
TEST(DialPolicy, WhoIsHeardFromAPortIsReachedThereAndNowhereElseOfThatAddress) {
    auto to = hop(endpoint("10.0.0.1:5070"), false);
    EXPECT_FALSE(may_send(to, kOwn));
    to.heard = sip::HeardFrom{Transport::udp, endpoint("10.0.0.1:5070")};
    EXPECT_TRUE(may_send(to, kOwn));
    to.endpoint.port = 6379;
    EXPECT_FALSE(may_send(to, kOwn)) << "another port";
    to.heard->endpoint.port = 6379;
    to.transport = Transport::tcp;
    EXPECT_FALSE(may_send(to, kOwn)) << "another transport";
    to = hop(kOwn.front(), false);
    to.heard = sip::HeardFrom{Transport::udp, kOwn.front()};
    EXPECT_FALSE(may_send(to, kOwn)) << "we do not speak to ourselves, whoever wrote so into his source";
}

TEST(DialPolicy, PortZeroIsNoPort) {
    EXPECT_FALSE(may_send(hop({endpoint("8.8.8.8:1").address, 0}, true), kOwn));
    EXPECT_FALSE(may_send(hop({endpoint("8.8.8.8:1").address, 0}, false), kOwn));
}

// Bound to 0.0.0.0, what comes back to us has another name.
TEST(DialPolicy, OurOwnAddressesAreThoseOfTheInterfacesAndThePublicOne) {
    const std::array bound{endpoint("0.0.0.0:5060"), endpoint("[::]:5061"), endpoint("198.51.100.1:5070")};
    const std::array interfaces{endpoint("203.0.113.5:1").address, endpoint("[2001:db8::5]:1").address};
    const auto own = sip::own_endpoints(bound, interfaces, endpoint("192.0.2.9:1").address);
    for (const std::string closed : {"203.0.113.5:5060", "192.0.2.9:5060", "192.0.2.9:5070", "198.51.100.1:5070",
                                     "[2001:db8::5]:5061", "[2002:cb00:7105::1]:5060"})
        EXPECT_FALSE(may_send(hop(endpoint(closed), false), own)) << closed;
    for (const std::string open : {"203.0.113.5:5061", "203.0.113.5:5070", "[2001:db8::5]:5060", "[2001:db8::6]:5061"})
        EXPECT_TRUE(may_send(hop(endpoint(open), false), own)) << open;
    EXPECT_TRUE(may_send(hop(endpoint("203.0.113.5:5060"), true), own)) << "configured";
}

TEST(DialPolicy, ARefusalSaysWhy) {
    EXPECT_EQ(may_send(hop(endpoint("127.0.0.1:5060"), false), kOwn).error().detail, "loopback address");
    EXPECT_EQ(may_send(hop(endpoint("203.0.113.5:5060"), false), kOwn).error().detail, "an address of our own");
}

}  // namespace
