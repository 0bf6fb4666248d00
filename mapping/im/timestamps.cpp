#include "mapping/im/timestamps.h"

#include "mapping/im/lines.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace stox::im {

namespace {

using namespace std::chrono;

/// Takes exactly that many digits off the front.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    unsigned number = 0;
    for (const char c : text.substr(0, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || lower(text[0]) != c) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<UtcTime> make(unsigned y, unsigned m, unsigned d, seconds in_day) {
    const year_month_day date{year(static_cast<int>(y)), month(m), day(d)};
    if (!date.ok() || y < 1970) return std::nullopt;
    return UtcTime(sys_days(date)) + in_day;
}

/// "12:16:49"
std::optional<seconds> take_clock(std::string_view& text) {
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    return hours(*hour) + minutes(*minute) + seconds(std::min(*second, 59u));
}

std::optional<milliseconds> take_fraction(std::string_view& text) {
    milliseconds fraction{};
    if (!take(text, '.')) return fraction;
    unsigned digits = 0;
    for (int weight = 100; !text.empty() && text[0] >= '0' && text[0] <= '9'; weight /= 10, ++digits, text.remove_prefix(1))
        fraction += milliseconds((text[0] - '0') * weight);
    if (digits == 0) return std::nullopt;
    return fraction;
}

/// "Z" or "-05:00", as what is to be added.
std::optional<minutes> take_offset(std::string_view& text) {
    if (take(text, 'z')) return minutes{};
    const bool behind = take(text, '-');
    if (!behind && !take(text, '+')) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    const auto offset = hours(*hour) + minutes(*minute);
    return behind ? offset : -offset;
}

/// "2026-04-04T17:16:49"
std::string date_and_clock(UtcTime time) {
    const auto whole = floor<seconds>(time);
    const auto date = floor<days>(whole);
    const year_month_day civil(date);
    const hh_mm_ss clock(whole - date);
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(civil.year()),
                  static_cast<unsigned>(civil.month()), static_cast<unsigned>(civil.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};

}  // namespace

std::optional<UtcTime> read_time(std::string_view text) {
    text = trim(text);
    const auto y = take_digits(text, 4);
    if (!y || !take(text, '-')) return std::nullopt;
    const auto m = take_digits(text, 2);
    if (!m || !take(text, '-')) return std::nullopt;
    const auto d = take_digits(text, 2);
    if (!d || !(take(text, 't') || take(text, ' '))) return std::nullopt;
    const auto clock = take_clock(text);
    const auto fraction = clock ? take_fraction(text) : std::nullopt;
    const auto offset = fraction ? take_offset(text) : std::nullopt;
    if (!offset || !text.empty()) return std::nullopt;
    const auto time = make(*y, *m, *d, *clock);
    if (!time) return std::nullopt;
    // The offset may lead out of the years that we can write.
    constexpr UtcTime kFirst = sys_days(year(1970) / 1 / 1), kBehindLast = sys_days(year(10'000) / 1 / 1);
    const auto utc = *time + *fraction + *offset;
    return utc >= kFirst && utc < kBehindLast ? std::optional(utc) : std::nullopt;
}

std::string write_time(UtcTime time) { return date_and_clock(time) + 'Z'; }

std::string write_precise_time(UtcTime time) {
    char fraction[16];
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>((time - floor<seconds>(time)).count()));
    return date_and_clock(time) + fraction;
}

std::optional<UtcTime> read_sip_date(std::string_view text) {
    text = trim(text);
    const auto comma = text.find(',');
    if (comma == text.npos) return std::nullopt;
    text = trim(text.substr(comma + 1));
    const auto d = take_digits(text, 2);
    if (!d || !take(text, ' ') || text.size() < 3) return std::nullopt;
    const auto* m = std::ranges::find_if(kMonths, [&](std::string_view name) { return same_word(name, text.substr(0, 3)); });
    text.remove_prefix(3);
    if (m == kMonths.end() || !take(text, ' ')) return std::nullopt;
    const auto y = take_digits(text, 4);
    if (!y || !take(text, ' ')) return std::nullopt;
    const auto clock = take_clock(text);
    if (!clock || !same_word(text, " gmt")) return std::nullopt;
    return make(*y, static_cast<unsigned>(m - kMonths.begin()) + 1, *d, *clock);
}

}  // namespace stox::im
