#include "plugin/engine/row_keys.h"

#include <gtest/gtest.h>

#include <random>

namespace {

using namespace stox;

IdGenerator ids(unsigned seed) {
    return IdGenerator([random = std::mt19937(seed)](std::span<std::uint8_t> wanted) mutable {
        for (auto& octet : wanted) octet = static_cast<std::uint8_t>(random());
    });
}

TEST(RowKeys, FollowEachOtherAndAreOneEnginesAlone) {
    auto random = ids(1), other = ids(2);
    engine::RowKeys keys, others;
    auto last = keys.next(random);
    const auto of_other = others.next(other);
    for (int i = 0; i < 300; ++i) {
        auto next = keys.next(random);
        EXPECT_GT(next, last);
        EXPECT_EQ(next.substr(0, 26), last.substr(0, 26)) << "they stand together";
        EXPECT_NE(next.substr(0, 26), of_other.substr(0, 26));
        last = std::move(next);
    }
}

}  // namespace
