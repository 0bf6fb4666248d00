#include "mapping/im/cpim.h"

#include "mapping/charset.h"
#include "mapping/im/lines.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

namespace stox::im {

namespace {

constexpr std::size_t kMaxHeaders = 64;

// Escapes   (RFC 3862 §2.3)

struct Escape {
    char letter, octet;
};
constexpr Escape kEscapes[] = {{'b', '\b'}, {'t', '\t'}, {'n', '\n'}, {'r', '\r'}};

void append_utf8(std::string& text, std::uint32_t c) {
    if (c < 0x80) {
        text += static_cast<char>(c);
    } else if (c < 0x800) {
        text += static_cast<char>(0xC0 | c >> 6);
        text += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        text += static_cast<char>(0xE0 | c >> 12);
        text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (c & 0x3F));
    } else {
        text += static_cast<char>(0xF0 | c >> 18);
        text += static_cast<char>(0x80 | (c >> 12 & 0x3F));
        text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (c & 0x3F));
    }
}

/// The four hex digits behind "\u".
std::optional<std::uint32_t> code_unit(std::string_view text) {
    if (text.size() < 4) return std::nullopt;
    std::uint32_t unit = 0;
    for (const char c : text.substr(0, 4)) {
        if (c >= '0' && c <= '9')
            unit = unit << 4 | static_cast<std::uint32_t>(c - '0');
        else if (lower(c) >= 'a' && lower(c) <= 'f')
            unit = unit << 4 | static_cast<std::uint32_t>(lower(c) - 'a' + 10);
        else
            return std::nullopt;
    }
    return unit;
}

/// A UCS-2 escape; two of them may be one character. A half of a pair alone is no character.
void append_escaped(std::string& text, std::uint32_t unit, std::string_view& rest) {
    constexpr std::uint32_t kReplacement = 0xFFFD;
    if (unit >= 0xD800 && unit < 0xDC00 && rest.starts_with("\\u")) {
        const auto second = code_unit(rest.substr(2));
        if (second && *second >= 0xDC00 && *second < 0xE000) {
            rest.remove_prefix(6);
            return append_utf8(text, 0x10000 + ((unit - 0xD800) << 10) + (*second - 0xDC00));
        }
    }
    append_utf8(text, unit >= 0xD800 && unit < 0xE000 ? kReplacement : unit);
}

std::string unescape(std::string_view rest) {
    std::string text;
    while (!rest.empty()) {
        const char c = rest[0];
        rest.remove_prefix(1);
        if (c != '\\') {
            text += c;
            continue;
        }
        if (rest.empty()) break;  // one at the very end means nothing
        const char letter = rest[0];
        rest.remove_prefix(1);
        const auto unit = letter == 'u' ? code_unit(rest) : std::nullopt;
        const auto* known = std::ranges::find(kEscapes, letter, &Escape::letter);
        if (unit) {
            rest.remove_prefix(4);
            append_escaped(text, *unit, rest);
        } else {
            text += known != std::end(kEscapes) ? known->octet : letter;
        }
    }
    return text;
}

std::string escape(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::string escaped;
    for (const char c : text) {
        const auto* known = std::ranges::find(kEscapes, c, &Escape::octet);
        const auto octet = static_cast<unsigned char>(c);
        if (c == '\\')
            escaped += "\\\\";
        else if (known != std::end(kEscapes))
            (escaped += '\\') += known->letter;
        else if (octet < 0x20 || octet == 0x7F)
            ((escaped += "\\u00") += kHex[octet >> 4]) += kHex[octet & 15];
        else
            escaped += c;
    }
    return escaped;
}

// Names

/// Name of RFC 3862 §3.1; the '.' is not part of one.
bool is_name(std::string_view name) {
    static constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} .";
    return !name.empty() &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F && kSeparators.find(c) == kSeparators.npos; });
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// The namespaces of the headers that follow, by their prefix; "" is the one of those without.
using Prefixes = std::map<std::string, std::string, std::less<>>;

struct Name {
    std::string ns, name;
};

Result<Name> resolve(std::string_view text, const Prefixes& prefixes) {
    const auto dot = text.find('.');
    const auto prefix = dot == text.npos ? std::string_view() : text.substr(0, dot);
    const auto name = dot == text.npos ? text : text.substr(dot + 1);
    if (!is_name(name) || (dot != text.npos && !is_name(prefix))) return fail(Code::malformed, "name of a CPIM header");
    const auto ns = prefixes.find(prefix);
    if (ns == prefixes.end()) return fail(Code::malformed, "a CPIM prefix that was not declared");
    return Name{ns->second, std::string(name)};
}

/// Whether a Require that names this is fulfilled: what RFC 3862 defines, and what RFC 5438 asks of a recipient.
bool is_understood(const Name& name) {
    constexpr std::string_view kKnown[] = {"From", "To", "cc", "DateTime", "Subject", "NS", "Require"};
    constexpr std::string_view kKnownImdn[] = {"Message-ID", "Disposition-Notification", "Original-To", "IMDN-Record-Route",
                                               "IMDN-Route"};
    if (name.ns == kCpimNs) return std::ranges::find(kKnown, name.name) != std::end(kKnown);
    return name.ns == kImdnHeaderNs && std::ranges::find(kKnownImdn, name.name) != std::end(kKnownImdn);
}

/// A line as its name, its parameters and its value.
struct Line {
    std::string_view name, parameters, value;
};

/// The parameters of a header end at the first space that is not quoted.   (RFC 3862 §3.6)
Result<Line> split(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == line.npos) return fail(Code::malformed, "a CPIM line that is no header");
    Line parts{line.substr(0, colon), {}, line.substr(colon + 1)};
    if (parts.value.starts_with(';')) {
        bool quoted = false;
        std::size_t end = 0;
        for (; end < parts.value.size() && (quoted || parts.value[end] != ' '); ++end)
            if (parts.value[end] == '"') quoted = !quoted;
        parts.parameters = parts.value.substr(0, end);
        parts.value.remove_prefix(end);
    }
    parts.value = trim(parts.value);
    return parts;
}

std::string lang_of(std::string_view parameters) {
    while (!parameters.empty()) {
        parameters.remove_prefix(1);
        const auto end = std::min(parameters.find(';'), parameters.size());
        const auto parameter = parameters.substr(0, end);
        if (parameter.starts_with("lang=")) return std::string(parameter.substr(5));
        parameters.remove_prefix(end);
    }
    return {};
}

Result<void> declare(Prefixes& prefixes, std::string_view value) {
    const auto open = value.find('<');
    if (open == value.npos || !value.ends_with('>')) return fail(Code::malformed, "a CPIM namespace");
    const auto prefix = trim(value.substr(0, open));
    if (!prefix.empty() && !is_name(prefix)) return fail(Code::malformed, "a CPIM prefix");
    prefixes.insert_or_assign(std::string(prefix), std::string(value.substr(open + 1, value.size() - open - 2)));
    return ok();
}

Result<void> fulfil(std::string_view value, const Prefixes& prefixes) {
    while (!value.empty()) {
        const auto end = std::min(value.find(','), value.size());
        BOOST_OUTCOME_TRY(name, resolve(trim(value.substr(0, end)), prefixes));
        if (!is_understood(name)) return fail(Code::unsupported, "a CPIM feature that is required");
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return ok();
}

Result<void> read_header(Cpim& message, Prefixes& prefixes, std::string_view line) {
    if (has_control(line)) return fail(Code::malformed, "a control character in a CPIM header");
    if (!to_utf8(line, "utf-8")) return fail(Code::malformed, "a CPIM header that is not UTF-8");
    if (message.headers.size() + prefixes.size() > kMaxHeaders) return fail(Code::too_large, "CPIM headers");
    BOOST_OUTCOME_TRY(parts, split(line));
    BOOST_OUTCOME_TRY(name, resolve(parts.name, prefixes));
    if (name.ns == kCpimNs && name.name == "NS") return declare(prefixes, unescape(parts.value));
    if (name.ns == kCpimNs && name.name == "Require") return fulfil(parts.value, prefixes);
    message.headers.push_back({name.ns, name.name, unescape(parts.value), lang_of(parts.parameters)});
    return ok();
}

/// A Content-Length inside cuts off what a sender put behind the content.
void cut(Entity& content) {
    const auto length = sip::leading_number(content.header("Content-Length"));
    if (length && *length < content.body.size()) content.body.resize(*length);
}

/// "imdn" for RFC 5438's, "x1", "x2" ... for others; the default needs none.
std::string prefix_of(std::string_view ns, std::map<std::string, std::string, std::less<>>& chosen, std::string& out) {
    if (ns == kCpimNs) return {};
    auto found = chosen.find(ns);
    if (found == chosen.end()) {
        auto prefix = ns == kImdnHeaderNs ? std::string("imdn") : "x" + std::to_string(chosen.size() + 1);
        ((((out += "NS: ") += prefix) += " <") += escape(ns)) += ">\r\n";
        found = chosen.emplace(ns, std::move(prefix)).first;
    }
    return found->second + '.';
}

bool is_language(std::string_view tag) {
    return !tag.empty() && std::ranges::all_of(tag, [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

}  // namespace

const CpimHeader* Cpim::header(std::string_view ns, std::string_view name) const {
    const auto found = std::ranges::find_if(headers, [&](const CpimHeader& one) { return one.ns == ns && one.name == name; });
    return found == headers.end() ? nullptr : &*found;
}

std::vector<std::string> Cpim::values(std::string_view ns, std::string_view name) const {
    std::vector<std::string> all;
    for (const auto& one : headers)
        if (one.ns == ns && one.name == name) all.push_back(one.value);
    return all;
}

Result<Cpim> read_cpim(std::string_view octets) {
    Cpim message;
    Prefixes prefixes{{"", std::string(kCpimNs)}};
    bool ended = false, any = false;
    while (!ended && !octets.empty()) {
        const auto line = take_line(octets);
        ended = line.empty();
        if (ended) break;
        any = true;
        BOOST_OUTCOME_TRY(read_header(message, prefixes, line));
    }
    if (!any || !ended) return fail(Code::malformed, "CPIM without headers or content");
    BOOST_OUTCOME_TRY(content, read_entity(octets));
    message.content = std::move(content);
    cut(message.content);
    return message;
}

std::string write_cpim(const Cpim& message) {
    std::string out;
    std::map<std::string, std::string, std::less<>> chosen;
    for (const auto& header : message.headers) {
        if (!is_name(header.name)) continue;
        const auto prefix = prefix_of(header.ns, chosen, out);
        ((out += prefix) += header.name) += ':';
        if (is_language(header.lang)) (out += ";lang=") += header.lang;
        ((out += ' ') += escape(header.value)) += "\r\n";
    }
    out += "\r\n";
    for (const auto& header : message.content.headers) (((out += header.name) += ": ") += header.value) += "\r\n";
    return (out += "\r\n") += message.content.body;
}

std::string cpim_uri(std::string_view value) {
    const auto open = value.rfind('<');
    const auto close = open == value.npos ? value.npos : value.find('>', open);
    return close == value.npos ? std::string() : std::string(trim(value.substr(open + 1, close - open - 1)));
}

}  // namespace stox::im
