#pragma once
// What the gateway answers for itself and for SIP contacts: service discovery, ping, version.   (XEP-0030, 0199, 0092)

#include "plugin/engine/state.h"

namespace stox::engine {

/// An IQ get or set to the component's domain or to a contact: always answered, never by way of SIP.   (CORE-12, CORE-13)
void answer_iq(const State& state, const xmpp::Iq& in, TimePoint now, Actions& out);

}  // namespace stox::engine
