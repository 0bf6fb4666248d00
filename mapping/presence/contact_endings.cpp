#include "mapping/presence/contact_endings.h"

#include "mapping/sip/header_values.h"

#include <algorithm>
#include <array>

namespace stox::presence {

namespace {

using std::chrono::seconds;
using Follow = Ending::Follow;

struct FailureRow {
    int status;
    Failure failure;
};

// What is not listed is as its class is: 3xx moved, all else transient.
constexpr std::array kFailures{
    FailureRow{401, Failure::credentials},  //
    FailureRow{403, Failure::refused},      //
    FailureRow{404, Failure::absent},       //
    FailureRow{405, Failure::unable},       //
    FailureRow{406, Failure::unable},       //
    FailureRow{407, Failure::credentials},  //
    FailureRow{410, Failure::absent},       //
    FailureRow{481, Failure::lost},         //
    FailureRow{489, Failure::unable},       //
    FailureRow{603, Failure::refused},      //
    FailureRow{604, Failure::absent},       //
};
static_assert(std::ranges::is_sorted(kFailures, {}, &FailureRow::status));

struct ReasonRow {
    std::string_view reason;
    Follow follow;
    int wait_s;
};

constexpr std::array kReasons{
    ReasonRow{"rejected", Follow::refused, 0},     //
    ReasonRow{"noresource", Follow::refused, 0},   //
    ReasonRow{"deactivated", Follow::at_once, 0},  //
    ReasonRow{"probation", Follow::later, 300},    //
    ReasonRow{"giveup", Follow::later, 3600},      //
    ReasonRow{"timeout", Follow::at_once, 0},      //
    ReasonRow{"invariant", Follow::settled, 0},    //
};

}  // namespace

Failure failure_of(int status) {
    const auto row = std::ranges::lower_bound(kFailures, status, {}, &FailureRow::status);
    if (row != kFailures.end() && row->status == status) return row->failure;
    return status / 100 == 3 ? Failure::moved : Failure::transient;
}

Ending ending_of(std::string_view reason) {
    const auto row = std::ranges::find_if(kReasons, [&](const ReasonRow& one) { return sip::same_token(one.reason, reason); });
    return row == kReasons.end() ? Ending{} : Ending{row->follow, seconds(row->wait_s)};
}

Standing standing_of(std::string_view value, bool ever_active) {
    const auto token = value.substr(0, value.find_first_of("; \t"));
    if (sip::same_token(token, "active")) return Standing::active;
    if (sip::same_token(token, "pending")) return Standing::pending;
    if (sip::same_token(token, "terminated")) return Standing::terminated;
    return ever_active ? Standing::active : Standing::pending;
}

}  // namespace stox::presence
