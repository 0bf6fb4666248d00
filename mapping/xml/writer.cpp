#include "mapping/xml/writer.h"

#include "mapping/utf8.h"
#include "mapping/xml/octet_set.h"

#include <algorithm>
#include <cstdint>

namespace stox::xml {

namespace {

constexpr std::string_view kXmlNs = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

constexpr std::size_t kMostAreShorter = 512;               // octets, of what is written

enum class Place { content, attribute };

/// What an ASCII character is written as; empty: as it is.
constexpr std::string_view reference(char c, Place place) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '\r':
            return "&#xD;";  // a reader would make LF of it (XML 1.0 §2.11)
        default:
            break;
    }
    if (place == Place::content) return {};
    switch (c) {
        case '\'':
            return "&apos;";
        case '"':
            return "&quot;";
        case '\t':
            return "&#x9;";  // a reader would make a space of both (XML 1.0 §3.3.3)
        case '\n':
            return "&#xA;";
        default:
            return {};
    }
}

constexpr bool is_xml_control(unsigned char c) { return c < 0x20 && c != '\t' && c != '\n' && c != '\r'; }

/// What does not stand for itself, or has to be looked at with what follows it.
constexpr OctetSet special_in(Place place) {
    OctetSet special("");
    for (unsigned octet = 0; octet < 256; ++octet) {
        const auto c = static_cast<char>(octet);
        if (octet >= 0x80 || is_xml_control(static_cast<unsigned char>(octet)) || !reference(c, place).empty()) special.add(c);
    }
    return special;
}

constexpr OctetSet kSpecialInContent = special_in(Place::content), kSpecialInAttribute = special_in(Place::attribute);

void append_escaped(std::string& out, std::string_view text, Place place) {
    const auto& special = place == Place::content ? kSpecialInContent : kSpecialInAttribute;
    const auto next_special = [&](std::size_t from) {
        return static_cast<std::size_t>(special.find(text.data() + from, text.data() + text.size()) - text.data());
    };
    std::size_t plain = 0;  // [plain, at) waits to be copied as it is
    for (std::size_t at = next_special(0); at < text.size(); at = next_special(at)) {
        const auto from = at;
        const auto code_point = next_code_point(text, at);
        auto by = code_point >= 0 && code_point < 0x80 ? reference(text[from], place) : std::string_view();
        const bool is_control = code_point >= 0 && code_point < 0x20 && by.empty();
        if (is_control || code_point < 0 || code_point == 0xFFFE || code_point == 0xFFFF) by = kReplacement;
        if (by.empty()) continue;
        out.append(text, plain, from - plain).append(by);
        plain = at;
    }
    out.append(text, plain);
}

void append_attribute(std::string& out, std::string_view prefix, std::string_view name, std::string_view value) {
    out += ' ';
    if (!prefix.empty()) out.append(prefix).append(1, ':');
    out.append(name).append("='");
    append_escaped(out, value, Place::attribute);
    out += '\'';
}

void append_attributes(std::string& out, const Element& element) {
    std::vector<std::string_view> foreign;  // its place in here is the number in its prefix
    for (const auto& attribute : element.attributes) {
        if (attribute.ns.empty()) {
            append_attribute(out, {}, attribute.name, attribute.value);
        } else if (attribute.ns == kXmlNs) {
            append_attribute(out, "xml", attribute.name, attribute.value);
        } else {
            const auto known = std::ranges::find(foreign, attribute.ns);
            const auto prefix = "ns" + std::to_string(known - foreign.begin());
            if (known == foreign.end()) {
                foreign.push_back(attribute.ns);
                append_attribute(out, "xmlns", prefix, attribute.ns);
            }
            append_attribute(out, prefix, attribute.name, attribute.value);
        }
    }
}

/// False: it is over `most` octets, and not whole.
bool append_element(std::string& out, const Element& element, std::string_view default_ns, std::size_t most) {
    // The namespace of the prefix xml is never a default one (Namespaces in XML §3).
    const bool is_xml = element.ns == kXmlNs;
    const auto open = out.size() + 1;
    out.append(is_xml ? "<xml:" : "<").append(element.name);
    const std::string tag = out.substr(open);
    if (!is_xml && element.ns != default_ns) {
        append_attribute(out, {}, "xmlns", element.ns);
        default_ns = element.ns;
    }
    append_attributes(out, element);
    if (element.children.empty()) {
        out += "/>";
        return out.size() <= most;
    }
    out += '>';
    for (const auto& node : element.children) {
        if (const auto* child = std::get_if<Element>(&node)) {
            if (!append_element(out, *child, default_ns, most)) return false;
        } else {
            append_escaped(out, std::get<std::string>(node), Place::content);
        }
        if (out.size() > most) return false;
    }
    out.append("</").append(tag).append(1, '>');
    return out.size() <= most;
}

}  // namespace

std::string write(const Element& element, std::string_view inherited_ns) {
    std::string out;
    out.reserve(kMostAreShorter);
    append_element(out, element, inherited_ns, std::string::npos);
    return out;
}

std::optional<std::string> write_within(const Element& element, std::size_t most, std::string_view inherited_ns) {
    std::string out;
    out.reserve(kMostAreShorter);
    if (!append_element(out, element, inherited_ns, most)) return std::nullopt;
    return out;
}

std::string escape(std::string_view text) {
    std::string out;
    append_escaped(out, text, Place::attribute);
    return out;
}

}  // namespace stox::xml
