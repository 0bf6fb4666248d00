#include "net/locator.h"
#include "tests/net/location_rig.h"
#include "tests/net/resolver_rig.h"

#include <gtest/gtest.h>

namespace stox::net::test {
namespace {

LocationRequest request(std::string host) {
    LocationRequest made;
    made.host = std::move(host);
    return made;
}

std::string text(const Result<std::vector<Target>>& result) {
    if (!result) return result.error().detail;
    std::string text;
    for (const auto& target : result.value())
        text += (text.empty() ? "" : ", ") + std::string(to_string(target.transport)) + ' ' + target.endpoint.to_string() + ' ' +
                target.tls_name;
    return text;
}

struct LocatorRig : ResolverRig {
    std::unique_ptr<Locator> locator = std::make_unique<Locator>(loop, resolver(), Capabilities{}, seeded(1));

    std::string locate(const LocationRequest& wanted) {
        std::string got;
        locator->locate(wanted, [&](const auto& result) { got = text(result); });
        EXPECT_EQ(got, "") << "called back from inside the call";
        run_until([&] { return !got.empty(); });
        return got;
    }
};

TEST(Locator, WholeChain) {
    LocatorRig rig;
    rig.server.zone = {
        naptr("example.com", 10, 10, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        naptr("example.com", 20, 10, "s", "SIP+D2U", "_sip._udp.example.com"),
        srv("_sips._tcp.example.com", 10, 1, 5061, "sip1.provider.example"),
        srv("_sips._tcp.example.com", 20, 1, 5081, "sip2.provider.example"),
        address("sip1.provider.example", "192.0.2.1"),
        address("sip1.provider.example", "2001:db8::1"),
        address("sip2.provider.example", "192.0.2.2"),
    };
    const std::string expected =
        "tls [2001:db8::1]:5061 example.com, tls 192.0.2.1:5061 example.com, tls 192.0.2.2:5081 example.com";
    EXPECT_EQ(rig.locate(request("Example.com")), expected);
    const auto queries = rig.server.queries.size();
    EXPECT_EQ(queries, 7U);
    EXPECT_EQ(rig.locate(request("example.com")), expected);
    EXPECT_EQ(rig.server.queries.size(), queries);
}

TEST(Locator, AddressAndHostsFile) {
    LocatorRig rig;
    EXPECT_EQ(rig.locate(request("192.0.2.7")), "udp 192.0.2.7:5060 192.0.2.7");
    EXPECT_TRUE(rig.server.queries.empty());
    // The servers refuse everything; the hosts file is enough.
    rig.server.special = [](const auto& query) { return DnsServer::encode(query, {5, {}}); };
    EXPECT_EQ(rig.locate(request("proxy.lan")), "udp 192.0.2.77:5060 proxy.lan");
}

TEST(Locator, EachOfManyGetsItsOwn) {
    LocatorRig rig;
    constexpr int kMany = 50;  // their 100 datagrams fit the server's receive buffer
    for (int i = 0; i < kMany; ++i)
        rig.server.zone.push_back(address("h" + std::to_string(i) + ".example", "192.0.2." + std::to_string(i)));
    int right = 0, called = 0;
    for (int i = 0; i < kMany; ++i) {
        auto wanted = request("h" + std::to_string(i) + ".example");
        wanted.port = 5060;
        rig.locator->locate(wanted, [&, i](const auto& result) {
            ++called;
            right += text(result).starts_with("udp 192.0.2." + std::to_string(i) + ":5060 ");
        });
    }
    rig.run_until([&] { return called == kMany; });
    EXPECT_EQ(right, kMany);
    EXPECT_EQ(rig.locator->searches(), 0U);
    EXPECT_EQ(rig.resolver().waiting(), 0U);
}

TEST(Locator, SearchesAreBounded) {
    LocatorRig rig;
    rig.server.special = [](const auto&) { return std::string(); };
    std::string refused;
    for (std::size_t i = 0; i < Locator::kMaxSearches; ++i) rig.locator->locate(request("a.example"), [](const auto&) {});
    EXPECT_EQ(rig.locator->searches(), Locator::kMaxSearches);
    rig.locator->locate(request("a.example"), [&](const auto& result) { refused = text(result); });
    rig.run_until([&] { return !refused.empty(); });
    EXPECT_EQ(refused, "too many searches for SIP hosts at once");
    EXPECT_EQ(rig.locator->searches(), Locator::kMaxSearches);
}

TEST(Locator, CancelledSearchesEndInSilence) {
    LocatorRig rig;
    int heard = 0;
    rig.locator->cancel(rig.locator->locate(request("a.example"), [&](const auto&) { ++heard; }));
    rig.locator->cancel(rig.locator->locate(request("192.0.2.1"), [&](const auto&) { ++heard; }));
    EXPECT_EQ(rig.locator->searches(), 0U);
    EXPECT_EQ(rig.resolver().waiting(), 0U);
    rig.locate(request("192.0.2.2"));
    EXPECT_EQ(heard, 0);
}

TEST(Locator, DestroyedInItsCallback) {
    LocatorRig rig;
    int heard = 0;
    const auto end = [&](const auto&) {
        ++heard;
        rig.locator.reset();
    };
    rig.locator->locate(request("192.0.2.1"), end);
    rig.locator->locate(request("192.0.2.2"), end);
    rig.locator->locate(request("a.example"), end);
    rig.run_until([&] { return !rig.locator; });
    EXPECT_EQ(rig.resolver().waiting(), 0U);
    rig.run_until([&] { return rig.resolver().outstanding() == 0; });
    EXPECT_EQ(heard, 1);
}

TEST(Locator, ChancesFromTheSystemStayInRange) {
    const auto random = system_random();
    EXPECT_EQ(random(0), 0U);
    std::uint32_t seen = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto value = random(7);
        ASSERT_LE(value, 7U);
        seen |= 1U << value;
    }
    EXPECT_EQ(seen, 0xffU);
}

}  // namespace
}  // namespace stox::net::test
