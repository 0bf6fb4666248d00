// How many lines strangers can have us write.

#include "sip/edge/log_gate.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using std::chrono::milliseconds;
using std::chrono::seconds;
using stox::sip::LogGate;

const auto kStart = LogGate::Time(std::chrono::hours(1));
const std::optional<std::string> kNone;

Address address(const std::string& text) { return Address::parse(text).value(); }

TEST(LogGate, ASourceHasOneLineOfAKindInAWhile) {
    LogGate gate(seconds(10));
    const auto one = address("192.0.2.1"), two = address("192.0.2.2");
    EXPECT_EQ(gate.pass(one, "a", "line", kStart), "line");
    EXPECT_EQ(gate.pass(one, "a", "line", kStart + seconds(9)), kNone);
    EXPECT_EQ(gate.pass(one, "a", "line", kStart + milliseconds(9'999)), kNone);
    EXPECT_EQ(gate.pass(two, "a", "other", kStart + seconds(9)), "other");
    EXPECT_EQ(gate.pass(one, "b", "kind", kStart + seconds(9)), "kind");
    EXPECT_EQ(gate.pass(one, "a", "line", kStart + seconds(10)), "line repeated=2");
    EXPECT_EQ(gate.pass(one, "a", "line", kStart + seconds(20)), "line");
}

TEST(LogGate, OneSubscribersAddressesAreOneSource) {
    LogGate gate(seconds(10));
    EXPECT_EQ(gate.pass(address("2001:db8:1:2::1"), "a", "line", kStart), "line");
    EXPECT_EQ(gate.pass(address("2001:db8:1:2:ffff::9"), "a", "line", kStart), kNone);
    EXPECT_EQ(gate.pass(address("2001:db8:1:3::1"), "a", "line", kStart), "line");
}

// A spoofed flood: every datagram comes from elsewhere.
TEST(LogGate, ManySourcesHaveAFewLinesASecondTogetherAndTheRestIsCounted) {
    LogGate gate(seconds(10));
    std::uint32_t next = 0;
    const auto fresh = [&] {
        ++next;
        return Address::v4(
            {203, static_cast<std::uint8_t>(next >> 16), static_cast<std::uint8_t>(next >> 8), static_cast<std::uint8_t>(next)});
    };
    int written = 0;
    for (int i = 0; i < 100'000; ++i)
        written += gate.pass(fresh(), "flood", "line", kStart + i * milliseconds(1) / 10).has_value();
    EXPECT_LE(written, LogGate::kBurst + 10 * LogGate::kPerSecond + 1);
    EXPECT_GE(written, LogGate::kBurst + 10 * LogGate::kPerSecond - 1);
    EXPECT_EQ(gate.pass(fresh(), "quiet", "another kind", kStart + seconds(10)), "another kind");
    const auto told = gate.pass(fresh(), "flood", "src=192.0.2.1", kStart + seconds(11)).value();
    EXPECT_TRUE(told.starts_with("src=192.0.2.1 left_out=")) << told;
    EXPECT_EQ(gate.pass(fresh(), "flood", "line", kStart + seconds(11)), "line") << "told once";
}

}  // namespace
