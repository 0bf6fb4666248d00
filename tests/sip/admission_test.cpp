// Rates, bans and numbers of connections, in virtual time.

#include "sip/edge/admission.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::sip;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = Admission::Verdict;
using Accept = Admission::Accept;
using Guest = Admission::Guest;

Address address(const std::string& text) { return Address::parse(text).value(); }

const auto kStart = Admission::Time(std::chrono::hours(1));
const auto kMallory = address("198.51.100.7");

Limits small() {
    Limits limits;
    limits.source_rate = 10;
    limits.source_burst = 5;
    limits.total_rate = 100;
    limits.total_burst = 20;
    limits.connections_per_source = 3;
    limits.connections = 6;
    limits.ban->refusals = 4;
    limits.accept_cost = 0;
    return limits;
}

int admitted(Admission& admission, const Address& from, int tries, Admission::Time now) {
    int passed = 0;
    for (int i = 0; i < tries; ++i) passed += admission.message(from, Channel::datagram, now) == Verdict::admitted;
    return passed;
}

TEST(Admission, ASourceHasItsBurstAndThenItsRate) {
    Admission admission(small());
    EXPECT_EQ(admitted(admission, kMallory, 10, kStart), 5);
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart), Verdict::source_rate);
    EXPECT_EQ(admitted(admission, kMallory, 10, kStart + milliseconds(300)), 3);
    EXPECT_EQ(admitted(admission, kMallory, 10, kStart + seconds(100)), 5) << "no more than the burst is saved up";
    EXPECT_EQ(admitted(admission, address("198.51.100.8"), 10, kStart + seconds(100)), 5) << "others have their own";
}

TEST(Admission, AllTogetherHaveARateToo) {
    Admission admission(small());
    int passed = 0;
    for (int i = 1; i <= 10; ++i)
        passed += admitted(admission, Address::v4({203, 0, 113, static_cast<std::uint8_t>(i)}), 5, kStart);
    EXPECT_EQ(passed, 20);
    EXPECT_EQ(admission.message(address("192.0.2.1"), Channel::datagram, kStart), Verdict::total_rate);
    EXPECT_EQ(admission.message(address("192.0.2.2"), Channel::datagram, kStart + milliseconds(10)), Verdict::admitted);
}

TEST(Admission, OneSubscribersAddressesAreOneSource) {
    Admission admission(small());
    EXPECT_EQ(admitted(admission, address("2001:db8:1:2::1"), 5, kStart), 5);
    EXPECT_EQ(admission.message(address("2001:db8:1:2:ffff::9"), Channel::datagram, kStart), Verdict::source_rate);
    EXPECT_EQ(admission.message(address("2001:db8:1:3::1"), Channel::datagram, kStart), Verdict::admitted);
    EXPECT_EQ(admission.remembered(), 2u);
    // The mapped form is the IPv4 address.
    EXPECT_EQ(admitted(admission, kMallory, 5, kStart), 5);
    EXPECT_EQ(admission.message(address("::ffff:198.51.100.7"), Channel::datagram, kStart), Verdict::source_rate);
}

TEST(Admission, RefusalsWithinTheWindowAreABan) {
    Admission admission(small());
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(admission.refused(kMallory, Channel::datagram, kStart + seconds(i)));
    EXPECT_FALSE(admission.banned(kMallory, Channel::datagram, kStart + seconds(3)));
    EXPECT_TRUE(admission.refused(kMallory, Channel::datagram, kStart + milliseconds(9'999)));
    EXPECT_TRUE(admission.banned(kMallory, Channel::datagram, kStart + seconds(10)));
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart + seconds(10)), Verdict::banned);
    EXPECT_FALSE(admission.refused(kMallory, Channel::datagram, kStart + seconds(11))) << "it is banned already";
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart + milliseconds(69'998)), Verdict::banned);
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart + milliseconds(69'999)), Verdict::admitted);
}

// Whoever writes another's address into datagrams takes nothing from it but its own requests by datagram.
TEST(Admission, DatagramsBanDatagramsAlone) {
    Admission admission(small());
    for (int i = 0; i < 4; ++i) admission.refused(kMallory, Channel::datagram, kStart);
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart), Verdict::banned);
    EXPECT_EQ(admission.response(kMallory, kStart), Verdict::admitted);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::accepted);
    EXPECT_EQ(admission.message(kMallory, Channel::connection, kStart), Verdict::admitted);
}

TEST(Admission, ConnectionsBanEverythingButResponses) {
    Admission admission(small());
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(admission.refused(kMallory, Channel::connection, kStart));
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(admission.refused(kMallory, Channel::datagram, kStart)) << "they count apart";
    EXPECT_TRUE(admission.refused(kMallory, Channel::connection, kStart));
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart), Verdict::banned);
    EXPECT_EQ(admission.message(kMallory, Channel::connection, kStart), Verdict::banned);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::banned);
    EXPECT_EQ(admission.response(kMallory, kStart), Verdict::admitted);
}

TEST(Admission, AFloodOfRequestsLeavesResponsesAndConnectionsTheirRate) {
    Admission admission(small());
    admitted(admission, kMallory, 100, kStart);
    for (int i = 1; i <= 10; ++i) admitted(admission, Address::v4({203, 0, 113, static_cast<std::uint8_t>(i)}), 5, kStart);
    EXPECT_EQ(admission.message(address("192.0.2.1"), Channel::datagram, kStart), Verdict::total_rate);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(admission.response(kMallory, kStart), Verdict::admitted);
        EXPECT_EQ(admission.message(kMallory, Channel::connection, kStart), Verdict::admitted);
    }
    EXPECT_EQ(admission.response(kMallory, kStart), Verdict::source_rate);
    EXPECT_EQ(admission.message(kMallory, Channel::connection, kStart), Verdict::source_rate);
}

TEST(Admission, RefusalsFarApartAreNone) {
    Admission admission(small());
    for (int i = 0; i < 20; ++i)
        EXPECT_FALSE(admission.refused(kMallory, Channel::datagram, kStart + i * milliseconds(3'334))) << i;
}

TEST(Admission, WithoutABanNoRefusalIsEvenRemembered) {
    auto limits = small();
    limits.ban.reset();
    Admission admission(limits);
    for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(admission.refused(kMallory, Channel::connection, kStart));
    EXPECT_EQ(admission.remembered(), 0u);
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart), Verdict::admitted);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::accepted);
}

TEST(Admission, ConnectionsAreCountedPerSourceAndInAll) {
    Admission admission(small());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::source_full);
    EXPECT_EQ(admission.connection(address("192.0.2.1"), Guest::stranger, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(address("192.0.2.2"), Guest::stranger, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(address("192.0.2.3"), Guest::stranger, kStart), Accept::crowded);
    admission.closed(kMallory, Guest::stranger);
    EXPECT_EQ(admission.connections(), 4u);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::accepted);
}

TEST(Admission, ANewConnectionCountsAsManyMessages) {
    auto limits = small();
    limits.accept_cost = 2;
    Admission admission(limits);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::source_rate);
    EXPECT_EQ(admission.message(kMallory, Channel::connection, kStart), Verdict::admitted);
    EXPECT_EQ(admission.message(kMallory, Channel::connection, kStart), Verdict::source_rate);
    EXPECT_EQ(admission.connection(kMallory, Guest::peer, kStart), Accept::accepted) << "peers pay nothing";
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart + milliseconds(200)), Accept::accepted);
    limits.accept_cost = 1'000;
    Admission dear(limits);
    EXPECT_EQ(dear.connection(kMallory, Guest::stranger, kStart), Accept::accepted) << "a first one is always there";
    EXPECT_EQ(dear.connection(kMallory, Guest::stranger, kStart), Accept::source_rate);
}

TEST(Admission, AQuarterOfTheConnectionsIsNotForStrangers) {
    auto limits = small();
    limits.connections = 8;
    Admission admission(limits);
    const auto stranger = [](unsigned last) { return Address::v4({203, 0, 113, static_cast<std::uint8_t>(last)}); };
    for (unsigned i = 1; i <= 6; ++i) EXPECT_EQ(admission.connection(stranger(i), Guest::stranger, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(stranger(7), Guest::stranger, kStart), Accept::crowded);
    EXPECT_EQ(admission.connection(address("192.0.2.1"), Guest::next_hop, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(address("192.0.2.2"), Guest::peer, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(address("192.0.2.1"), Guest::next_hop, kStart), Accept::full);
    EXPECT_EQ(admission.connection(address("192.0.2.2"), Guest::peer, kStart), Accept::full);
    admission.closed(stranger(1), Guest::stranger);
    EXPECT_EQ(admission.connection(stranger(7), Guest::stranger, kStart), Accept::accepted);
}

TEST(Admission, ASiteOfIPv6HasAsManyConnectionsAsFourSources) {
    auto limits = small();
    limits.connections = 100;
    Admission admission(limits);
    for (const char* source : {"2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:1:4::1"})
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(admission.connection(address(source), Guest::stranger, kStart), Accept::accepted) << source;
    EXPECT_EQ(admission.connection(address("2001:db8:1:5::1"), Guest::stranger, kStart), Accept::source_full);
    EXPECT_EQ(admission.connection(address("2001:db8:2:5::1"), Guest::stranger, kStart), Accept::accepted);
    admission.closed(address("2001:db8:1:2::1"), Guest::stranger);
    EXPECT_EQ(admission.connection(address("2001:db8:1:5::1"), Guest::stranger, kStart), Accept::accepted);
}

TEST(Admission, TrustedSourcesHaveNoLimitOfTheirOwn) {
    Admission admission(small());
    admission.trust({Prefix::parse("198.51.100.0/24").value()});
    EXPECT_EQ(admitted(admission, kMallory, 1'000, kStart), 1'000);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(admission.refused(kMallory, Channel::datagram, kStart));
    for (int i = 0; i < 6; ++i) EXPECT_EQ(admission.connection(kMallory, Guest::peer, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(kMallory, Guest::peer, kStart), Accept::full);
    EXPECT_EQ(admitted(admission, address("192.0.2.1"), 100, kStart), 5) << "nor do they use up what is for all";
}

TEST(Admission, TheTableIsBoundedAndForgetsTheOneLongestUnseen) {
    auto limits = small();
    limits.sources = 3;
    Admission admission(limits);
    const auto one = address("192.0.2.1"), two = address("192.0.2.2"), three = address("192.0.2.3"), four = address("192.0.2.4");
    EXPECT_EQ(admission.connection(one, Guest::stranger, kStart), Accept::accepted);  // kept while it has connections
    EXPECT_EQ(admitted(admission, two, 5, kStart), 5);
    EXPECT_EQ(admitted(admission, three, 5, kStart), 5);
    EXPECT_EQ(admission.message(four, Channel::datagram, kStart), Verdict::admitted);
    EXPECT_EQ(admission.remembered(), 4u) << "three, and the one with connections";
    EXPECT_EQ(admission.message(three, Channel::datagram, kStart), Verdict::source_rate) << "three is still known";
    EXPECT_EQ(admission.message(address("192.0.2.5"), Channel::datagram, kStart), Verdict::admitted);
    EXPECT_EQ(admission.message(two, Channel::datagram, kStart), Verdict::admitted) << "two was forgotten";
    for (int i = 0; i < 2; ++i) EXPECT_EQ(admission.connection(one, Guest::stranger, kStart), Accept::accepted);
    EXPECT_EQ(admission.connection(one, Guest::stranger, kStart), Accept::source_full);
}

// Whoever floods from forged addresses does not wipe out what is known of real connections, however old.
TEST(Admission, AFloodForgetsNoSourceWithConnections) {
    auto limits = small();
    limits.sources = 10;
    limits.connections = 1'000;
    Admission admission(limits);
    const auto holder = [](int i) { return Address::v4({192, 0, 2, static_cast<std::uint8_t>(i)}); };
    for (int i = 1; i <= 100; ++i)
        for (int connection = 0; connection < 3; ++connection)
            ASSERT_EQ(admission.connection(holder(i), Guest::stranger, kStart), Accept::accepted);
    for (int i = 0; i < 2'000; ++i)
        admission.message(Address::v4({203, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}),
                          Channel::datagram, kStart);
    for (int i = 1; i <= 100; ++i) EXPECT_EQ(admission.connection(holder(i), Guest::stranger, kStart), Accept::source_full) << i;
    EXPECT_EQ(admission.remembered(), 110u);
    for (int i = 1; i <= 100; ++i)
        for (int connection = 0; connection < 3; ++connection) admission.closed(holder(i), Guest::stranger);
    for (int i = 0; i < 2'000; ++i)
        admission.message(Address::v4({203, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}),
                          Channel::datagram, kStart);
    EXPECT_EQ(admission.remembered(), 10u);
    EXPECT_EQ(admission.connections(), 0u);
}

TEST(Admission, AnOperatorBansAndUnbansWholly) {
    Admission admission(small());
    admission.trust({{address("192.0.2.1"), 32}});
    EXPECT_EQ(admission.ban(address("192.0.2.1"), kStart + seconds(60), kStart), BanOrder::is_peer);
    EXPECT_EQ(admission.ban(kMallory, kStart + seconds(60), kStart), BanOrder::taken);
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart), Verdict::banned);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, kStart), Accept::banned);
    ASSERT_EQ(admission.bans(kStart).size(), 1u);
    EXPECT_EQ(admission.bans(kStart).at(0).source, kMallory);
    EXPECT_TRUE(admission.bans(kStart).at(0).whole);
    EXPECT_EQ(admission.bans(kStart).at(0).until, kStart + seconds(60));
    EXPECT_TRUE(admission.unban(kMallory, kStart));
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart), Verdict::admitted);
    EXPECT_FALSE(admission.unban(kMallory, kStart)) << "nothing was held against it";

    EXPECT_EQ(admission.ban(kMallory, kStart + seconds(60), kStart), BanOrder::taken);
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, kStart + seconds(60)), Verdict::admitted);
    for (int i = 0; i < 4; ++i) admission.refused(kMallory, Channel::datagram, kStart + seconds(61));
    ASSERT_EQ(admission.bans(kStart + seconds(61)).size(), 1u);
    EXPECT_FALSE(admission.bans(kStart + seconds(61)).at(0).whole) << "its datagrams alone";
    EXPECT_TRUE(admission.unban(kMallory, kStart + seconds(61)));
    EXPECT_TRUE(admission.bans(kStart + seconds(61)).empty());
}

TEST(Admission, AnOperatorsBanOutlivesAnyNumberOfForgedSources) {
    auto limits = small();
    limits.sources = 10;
    Admission admission(limits);
    for (int i = 0; i < 4; ++i) admission.refused(kMallory, Channel::datagram, kStart);  // earned, and shorter
    ASSERT_EQ(admission.ban(kMallory, kStart + seconds(600), kStart), BanOrder::taken);
    EXPECT_EQ(admission.bans(kStart).size(), 1u) << "one source, one line";
    EXPECT_EQ(admission.banned_sources(kStart), 1u);
    for (int i = 0; i < 100; ++i)
        admission.message(Address::v4({203, 0, 113, static_cast<std::uint8_t>(i)}), Channel::datagram, kStart + seconds(1));
    const auto later = kStart + seconds(599);
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, later), Verdict::banned);
    EXPECT_EQ(admission.connection(kMallory, Guest::stranger, later), Accept::banned);
    EXPECT_TRUE(admission.banned(kMallory, Channel::connection, later));
    EXPECT_FALSE(admission.refused(kMallory, Channel::datagram, later)) << "it earns no other meanwhile";
    EXPECT_EQ(admission.bans(later).size(), 1u);
    EXPECT_TRUE(admission.unban(kMallory, later));
    EXPECT_EQ(admission.message(kMallory, Channel::datagram, later), Verdict::admitted);
}

TEST(Admission, OperatorsBansAreSoManyAndEndedOnesMakeRoom) {
    auto limits = small();
    limits.ordered_bans = 2;
    Admission admission(limits);
    const auto other = address("198.51.100.8"), third = address("198.51.100.9");
    ASSERT_EQ(admission.ban(kMallory, kStart + seconds(60), kStart), BanOrder::taken);
    ASSERT_EQ(admission.ban(other, kStart + seconds(600), kStart), BanOrder::taken);
    EXPECT_EQ(admission.ban(third, kStart + seconds(60), kStart), BanOrder::too_many);
    EXPECT_EQ(admission.ban(kMallory, kStart + seconds(90), kStart), BanOrder::taken) << "another time for one that is there";
    EXPECT_EQ(admission.ban(third, kStart + seconds(120), kStart + seconds(90)), BanOrder::taken);
    EXPECT_TRUE(admission.banned(other, Channel::datagram, kStart + seconds(90)));
    EXPECT_EQ(admission.ban(address("2001:db8::1"), kStart + seconds(700), kStart + seconds(600)), BanOrder::taken);
    EXPECT_TRUE(admission.banned(address("2001:db8::2"), Channel::datagram, kStart + seconds(600))) << "one subscriber";
}

}  // namespace
