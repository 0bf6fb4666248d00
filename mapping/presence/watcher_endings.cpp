#include "mapping/presence/watcher_endings.h"

#include <algorithm>
#include <array>

namespace stox::presence {

namespace {

using xmpp::Condition;

struct EndingRow {
    Condition condition;
    std::string_view reason;
    int retry_after_s;  ///< 0: none
    bool for_good;
};

constexpr std::string_view kRejected = "rejected", kNoResource = "noresource", kProbation = "probation";
constexpr EndingRow kPasses{Condition::undefined_condition, kProbation, 300, false};

// What is not listed is as kPasses; so is a server that is not found, as a fault of the name service says of all users at once.
constexpr std::array kEndings{
    EndingRow{Condition::forbidden, kRejected, 0, true},              //
    EndingRow{Condition::gone, kNoResource, 0, true},                 //
    EndingRow{Condition::item_not_found, kNoResource, 0, true},       //
    EndingRow{Condition::jid_malformed, kNoResource, 0, true},        //
    EndingRow{Condition::not_allowed, kRejected, 0, true},            //
    EndingRow{Condition::not_authorized, kRejected, 0, true},         //
    EndingRow{Condition::policy_violation, kRejected, 0, true},       //
    EndingRow{Condition::registration_required, kRejected, 0, true},  //
    EndingRow{Condition::subscription_required, kRejected, 0, true},  //
};
static_assert(std::ranges::is_sorted(kEndings, {}, &EndingRow::condition));

}  // namespace

WatcherEnding ending_of(Condition condition) {
    const auto found = std::ranges::lower_bound(kEndings, condition, {}, &EndingRow::condition);
    const auto& row = found != kEndings.end() && found->condition == condition ? *found : kPasses;
    const auto retry = row.retry_after_s == 0 ? std::nullopt : std::optional(std::chrono::seconds(row.retry_after_s));
    return {row.reason, retry, row.for_good};
}

}  // namespace stox::presence
