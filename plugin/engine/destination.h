#pragma once
// Where something for a SIP contact goes: the address behind its JID as SIP spells it, and the peer that leads there.

#include "mapping/xmpp/stanza_error.h"
#include "plugin/engine/state.h"

#include <optional>
#include <string>
#include <variant>

namespace stox::engine {

struct Destination {
    sip::Uri uri;
    const config::Peer* peer = nullptr;  ///< never null
    std::string line;                    ///< one for all spellings and devices of a contact: what it gets is sent in order
    bool emergency = false;              ///< a call for help: no limit holds it up
};

/// to   a JID of the component's domain, with or without resource; or why nothing can be sent there, as its author hears it
std::variant<Destination, xmpp::StanzaError> destination(const State& state, const xmpp::Jid& to);

/// A tel URI as the sip URI by which that peer knows the number; nothing: it is no tel URI, or there is none.
std::optional<sip::Uri> in_sip_scheme(const config::DomainOptions& options, const std::string& peer, const sip::Uri& uri);

}  // namespace stox::engine
