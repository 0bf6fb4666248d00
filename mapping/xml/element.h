#pragma once
// An XML element as a value: what the reader makes and the writer takes. Names are (namespace, local name); prefixes do
// not exist outside the codec.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::xml {

struct Attribute {
    std::string ns;  ///< empty: the element's own attribute
    std::string name;
    std::string value;

    friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Element;
using Node = std::variant<Element, std::string>;

struct Element {
    std::string ns;
    std::string name;
    std::vector<Attribute> attributes;
    std::vector<Node> children;

    Element() = default;
    Element(std::string ns_, std::string name_) : ns(std::move(ns_)), name(std::move(name_)) {}

    bool is(std::string_view ns_, std::string_view name_) const { return ns == ns_ && name == name_; }
    /// The value of the attribute without namespace, or null.
    const std::string* attribute(std::string_view name_) const;
    /// Sets an attribute without namespace; a second call replaces the first. Returns *this for chaining.
    Element& set(std::string_view name_, std::string_view value);
    /// The xml:lang of this element alone, or null.
    const std::string* lang() const;
    Element& set_lang(std::string_view tag);
    /// The first child element of that name, or null.
    const Element* child(std::string_view ns_, std::string_view name_) const;
    /// Appends a child element and returns it; the reference holds until the next change of `children`.
    Element& add(Element element);
    Element& add_text(std::string_view text);
    /// All character data directly inside, joined.
    std::string text() const;

    friend bool operator==(const Element&, const Element&) = default;
};

}  // namespace stox::xml
