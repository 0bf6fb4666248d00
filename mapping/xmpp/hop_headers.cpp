#include "mapping/xmpp/hop_headers.h"

#include "mapping/sip/header_values.h"
#include "mapping/xmpp/namespaces.h"

#include <algorithm>

namespace stox::xmpp {

namespace {

constexpr std::string_view kMaxForwards = "Max-Forwards", kMaxBreadth = "Max-Breadth";
constexpr unsigned kMost = 255;  // RFC 3261 §20.22

void add(xml::Element& headers, std::string_view name, std::optional<unsigned> value) {
    if (!value) return;
    auto& header = headers.add({headers.ns, "header"});
    header.set("name", name).add_text(std::to_string(*value));
}

void lower(std::optional<unsigned>& value, const xml::Element& header) {
    const auto number = sip::read_number(header.text());
    if (number && *number <= kMost) value = std::min(value.value_or(kMost), *number);
}

}  // namespace

xml::Element encode(const HopHeaders& headers) {
    xml::Element element(std::string(ns::kShim), "headers");
    add(element, kMaxForwards, headers.max_forwards);
    add(element, kMaxBreadth, headers.max_breadth);
    return element;
}

HopHeaders read_hop_headers(const std::vector<xml::Element>& payload) {
    HopHeaders found;
    for (const auto& element : payload) {
        if (!element.is(ns::kShim, "headers")) continue;
        for (const auto& node : element.children) {
            const auto* header = std::get_if<xml::Element>(&node);
            const auto* name = header && header->is(ns::kShim, "header") ? header->attribute("name") : nullptr;
            if (!name) continue;
            if (*name == kMaxForwards) lower(found.max_forwards, *header);
            if (*name == kMaxBreadth) lower(found.max_breadth, *header);
        }
    }
    return found;
}

}  // namespace stox::xmpp
