#include "plugin/engine/services.h"

#include "mapping/xmpp/caps.h"
#include "mapping/xmpp/namespaces.h"

namespace stox::engine {

namespace {

using xmpp::Condition, xmpp::ErrorType;

xmpp::Iq result_of(const xmpp::Iq& in) {
    xmpp::Iq result;
    result.from = in.to;
    result.to = in.from;
    result.id = in.id;
    result.type = xmpp::IqType::result;
    return result;
}

void refuse(const xmpp::Iq& in, ErrorType type, Condition condition, Actions& out) {
    xmpp::StanzaError error;
    error.type = type;
    error.condition = condition;
    if (auto reply = xmpp::make_error(in, std::move(error))) out.push_back(SendStanza{std::move(*reply)});
}

/// Only what works: a feature stands here when a test shows it.   (CORE-14)
xmpp::DiscoInfo gateway_info(const config::DomainOptions& options) {
    xmpp::DiscoInfo info;
    info.identities = {{"gateway", "simple", options.name.empty() ? "SIP gateway" : options.name, {}}};
    info.features = {std::string(xmpp::ns::kDiscoInfo), std::string(xmpp::ns::kDiscoItems), std::string(xmpp::ns::kVersion),
                     std::string(xmpp::ns::kPing), std::string(xmpp::ns::kCommands)};
    return info;
}

xml::Element version() {
    xml::Element query(std::string(xmpp::ns::kVersion), "query");
    query.add(xml::Element(query.ns, "name")).add_text("stox");
    query.add(xml::Element(query.ns, "version")).add_text(STOX_VERSION);
    return query;
}

/// Whether that is what the capabilities of the contact stand for now.
bool is_caps_node(const std::string& node, const xmpp::DiscoInfo& info) {
    return node == std::string(kCapsNode) + '#' + xmpp::caps_version(info);
}

}  // namespace

xmpp::DiscoInfo contact_info(const State& state, const xmpp::Jid& contact, TimePoint now) {
    xmpp::DiscoInfo info;
    info.identities = {{"client", "phone", {}, {}}};
    info.features = {std::string(xmpp::ns::kDiscoInfo)};
    if (state.imdn_contacts.understands(contact) && !state.formats.has(contact, Habit::refuses_wrapping, now)) {
        info.features.emplace_back(xmpp::ns::kMarkers);
        info.features.emplace_back(xmpp::ns::kReceipts);
    }
    if (state.options.chat_states && state.formats.has(contact, Habit::sends_composing, now))
        info.features.emplace_back(xmpp::ns::kChatStates);
    return info;
}

void answer_iq(const State& state, const xmpp::Iq& in, TimePoint now, Actions& out) {
    auto result = result_of(in);
    const bool to_gateway = in.to.local.empty();
    const xml::Element& query = *in.payload;
    const bool get = in.type == xmpp::IqType::get;
    const auto* node = query.attribute("node");

    if (get && query.is(xmpp::ns::kDiscoInfo, "query")) {
        auto info = to_gateway ? gateway_info(state.options) : contact_info(state, in.to, now);
        if (node && !node->empty() && (to_gateway || !is_caps_node(*node, info)))
            return refuse(in, ErrorType::cancel, Condition::item_not_found, out);
        if (node) info.node = *node;
        result.payload = encode(info);
    } else if (get && query.is(xmpp::ns::kDiscoItems, "query")) {
        if (node && !node->empty()) return refuse(in, ErrorType::cancel, Condition::item_not_found, out);
        result.payload = xml::Element(std::string(xmpp::ns::kDiscoItems), "query");
    } else if (get && to_gateway && query.is(xmpp::ns::kPing, "ping")) {
        result.payload.reset();
    } else if (get && to_gateway && query.is(xmpp::ns::kVersion, "query")) {
        result.payload = version();
    } else {
        return refuse(in, ErrorType::cancel, Condition::service_unavailable, out);
    }
    out.push_back(SendStanza{std::move(result)});
}

}  // namespace stox::engine
