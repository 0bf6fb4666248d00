// A flood of lines is cut, an error among them is not, and how much was cut is told.

#include "plugin/host/log_rate.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::host;
using engine::Level;
using std::chrono::milliseconds;

TEST(LogRate, AFloodIsCutAndCountedAndErrorsPass) {
    LogRate rate;
    engine::TimePoint now{std::chrono::hours(1)};
    unsigned written = 0;
    for (int i = 0; i < 10'000; ++i) written += rate.take(i % 2 ? Level::warn : Level::debug, now);
    EXPECT_EQ(written, LogRate::kPerSecond);
    EXPECT_TRUE(rate.take(Level::error, now)) << "others have not used up what errors may";
    EXPECT_EQ(rate.left_out(), 10'000 - LogRate::kPerSecond);
    EXPECT_EQ(rate.left_out(), 0u) << "told once";

    now += milliseconds(100);
    written = 0;
    for (int i = 0; i < 1'000; ++i) written += rate.take(Level::info, now);
    EXPECT_EQ(written, LogRate::kPerSecond / 10);
    written = 0;
    for (int i = 0; i < 1'000; ++i) written += rate.take(Level::error, now);
    EXPECT_EQ(written, LogRate::kPerSecond) << "a flood of errors is one as well";
}

}  // namespace
