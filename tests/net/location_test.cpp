#include "tests/net/location_rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stox::net::test {
namespace {

using Texts = std::vector<std::string>;
constexpr auto kUdp = Transport::udp, kTcp = Transport::tcp, kTls = Transport::tls;

LocationRequest request(std::string host, std::optional<std::uint16_t> port = {}, std::optional<Transport> transport = {},
                        bool secure = false) {
    LocationRequest made;
    made.host = std::move(host);
    made.port = port;
    made.transport = transport;
    made.secure = secure;
    return made;
}

Capabilities only(std::vector<Transport> transports) {
    Capabilities capabilities;
    capabilities.transports = std::move(transports);
    return capabilities;
}

/// Everything that a domain can publish, each part with addresses of its own.
Zone whole() {
    Zone zone;
    zone.naptr("full.example", 50, 50, "s", "sips+d2t", "_sips._tcp.full.example")
        .naptr("full.example", 90, 50, "s", "sip+d2t", "_sip._tcp.full.example")
        .naptr("full.example", 100, 50, "s", "sip+d2u", "_sip._udp.full.example");
    for (const std::string domain : {"full.example", "srv.example"})
        zone.srv("_sips._tcp." + domain, 1, 1, 5081, "tls.example")
            .srv("_sip._tcp." + domain, 1, 1, 5070, "tcp.example")
            .srv("_sip._udp." + domain, 1, 1, 5060, "udp.example");
    zone.address("tls.example", "192.0.2.1").address("tcp.example", "192.0.2.2").address("udp.example", "192.0.2.3");
    for (const char* domain : {"full.example", "srv.example", "plain.example"}) zone.address(domain, "192.0.2.9");
    return zone;
}

/// sip or sips URI to targets and to whether NAPTR and SRV were asked for.
TEST(Location, LOC_01_TransportAndPortOfEachFormOfUri) {
    const struct {
        LocationRequest uri;
        const char* targets;
        bool naptr, srv;
    } rows[] = {
        // numeric: no question at all
        {request("192.0.2.7"), "udp 192.0.2.7:5060", false, false},
        {request("192.0.2.7", 5080), "udp 192.0.2.7:5080", false, false},
        {request("192.0.2.7", {}, kTcp), "tcp 192.0.2.7:5060", false, false},
        {request("192.0.2.7", {}, kTls), "tls 192.0.2.7:5061", false, false},
        {request("192.0.2.7", {}, {}, true), "tls 192.0.2.7:5061", false, false},
        {request("[2001:db8::7]", 5090, kTcp, true), "tls [2001:db8::7]:5090", false, false},
        // port: addresses only
        {request("full.example", 5060), "udp 192.0.2.9:5060", false, false},
        {request("full.example", 5075, kTcp), "tcp 192.0.2.9:5075", false, false},
        {request("full.example", 5075, {}, true), "tls 192.0.2.9:5075", false, false},
        // transport: SRV of it
        {request("full.example", {}, kUdp), "udp 192.0.2.3:5060", false, true},
        {request("full.example", {}, kTcp), "tcp 192.0.2.2:5070", false, true},
        {request("full.example", {}, kTls), "tls 192.0.2.1:5081", false, true},
        {request("full.example", {}, kTcp, true), "tls 192.0.2.1:5081", false, true},
        {request("plain.example", {}, kTcp), "tcp 192.0.2.9:5060", false, true},
        {request("plain.example", {}, kTls), "tls 192.0.2.9:5061", false, true},
        // neither: NAPTR, then SRV, then addresses
        {request("full.example"), "tls 192.0.2.1:5081", true, true},
        {request("full.example", {}, {}, true), "tls 192.0.2.1:5081", true, true},
        {request("srv.example"), "tls 192.0.2.1:5081", true, true},
        {request("plain.example"), "udp 192.0.2.9:5060", true, true},
        {request("PLAIN.Example."), "udp 192.0.2.9:5060", true, true},
        {request("plain.example", {}, {}, true), "tls 192.0.2.9:5061", true, true},
    };
    for (const auto& row : rows) {
        for (const bool last_first : {false, true}) {
            const auto outcome = locate(row.uri, whole(), {}, last_first);
            EXPECT_EQ(outcome.targets, row.targets) << row.uri.host;
            const auto asked = [&](const std::string& type) {
                return std::ranges::any_of(outcome.asked, [&](const std::string& text) { return text.starts_with(type + ' '); });
            };
            EXPECT_EQ(asked("NAPTR"), row.naptr) << row.targets;
            EXPECT_EQ(asked("SRV"), row.srv) << row.targets;
            EXPECT_EQ(outcome.took.count(), 0) << row.targets;
        }
    }
}

TEST(Location, WhatCannotBeReachedIsRefusedUnasked) {
    Capabilities four;
    four.ipv6 = false;
    Capabilities none;
    none.ipv4 = none.ipv6 = false;
    const struct {
        LocationRequest uri;
        Capabilities capabilities;
        const char* error;
    } rows[] = {
        {request(""), {}, "malformed"},
        {request("."), {}, "malformed"},
        {request("a b.example"), {}, "malformed"},
        {request("300.1.2.3"), {}, "malformed"},
        {request("plain.example", 0), {}, "malformed"},
        {request("plain.example", {}, kUdp, true), {}, "unsupported"},
        {request("plain.example", {}, kTls), only({kUdp, kTcp}), "unsupported"},
        {request("plain.example", {}, {}, true), only({kUdp}), "unsupported"},
        {request("plain.example", {}, kTcp), only({kUdp}), "unsupported"},
        {request("plain.example"), only({}), "unsupported"},
        {request("2001:db8::1"), four, "unsupported"},
        {request("plain.example"), none, "unsupported"},
    };
    for (const auto& row : rows) {
        const auto outcome = locate(row.uri, whole(), row.capabilities);
        EXPECT_TRUE(outcome.targets.starts_with(row.error)) << row.uri.host << " " << outcome.targets;
        EXPECT_TRUE(outcome.asked.empty()) << row.uri.host;
    }
}

TEST(Location, LOC_02_NaptrChoosesByOrderPreferenceAndWhatWeHave) {
    EXPECT_EQ(locate(request("full.example"), whole(), only({kUdp, kTcp})).targets, "tcp 192.0.2.2:5070");
    EXPECT_EQ(locate(request("full.example"), whole(), only({kUdp})).targets, "udp 192.0.2.3:5060");
    Zone zone = whole();
    zone.naptr("other.example", 10, 20, "s", "sip+d2t", "_sip._tcp.full.example")
        .naptr("other.example", 10, 10, "s", "sip+d2u", "_sip._udp.full.example")
        .naptr("other.example", 1, 1, "s", "sip+d2s", "_sip._sctp.full.example")
        .naptr("other.example", 1, 1, "u", "sips+d2t", "_sips._tcp.full.example")
        .naptr("other.example", 1, 1, "s", "sip+d2w", "_sip._ws.full.example");
    const auto outcome = locate(request("other.example"), zone);
    EXPECT_EQ(outcome.targets, "udp 192.0.2.3:5060");
    EXPECT_EQ(std::ranges::count_if(outcome.asked, [](const std::string& text) { return text.starts_with("SRV"); }), 2);
}

TEST(Location, LOC_02_SipsKeepsOnlySips) {
    Zone zone = whole();
    zone.naptr("clear.example", 10, 20, "s", "sip+d2t", "_sip._tcp.full.example").address("clear.example", "192.0.2.8");
    const auto outcome = locate(request("clear.example", {}, {}, true), zone);
    EXPECT_EQ(outcome.targets, "tls 192.0.2.8:5061");
    EXPECT_EQ(outcome.asked[1], "SRV of _sips._tcp.clear.example");
}

TEST(Location, LOC_03_SrvOfEachTransportInOurOrder) {
    EXPECT_EQ(locate(request("srv.example"), whole(), only({kUdp, kTcp, kTls})).targets, "udp 192.0.2.3:5060");
    EXPECT_EQ(locate(request("srv.example"), whole(), only({kTcp, kUdp})).targets, "tcp 192.0.2.2:5070");
    const auto outcome = locate(request("srv.example"), whole());
    EXPECT_EQ(outcome.asked, (Texts{"NAPTR of srv.example", "SRV of _sips._tcp.srv.example", "SRV of _sip._tcp.srv.example",
                                    "SRV of _sip._udp.srv.example", "AAAA of tls.example", "A of tls.example"}));
}

TEST(Location, LOC_04_TargetsByPriorityThenWeight) {
    Zone zone;
    zone.srv("_sip._tcp.x.example", 20, 0, 5062, "c.example")
        .srv("_sip._tcp.x.example", 10, 90, 5060, "a.example")
        .srv("_sip._tcp.x.example", 10, 10, 5061, "b.example");
    for (const char* name : {"a", "b", "c"})
        zone.address(std::string(name) + ".example", std::string("192.0.2.") + std::to_string(name[0]));
    int a_first = 0;
    for (unsigned seed = 0; seed < 400; ++seed) {
        const auto targets = locate(request("x.example", {}, kTcp), zone, {}, false, seed).targets;
        const bool a = targets == "tcp 192.0.2.97:5060, tcp 192.0.2.98:5061, tcp 192.0.2.99:5062";
        a_first += a;
        EXPECT_TRUE(a || targets == "tcp 192.0.2.98:5061, tcp 192.0.2.97:5060, tcp 192.0.2.99:5062") << targets;
    }
    EXPECT_NEAR(a_first, 360, 40);
}

TEST(Location, LOC_05_BothFamiliesAskedAndOnlyOursUsed) {
    Zone zone;
    zone.address("x.example", "2001:db8::1").address("x.example", "192.0.2.1");
    const auto both = locate(request("x.example", 5060), zone);
    EXPECT_EQ(both.targets, "udp [2001:db8::1]:5060, udp 192.0.2.1:5060");
    EXPECT_EQ(both.asked, (Texts{"AAAA of x.example", "A of x.example"}));
    Capabilities one;
    one.ipv4 = false;
    EXPECT_EQ(locate(request("x.example", 5060), zone, one).targets, "udp [2001:db8::1]:5060");
    EXPECT_EQ(locate(request("x.example", 5060), zone, one).asked, Texts{"AAAA of x.example"});
    one = {};
    one.ipv6 = false;
    EXPECT_EQ(locate(request("x.example", 5060), zone, one).targets, "udp 192.0.2.1:5060");
    Zone six;
    six.address("x.example", "2001:db8::1");
    EXPECT_EQ(locate(request("x.example", 5060), six, one).targets.substr(0, 11), "unavailable");
}

/// RFC 7984 §4: the order of the document's example, and ours with the families in turn. Never one SRV target between another's.
TEST(Location, LOC_06_AddressesOfTwoTargetsAreNotMixed) {
    Zone zone;
    zone.srv("_sip._tcp.example.com", 10, 1, 5060, "sip-1.example.com")
        .srv("_sip._tcp.example.com", 20, 1, 5060, "sip-2.example.com");
    for (const auto& [name, digit] : {std::pair{"sip-1.example.com", 1}, std::pair{"sip-2.example.com", 2}})
        for (int i = 1; i <= 3; ++i)
            zone.address(name, "2001:db8:" + std::to_string(digit) + "::" + std::to_string(i))
                .address(name, "192.0.2." + std::to_string(10 * digit + i));
    const auto texts = [&](FamilyOrder order, bool prefer_six) {
        Capabilities capabilities;
        capabilities.order = order;
        capabilities.prefer_ipv6 = prefer_six;
        Texts found;
        for (const auto& target : locate(request("example.com", {}, kTcp), zone, capabilities).list)
            found.push_back(target.endpoint.address.to_string());
        return found;
    };
    EXPECT_EQ(texts(FamilyOrder::grouped, true),
              (Texts{"2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3", "192.0.2.11", "192.0.2.12", "192.0.2.13", "2001:db8:2::1",
                     "2001:db8:2::2", "2001:db8:2::3", "192.0.2.21", "192.0.2.22", "192.0.2.23"}));
    EXPECT_EQ(texts(FamilyOrder::interleaved, true),
              (Texts{"2001:db8:1::1", "192.0.2.11", "2001:db8:1::2", "192.0.2.12", "2001:db8:1::3", "192.0.2.13", "2001:db8:2::1",
                     "192.0.2.21", "2001:db8:2::2", "192.0.2.22", "2001:db8:2::3", "192.0.2.23"}));
    EXPECT_EQ(texts(FamilyOrder::interleaved, false).front(), "192.0.2.11");
    EXPECT_EQ(texts(FamilyOrder::grouped, false)[3], "2001:db8:1::1");
}

/// The rig fails the test for a question of another domain.
TEST(Location, LOC_07_WholeChainInOneProvisioningDomain) {
    auto uri = request("full.example");
    uri.domain = static_cast<ProvisioningDomain>(7);
    const auto outcome = locate(uri, whole());
    ASSERT_EQ(outcome.list.size(), 1U);
    EXPECT_EQ(outcome.list[0].domain, static_cast<ProvisioningDomain>(7));
    EXPECT_EQ(outcome.asked.size(), 6U);
}

TEST(Location, LOC_09_TlsNameIsTheHostOfTheUri) {
    EXPECT_EQ(locate(request("Full.Example"), whole()).list.at(0).tls_name, "full.example");
    EXPECT_EQ(locate(request("[2001:DB8::7]", {}, kTls), whole()).list.at(0).tls_name, "2001:db8::7");
    auto maddr = request("192.0.2.7", {}, kTls);
    maddr.tls_name = "proxy.example";
    EXPECT_EQ(locate(maddr, whole()).list.at(0).tls_name, "proxy.example");
}

TEST(Location, LOC_17_DefaultsWithoutNaptrAndSrv) {
    EXPECT_EQ(locate(request("plain.example"), whole(), only({kTls, kTcp})).targets, "tcp 192.0.2.9:5060");
    EXPECT_EQ(locate(request("plain.example"), whole(), only({kTls})).targets, "tls 192.0.2.9:5061");
    Zone zone = whole();
    zone.naptr("n.example", 1, 1, "s", "sip+d2t", "_sip._tcp.n.example").address("n.example", "192.0.2.5");
    EXPECT_EQ(locate(request("n.example"), zone).targets, "tcp 192.0.2.5:5060");
}

TEST(Location, RootAsTargetSaysNotAvailable) {
    Zone zone;
    zone.srv("_sip._udp.x.example", 0, 0, 0, ".").address("x.example", "192.0.2.1");
    const auto declined = locate(request("x.example", {}, kUdp), zone);
    EXPECT_EQ(declined.targets, "unavailable: x.example: says by SRV that SIP is not available there");
    EXPECT_EQ(declined.asked, Texts{"SRV of _sip._udp.x.example"});
    // Another transport may still be there.
    zone.srv("_sip._tcp.x.example", 1, 1, 5070, "x.example");
    EXPECT_EQ(locate(request("x.example"), zone).targets, "tcp 192.0.2.1:5070");
}

TEST(Location, SrvTargetsWithoutAddressLeadNowhereElse) {
    Zone zone;
    zone.srv("_sip._udp.x.example", 1, 1, 5060, "gone.example").address("x.example", "192.0.2.1");
    const auto outcome = locate(request("x.example", {}, kUdp), zone);
    EXPECT_EQ(outcome.targets.find("unavailable: x.example: its SRV targets have no address"), 0U) << outcome.targets;
    EXPECT_NE(outcome.targets.find("A of gone.example: no such name"), std::string::npos) << outcome.targets;
}

TEST(Location, ServiceWithoutAddressGivesWayToTheNext) {
    Zone zone;
    zone.srv("_sips._tcp.x.example", 1, 1, 5061, "gone.example").srv("_sip._udp.x.example", 1, 1, 5060, "here.example");
    zone.address("here.example", "192.0.2.1");
    EXPECT_EQ(locate(request("x.example"), zone).targets, "udp 192.0.2.1:5060");
}

TEST(Location, PortZeroIsNoTarget) {
    Zone zone;
    zone.srv("_sip._udp.x.example", 1, 1, 0, "a.example").address("a.example", "192.0.2.1").address("x.example", "192.0.2.9");
    EXPECT_EQ(locate(request("x.example", {}, kUdp), zone).targets, "udp 192.0.2.9:5060");
}

TEST(Location, FailuresCountAsNotThere) {
    for (const auto status : {AnswerStatus::failed, AnswerStatus::no_data, AnswerStatus::timed_out}) {
        Zone zone = whole();
        zone.status("srv.example", RecordType::naptr, status).status("_sips._tcp.srv.example", RecordType::srv, status);
        EXPECT_EQ(locate(request("srv.example"), zone).targets, "tcp 192.0.2.2:5070");
    }
}

TEST(Location, SilenceIsWaitedForWithinLimits) {
    using std::chrono::milliseconds;
    Zone naptr = whole();
    naptr.silent("srv.example", RecordType::naptr);
    auto outcome = locate(request("srv.example"), naptr);
    EXPECT_EQ(outcome.targets, "tls 192.0.2.1:5081");
    EXPECT_EQ(outcome.took, milliseconds(1'500));

    Zone srv = whole();
    srv.silent("_sips._tcp.srv.example", RecordType::srv);
    outcome = locate(request("srv.example"), srv);
    EXPECT_EQ(outcome.targets, "tcp 192.0.2.2:5070");
    EXPECT_EQ(outcome.took, milliseconds(3'500));

    Zone family = whole();
    family.silent("plain.example", RecordType::aaaa);
    outcome = locate(request("plain.example", 5060), family);
    EXPECT_EQ(outcome.targets, "udp 192.0.2.9:5060");
    EXPECT_EQ(outcome.took, milliseconds(1'000));

    Zone dead;
    for (const auto type : {RecordType::a, RecordType::aaaa, RecordType::naptr}) dead.silent("x.example", type);
    for (const char* service : {"_sips._tcp.", "_sip._tcp.", "_sip._udp."})
        dead.silent(std::string(service) + "x.example", RecordType::srv);
    outcome = locate(request("x.example"), dead);
    EXPECT_EQ(outcome.took, milliseconds(5'000));
    EXPECT_NE(outcome.targets.find("A of x.example: no answer in time"), std::string::npos) << outcome.targets;
}

/// Some of several SRV targets known: those are used.
TEST(Location, PartialAddressesAreUsed) {
    Zone zone;
    zone.srv("_sip._udp.x.example", 1, 1, 5060, "slow.example").srv("_sip._udp.x.example", 2, 1, 5060, "fast.example");
    zone.address("fast.example", "192.0.2.1").silent("slow.example", RecordType::a).silent("slow.example", RecordType::aaaa);
    const auto outcome = locate(request("x.example", {}, kUdp), zone);
    EXPECT_EQ(outcome.targets, "udp 192.0.2.1:5060");
    EXPECT_EQ(outcome.took, Location::kAddressPatience);
}

TEST(Location, HostileZoneIsBounded) {
    Zone zone;
    for (unsigned n = 0; n < 64; ++n)
        zone.naptr("x.example", n, 1, "s", "sip+d2u", "_sip._udp.s" + std::to_string(n) + ".example");
    for (unsigned s = 0; s < 64; ++s)
        for (unsigned r = 0; r < 64; ++r)
            zone.srv("_sip._udp.s" + std::to_string(s) + ".example", 1, 1, 5060, "h" + std::to_string(64 * s + r) + ".example");
    const auto none = locate(request("x.example"), zone);
    EXPECT_EQ(none.targets.substr(0, 11), "unavailable");
    EXPECT_EQ(none.asked.size(), Location::kMaxQuestions);
    EXPECT_LT(none.targets.size(), 1'000U);

    for (unsigned s = 0; s < 4; ++s)
        for (unsigned r = 0; r < 64; ++r)
            for (unsigned i = 0; i < 64; ++i)
                zone.address("h" + std::to_string(64 * s + r) + ".example",
                             "192.0." + std::to_string(r) + "." + std::to_string(i));
    const auto many = locate(request("x.example"), zone);
    EXPECT_EQ(many.list.size(), Location::kMaxTargets);
    EXPECT_LE(many.asked.size(), Location::kMaxQuestions);
}

TEST(Location, SameTargetTwiceIsTriedOnce) {
    Zone zone;
    zone.srv("_sip._udp.x.example", 1, 1, 5060, "a.example").srv("_sip._udp.x.example", 2, 1, 5060, "b.example");
    zone.srv("_sip._udp.x.example", 3, 1, 5062, "a.example").address("a.example", "192.0.2.1").address("b.example", "192.0.2.1");
    const auto outcome = locate(request("x.example", {}, kUdp), zone);
    EXPECT_EQ(outcome.targets, "udp 192.0.2.1:5060, udp 192.0.2.1:5062");
    EXPECT_EQ(std::ranges::count(outcome.asked, "A of a.example"), 1);
}

TEST(Location, AnswersNobodyAskedForChangeNothing) {
    const TimePoint now = TimePoint{} + std::chrono::hours(1);
    Location location(request("x.example", 5060), {}, seeded(1));
    location.start(now);
    Answer planted = no_answer(AnswerStatus::found);
    planted.records = {Address::v4({203, 0, 113, 66})};
    const auto name = [](const char* text) { return DnsName::parse(text).value(); };
    EXPECT_TRUE(location.on_answer({name("y.example"), RecordType::a}, planted, now).empty());
    EXPECT_TRUE(location.on_answer({name("x.example"), RecordType::srv}, planted, now).empty());
    EXPECT_TRUE(location.on_answer({name("x.example"), RecordType::a, static_cast<ProvisioningDomain>(1)}, planted, now).empty());
    EXPECT_TRUE(location.on_answer({name("x.example"), RecordType::a}, no_answer(AnswerStatus::no_data), now).empty());
    EXPECT_TRUE(location.on_answer({name("x.example"), RecordType::a}, planted, now).empty());  // a second answer
    const auto end = location.on_answer({name("x.example"), RecordType::aaaa}, planted, now);   // an A record for AAAA
    ASSERT_EQ(end.size(), 1U);
    EXPECT_FALSE(std::get<Located>(end[0]).targets);
    EXPECT_TRUE(location.on_time(now + std::chrono::hours(1)).empty());
}

}  // namespace
}  // namespace stox::net::test
