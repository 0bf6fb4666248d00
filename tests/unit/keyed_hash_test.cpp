#include "mapping/core/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace stox;

/// Appendix A of the paper, and the first vector of its authors.
TEST(KeyedHash, IsSipHash24) {
    const KeyedHash hash({0x0706050403020100, 0x0f0e0d0c0b0a0908});
    std::string octets;
    EXPECT_EQ(hash(octets), 0x726fdb47dd0e0e31u);
    for (char c = 0; c < 15; ++c) octets += c;
    EXPECT_EQ(hash(octets), 0xa129ca6149be45e5u);
}

TEST(KeyedHash, KnowsTextsByEachOctetAndTheirLength) {
    const KeyedHash hash({1, 2});
    std::string text(40, '\0');
    const auto before = hash(text);
    for (auto& c : text) {
        c = 1;
        EXPECT_NE(hash(text), before);
        c = 0;
    }
    EXPECT_NE(hash(text + '\0'), before);
    EXPECT_NE(KeyedHash({1, 3})(text), before);
}

}  // namespace
