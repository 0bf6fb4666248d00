#include "plugin/engine/destination.h"

#include "mapping/address.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/dial_plan.h"
#include "plugin/engine/peers.h"

#include <algorithm>

namespace stox::engine {

namespace {

using xmpp::Condition, xmpp::ErrorType;

xmpp::StanzaError error(ErrorType type, Condition condition, std::string text) {
    xmpp::StanzaError made;
    made.type = type;
    made.condition = condition;
    made.text = std::move(text);
    return made;
}

xmpp::StanzaError no_address(const Error& why) {
    if (why.code == Code::too_large)
        return error(ErrorType::modify, Condition::jid_malformed, "This address is too long for SIP.");
    if (why.code == Code::incomplete)
        return error(ErrorType::cancel, Condition::item_not_found,
                     "This number cannot be dialled here. Write it with a plus and its country code.");
    return error(ErrorType::cancel, Condition::item_not_found, "no such SIP address");
}

/// Numbers go to the trunk's own domain.
void set_trunk(const config::DomainOptions& options, const config::Peer& peer, sip::Uri& uri) {
    if (options.scheme != config::AddressScheme::phone || peer.trunk_domain.empty()) return;
    if (auto host = domain_to_sip(peer.trunk_domain)) uri.host = std::move(host).value();
}

/// The emergency line, or the plain word that there is none: who needs help must not wait for an answer.
std::variant<Destination, xmpp::StanzaError> for_help(const State& state, const PhoneNumber& number) {
    const auto& options = state.options;
    const auto line = std::ranges::find(options.peers, options.emergency_line, &config::Peer::name);
    auto uri = number_uri(options, number);
    if (line == options.peers.end() || !uri)
        return error(ErrorType::cancel, Condition::not_allowed,
                     "Emergency numbers cannot be reached from here. Nobody was told. Use a telephone.");
    Destination way{std::move(uri).value(), &*line, {}, true};
    way.line = way.uri.to_string();
    set_trunk(options, *way.peer, way.uri);
    return way;
}

}  // namespace

std::variant<Destination, xmpp::StanzaError> destination(const State& state, const xmpp::Jid& to) {
    const auto& options = state.options;
    if (options.scheme == config::AddressScheme::phone)
        if (const auto number = phone_number(to); number && is_emergency(options.phone, number.value()))
            return for_help(state, number.value());
    auto uri = contact_uri(options, to);
    if (!uri) return no_address(uri.error());
    Destination way{std::move(uri).value(), nullptr, {}};
    way.line = way.uri.to_string();
    // Compared and remembered is the one JID of that address, however `to` spells it.   (CORE-37)
    if (const auto contact = contact_jid(options, way.uri)) {
        state.spellings.restore(contact.value(), way.uri);
        if (!to.is_bare() && state.devices.is_gruu({contact.value().local, contact.value().domain, to.resource}))
            way.uri.parameters.push_back({"gr", sip::percent_encode_parameter(to.resource)});
    }
    way.peer = select_peer(options, way.uri);
    if (!way.peer) return error(ErrorType::cancel, Condition::remote_server_not_found, "no way to this SIP domain");
    set_trunk(options, *way.peer, way.uri);
    return way;
}

std::optional<sip::Uri> in_sip_scheme(const config::DomainOptions& options, const std::string& peer_name, const sip::Uri& uri) {
    const auto* peer = options.find_peer(peer_name);
    const auto number = phone_number(uri);
    if (uri.scheme != sip::Scheme::tel || !peer || !number) return std::nullopt;
    auto made = number_uri(options, number.value());
    if (!made) return std::nullopt;
    set_trunk(options, *peer, made.value());
    return std::move(made).value();
}

}  // namespace stox::engine
