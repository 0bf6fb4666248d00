#include "plugin/engine/dial_plan.h"

#include <algorithm>

namespace stox::engine {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_dialled(char c) { return is_digit(c) || c == '*' || c == '#'; }

}  // namespace

bool matches(std::string_view pattern, std::string_view digits) {
    const bool open = pattern.ends_with('.');
    if (open) pattern.remove_suffix(1);
    if (open ? digits.size() <= pattern.size() : digits.size() != pattern.size()) return false;
    const auto same = [](char wanted, char dialled) { return wanted == 'x' ? is_digit(dialled) : wanted == dialled; };
    return std::ranges::equal(pattern, digits.substr(0, pattern.size()), same) &&
           std::ranges::all_of(digits.substr(pattern.size()), is_dialled);
}

bool is_known(const config::PhoneOptions& options, const PhoneNumber& number) {
    if (number.is_global()) return true;
    if (const auto* context = number.context()) return std::ranges::find(options.contexts, *context) != options.contexts.end();
    return std::ranges::any_of(options.dial_plan, [&](const auto& pattern) { return matches(pattern, number.digits); });
}

bool is_emergency(const config::PhoneOptions& options, const PhoneNumber& number) {
    return std::ranges::find(options.emergency_numbers, number.digits) != options.emergency_numbers.end();
}

}  // namespace stox::engine
