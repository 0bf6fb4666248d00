#pragma once
// Presence stanzas (RFC 6121 §4.7) as presence, and back.

#include "mapping/presence/state.h"
#include "mapping/xmpp/stanza.h"

#include <optional>

namespace stox::presence {

/// What a stanza says of its `from`. Type, show, status, priority and delay are read; capabilities, nicknames, hashes of avatars
/// and all else is for XMPP alone.   (PRES-62) A show or a priority that is none was not said; of statuses, what is over a bound
/// of state.h is left out. nullopt: no notification, but one of the other types.   (PRES-50)
std::optional<ResourcePresence> read_presence(const xmpp::Presence& stanza);

/// The stanza that tells it.
/// contact  whose presence it is; the resource is added
/// to       who sees it: all devices of the user do, whichever it names   (PRES-81)
/// now      what is older than a minute says since when it is so   (XEP-0203, PRES-83)
/// returns  nullopt: it is unknown, and there is nothing to tell
std::optional<xmpp::Presence> write_presence(const ResourcePresence& presence, const xmpp::Jid& contact, const xmpp::Jid& to,
                                             UtcTime now);

}  // namespace stox::presence
