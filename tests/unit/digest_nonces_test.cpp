// The table of nonce counts at its bounds.

#include "mapping/sip/digest/nonces.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stox::sip::digest {

namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1000h};
constexpr Key kKey{1};

}  // namespace

TEST(DigestNonces, BeyondTenThousandCountedNoncesTheOldestIsStale) {
    Nonces nonces("r", kKey, {});
    std::vector<std::string> made_nonces;
    for (int i = 0; i < 10'001; ++i) made_nonces.push_back(nonces.make(kStart));
    for (int i = 0; i < 10'000; ++i)
        ASSERT_EQ(nonces.use(made_nonces[static_cast<std::size_t>(i)], 1, kStart), Nonces::Use::fresh);
    EXPECT_EQ(nonces.counted(), 10'000U);
    EXPECT_EQ(nonces.use(made_nonces[0], 1, kStart), Nonces::Use::replayed);
    EXPECT_EQ(nonces.use(made_nonces[0], 2, kStart), Nonces::Use::fresh);
    EXPECT_EQ(nonces.use(made_nonces[10'000], 1, kStart), Nonces::Use::fresh);
    EXPECT_EQ(nonces.counted(), 10'000U);
    EXPECT_EQ(nonces.use(made_nonces[0], 1, kStart), Nonces::Use::stale);
    EXPECT_EQ(nonces.use(made_nonces[0], 3, kStart), Nonces::Use::stale);
    EXPECT_EQ(nonces.use(made_nonces[1], 1, kStart), Nonces::Use::replayed);
}

TEST(DigestNonces, ForgottenNoncesCannotBeUsedAgainInAnyOrder) {
    Nonces nonces("r", kKey, {.lifetime = 5min, .counted = 2});
    const auto a = nonces.make(kStart), b = nonces.make(kStart), c = nonces.make(kStart), d = nonces.make(kStart);
    EXPECT_EQ(nonces.use(b, 1, kStart), Nonces::Use::fresh);
    EXPECT_EQ(nonces.use(c, 1, kStart), Nonces::Use::fresh);
    EXPECT_EQ(nonces.use(a, 1, kStart), Nonces::Use::fresh);  // the oldest itself: forgotten at once
    EXPECT_EQ(nonces.use(a, 1, kStart), Nonces::Use::stale);
    EXPECT_EQ(nonces.use(b, 1, kStart), Nonces::Use::replayed);
    EXPECT_EQ(nonces.use(d, 1, kStart), Nonces::Use::fresh);
    EXPECT_EQ(nonces.use(b, 1, kStart), Nonces::Use::stale);
    EXPECT_EQ(nonces.use(c, 1, kStart), Nonces::Use::replayed);
    // What has expired makes room without pushing out what has not.
    const auto late = kStart + 5min + 1ms;
    EXPECT_EQ(nonces.use(nonces.make(late), 1, late), Nonces::Use::fresh);
    EXPECT_EQ(nonces.counted(), 1U);
}

}  // namespace stox::sip::digest
