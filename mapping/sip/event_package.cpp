#include "mapping/sip/event_package.h"

#include "mapping/sip/header_values.h"

#include <algorithm>
#include <array>

namespace stox::sip {

namespace {

struct PhaseRow {
    SubscriptionPhase phase;
    std::string_view name;
};
constexpr std::array kPhases{PhaseRow{SubscriptionPhase::pending, "pending"}, PhaseRow{SubscriptionPhase::active, "active"},
                             PhaseRow{SubscriptionPhase::terminated, "terminated"}};

std::optional<std::chrono::seconds> seconds_of(const ParameterizedValue& value, std::string_view name) {
    const auto* parameter = value.parameter(name);
    const auto number = parameter && parameter->value ? read_number(*parameter->value) : std::nullopt;
    return number ? std::optional(std::chrono::seconds(*number)) : std::nullopt;
}

}  // namespace

Result<EventPackage> EventPackage::read(const std::string* value) {
    if (!value) return fail(Code::malformed, "no Event");
    BOOST_OUTCOME_TRY(parts, read_parameterized(*value));
    EventPackage event{parts.value};
    if (const auto* id = parts.parameter("id"); id && id->value) event.id = *id->value;
    return event;
}

std::string EventPackage::to_string() const { return id.empty() ? name : name + ";id=" + id; }

Result<SubscriptionState> SubscriptionState::read(const std::string* value) {
    if (!value) return fail(Code::malformed, "no Subscription-State");
    BOOST_OUTCOME_TRY(parts, read_parameterized(*value));
    SubscriptionState state;
    const auto row = std::ranges::find_if(kPhases, [&](const PhaseRow& known) { return same_token(known.name, parts.value); });
    if (row != kPhases.end()) state.phase = row->phase;
    state.expires = seconds_of(parts, "expires");
    state.retry_after = seconds_of(parts, "retry-after");
    if (const auto* reason = parts.parameter("reason"); reason && reason->value) state.reason = *reason->value;
    return state;
}

std::string SubscriptionState::to_string() const {
    std::string text(std::ranges::find(kPhases, phase, &PhaseRow::phase)->name);
    if (expires && phase != SubscriptionPhase::terminated) text += ";expires=" + std::to_string(expires->count());
    if (!reason.empty()) text += ";reason=" + reason;
    if (retry_after) text += ";retry-after=" + std::to_string(retry_after->count());
    return text;
}

}  // namespace stox::sip
