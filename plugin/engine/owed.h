#pragma once
// Authors on the XMPP side are told of messages that were ours and failed.   (contract: docs/architecture.md, Delivery)

#include "plugin/engine/state.h"

namespace stox::engine {

void write_owed(State& state, Actions& out);
/// What was written may not have arrived, and the store is told that it is owed.
void owed_stream_lost(State& state, TimePoint now);
/// That author is to be told, now or with the next stream.
void owe(State& state, Outgoing failed, xmpp::StanzaError why, TimePoint now, Actions& out);
/// A message that never was ours: its author is told now or never.
void bounce(const xmpp::Message& original, xmpp::StanzaError why, Trace trace, const std::string& peer, Actions& out);

}  // namespace stox::engine
