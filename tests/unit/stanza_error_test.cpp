#include "mapping/xmpp/stanza_error.h"

#include "tests/unit/spec_table.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

TEST(StanzaError, EveryConditionOfTheTableHasItsName) {
    const auto rows = test::spec_table("core.md", "1.7.1 ");
    ASSERT_EQ(rows.size(), 22U);
    for (const auto& row : rows) {
        const auto name = row.cells[1].substr(0, row.cells[1].find(' '));
        EXPECT_EQ(to_string(parse_condition(name)), name);
    }
    EXPECT_EQ(parse_condition("payment-required"), Condition::undefined_condition);
    EXPECT_EQ(parse_condition(""), Condition::undefined_condition);
}

TEST(StanzaError, EveryTypeHasItsName) {
    for (const std::string_view name : {"auth", "cancel", "continue", "modify", "wait"})
        EXPECT_EQ(to_string(parse_error_type(name)), name);
    EXPECT_EQ(parse_error_type("fatal"), ErrorType::cancel);
}

}  // namespace stox::xmpp
