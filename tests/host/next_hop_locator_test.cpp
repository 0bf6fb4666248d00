// What listeners mean for what we can send by.

#include "plugin/host/next_hop_locator.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::host;

using Transports = std::vector<Transport>;

config::Listener listener(Transport transport, const char* address) {
    return {transport, {Address::parse(address).value(), 5060}};
}

TEST(NextHopLocator, ConnectionsAreOpenedWithoutAListenerAndDatagramsAreNot) {
    const auto udp = sending_capabilities({listener(Transport::udp, "192.0.2.1")});
    EXPECT_EQ(udp.transports, (Transports{Transport::tls, Transport::tcp, Transport::udp}));
    const auto tls = sending_capabilities({listener(Transport::tls, "192.0.2.1")});
    EXPECT_EQ(tls.transports, (Transports{Transport::tls, Transport::tcp}));
}

TEST(NextHopLocator, TheFamiliesAreThoseThatAreListenedIn) {
    const auto four = sending_capabilities({listener(Transport::udp, "0.0.0.0")});
    EXPECT_TRUE(four.ipv4 && !four.ipv6);
    const auto six = sending_capabilities({listener(Transport::tcp, "::1")});
    EXPECT_TRUE(!six.ipv4 && six.ipv6);
    const auto both = sending_capabilities({listener(Transport::udp, "0.0.0.0"), listener(Transport::tcp, "::")});
    EXPECT_TRUE(both.ipv4 && both.ipv6);
}

}  // namespace
