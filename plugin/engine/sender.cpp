#include "plugin/engine/sender.h"

#include "mapping/address.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/log.h"

namespace stox::engine {

namespace {

/// The operator can see what a number lost on its way.   (CORE-35)
void tell_dropped(const sip::Uri& uri, Trace trace, Actions& out) {
    const auto number = phone_number(uri);
    if (!number || number.value().dropped.empty()) return;
    std::string names;
    for (const auto& name : number.value().dropped) names += (names.empty() ? "" : ",") + name;
    out.push_back(
        line(Level::debug, trace, "number parameters dropped", {{"from", uri.to_string()}, {"parameters", std::move(names)}}));
}

/// The device that a request came from: a Contact that is a GRUU of its author says it, or any Contact tells it from others.
std::string resource_of(State& state, const xmpp::Jid& author, const sip::Request& request) {
    if (request.contacts.empty()) return {};
    const auto& contact = request.contacts.front();
    if (!contact.uri.parameter("gr")) return state.devices.resource_of(author, contact, state.ids);
    const auto device = contact_jid(state.options, contact.uri);
    return device && device.value().bare() == author ? device.value().resource : std::string();
}

}  // namespace

Result<xmpp::Jid> sender_jid(State& state, const Author& author, const sip::Request& request, Trace trace, Actions& out) {
    const auto& options = state.options;
    if (author.anonymous) return xmpp::Jid{"anonymous", options.domain, state.ids.wire_id()};
    auto found = contact_jid(options, author.uri);
    if (!found) return found;
    auto& jid = found.value();
    const bool phone = options.scheme == config::AddressScheme::phone;
    if (phone) tell_dropped(author.uri, trace, out);
    // A number has one spelling, whatever was seen of it.
    if (const auto plain = contact_uri(options, jid); plain && !phone)
        state.spellings.remember(jid, author.uri, plain.value());
    const bool gruu = !jid.resource.empty() || (!request.contacts.empty() && request.contacts.front().uri.parameter("gr"));
    if (jid.resource.empty()) jid.resource = resource_of(state, jid, request);
    if (gruu && !jid.resource.empty()) state.devices.saw_gruu(jid);
    return found;
}

}  // namespace stox::engine
