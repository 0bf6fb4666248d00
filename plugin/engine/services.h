#pragma once
// What the gateway answers for itself and for SIP contacts: service discovery, ping, version.   (XEP-0030, 0199, 0092)

#include "mapping/xmpp/disco.h"
#include "plugin/engine/state.h"

namespace stox::engine {

/// Of entity capabilities of contacts that are shown as available.   (PRES-29, XEP-0115)
inline constexpr std::string_view kCapsNode = "https://stox.invalid/contact";

/// What the contact's client has shown to support.   (CORE-15)
xmpp::DiscoInfo contact_info(const State& state, const xmpp::Jid& contact, TimePoint now);

/// An IQ get or set to the component's domain or to a contact: always answered, never by way of SIP.   (CORE-12, CORE-13)
void answer_iq(const State& state, const xmpp::Iq& in, TimePoint now, Actions& out);

}  // namespace stox::engine
