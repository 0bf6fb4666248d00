// What an error of the XMPP side says to SIP watchers, against the row of the specification.

#include "mapping/presence/watcher_endings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stox::presence {

namespace {

struct Expected {
    std::string condition, reason;
    bool for_good;
};

TEST(WatcherEndings, PRES_41_EachConditionHasItsReason) {
    const std::vector<Expected> all{
        {"item-not-found", "noresource", true},
        {"gone", "noresource", true},
        {"jid-malformed", "noresource", true},
        {"forbidden", "rejected", true},
        {"not-allowed", "rejected", true},
        {"not-authorized", "rejected", true},
        {"policy-violation", "rejected", true},
        {"registration-required", "rejected", true},
        {"subscription-required", "rejected", true},
        {"remote-server-not-found", "probation", false},
        {"remote-server-timeout", "probation", false},
        {"service-unavailable", "probation", false},
        {"recipient-unavailable", "probation", false},
        {"resource-constraint", "probation", false},
        {"internal-server-error", "probation", false},
        {"undefined-condition", "probation", false},
    };
    for (const auto& one : all) {
        SCOPED_TRACE(one.condition);
        const auto ending = ending_of(xmpp::parse_condition(one.condition));
        EXPECT_EQ(ending.reason, one.reason);
        EXPECT_EQ(ending.for_good, one.for_good);
        const auto retry = one.for_good ? std::nullopt : std::optional(std::chrono::seconds(300));
        EXPECT_EQ(ending.retry_after, retry);
    }
}

}  // namespace

}  // namespace stox::presence
