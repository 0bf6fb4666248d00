#include "mapping/ascii_names.h"

#include <algorithm>

namespace stox::ascii {

namespace {

constexpr std::size_t kMaxPart_octets = 1023;  // RFC 7622 §3.1
constexpr std::size_t kMaxLabel_octets = 63, kMaxName_octets = 253;  // RFC 1035 §2.3.4, without the root's dot
constexpr std::string_view kNoLocalpart = "\"&'/:<>@";  // nodeprep's own prohibitions

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_lower(c) || is_upper(c); }
bool is_letter_or_digit(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_label(std::string_view label) {
    if (label.empty() || label.size() > kMaxLabel_octets || label.starts_with('-') || label.ends_with('-')) return false;
    if (label.substr(std::min<std::size_t>(2, label.size())).starts_with("--")) return false;
    return std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

std::string lowered(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), to_lower);
    return result;
}

}  // namespace

std::optional<std::string> lower(std::string_view text) {
    if (!std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::nullopt;
    return lowered(text);
}

std::optional<std::string> localpart(std::string_view text) {
    const auto kept = [](char c) { return c > ' ' && c <= '~' && kNoLocalpart.find(c) == std::string_view::npos; };
    if (text.empty() || text.size() > kMaxPart_octets || !std::ranges::all_of(text, kept)) return std::nullopt;
    return lowered(text);
}

bool is_resource(std::string_view text) {
    return !text.empty() && text.size() <= kMaxPart_octets && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<std::string> domain(std::string_view text) {
    if (text.size() > kMaxName_octets) return std::nullopt;
    std::string_view rest = text, label;
    do {
        const auto dot = rest.find('.');
        label = rest.substr(0, dot);
        if (!is_label(label)) return std::nullopt;
        rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
        if (dot != label.npos && rest.empty()) return std::nullopt;  // a trailing dot
    } while (!rest.empty());
    if (!is_letter(label.front())) return std::nullopt;
    return lowered(text);
}

}  // namespace stox::ascii
