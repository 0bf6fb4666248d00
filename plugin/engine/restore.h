#pragma once
// What the store held when the engine began: accepted messages that are not delivered.

#include "plugin/engine/state.h"

namespace stox::engine {

void restore(State& state, Restored in, TimePoint now, Actions& out);
/// The requests of that commit of restore() may go out now, whatever became of it.
void restored_settled(State& state, const std::vector<RequestId>& requests, TimePoint now, Actions& out);

}  // namespace stox::engine
