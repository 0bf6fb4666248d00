#pragma once
// What calls and subscriptions come to, told to whoever owns them.

#include "plugin/engine/state.h"

namespace stox::engine {

/// Everything that the dialog layer has to tell, until nothing new comes of it.
void tell_owners(State& state, TimePoint now, Actions& out);

}  // namespace stox::engine
