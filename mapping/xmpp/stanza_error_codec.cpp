#include "mapping/xmpp/stanza_error_codec.h"

#include "mapping/xmpp/namespaces.h"
#include "mapping/xmpp/stanza.h"

#include <charconv>

namespace stox::xmpp {

namespace {

/// Only these two carry an address as their text.   (RFC 6120 §8.3.3.5, §8.3.3.14)
bool has_address(Condition condition) { return condition == Condition::gone || condition == Condition::redirect; }

/// The element that names the condition: the first in the namespace that is not the text.
const xml::Element* condition_of(const xml::Element& error) {
    for (const auto& node : error.children)
        if (const auto* element = std::get_if<xml::Element>(&node);
            element && element->ns == ns::kStanzaErrors && element->name != "text")
            return element;
    return nullptr;
}

std::optional<int> sip_status_of(const xml::Element& error) {
    const auto* element = error.child(ns::kSipCode, "sip-code");
    if (!element) return std::nullopt;
    const auto text = element->text();
    int status = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), status);
    if (fault != std::errc() || end != text.data() + text.size() || status < 100 || status > 699) return std::nullopt;
    return status;
}

}  // namespace

StanzaError decode_error(const xml::Element& element) {
    StanzaError error;
    if (const auto* type = element.attribute("type")) error.type = parse_error_type(*type);
    if (const auto* condition = condition_of(element)) {
        error.condition = parse_condition(condition->name);
        if (auto address = condition->text(); has_address(error.condition) && !address.empty())
            error.address = std::move(address);
    }
    if (const auto* text = element.child(ns::kStanzaErrors, "text")) {
        error.text = text->text();
        if (const auto* lang = text->lang()) error.text_lang = *lang;
    }
    error.sip_status = sip_status_of(element);
    error.too_big = element.child(ns::kApplicationErrors, "stanza-too-big") != nullptr;
    return error;
}

xml::Element encode(const StanzaError& error) {
    const std::string errors(ns::kStanzaErrors);
    xml::Element element(std::string(kComponentNs), "error");
    element.set("type", to_string(error.type));
    auto& condition = element.add({errors, std::string(to_string(error.condition))});
    if (error.address && has_address(error.condition)) condition.add_text(*error.address);
    if (error.text) {
        auto& text = element.add({errors, "text"}).add_text(*error.text);
        if (error.text_lang) text.set_lang(*error.text_lang);
    }
    if (error.too_big) element.add({std::string(ns::kApplicationErrors), "stanza-too-big"});
    if (error.sip_status) element.add({std::string(ns::kSipCode), "sip-code"}).add_text(std::to_string(*error.sip_status));
    return element;
}

}  // namespace stox::xmpp
