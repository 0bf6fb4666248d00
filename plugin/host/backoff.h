#pragma once
// How long to wait before the next attempt: 0.1 s doubling to 30 s, with jitter so that many do not come back at once.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace stox::host {

class Backoff {
public:
    using Duration = std::chrono::milliseconds;

    /// random  any 32 random bits; the wait is between half of the step and the whole of it
    Duration next(std::uint32_t random) {
        const auto step = step_;
        step_ = std::min(step_ * 2, kMax);
        return step / 2 + Duration(random % static_cast<std::uint32_t>(step.count() / 2 + 1));
    }
    /// The next failure starts from the beginning.
    void reset() { step_ = kFirst; }
    /// It worked that long before it failed. What fails again at once has not worked.
    void worked_for(std::chrono::nanoseconds time) {
        if (time >= kSteady) reset();
    }

private:
    // Longer than any handshake and the first stanzas take, so that what ends each stream ends it before; short enough that a
    // server restarted now and then finds us back at once.
    static constexpr Duration kSteady{5'000};
    static constexpr Duration kFirst{100};
    static constexpr Duration kMax{30'000};
    Duration step_ = kFirst;
};

}  // namespace stox::host
