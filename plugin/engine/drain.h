#pragma once
// The domain goes: nothing new is begun, what is on its way may still end well.   (contract: docs/architecture.md, Delivery)

#include "plugin/engine/state.h"

namespace stox::engine {

/// How long the end of what is on its way is waited for; whoever stops the worker waits a little longer.
constexpr std::chrono::milliseconds kDrain{1'500};

void begin_drain(State& state, Shutdown::Why why, TimePoint now, Actions& out);
void drain_over(State& state, TimePoint now, Actions& out);
bool is_drained(const State& state);

}  // namespace stox::engine
