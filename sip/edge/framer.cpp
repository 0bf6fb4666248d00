#include "sip/edge/framer.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace stox::sip {

namespace {

constexpr std::string_view kVersion = "SIP/2.0";
/// Longest name of a method, with room: RFC 4475 §3.1.1.2 has one of 42 characters. What begins with a longer word is no SIP.
constexpr std::size_t kLongestMethod = 128;

bool is_token_char(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return std::isalnum(octet) || std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
}

/// A method, or the beginning of one.
bool is_short_token(std::string_view word) { return word.size() <= kLongestMethod && std::ranges::all_of(word, is_token_char); }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// RFC 3261 §7.1, §7.2, as far as it tells SIP from anything else.
bool is_start_line(std::string_view line) {
    if (is_response(line)) {
        const auto code = line.substr(kVersion.size() + 1, 3);
        return code.size() == 3 && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
    }
    const auto method = line.substr(0, line.find(' '));
    return method.size() < line.size() && !method.empty() && is_short_token(method) && line.size() > kVersion.size() &&
           equal_ignoring_case(line.substr(line.size() - kVersion.size()), kVersion);
}

/// A request line of another version, or with something odd in it.
bool calls_itself_sip(std::string_view line) {
    constexpr std::string_view kName = " SIP/";
    const auto same = [](unsigned char x, unsigned char y) { return std::toupper(x) == y; };
    return std::search(line.begin(), line.end(), kName.begin(), kName.end(), same) != line.end();
}

/// Whether a line that has not ended yet can become one. It is false for none that does, or a stream that comes in pieces would
/// be judged otherwise than one that comes whole.
bool may_become_start_line(std::string_view part) {
    const auto line = trimmed(part);
    const auto word = line.substr(0, line.find_first_of(" \r\n"));
    return is_short_token(word) || equal_ignoring_case(word, kVersion.substr(0, word.size()));
}

/// Values of a header field that may be a list: commas outside of quotes and angle brackets.
std::size_t count_values(std::string_view value) {
    if (value.find(',') == value.npos) return 1;
    std::size_t values = 1;
    bool quoted = false, bracketed = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (quoted && c == '\\') {
            ++i;
        } else if (c == '"' && !bracketed) {
            quoted = !quoted;
        } else if (!quoted) {
            if (c == '<') bracketed = true;
            if (c == '>') bracketed = false;
            if (c == ',' && !bracketed) ++values;
        }
    }
    return values;
}

struct Head {
    std::optional<std::size_t> content_length;  ///< one over Limits::body_octets: more than that
};

/// What is counted while the header section is read.
struct Tally {
    std::size_t headers = 0, vias = 0, routes = 0, record_routes = 0;
};

Result<void> count_header(std::string_view field, const Limits& limits, Tally& tally, Head& head) {
    const auto colon = field.find(':');
    if (colon == field.npos) return fail(Code::malformed, "a header without a colon");
    const auto name = trimmed(field.substr(0, colon)), value = trimmed(field.substr(colon + 1));
    if (++tally.headers > limits.headers) return fail(Code::too_large, "too many headers");
    if (equal_ignoring_case(name, "via") || equal_ignoring_case(name, "v")) tally.vias += count_values(value);
    if (equal_ignoring_case(name, "route")) tally.routes += count_values(value);
    if (equal_ignoring_case(name, "record-route")) tally.record_routes += count_values(value);
    if (tally.vias > limits.via_values) return fail(Code::too_large, "too many Via values");
    if (std::max(tally.routes, tally.record_routes) > limits.route_values) return fail(Code::too_large, "too many routes");
    if (!equal_ignoring_case(name, "content-length") && !equal_ignoring_case(name, "l")) return ok();
    if (head.content_length) return fail(Code::malformed, "two Content-Length");
    if (value.empty() || !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; }))
        return fail(Code::malformed, "Content-Length is no number");
    std::size_t length = 0;
    for (const char c : value)
        if (length <= limits.body_octets) length = length * 10 + static_cast<std::size_t>(c - '0');
    head.content_length = std::min(length, limits.body_octets + 1);
    return ok();
}

/// The start line, with its end, and the header fields behind it.
std::pair<std::string_view, std::string_view> split_start_line(std::string_view section) {
    const auto end = section.find('\n');
    const auto size = end == section.npos ? section.size() : end + 1;
    return {section.substr(0, size), section.substr(size)};
}

/// good  becomes the size of what precedes the field that breaks a rule
Result<Head> read_fields(std::string_view fields, const Limits& limits, std::size_t& good) {
    Head head;
    Tally tally;
    for (good = 0; good < fields.size();) {
        const auto rest = fields.substr(good);
        // A line that begins with white space goes on with the field before it (RFC 3261 §7.3.1).
        std::size_t end = 0;
        do {
            end = rest.find('\n', end);
            end = end == rest.npos ? rest.size() : end + 1;
        } while (end < rest.size() && (rest[end] == ' ' || rest[end] == '\t'));
        if (auto counted = count_header(rest.substr(0, end), limits, tally, head); !counted) return counted.error();
        good += end;
    }
    return head;
}

/// section  start line and header fields, without the blank line
Result<Head> read_head(std::string_view section, const Limits& limits) {
    if (section.find('\0') != section.npos) return fail(Code::malformed, "NUL in a header");
    const auto [line, fields] = split_start_line(section);
    if (!is_start_line(trimmed(line))) return fail(Code::malformed, "no SIP");
    std::size_t good;
    return read_fields(fields, limits, good);
}

/// A header section and the blank line behind it.
struct Section {
    std::size_t size, with_blank_line;
};

/// Looks from `from` on. Bare LF ends a line too: a reader behind us that takes it for one sees no other message than we do.
std::optional<Section> find_section(std::string_view text, std::size_t from) {
    for (auto at = text.find('\n', from); at != text.npos; at = text.find('\n', at + 1)) {
        if (at + 1 < text.size() && text[at + 1] == '\n') return Section{at + 1, at + 2};
        if (at + 2 < text.size() && text[at + 1] == '\r' && text[at + 2] == '\n') return Section{at + 1, at + 3};
    }
    return std::nullopt;
}

/// Two message readers end a line differently at a CR alone; so it has no place in a header section. npos: there is none.
std::size_t find_bare_cr(std::string_view section) {
    for (auto at = section.find('\r'); at != section.npos; at = section.find('\r', at + 1))
        if (at + 1 >= section.size() || section[at + 1] != '\n') return at;
    return section.npos;
}

/// Its first lines, as far as all readers see the same in them.
std::string_view plain_lines(std::string_view section) {
    const auto odd = std::min(find_bare_cr(section), section.find('\0'));
    if (odd == section.npos) return section;
    const auto end = section.substr(0, odd).rfind('\n');
    return section.substr(0, end == section.npos ? 0 : end + 1);
}

}  // namespace

bool is_response(std::string_view message) {
    return message.size() > kVersion.size() && message[kVersion.size()] == ' ' &&
           equal_ignoring_case(message.substr(0, kVersion.size()), kVersion);
}

Framed StreamFramer::violation(std::string reason) {
    broken_ = true;
    input_.clear();
    return Violation{std::move(reason)};
}

void StreamFramer::drop_read() {
    if (read_ == input_.size()) {
        input_.clear();
    } else if (read_ < 65'536) {
        return;
    } else {
        input_.erase(0, read_);
    }
    read_ = 0;
}

std::optional<Framed> StreamFramer::skip_blank_lines() {
    while (read_ < input_.size() && (input_[read_] == '\r' || input_[read_] == '\n')) {
        ++read_;
        if (++blank_ == 4) {
            blank_ = 0;
            drop_read();
            return Ping{};
        }
    }
    return std::nullopt;
}

std::optional<Framed> StreamFramer::head() {
    const auto text = std::string_view(input_).substr(read_);
    const auto section = find_section(text, scanned_);
    // A CR at the beginning of a line may be the blank line's, which does not count.
    const auto size = section ? section->size : text.size() - (text.ends_with("\n\r") ? 1 : 0);
    if (size > limits_.header_octets) return violation("header section too large");
    if (!section) {
        const auto line_end = text.find('\n');
        const auto line = text.substr(0, line_end);
        if (line_end == text.npos ? !may_become_start_line(line) : !is_start_line(trimmed(line))) return violation("no SIP");
        scanned_ = text.size() > 2 ? text.size() - 2 : 0;
        return std::nullopt;
    }
    if (find_bare_cr(text.substr(0, section->size)) != text.npos) return violation("CR alone in a header");
    const auto read = read_head(text.substr(0, section->size), limits_);
    if (!read) return violation(read.error().detail);
    // RFC 3261 §18.3: on a stream nothing else tells where the message ends.
    if (!read.value().content_length) return violation("no Content-Length");
    if (*read.value().content_length > limits_.body_octets) return violation("body too large");
    size_ = section->with_blank_line + *read.value().content_length;
    return std::nullopt;
}

std::optional<Framed> StreamFramer::next() {
    if (broken_) return std::nullopt;
    if (size_ == 0) {
        if (auto ping = skip_blank_lines()) return ping;
        if (read_ == input_.size()) {
            drop_read();
            return std::nullopt;
        }
        blank_ = 0;
        if (auto broken = head()) return broken;
    }
    if (size_ == 0 || input_.size() - read_ < size_) return std::nullopt;
    std::string message = input_.substr(read_, size_);
    read_ += size_;
    size_ = scanned_ = 0;
    drop_read();
    return message;
}

Datagram judge_datagram(std::string_view& octets, const Limits& limits) {
    const auto first = octets.find_first_not_of("\r\n");
    if (first == octets.npos || octets.size() < 2) return Datagram::noise;
    // STUN begins with two zero bits (RFC 5389 §6); no token of SIP does with a control character. SigComp: five one bits.
    const auto begin = static_cast<unsigned char>(octets[first]);
    if (begin < 0x20 || (begin & 0xf8) == 0xf8) return Datagram::noise;
    octets.remove_prefix(first);

    const auto section = find_section(octets, 0);
    const auto head = octets.substr(0, section ? section->size : octets.size());
    if (head.size() > limits.header_octets) return Datagram::too_large;
    const auto lines = plain_lines(head);
    const auto [line, fields] = split_start_line(lines);
    const bool proper = is_start_line(trimmed(line));
    if (!proper && !calls_itself_sip(line)) return Datagram::malformed;
    std::size_t good;
    const auto read = read_fields(fields, limits, good);
    if (!read && read.error().code == Code::too_large) return Datagram::too_large;
    // What ends before its blank line is refused by the guard, and answered.
    if (!proper || !read || lines.size() < head.size()) {
        octets = octets.substr(0, line.size() + good);
        return is_response(octets) ? Datagram::malformed : Datagram::message;
    }
    if (!section) return Datagram::message;
    const auto body = octets.size() - section->with_blank_line;
    if (body > limits.body_octets) return Datagram::too_large;
    const auto length = read.value().content_length.value_or(body);
    if (length > body) return is_response(octets) ? Datagram::malformed : Datagram::message;
    octets = octets.substr(0, section->with_blank_line + length);
    return Datagram::message;
}

}  // namespace stox::sip
