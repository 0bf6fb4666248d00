#pragma once
// The clock of net/: monotonic, and always an argument.

#include <chrono>

namespace stox::net {

using TimePoint = std::chrono::steady_clock::time_point;

/// The end of what does not end.
constexpr TimePoint kNever = TimePoint::max();

}  // namespace stox::net
