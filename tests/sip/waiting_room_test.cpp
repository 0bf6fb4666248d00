#include "sip/edge/waiting_room.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using stox::sip::WaitingRoom;

constexpr auto kSite = WaitingRoom::Whose::site;

const stox::Endpoint kStranger{Address::v4({192, 0, 2, 1}), 5060};

TEST(WaitingRoom, FirstInFirstOut) {
    WaitingRoom room;
    EXPECT_TRUE(room.empty());
    EXPECT_TRUE(room.enter(0, kStranger, "one", kSite));
    EXPECT_TRUE(room.enter(1, {Address::v4({192, 0, 2, 2}), 5061}, "two", kSite));
    const auto first = room.leave();
    EXPECT_EQ(first.listener, 0u);
    EXPECT_EQ(first.from, kStranger);
    EXPECT_EQ(first.octets, "one");
    const auto second = room.leave();
    EXPECT_EQ(second.listener, 1u);
    EXPECT_EQ(second.octets, "two");
    EXPECT_TRUE(room.empty());
}

stox::Endpoint stranger(std::size_t number) { return {Address::v4({192, 0, 2, static_cast<std::uint8_t>(number)}), 5060}; }

TEST(WaitingRoom, ItsNumberIsBoundedForASourceAndForAll) {
    WaitingRoom room;
    for (std::size_t source = 0; source < 4; ++source) {
        for (std::size_t i = 0; i < WaitingRoom::kDatagrams / 4; ++i) ASSERT_TRUE(room.enter(0, stranger(source), "x", kSite));
        EXPECT_FALSE(room.enter(0, stranger(source), "x", kSite));
    }
    EXPECT_FALSE(room.enter(0, stranger(5), "x", kSite));
    room.leave();
    EXPECT_FALSE(room.enter(0, stranger(1), "x", kSite));
    EXPECT_TRUE(room.enter(0, stranger(5), "x", kSite));
}

TEST(WaitingRoom, ItsOctetsAreBoundedForASourceAndForAll) {
    WaitingRoom room;
    const std::string large(65'536, 'x');
    for (std::size_t source = 0; source < 4; ++source) {
        std::size_t fit = 0;
        while (room.enter(0, stranger(source), large, kSite)) ++fit;
        EXPECT_EQ(fit, WaitingRoom::kOctets / 4 / large.size());
    }
    EXPECT_FALSE(room.enter(0, stranger(5), large, kSite));
    room.leave();
    EXPECT_TRUE(room.enter(0, stranger(5), large, kSite));
}

TEST(WaitingRoom, KnowsWhoWaits) {
    WaitingRoom room;
    EXPECT_FALSE(room.holds(stranger(1).address));
    room.enter(0, stranger(1), "x", kSite);
    room.enter(0, stranger(1), "y", kSite);
    room.leave();
    EXPECT_TRUE(room.holds(stranger(1).address));
    EXPECT_FALSE(room.holds(stranger(2).address));
    room.leave();
    EXPECT_FALSE(room.holds(stranger(1).address));
}

// A peer's neighbours in its /64 are strangers: what they send neither makes it wait nor takes its place.
TEST(WaitingRoom, NoNeighbourMakesAPeerWait) {
    const auto host = [](const char* text) { return stox::Endpoint{Address::parse(text).value(), 5060}; };
    const auto peer = host("2001:db8::1");
    WaitingRoom room;
    ASSERT_TRUE(room.enter(0, peer, "a", WaitingRoom::Whose::site));  // while it was a stranger itself
    EXPECT_TRUE(room.holds(peer.address));
    EXPECT_FALSE(room.holds(host("2001:db8::2").address));
    std::size_t fit = 0;
    while (room.enter(0, host(fit % 2 == 0 ? "2001:db8::2" : "2001:db8::3"), "x", kSite)) ++fit;
    EXPECT_EQ(fit, WaitingRoom::kDatagrams / 4 - 1) << "they share one place";
    EXPECT_FALSE(room.enter(0, peer, "x", WaitingRoom::Whose::site));
    EXPECT_TRUE(room.enter(0, peer, "b", WaitingRoom::Whose::address)) << "and it has another now";
    EXPECT_EQ(room.leave().octets, "a");
    EXPECT_TRUE(room.holds(peer.address));
    for (std::size_t i = 0; i < fit; ++i) room.leave();
    EXPECT_TRUE(room.holds(peer.address));
    EXPECT_EQ(room.leave().octets, "b");
    EXPECT_FALSE(room.holds(peer.address));
    EXPECT_TRUE(room.empty());
    EXPECT_TRUE(room.enter(0, peer, "c", WaitingRoom::Whose::site)) << "what has left counts no more";
}

}  // namespace
