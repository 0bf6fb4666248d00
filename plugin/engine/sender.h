#pragma once
// Whom a SIP request is from, as the stanza names them; and what is remembered of it.

#include "plugin/engine/author.h"
#include "plugin/engine/state.h"

namespace stox::engine {

/// The author of a request that passed check_request. Who hides is anonymous@component with another resource each time, so that
/// nothing ties two messages together (CORE-66); anybody else a contact, with the resource of their device if it is known.
/// What SIP calls them is remembered for the way back.   (CORE-27, CORE-28, CORE-40, CORE-43)
/// errors  as of contact_jid
Result<xmpp::Jid> sender_jid(State& state, const Author& author, const sip::Request& request, Trace trace, Actions& out);

}  // namespace stox::engine
