#pragma once
// PUBLISH of peers (RFC 3903): what the devices of a contact say of it, for the XMPP users who watch it.   (PRES-94)

#include "plugin/engine/author.h"
#include "plugin/engine/sip_checks.h"
#include "plugin/engine/state.h"

#include <optional>
#include <variant>

namespace stox::engine {

/// The answer to a PUBLISH that passed the checks of every request.
std::variant<sip::Response, Refusal> publish(State& state, const sip::Request& request, const config::Peer& peer,
                                             const Author& author, TimePoint now);

/// What changed is told.
void publications_tick(State& state, TimePoint now, Actions& out);
std::optional<TimePoint> publications_due(const State& state);
/// The options changed.
void publications_configure(State& state, bool same_addresses, TimePoint now);

}  // namespace stox::engine
