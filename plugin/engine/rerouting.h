#pragma once
// Messages whose peer a reload took away: what nothing has left of goes where the new options send it, or back to its author.

#include "plugin/engine/state.h"

namespace stox::engine {

void find_new_ways(State& state, TimePoint now, Actions& out);

}  // namespace stox::engine
