#include "mapping/im/mime.h"

#include "mapping/im/lines.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace stox::im {

namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046 §5.1.1

/// bchars of RFC 2046 §5.1.1; a space may not be the last.
bool is_boundary(std::string_view text) {
    static constexpr std::string_view kMarks = "'()+_,-./:=? ";
    return !text.empty() && text.size() <= kMaxBoundary && text.back() != ' ' && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || kMarks.find(c) != kMarks.npos;
    });
}

bool is_header_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F; });
}

enum class Delimiter { none, next, last };

/// Whether a line is "--boundary" or "--boundary--"; white space may follow.
Delimiter delimiter(std::string_view line, std::string_view boundary) {
    if (!line.starts_with("--")) return Delimiter::none;
    line.remove_prefix(2);
    if (!line.starts_with(boundary)) return Delimiter::none;
    line.remove_prefix(boundary.size());
    const bool last = line.starts_with("--");
    if (last) line.remove_prefix(2);
    if (!trim(line).empty()) return Delimiter::none;
    return last ? Delimiter::last : Delimiter::next;
}

/// The line end before a boundary belongs to the boundary.
std::string_view without_last_line_end(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
    return std::nullopt;
}

std::optional<int> base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return std::nullopt;
}

/// RFC 2045 §6.8; line ends and spaces between are passed over.
Result<std::string> decode_base64(std::string_view text) {
    std::string octets;
    std::uint32_t bits = 0;
    unsigned held = 0;
    bool padded = false;
    for (const char c : text) {
        if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
        if (c == '=') {
            padded = true;
            continue;
        }
        const auto digit = base64_digit(c);
        if (!digit || padded) return fail(Code::malformed, "base64");
        bits = bits << 6 | static_cast<std::uint32_t>(*digit);
        held += 6;
        if (held >= 8) {
            held -= 8;
            octets += static_cast<char>(bits >> held & 0xFF);
        }
    }
    if (held >= 6) return fail(Code::malformed, "base64");
    return octets;
}

/// RFC 2045 §6.7.
Result<std::string> decode_quoted_printable(std::string_view text) {
    std::string octets;
    while (!text.empty()) {
        const bool ends = text.find('\n') != text.npos;
        auto line = take_line(text);
        while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
        const bool soft = line.ends_with('=');
        if (soft) line.remove_suffix(1);
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line[i] != '=') {
                octets += line[i];
                continue;
            }
            const auto high = i + 2 < line.size() ? hex_digit(line[i + 1]) : std::nullopt;
            const auto low = high ? hex_digit(line[i + 2]) : std::nullopt;
            if (!low) return fail(Code::malformed, "quoted-printable");
            octets += static_cast<char>(*high << 4 | *low);
            i += 2;
        }
        if (ends && !soft) octets += "\r\n";
    }
    return octets;
}

}  // namespace

const std::string* Entity::header(std::string_view name) const {
    const auto found = std::ranges::find_if(headers, [name](const sip::Header& one) { return same_word(one.name, name); });
    return found == headers.end() ? nullptr : &found->value;
}

Result<sip::ParameterizedValue> read_media_type(std::string_view text) {
    auto type = sip::read_parameterized(text);
    if (!type) return fail(Code::unsupported, "content type");
    auto& name = type.value().value;
    const auto slash = name.find('/');
    if (slash == name.npos || slash == 0 || slash + 1 == name.size()) return fail(Code::unsupported, "content type");
    std::ranges::transform(name, name.begin(), lower);
    return type;
}

Result<Entity> read_entity(std::string_view octets) {
    Entity entity;
    while (!octets.empty()) {
        const auto line = take_line(octets);
        if (line.empty()) break;
        if (line.size() > kMaxHeaderLine) return fail(Code::too_large, "a header inside a body");
        if (line[0] == ' ' || line[0] == '\t') {  // folded
            if (entity.headers.empty()) return fail(Code::malformed, "a part that starts with a folded line");
            auto& value = entity.headers.back().value;
            (value += ' ') += trim(line);
            if (value.size() > kMaxHeaderLine) return fail(Code::too_large, "a header inside a body");
            continue;
        }
        const auto colon = line.find(':');
        const auto name = trim(line.substr(0, colon));
        if (colon == line.npos || !is_header_name(name)) return fail(Code::malformed, "a line inside a body that is no header");
        if (entity.headers.size() == kMaxMimeHeaders) return fail(Code::too_large, "headers inside a body");
        entity.headers.push_back({std::string(name), std::string(trim(line.substr(colon + 1)))});
    }
    entity.body = octets;
    return entity;
}

Result<std::string> decode_transfer(const Entity& entity) {
    const auto* named = entity.header("Content-Transfer-Encoding");
    const std::string_view encoding = named ? trim(*named) : std::string_view("binary");
    for (const std::string_view plain : {"7bit", "8bit", "binary"})
        if (same_word(encoding, plain)) return entity.body;
    if (same_word(encoding, "base64")) return decode_base64(entity.body);
    if (same_word(encoding, "quoted-printable")) return decode_quoted_printable(entity.body);
    return fail(Code::unsupported, "a transfer encoding");
}

Result<std::vector<Entity>> read_multipart(std::string_view body, std::string_view boundary) {
    if (!is_boundary(boundary)) return fail(Code::malformed, "no boundary");
    std::vector<Entity> parts;
    std::optional<std::string_view> part;  // from its first octet to the end of the body
    const auto end_part = [&](const char* end) -> Result<void> {
        if (!part) return ok();
        const auto octets = without_last_line_end(part->substr(0, static_cast<std::size_t>(end - part->data())));
        if (parts.size() == kMaxParts) return fail(Code::too_large, "parts of a body");
        BOOST_OUTCOME_TRY(entity, read_entity(octets));
        parts.push_back(std::move(entity));
        return ok();
    };
    auto rest = body;
    while (!rest.empty()) {
        const auto* start = rest.data();
        const auto found = delimiter(take_line(rest), boundary);
        if (found == Delimiter::none) continue;
        BOOST_OUTCOME_TRY(end_part(start));
        part.reset();
        if (found == Delimiter::last) break;
        part = rest;
    }
    BOOST_OUTCOME_TRY(end_part(body.data() + body.size()));
    if (parts.empty()) return fail(Code::malformed, "a multipart body without parts");
    return parts;
}

std::string write_multipart(const std::vector<Entity>& parts, std::string_view boundary) {
    std::string body;
    for (const auto& part : parts) {
        ((body += "--") += boundary) += "\r\n";
        for (const auto& header : part.headers) (((body += header.name) += ": ") += header.value) += "\r\n";
        ((body += "\r\n") += part.body) += "\r\n";
    }
    return ((body += "--") += boundary) += "--\r\n";
}

}  // namespace stox::im
