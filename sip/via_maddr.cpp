#include "sip/via_maddr.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace stox::sip {

namespace {

constexpr std::string_view kName = "maddr";
constexpr std::string_view kHarmless = "x-mad";  // as long, so that nothing moves

bool equal(std::span<const char> text, std::string_view lower) {
    return std::ranges::equal(text, lower, {},
                              [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Up to its line feed, or the whole of what is left; longer by what continues it (RFC 3261 §7.3.1).
std::size_t field_length(std::span<const char> octets) {
    for (std::size_t i = 0; i < octets.size(); ++i)
        if (octets[i] == '\n' && (i + 1 == octets.size() || (octets[i + 1] != ' ' && octets[i + 1] != '\t'))) return i + 1;
    return octets.size();
}

bool is_via(std::span<const char> field) {
    auto name = field.first(static_cast<std::size_t>(std::ranges::find(field, ':') - field.begin()));
    while (!name.empty() && is_space(name.back())) name = name.first(name.size() - 1);
    return equal(name, "via") || equal(name, "v");
}

void disarm(std::span<char> field) {
    bool after_semicolon = false;
    for (std::size_t i = 0; i + kName.size() <= field.size(); ++i) {
        if (after_semicolon && equal(field.subspan(i, kName.size()), kName))
            std::ranges::copy(kHarmless, field.subspan(i).begin());
        after_semicolon = field[i] == ';' || (after_semicolon && is_space(field[i]));
    }
}

}  // namespace

void disarm_via_maddr(std::span<char> octets) {
    while (!octets.empty()) {
        const auto field = octets.first(field_length(octets));
        if (field.front() == '\r' || field.front() == '\n') return;  // the blank line
        if (is_via(field)) disarm(field);
        octets = octets.subspan(field.size());
    }
}

}  // namespace stox::sip
