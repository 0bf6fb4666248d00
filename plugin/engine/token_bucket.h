#pragma once
// So many a second, with one second's worth at once.

#include <algorithm>
#include <chrono>

namespace stox::engine {

class TokenBucket {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// per_second  0: no limit
    explicit TokenBucket(unsigned per_second) : rate_(per_second), tokens_(per_second) {}

    unsigned rate() const { return rate_; }
    bool take(TimePoint now) {
        if (rate_ == 0) return true;
        const double passed = std::chrono::duration<double>(now - filled_).count();
        tokens_ = std::min<double>(rate_, tokens_ + passed * rate_);
        filled_ = now;
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }

private:
    unsigned rate_;
    double tokens_;
    TimePoint filled_{};
};

}  // namespace stox::engine
