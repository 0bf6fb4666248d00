#include "net/srv_order.h"
#include "tests/net/dns_wire.h"
#include "tests/net/location_rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace stox::net::test {
namespace {

SrvRecord record(unsigned priority, unsigned weight, const std::string& host) {
    return {static_cast<std::uint16_t>(priority), static_cast<std::uint16_t>(weight), 5060, question(host, RecordType::a).name};
}

std::string order(const std::vector<SrvRecord>& records) {
    std::string text;
    for (const auto& r : records) text += r.target.text();
    return text;
}

TEST(SrvOrder, PriorityBeforeWeight) {
    const auto random = seeded(1);
    for (int i = 0; i < 200; ++i) {
        const auto text =
            order(in_srv_order({record(20, 60'000, "c"), record(10, 1, "a"), record(10, 1, "b"), record(20, 0, "d")}, random));
        EXPECT_TRUE(text == "abcd" || text == "bacd" || text == "abdc" || text == "badc") << text;
    }
}

/// The first choice falls on each in proportion to its weight. One-in-a-million bounds for 60,000 draws.
TEST(SrvOrder, WeightsInProportion) {
    constexpr int kDraws = 60'000;
    const auto random = seeded(2);
    std::map<std::string, int> first;
    for (int i = 0; i < kDraws; ++i)
        ++first[in_srv_order({record(1, 10, "a"), record(1, 20, "b"), record(1, 70, "c")}, random)[0].target.text()];
    // The number drawn is 0 to 100, both included: "a", first in the list, has 11 of the 101.
    const auto near = [&](const char* host, double share) { EXPECT_NEAR(first[host], kDraws * share, 600) << host; };
    near("a", 11.0 / 101);
    near("b", 20.0 / 101);
    near("c", 70.0 / 101);
}

TEST(SrvOrder, WeightZeroIsRareNotNever) {
    const auto random = seeded(3);
    int zero_first = 0;
    for (int i = 0; i < 20'000; ++i) zero_first += order(in_srv_order({record(1, 99, "a"), record(1, 0, "z")}, random)) == "za";
    EXPECT_NEAR(zero_first, 200, 75);
}

/// The number drawn falls on the first record whose running sum reaches it.
TEST(SrvOrder, EachNumberFallsOnItsRecord) {
    const std::vector<SrvRecord> records{record(1, 2, "a"), record(1, 0, "z"), record(1, 1, "b")};  // running sums: z 0, a 2, b 3
    for (const auto& [drawn, first] : {std::pair{0U, "z"}, std::pair{1U, "a"}, std::pair{2U, "a"}, std::pair{3U, "b"}})
        EXPECT_EQ(in_srv_order(records, [drawn](std::uint32_t most) { return std::min(drawn, most); })[0].target.text(), first)
            << drawn;
}

TEST(SrvOrder, AllZeroKeepTheAnswersOrder) {
    EXPECT_EQ(order(in_srv_order({record(1, 0, "b"), record(1, 0, "a"), record(1, 0, "c")}, seeded(4))), "bac");
    EXPECT_EQ(order(in_srv_order({}, seeded(4))), "");
}

/// Whatever chance says, every record comes out once.
TEST(SrvOrder, IsAPermutation) {
    std::mt19937 engine(5);
    for (int i = 0; i < 500; ++i) {
        std::vector<SrvRecord> records;
        std::multimap<std::string, int> names;
        for (auto n = engine() % 65; n > 0; --n) {
            records.push_back(record(static_cast<unsigned>(engine() % 4),
                                     engine() % 5 ? static_cast<unsigned>(engine() % 65'536) : 0, "h" + std::to_string(n)));
            names.emplace(records.back().target.text(), 0);
        }
        const auto ordered = in_srv_order(records, [&](std::uint32_t most) {
            return engine() % 3 ? static_cast<std::uint32_t>(engine() % (most + 1UL)) : most;
        });
        ASSERT_EQ(ordered.size(), records.size());
        for (const auto& r : ordered) EXPECT_EQ(names.erase(r.target.text()), 1U);
        EXPECT_TRUE(std::ranges::is_sorted(ordered, {}, &SrvRecord::priority));
    }
}

}  // namespace
}  // namespace stox::net::test
