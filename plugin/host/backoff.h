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
    /// It worked: the next failure starts from the beginning.
    void reset() { step_ = kFirst; }

private:
    static constexpr Duration kFirst{100};
    static constexpr Duration kMax{30'000};
    Duration step_ = kFirst;
};

}  // namespace stox::host
