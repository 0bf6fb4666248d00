#pragma once
// What a domain's engine can do for an administrator alone, whichever way they asked.

#include "plugin/engine/state.h"

namespace stox::engine {

/// Orders whose command is `of_engine`.
AdminOutcome administer(State& state, const AdminOrder& order);

DomainRow domain_row(const State& state);
std::vector<TrafficRow> traffic_rows(const State& state);

}  // namespace stox::engine
