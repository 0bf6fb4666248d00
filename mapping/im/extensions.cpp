#include "mapping/im/extensions.h"

#include "mapping/xmpp/namespaces.h"

#include <algorithm>
#include <array>

namespace stox::im {

namespace {

namespace ns = xmpp::ns;

struct StateName {
    ChatState state;
    std::string_view name;
};
constexpr std::array kStates{
    StateName{ChatState::active, "active"}, StateName{ChatState::composing, "composing"},
    StateName{ChatState::paused, "paused"}, StateName{ChatState::inactive, "inactive"},
    StateName{ChatState::gone, "gone"},
};

/// Namespaces whose elements hold what only the other end can read.
constexpr std::array kEncryption{ns::kOmemo, ns::kOmemo2, ns::kOpenPgp, ns::kLegacyOpenPgp};

std::optional<std::string> id_of(const xml::Element& element) {
    const auto* id = element.attribute("id");
    return id && !id->empty() ? std::optional(*id) : std::nullopt;
}

/// XEP-0380. What OTR encrypts stands in the body itself, which is passed on as it is.   (IM-27)
bool tells_encryption(const xml::Element& element) {
    const auto* method = element.attribute("namespace");
    return element.is(ns::kEme, "encryption") && method && *method != ns::kOtr;
}

void read(Extensions& found, const xml::Element& element) {
    if (element.is(ns::kReceipts, "request")) found.wants_receipt = true;
    if (element.is(ns::kReceipts, "received")) found.received = id_of(element);
    if (element.is(ns::kMarkers, "markable")) found.is_markable = true;
    if (element.is(ns::kMarkers, "displayed")) found.displayed = id_of(element);
    if (element.is(ns::kReplace, "replace")) found.corrects = id_of(element);
    if (element.is(ns::kRetract, "retract")) found.retracts = id_of(element);
    if (element.ns == ns::kChatStates) {
        const auto* known = std::ranges::find(kStates, element.name, &StateName::name);
        if (known != kStates.end()) found.state = known->state;
    }
    if (std::ranges::find(kEncryption, element.ns) != kEncryption.end() || tells_encryption(element)) found.is_encrypted = true;
    if (element.is(ns::kCarbons, "sent") || element.is(ns::kCarbons, "received") || element.is(ns::kArchive, "result"))
        found.is_copy = true;
}

xml::Element element(std::string_view ns, std::string_view name) { return {std::string(ns), std::string(name)}; }

}  // namespace

Extensions read_extensions(const xmpp::Message& message) {
    Extensions found;
    for (const auto& one : message.payload) read(found, one);
    return found;
}

xml::Element receipt_request() { return element(ns::kReceipts, "request"); }
xml::Element receipt(std::string_view id) { return element(ns::kReceipts, "received").set("id", id); }
xml::Element markable() { return element(ns::kMarkers, "markable"); }
xml::Element displayed_marker(std::string_view id) { return element(ns::kMarkers, "displayed").set("id", id); }
xml::Element chat_state(ChatState state) {
    return element(ns::kChatStates, std::ranges::find(kStates, state, &StateName::state)->name);
}

}  // namespace stox::im
