#pragma once
// The table behind WatcherRelation.

#include "mapping/presence/watcher_relation.h"

namespace stox::presence::watcher {

struct Scope {
    Parts& parts;
    TimePoint now;
    std::vector<Act>& out;

    void act(Act action) { out.push_back(action); }
};

/// false: nothing is to be done with this event now.
bool step(Scope& scope, const Event& event);

}  // namespace stox::presence::watcher
