#pragma once
// What every part of the engine works with while one input is handled.

#include "plugin/engine/engine.h"

#include <vector>

namespace stox::engine {

using Actions = std::vector<Action>;

struct Turn {
    TimePoint now;
    IdGenerator& ids;
    std::uint64_t& last_number;
    Actions& out;

    ClientTransaction next_transaction() const { return ClientTransaction{++last_number}; }
    Location next_location() const { return Location{++last_number}; }
    CommitId next_commit() const { return CommitId{++last_number}; }
};

}  // namespace stox::engine
