#pragma once
// Lines about strangers, who decide how often a thing happens: one per source and kind within a while, and a few a second of each
// kind whatever number of sources there is.   (contracts 9)

#include "mapping/core/endpoint.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace stox::sip {

class LogGate {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// quiet  how long a source waits for its next line of the same kind; 0: no longer than all together
    explicit LogGate(std::chrono::seconds quiet) : quiet_(quiet) {}

    /// The line as it may be written now. `repeated=` says how often it was not for its source's quiet, `left_out=` how many of
    /// the kind were not because of all. Nothing: not now.
    /// source  an IPv6 /64 is one
    /// kind    of a few; not from the network
    std::optional<std::string> pass(const Address& source, const std::string& kind, std::string line, Time now);

    static constexpr double kPerSecond = 5, kBurst = 20;

private:
    struct Told {
        Time last;
        std::uint64_t silent = 0;
    };
    struct Kind {
        double tokens = kBurst;
        Time filled{};
        std::uint64_t left_out = 0;
        bool take(Time now);
    };

    std::chrono::seconds quiet_;
    std::map<std::pair<Address, std::string>, Told> told_;
    std::map<std::string, Kind> kinds_;
};

}  // namespace stox::sip
