#pragma once
// Administration of a domain over XMPP: ad-hoc commands (XEP-0050), and two words of chat for clients without them. Whether
// somebody is an administrator the chat server says, each time.

#include "plugin/engine/state.h"

namespace stox::engine {

/// Whether that IQ to the gateway is about commands.
bool is_about_commands(const xmpp::Iq& in);
void commands_asked(State& state, const xmpp::Iq& in, TimePoint now, Actions& out);
/// A message to the gateway itself. False: it says neither help nor status.
bool words_asked(State& state, const xmpp::Message& in, TimePoint now, Actions& out);

void authorized(State& state, const Authorized& in, TimePoint now, Actions& out);
void administered(State& state, const Administered& in, TimePoint now, Actions& out);
/// Whoever waited too long for the host is told that it has not said yes.
void admin_tick(State& state, TimePoint now, Actions& out);

}  // namespace stox::engine
