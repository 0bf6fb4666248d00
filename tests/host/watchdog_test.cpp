#include "plugin/host/watchdog.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using stox::host::LoopJudge;
using namespace std::chrono_literals;

constexpr auto kLook = 500ms;

TEST(Watchdog, ALoopThatTicksOnceASecondLives) {
    LoopJudge::TimePoint now{};
    LoopJudge judge(now);
    for (unsigned look = 0; look < 100; ++look) EXPECT_FALSE(judge.hangs(look / 2, now += kLook));
}

TEST(Watchdog, ALoopThatStandsFor5SecondsHangs) {
    LoopJudge::TimePoint now{};
    LoopJudge judge(now);
    EXPECT_FALSE(judge.hangs(7, now += kLook));
    for (int look = 0; look < 10; ++look) EXPECT_FALSE(judge.hangs(7, now += kLook)) << look;
    EXPECT_TRUE(judge.hangs(7, now += kLook));
}

TEST(Watchdog, AMachineThatSleptIsNoHangingLoop) {
    LoopJudge::TimePoint now{};
    LoopJudge judge(now);
    EXPECT_FALSE(judge.hangs(7, now += kLook));
    EXPECT_FALSE(judge.hangs(7, now += 1h)) << "the count starts anew";
    for (int look = 0; look < 10; ++look) EXPECT_FALSE(judge.hangs(7, now += kLook));
    EXPECT_TRUE(judge.hangs(7, now += kLook));
}

TEST(Watchdog, SeesWhatIsInMemory) {
    constexpr std::size_t kMore = 32U << 20U;
    const auto before = stox::host::resident_octets();
    EXPECT_GT(before, 0U);
    const std::vector<char> more(kMore, 'x');
    EXPECT_GE(stox::host::resident_octets(), before + kMore / 2) << more.back();
}

}  // namespace
