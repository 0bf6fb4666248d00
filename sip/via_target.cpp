#include "sip/via_target.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace stox::sip {

namespace {

/// Each as long as what it stands for, so that nothing moves.
struct Renamed {
    std::string_view name, harmless;
};
constexpr Renamed kMaddr{"maddr", "x-mad"}, kReceived{"received", "x-receiv"};

bool equal(std::span<const char> text, std::string_view lower) {
    return std::ranges::equal(text, lower, {},
                              [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Up to its line feed, or the whole of what is left; longer by what continues it (RFC 3261 §7.3.1).
std::size_t field_length(std::span<const char> octets) {
    const std::string_view text(octets.data(), octets.size());
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
        if (at + 1 == text.size() || (text[at + 1] != ' ' && text[at + 1] != '\t')) return at + 1;
    return text.size();
}

bool is_via(std::span<const char> field) {
    if (field.front() != 'v' && field.front() != 'V') return false;
    auto name = field.first(static_cast<std::size_t>(std::ranges::find(field, ':') - field.begin()));
    while (!name.empty() && is_space(name.back())) name = name.first(name.size() - 1);
    return equal(name, "via") || equal(name, "v");
}

/// Up to a comma that is not quoted.
std::span<char> first_value(std::span<char> field) {
    bool quoted = false;
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (quoted && field[i] == '\\') {
            ++i;
        } else if (field[i] == '"') {
            quoted = !quoted;
        } else if (field[i] == ',' && !quoted) {
            return field.first(i);
        }
    }
    return field;
}

void disarm(std::span<char> part, const Renamed& parameter) {
    const std::string_view text(part.data(), part.size());
    for (auto at = text.find(';'); at != text.npos; at = text.find(';', at)) {
        do ++at;
        while (at < text.size() && is_space(text[at]));
        if (text.size() - at < parameter.name.size()) return;
        const auto name = part.subspan(at, parameter.name.size());
        if (equal(name, parameter.name)) std::ranges::copy(parameter.harmless, name.begin());
    }
}

/// Calls `take` with each field before the blank line. False: there is none.
template <class Take>
bool for_each_field(std::span<char> octets, Take take) {
    while (!octets.empty()) {
        const auto field = octets.first(field_length(octets));
        if (field.front() == '\r' || field.front() == '\n') return true;
        take(field);
        octets = octets.subspan(field.size());
    }
    return false;
}

}  // namespace

void disarm_via(std::span<char> octets) {
    bool topmost = true;
    const bool ended = for_each_field(octets, [&](std::span<char> field) {
        if (!is_via(field)) return;
        disarm(field, kMaddr);
        if (std::exchange(topmost, false)) disarm(first_value(field), kReceived);
    });
    if (ended) return;
    for_each_field(octets, [](std::span<char> field) {
        if (is_via(field)) disarm(field, kReceived);
    });
}

}  // namespace stox::sip
