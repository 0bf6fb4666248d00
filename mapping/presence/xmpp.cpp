#include "mapping/presence/xmpp.h"

#include "mapping/im/lines.h"
#include "mapping/im/timestamps.h"
#include "mapping/xmpp/delay.h"
#include "mapping/xmpp/namespaces.h"

#include <charconv>
#include <chrono>

namespace stox::presence {

namespace {

constexpr std::chrono::seconds kFresh{60};

/// An integer from -128 to 127.   (RFC 6121 §4.7.2.3)
std::optional<std::int8_t> read_priority(std::string_view text) {
    text = im::trim(text);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < -128 || number > 127) return std::nullopt;
    return static_cast<std::int8_t>(number);
}

void read_child(const xml::Element& child, ResourcePresence& presence) {
    if (child.is(xmpp::kComponentNs, "status")) {
        add_status(presence.statuses, child.text(), child.lang() ? *child.lang() : std::string(), presence.lang);
    } else if (child.is(xmpp::ns::kDelay, "delay")) {
        if (const auto* stamp = child.attribute("stamp")) presence.since = im::read_time(*stamp);
    } else if (!presence.is_available()) {
        return;
    } else if (child.is(xmpp::kComponentNs, "show")) {
        presence.show = read_show(im::trim(child.text()));
    } else if (child.is(xmpp::kComponentNs, "priority")) {
        presence.priority = read_priority(child.text());
    }
}

xml::Element text_element(const char* name, std::string_view text) {
    xml::Element element(std::string(xmpp::kComponentNs), name);
    element.add_text(text);
    return element;
}

}  // namespace

std::optional<ResourcePresence> read_presence(const xmpp::Presence& stanza) {
    const bool available = stanza.type == xmpp::PresenceType::available;
    if (!available && stanza.type != xmpp::PresenceType::unavailable) return std::nullopt;
    ResourcePresence presence;
    presence.resource = stanza.from.resource;
    presence.availability = available ? Availability::available : Availability::unavailable;
    presence.lang = stanza.lang;
    for (const auto& child : stanza.payload) read_child(child, presence);
    return presence;
}

std::optional<xmpp::Presence> write_presence(const ResourcePresence& presence, const xmpp::Jid& contact, const xmpp::Jid& to,
                                             UtcTime now) {
    if (presence.availability == Availability::unknown) return std::nullopt;
    const bool available = presence.is_available();
    xmpp::Presence stanza;
    stanza.from = contact.bare();
    stanza.from.resource = presence.resource;
    stanza.to = to.bare();
    stanza.type = available ? xmpp::PresenceType::available : xmpp::PresenceType::unavailable;
    stanza.lang = presence.lang;
    if (const auto show = presence.shown(); show && available) stanza.payload.push_back(text_element("show", to_string(*show)));
    for (const auto& [text, lang] : presence.statuses) {
        auto& status = stanza.payload.emplace_back(text_element("status", text));
        if (!lang.empty()) status.set_lang(lang);
    }
    if (presence.priority && available) stanza.payload.push_back(text_element("priority", std::to_string(*presence.priority)));
    if (presence.since && now - *presence.since > kFresh)
        stanza.payload.push_back(xmpp::delay(contact.bare().to_string(), *presence.since));
    return stanza;
}

}  // namespace stox::presence
