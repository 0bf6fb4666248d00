#pragma once
// The wall clock, for time stamps that people read. Never for timers: it jumps.

#include <chrono>

namespace stox {

using UtcTime = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace stox
