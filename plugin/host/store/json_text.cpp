#include "plugin/host/store/json_text.h"

#include "mapping/utf8.h"

#include <algorithm>

namespace stox::store {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t kMostAreShorter = 768;               // octets, of a row

bool is_plain(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet >= 0x20 && octet < 0x80 && c != '"' && c != '\\';
}

/// A quote, a backslash or a control character.
void append_escape(std::string& out, char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    static constexpr std::string_view kControls = "\b\t\n\f\r", kLetters = "btnfr";
    const auto octet = static_cast<unsigned char>(c);
    if (const auto known = kControls.find(c); known != kControls.npos)
        (out += '\\') += kLetters[known];
    else if (octet >= 0x20)
        (out += '\\') += c;
    else
        ((out += "\\u00") += kHex[octet >> 4]) += kHex[octet & 15];
}

/// Runs of what stands for itself are taken together; `other` moves behind an octet, or more, that is no ASCII.
template <class Other>
void append(std::string& out, std::string_view text, Other other) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto* special = std::find_if(text.begin() + at, text.end(), [](char c) { return !is_plain(c); });
        const auto end = static_cast<std::size_t>(special - text.begin());
        out.append(text, at, end - at);
        at = end;
        if (at == text.size()) break;
        if (static_cast<unsigned char>(text[at]) < 0x80)
            append_escape(out, text[at++]);
        else
            other(at);
    }
    out += '"';
}

void append_octets(std::string& out, std::string_view any) {
    append(out, any, [&](std::size_t& at) {
        const auto octet = static_cast<unsigned char>(any[at++]);
        (out += static_cast<char>(0xc0 | octet >> 6)) += static_cast<char>(0x80 | (octet & 0x3f));
    });
}

}  // namespace

JsonText::JsonText() {
    out_.reserve(kMostAreShorter);
    out_ += '{';
}

void JsonText::begin(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    ((out_ += '"') += name) += "\":";
}

JsonText& JsonText::text(std::string_view name, std::string_view utf8) {
    begin(name);
    append(out_, utf8, [&](std::size_t& at) {
        const auto from = at;
        out_.append(next_code_point(utf8, at) < 0 ? kReplacement : utf8.substr(from, at - from));
    });
    return *this;
}

JsonText& JsonText::octets(std::string_view name, std::string_view any) {
    begin(name);
    append_octets(out_, any);
    return *this;
}

JsonText& JsonText::octets(std::string_view name, const std::vector<std::string>& list) {
    begin(name);
    out_ += '[';
    for (const auto& any : list) {
        if (&any != &list.front()) out_ += ',';
        append_octets(out_, any);
    }
    out_ += ']';
    return *this;
}

JsonText& JsonText::number(std::string_view name, std::uint64_t value) {
    begin(name);
    out_ += std::to_string(value);
    return *this;
}

JsonText& JsonText::flag(std::string_view name, bool value) {
    begin(name);
    out_ += value ? "true" : "false";
    return *this;
}

JsonText& JsonText::object(std::string_view name, JsonText value) {
    begin(name);
    out_ += value.finish();
    return *this;
}

std::string JsonText::finish() { return std::move(out_ += '}'); }

}  // namespace stox::store
