#include "mapping/scripts.h"

#include <gtest/gtest.h>

namespace stox {

TEST(Scripts, CORE_73_NamesThatCouldBeTakenForOthers) {
    for (const auto* odd : {"p\u0430ypal", "\u0430pple", "ju\u03bciet\u0430", "\u0455\u0441\u043e\u0440\u0435"})
        EXPECT_TRUE(is_confusable(odd)) << odd;
    for (const auto* honest : {"juliet", "j\u00fcliet", "\u044e\u043b\u0438\u044f", "\u03b9\u03bf\u03c5\u03bb\u03b9\u03ad\u03c4\u03b1",
                               "\u7530\u4e2d\u3055\u3093", "\u6797abc", "+15551230000", "a b", "", "\u00e9", "\xff\xfe"})
        EXPECT_FALSE(is_confusable(honest)) << honest;
}

}  // namespace stox
