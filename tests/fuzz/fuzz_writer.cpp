// Any tree of elements with any text in it: what the writer makes of it is read back as it was, but for what no XML may hold, and
// nothing that stood in a text is markup afterwards. Octets say which element, attribute or text comes next.

#include "mapping/core/assert.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace {

using namespace stox;
using xml::Element;

constexpr std::size_t kDepth = 40, kChildren = 60;
constexpr std::array<std::string_view, 5> kNames{"message", "a", "x-y.z", "_", "\xC3\xA9\xC3\xA9"};
constexpr std::array<std::string_view, 7> kNamespaces{"",
                                                      "jabber:component:accept",
                                                      "urn:x",
                                                      "urn:x'y\"&<>",
                                                      "http://www.w3.org/XML/1998/namespace",
                                                      " ",
                                                      "jabber:client"};

class Octets {
public:
    explicit Octets(std::string_view all) : rest_(all) {}
    bool empty() const { return rest_.empty(); }
    unsigned next() {
        if (rest_.empty()) return 0;
        const auto octet = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return octet;
    }
    std::string text() {
        const auto size = std::min<std::size_t>(next(), rest_.size());
        std::string taken(rest_.substr(0, size));
        rest_.remove_prefix(size);
        return taken;
    }
    template <std::size_t N>
    std::string of(const std::array<std::string_view, N>& values) {
        return std::string(values[next() % N]);
    }

private:
    std::string_view rest_;
};

void add_attributes(Element& element, Octets& in) {
    for (unsigned left = in.next() % 4; left > 0 && !in.empty(); --left) {
        xml::Attribute attribute{in.of(kNamespaces), in.of(kNames), in.text()};
        const auto same = [&](const xml::Attribute& other) { return other.ns == attribute.ns && other.name == attribute.name; };
        if (std::ranges::none_of(element.attributes, same)) element.attributes.push_back(std::move(attribute));
    }
}

Element make(Octets& in, std::size_t depth) {
    Element element(in.of(kNamespaces), in.of(kNames));
    add_attributes(element, in);
    for (std::size_t children = 0; !in.empty() && children < kChildren; ++children) {
        const auto what = in.next() % 4;
        if (what == 0) break;
        if (what == 1 && depth < kDepth)
            element.add(make(in, depth + 1));
        else
            element.add_text(in.text());
    }
    return element;
}

/// The next character of UTF-8 (RFC 3629 §4), or nothing where none stands. Written anew: the program's own way is under test.
std::optional<std::uint32_t> take_character(std::string_view& text) {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto lead = at(0);
    const std::size_t size = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
    if (size == 0 || size > text.size()) return std::nullopt;
    std::uint32_t point = size == 1 ? lead : lead & (0xFFu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((at(i) & 0xC0) != 0x80) return std::nullopt;
        point = point << 6 | (at(i) & 0x3F);
    }
    const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
    if (overlong || (point >= 0xD800 && point < 0xE000) || point > 0x10FFFF) return std::nullopt;
    text.remove_prefix(size);
    return point;
}

/// XML 1.0 §2.2.
bool is_xml(std::string_view text) {
    while (!text.empty()) {
        const auto point = take_character(text);
        if (!point || *point == 0xFFFE || *point == 0xFFFF) return false;
        if (*point < 0x20 && *point != '\t' && *point != '\n' && *point != '\r') return false;
    }
    return true;
}

void check_text(std::string_view written, std::string_view read) {
    if (is_xml(written))
        STOX_ASSERT(read == written);
    else
        STOX_ASSERT(is_xml(read) && read.find("\xEF\xBF\xBD") != read.npos);
}

/// Neighbours of text are one text, an empty one is none.
std::vector<xml::Node> joined(const std::vector<xml::Node>& nodes) {
    std::vector<xml::Node> all;
    for (const auto& node : nodes) {
        const auto* text = std::get_if<std::string>(&node);
        if (text && text->empty()) continue;
        if (text && !all.empty() && std::holds_alternative<std::string>(all.back()))
            std::get<std::string>(all.back()) += *text;
        else
            all.push_back(node);
    }
    return all;
}

void check_same(const Element& written, const Element& read) {
    STOX_ASSERT(read.ns == written.ns && read.name == written.name);
    STOX_ASSERT(read.attributes.size() == written.attributes.size());
    for (std::size_t i = 0; i < read.attributes.size(); ++i) {
        STOX_ASSERT(read.attributes[i].ns == written.attributes[i].ns && read.attributes[i].name == written.attributes[i].name);
        check_text(written.attributes[i].value, read.attributes[i].value);
    }
    const auto before = joined(written.children);
    STOX_ASSERT(read.children.size() == before.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        STOX_ASSERT(read.children[i].index() == before[i].index());
        if (const auto* child = std::get_if<Element>(&before[i]))
            check_same(*child, std::get<Element>(read.children[i]));
        else
            check_text(std::get<std::string>(before[i]), std::get<std::string>(read.children[i]));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Octets in({reinterpret_cast<const char*>(data), size});
    const auto element = make(in, 0);
    xml::Limits wide;
    wide.stanza_octets = 64u << 20;
    const auto text = xml::write(element);
    const auto read = xml::read_document(text, wide);
    STOX_ASSERT(read);
    check_same(element, read.value());
    STOX_ASSERT(xml::write(read.value()) == text);

    // The same inside a stream, where what stands around it is not repeated.
    xml::StreamReader stream(wide);
    stream.feed("<stream xmlns='jabber:component:accept'>");
    const auto events = stream.feed(xml::write(element, "jabber:component:accept"));
    STOX_ASSERT(events.size() == 1);
    const auto* stanza = std::get_if<xml::StanzaRead>(&events.front());
    STOX_ASSERT(stanza && stanza->stanza == read.value());
    return 0;
}
