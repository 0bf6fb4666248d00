#pragma once
// Keys of the rows that one engine writes.
//
// Each begins like the one before it and is greater, so that rows that are written together stand together in the store's index:
// a commit of some messages touches a page or two of it, where random keys would touch one for each message.

#include "mapping/core/ids.h"

#include <cstdint>
#include <string>

namespace stox::engine {

class RowKeys {
public:
    /// No other engine makes the same one, of an earlier start neither.
    std::string next(IdGenerator& ids) {
        if (prefix_.empty()) prefix_ = ids.wire_id();
        return prefix_ + Trace{++last_}.to_string();
    }

private:
    std::string prefix_;
    std::uint64_t last_ = 0;
};

}  // namespace stox::engine
