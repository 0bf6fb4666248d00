#pragma once
// Ends stoxd when its loop hangs or its memory is over the limit, so that whoever holds it starts it again. Never used inside a chat server's own process.

#include <chrono>
#include <cstddef>

namespace stox::host {

/// Whether a loop that counts its ticks still runs, judged by looks at the counter.
class LoopJudge {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    static constexpr std::chrono::seconds kLimit{5};      ///< without a tick: the loop hangs
    static constexpr std::chrono::seconds kOverslept{2};  ///< between two looks: we were stopped ourselves, and so was the loop

    explicit LoopJudge(TimePoint now) : since_(now), last_look_(now) {}
    /// One look. True: the loop hangs.
    bool hangs(unsigned ticks, TimePoint now);

private:
    TimePoint since_, last_look_;
    unsigned seen_ = 0;
};

/// What of this process is in memory, in octets; 0: not known.
std::size_t resident_octets();

/// Starts the thread that aborts the process when stox_loop_ticked() is not called for LoopJudge::kLimit, and ends it when it has
/// more memory than stox_memory_limit() says.
void start_watchdog();

}  // namespace stox::host
