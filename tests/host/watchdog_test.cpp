#include "plugin/host/watchdog.h"

#include <gtest/gtest.h>

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

}  // namespace
