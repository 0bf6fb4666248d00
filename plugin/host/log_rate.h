#pragma once
// How fast the worker may write into the server's log. The server writes with the thread that serves chat, and strangers with
// forged addresses can have a line for every datagram.   (contract 9)

#include "plugin/engine/engine.h"
#include "plugin/engine/token_bucket.h"

#include <cstdint>
#include <utility>

namespace stox::host {

class LogRate {
public:
    static constexpr unsigned kPerSecond = 500;  ///< of errors, and of all other lines

    /// Whether a line may be written now.
    bool take(engine::Level level, engine::TimePoint now) {
        if ((level == engine::Level::error ? errors_ : others_).take(now)) return true;
        ++left_out_;
        return false;
    }
    /// Of those, how many nobody was told of yet.
    std::uint64_t waiting() const { return left_out_; }
    /// How many were not, since this was asked last.
    std::uint64_t left_out() { return std::exchange(left_out_, 0); }

private:
    engine::TokenBucket errors_{kPerSecond}, others_{kPerSecond};
    std::uint64_t left_out_ = 0;
};

}  // namespace stox::host
