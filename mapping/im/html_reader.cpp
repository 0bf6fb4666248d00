#include "mapping/im/html_reader.h"

#include "mapping/im/lines.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace stox::im {

namespace {

struct Reference {
    std::string_view name, text;
};
constexpr std::array kReferences{
    Reference{"amp", "&"},
    Reference{"apos", "'"},
    Reference{"auml", "\xC3\xA4"},
    Reference{"Auml", "\xC3\x84"},
    Reference{"bull", "\xE2\x80\xA2"},
    Reference{"cent", "\xC2\xA2"},
    Reference{"copy", "\xC2\xA9"},
    Reference{"eacute", "\xC3\xA9"},
    Reference{"euro", "\xE2\x82\xAC"},
    Reference{"gt", ">"},
    Reference{"hellip", "\xE2\x80\xA6"},
    Reference{"laquo", "\xC2\xAB"},
    Reference{"ldquo", "\xE2\x80\x9C"},
    Reference{"lsquo", "\xE2\x80\x98"},
    Reference{"lt", "<"},
    Reference{"mdash", "\xE2\x80\x94"},
    Reference{"nbsp", " "},
    Reference{"ndash", "\xE2\x80\x93"},
    Reference{"ouml", "\xC3\xB6"},
    Reference{"Ouml", "\xC3\x96"},
    Reference{"pound", "\xC2\xA3"},
    Reference{"quot", "\""},
    Reference{"raquo", "\xC2\xBB"},
    Reference{"rdquo", "\xE2\x80\x9D"},
    Reference{"reg", "\xC2\xAE"},
    Reference{"rsquo", "\xE2\x80\x99"},
    Reference{"szlig", "\xC3\x9F"},
    Reference{"trade", "\xE2\x84\xA2"},
    Reference{"uuml", "\xC3\xBC"},
    Reference{"Uuml", "\xC3\x9C"},
    Reference{"yen", "\xC2\xA5"},
};
constexpr std::size_t kMaxReference = 12;

/// The character as UTF-8; what no text may hold is U+FFFD.
std::string utf8(std::uint32_t c) {
    const bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
    if (control || (c >= 0xD800 && c < 0xE000) || c == 0xFFFE || c == 0xFFFF || c > 0x10FFFF) c = 0xFFFD;
    std::string text;
    const auto trail = [&text](std::uint32_t bits) { text += static_cast<char>(0x80 | (bits & 0x3F)); };
    if (c < 0x80) {
        text += static_cast<char>(c);
    } else if (c < 0x800) {
        text += static_cast<char>(0xC0 | c >> 6);
        trail(c);
    } else if (c < 0x10000) {
        text += static_cast<char>(0xE0 | c >> 12);
        trail(c >> 6), trail(c);
    } else {
        text += static_cast<char>(0xF0 | c >> 18);
        trail(c >> 12), trail(c >> 6), trail(c);
    }
    return text;
}

/// "#228", "#xE4", "auml"; empty: none that we know.
std::string resolve(std::string_view name) {
    if (!name.starts_with('#')) {
        const auto* known = std::ranges::find(kReferences, name, &Reference::name);
        return known == kReferences.end() ? std::string() : std::string(known->text);
    }
    name.remove_prefix(1);
    const bool hex = !name.empty() && lower(name[0]) == 'x';
    if (hex) name.remove_prefix(1);
    std::uint32_t number = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number, hex ? 16 : 10);
    if (name.empty() || end != name.data() + name.size() || failure != std::errc{}) return {};
    return utf8(number);
}

std::string with_references_resolved(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto mark = std::min(text.find('&'), text.size());
        out += text.substr(0, mark);
        text.remove_prefix(mark);
        if (text.empty()) break;
        const auto end = text.substr(0, kMaxReference).find(';');
        const auto character = end == text.npos ? std::string() : resolve(text.substr(1, end - 1));
        if (character.empty()) {
            out += '&';
            text.remove_prefix(1);
        } else {
            out += character;
            text.remove_prefix(end + 1);
        }
    }
    return out;
}

bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

void skip_space(std::string_view& rest) {
    while (!rest.empty() && is_space(rest[0])) rest.remove_prefix(1);
}

template <class Ends>
std::string_view take_until(std::string_view& rest, Ends ends) {
    std::size_t end = 0;
    while (end < rest.size() && !ends(rest[end])) ++end;
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(end);
    return taken;
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), lower);
    return result;
}

std::string_view take_value(std::string_view& rest) {
    if (rest.starts_with('"') || rest.starts_with('\'')) {
        const char quote = rest[0];
        rest.remove_prefix(1);
        const auto value = take_until(rest, [quote](char c) { return c == quote; });
        rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
        return value;
    }
    return take_until(rest, [](char c) { return is_space(c) || c == '>'; });
}

struct Tag {
    std::string name, href, alt;
};

/// What follows "<" or "</", past its '>'.
Tag take_tag(std::string_view& rest) {
    const auto ends_name = [](char c) { return is_space(c) || c == '>' || c == '/' || c == '='; };
    Tag tag;
    tag.name = lower_case(take_until(rest, ends_name));
    while (!rest.empty() && rest[0] != '>') {
        skip_space(rest);
        const auto name = lower_case(take_until(rest, ends_name));
        skip_space(rest);
        std::string_view value;
        if (rest.starts_with('=')) {
            rest.remove_prefix(1);
            skip_space(rest);
            value = take_value(rest);
        } else if (name.empty() && !rest.empty() && rest[0] != '>') {
            rest.remove_prefix(1);  // a '/' or a stray character
        }
        if (name == "href" && tag.href.empty()) tag.href = trim(with_references_resolved(value));
        if (name == "alt" && tag.alt.empty()) tag.alt = with_references_resolved(value);
    }
    rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
    return tag;
}

/// Past the end of a comment or a declaration.
void skip_markup(std::string_view& rest) {
    const bool comment = rest.starts_with("!--");
    const auto end = rest.find(comment ? "-->" : ">", comment ? 3 : 0);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + (comment ? 3 : 1));
}

/// Elements whose content is no text that anybody sees.
bool is_hidden(std::string_view name) { return name == "script" || name == "style" || name == "title"; }

/// Up to its end tag.
void skip_hidden(std::string_view& rest, std::string_view name) {
    while (!rest.empty()) {
        const auto mark = rest.find("</");
        if (mark == rest.npos) return rest.remove_prefix(rest.size());
        rest.remove_prefix(mark + 2);
        if (same_word(rest.substr(0, name.size()), name)) {
            take_tag(rest);
            return;
        }
    }
}

}  // namespace

void read_html(std::string_view html, HtmlSink& sink) {
    while (!html.empty()) {
        const auto mark = std::min(html.find('<'), html.size());
        if (mark > 0) sink.text(with_references_resolved(html.substr(0, mark)));
        html.remove_prefix(mark);
        if (html.empty()) return;
        html.remove_prefix(1);
        if (html.starts_with('!') || html.starts_with('?')) {
            skip_markup(html);
        } else if (html.size() > 1 && html[0] == '/' && is_letter(html[1])) {
            html.remove_prefix(1);
            sink.close(take_tag(html).name);
        } else if (!html.empty() && is_letter(html[0])) {
            const auto tag = take_tag(html);
            if (is_hidden(tag.name))
                skip_hidden(html, tag.name);
            else
                sink.open(tag.name, tag.href, tag.alt);
        } else {
            sink.text("<");
        }
    }
}

}  // namespace stox::im
