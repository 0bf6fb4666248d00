#pragma once
// So many at once, then one in so much time. What could not be asked about counts, too, and is made good by waiting.

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace stox::engine {

template <unsigned AtOnce, unsigned PerSecond>
class Pace {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::size_t kAtOnce = AtOnce;

    /// How many may go now.
    std::size_t left(TimePoint now) const {
        const auto room = kEach * AtOnce - std::max<TimePoint::duration>(paid_ - now, TimePoint::duration::zero());
        return room < kEach ? 0 : static_cast<std::size_t>(room / kEach);
    }
    void spend(TimePoint now) { paid_ = std::max(paid_, now) + kEach; }
    /// When one may go.
    TimePoint next() const { return paid_ - kEach * (AtOnce - 1); }

private:
    static constexpr TimePoint::duration kEach = std::chrono::nanoseconds(std::chrono::seconds(1)) / PerSecond;

    TimePoint paid_{};  ///< by then all that went is made good
};

}  // namespace stox::engine
