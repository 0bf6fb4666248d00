#pragma once
// An invariant is broken; the text says which and of what.

#include <stdexcept>
#include <string>

namespace stox::sim {

struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void require(bool condition, const std::string& what, const std::string& of) {
    if (!condition) throw Broken(what + ": " + of);
}

inline bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace stox::sim
