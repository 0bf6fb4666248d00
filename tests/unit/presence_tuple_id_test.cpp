// Resources and ids of tuples.

#include "mapping/presence/tuple_id.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace stox::presence {

namespace {

std::string utf8(std::uint32_t point) {
    const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
    if (point < 0x80) return {static_cast<char>(point)};
    if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), tail(point)};
    if (point < 0x10000) return {static_cast<char>(0xE0 | point >> 12), tail(point >> 6), tail(point)};
    return {static_cast<char>(0xF0 | point >> 18), tail(point >> 12), tail(point >> 6), tail(point)};
}

bool is_plain(std::uint32_t point) { return tuple_id(utf8(point)) == "ID-" + utf8(point); }

}  // namespace

TEST(TupleId, PRES_54_ResourceBecomesAnId) {
    const std::pair<const char*, const char*> rows[] = {
        {"dr4hcr0st3lup4c", "ID-dr4hcr0st3lup4c"},
        {"1 \xC3\xA4/", "IDX-3120c3a42f"},
        {"1", "ID-1"},
        {"\xC3\xA4", "ID-\xC3\xA4"},
        {"a:b", "IDX-613a62"},
        {"a.b-c_D", "ID-a.b-c_D"},
        {"\xF0\x9F\x93\x9E", "ID-\xF0\x9F\x93\x9E"},
        {"", "ID-"},
        {"ID-a", "ID-ID-a"},
        {"IDX-61", "ID-IDX-61"},
        {"\xFF", "IDX-ff"},
    };
    for (const auto& [resource, id] : rows) {
        EXPECT_EQ(tuple_id(resource), id);
        EXPECT_EQ(tuple_resource(id), resource);
    }
}

TEST(TupleId, PRES_54_TheCharactersOfNames) {
    // The code points at which what a name may hold begins and ends.
    const std::pair<std::uint32_t, std::uint32_t> ranges[] = {
        {'-', '.'},       {'0', '9'},       {'A', 'Z'},       {'_', '_'},       {'a', 'z'},       {0xB7, 0xB7},
        {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x37D},    {0x37F, 0x1FFF},  {0x200C, 0x200D}, {0x203F, 0x2040},
        {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF}};
    for (const auto& [first, last] : ranges) {
        EXPECT_TRUE(is_plain(first) && is_plain(last)) << std::hex << first;
        EXPECT_FALSE(is_plain(first - 1) || is_plain(last + 1)) << std::hex << first;
    }
}

TEST(TupleId, PRES_72_ForeignIdsAreTheirOwnText) {
    for (const auto* id : {"sg89ae", "id-1", "IDX-", "IDX-3", "IDX-3g", "IDX-AB", "IDX", "ID", "I"})
        EXPECT_EQ(tuple_resource(id), id);
}

TEST(TupleId, PRES_54_PRES_72_AnyStringComesBackAndNoTwoAreOne) {
    std::mt19937 random(8048);
    std::set<std::string> resources, ids;
    for (int i = 0; i < 20'000; ++i) {
        std::string resource;
        for (auto left = random() % 12; left > 0; --left)
            resource += random() % 2 ? static_cast<char>(random()) : "IDX-01af :\xC3\xA4"[random() % 12];
        const auto id = tuple_id(resource);
        EXPECT_EQ(tuple_resource(id), resource);
        resources.insert(resource);
        ids.insert(id);
    }
    EXPECT_EQ(ids.size(), resources.size());
}

}  // namespace stox::presence
