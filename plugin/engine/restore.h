#pragma once
// What the store held when the engine began: accepted messages that are not delivered.

#include "plugin/engine/state.h"

namespace stox::engine {

void restore(State& state, Restored in, TimePoint now, Actions& out);

}  // namespace stox::engine
