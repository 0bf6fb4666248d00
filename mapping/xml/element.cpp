#include "mapping/xml/element.h"

#include <algorithm>

namespace stox::xml {

namespace {

constexpr std::string_view kXmlNs = "http://www.w3.org/XML/1998/namespace";

const std::string* find(const std::vector<Attribute>& attributes, std::string_view ns, std::string_view name) {
    const auto found = std::ranges::find_if(attributes, [&](const Attribute& one) { return one.ns == ns && one.name == name; });
    return found == attributes.end() ? nullptr : &found->value;
}

void put(std::vector<Attribute>& attributes, std::string_view ns, std::string_view name, std::string_view value) {
    const auto found = std::ranges::find_if(attributes, [&](const Attribute& one) { return one.ns == ns && one.name == name; });
    if (found != attributes.end())
        found->value = value;
    else
        attributes.push_back({std::string(ns), std::string(name), std::string(value)});
}

}  // namespace

const std::string* Element::attribute(std::string_view name_) const { return find(attributes, {}, name_); }

Element& Element::set(std::string_view name_, std::string_view value) {
    put(attributes, {}, name_, value);
    return *this;
}

const std::string* Element::lang() const { return find(attributes, kXmlNs, "lang"); }

Element& Element::set_lang(std::string_view tag) {
    put(attributes, kXmlNs, "lang", tag);
    return *this;
}

const Element* Element::child(std::string_view ns_, std::string_view name_) const {
    for (const auto& node : children)
        if (const auto* element = std::get_if<Element>(&node); element && element->is(ns_, name_)) return element;
    return nullptr;
}

Element& Element::add(Element element) { return std::get<Element>(children.emplace_back(std::move(element))); }

Element& Element::add_text(std::string_view text_) {
    // Adjoining text is one node, as a reader makes it: what is written and read again is equal.
    if (text_.empty()) return *this;
    if (auto* last = children.empty() ? nullptr : std::get_if<std::string>(&children.back()))
        last->append(text_);
    else
        children.emplace_back(std::string(text_));
    return *this;
}

std::string Element::text() const {
    std::string joined;
    for (const auto& node : children)
        if (const auto* text_ = std::get_if<std::string>(&node)) joined += *text_;
    return joined;
}

}  // namespace stox::xml
