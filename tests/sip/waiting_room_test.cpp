#include "sip/edge/waiting_room.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using stox::sip::WaitingRoom;

const stox::Endpoint kStranger{Address::v4({192, 0, 2, 1}), 5060};

TEST(WaitingRoom, FirstInFirstOut) {
    WaitingRoom room;
    EXPECT_TRUE(room.empty());
    EXPECT_TRUE(room.enter(0, kStranger, "one"));
    EXPECT_TRUE(room.enter(1, {Address::v4({192, 0, 2, 2}), 5061}, "two"));
    const auto first = room.leave();
    EXPECT_EQ(first.listener, 0u);
    EXPECT_EQ(first.from, kStranger);
    EXPECT_EQ(first.octets, "one");
    const auto second = room.leave();
    EXPECT_EQ(second.listener, 1u);
    EXPECT_EQ(second.octets, "two");
    EXPECT_TRUE(room.empty());
}

TEST(WaitingRoom, ItsNumberIsBounded) {
    WaitingRoom room;
    for (std::size_t i = 0; i < WaitingRoom::kDatagrams; ++i) ASSERT_TRUE(room.enter(0, kStranger, "x"));
    EXPECT_FALSE(room.enter(0, kStranger, "x"));
    room.leave();
    EXPECT_TRUE(room.enter(0, kStranger, "x"));
}

TEST(WaitingRoom, ItsOctetsAreBounded) {
    WaitingRoom room;
    const std::string large(65'536, 'x');
    std::size_t fit = 0;
    while (room.enter(0, kStranger, large)) ++fit;
    EXPECT_EQ(fit, WaitingRoom::kOctets / large.size());
    room.leave();
    EXPECT_TRUE(room.enter(0, kStranger, large));
}

}  // namespace
