#include "mapping/sip/digest/ha1_file.h"

#include <algorithm>

namespace stox::sip::digest {

namespace {

constexpr std::size_t kMaxText_octets = 16 << 20;
constexpr std::size_t kMaxEntries = 100'000;

struct Line {
    std::string user;
    Ha1 ha1;
};

/// No user and no realm holds the separator: control characters are refused in the file and in headers.
std::string key_of(std::string_view user, std::string_view realm, Algorithm algorithm) {
    std::string key(user);
    key.append(1, '\0').append(realm).append(1, '\0').append(to_string(algorithm));
    return key;
}

std::string_view without_spaces_at_end(std::string_view line) {
    const auto last = line.find_last_not_of(" \t\r");
    return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// Cuts off what stands after the last colon.
std::optional<std::string_view> cut_last(std::string_view& line) {
    const auto colon = line.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto field = line.substr(colon + 1);
    line = line.substr(0, colon);
    return field;
}

Result<std::string> parse_hex(std::string_view text, Algorithm algorithm) {
    std::string hex(text);
    for (auto& c : hex) {
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return fail(Code::malformed, "the last field is not hex");
    }
    if (hex.size() != hex_digits(algorithm))
        return fail(Code::malformed,
                    std::string(to_string(algorithm)) + " takes " + std::to_string(hex_digits(algorithm)) + " hex digits");
    return hex;
}

Result<Line> parse_line(std::string_view rest) {
    if (!is_quotable(rest)) return fail(Code::malformed, "control character");
    const auto hex = cut_last(rest);
    const auto name = cut_last(rest);
    const auto colon = rest.find(':');
    if (!hex || !name || colon == std::string_view::npos) return fail(Code::malformed, "not user:realm:ALGORITHM:hex");
    const auto user = rest.substr(0, colon), realm = rest.substr(colon + 1);
    if (user.empty() || realm.empty()) return fail(Code::malformed, "empty user or realm");
    const auto algorithm = parse_algorithm(*name);
    if (!algorithm) return fail(Code::unsupported, "the algorithm is none of MD5, SHA-256, SHA-512-256");
    BOOST_OUTCOME_TRY(digits, parse_hex(*hex, algorithm.value()));
    return Line{std::string(user), {std::string(realm), algorithm.value(), std::move(digits)}};
}

auto fail_at(std::size_t number, Code code, std::string_view detail) {
    return fail(code, "line " + std::to_string(number) + ": " + std::string(detail));
}

}  // namespace

Result<Ha1Table> Ha1Table::parse(std::string_view text) {
    if (text.size() > kMaxText_octets) return fail(Code::too_large, "over 16 MiB");
    Ha1Table table;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = without_spaces_at_end(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) continue;
        auto parsed = parse_line(line);
        if (!parsed) return fail_at(number, parsed.error().code, parsed.error().detail);
        if (table.size() == kMaxEntries) return fail_at(number, Code::too_large, "over 100,000 entries");
        auto& [user, ha1] = parsed.value();
        auto key = key_of(user, ha1.realm, ha1.algorithm);
        if (!table.entries_.emplace(std::move(key), Entry{std::move(user), std::move(ha1)}).second)
            return fail_at(number, Code::malformed, "user, realm and algorithm stood there before");
    }
    return table;
}

std::optional<std::string> Ha1Table::find(std::string_view user, std::string_view realm, Algorithm algorithm) const {
    const auto found = entries_.find(key_of(user, realm, algorithm));
    return found == entries_.end() ? std::nullopt : std::optional(found->second.ha1.hex);
}

std::vector<Ha1> Ha1Table::of(std::string_view user) const {
    std::vector<Ha1> found;
    for (const auto& [key, entry] : entries_)
        if (entry.user == user) found.push_back(entry.ha1);
    return found;
}

}  // namespace stox::sip::digest
