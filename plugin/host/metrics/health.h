#pragma once
// Whether the worker does its work, for those who restart or page by it.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace stox::host {

struct HealthFacts {
    struct Domain {
        std::string domain;
        std::chrono::steady_clock::duration unattached_for{0};  ///< zero: its stream is up
        bool store_failing = false;
    };
    bool store_open = true, sip_open = true;
    std::chrono::steady_clock::duration loop_late{0};  ///< the longest of the last minute
    std::vector<Domain> domains;
};

/// The loop may be away for a moment: a disk, a large reload.
inline constexpr std::chrono::seconds kLateLoop{2};

/// Nothing: all is well. Else one line for each thing that is not, with names of domains alone.
///   link_down  how long a stream may be down, as it is when the chat server restarts
std::vector<std::string> unhealthy(const HealthFacts& facts, std::chrono::seconds link_down);

}  // namespace stox::host
