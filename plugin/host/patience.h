#pragma once
// Addresses that the worker of a killed server has for a moment more: they are tried again in silence, and slowly once that was told.

#include <chrono>

namespace stox::host {

class Patience {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kSilent{3}, kLater{2};
    static constexpr std::chrono::milliseconds kFirst{250};

    void begin(TimePoint now) { begun_ = now; }
    bool lasts(TimePoint now) const { return now - begun_ < kSilent; }
    /// Until the next try.
    std::chrono::milliseconds pause(TimePoint now) const { return lasts(now) ? kFirst : kLater; }

private:
    TimePoint begun_{};
};

}  // namespace stox::host
