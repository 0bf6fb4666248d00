#pragma once
// One request of ours and the targets it may be sent to, one after the other.   (RFC 3263 §4.3; contract: time-outs)
//
// A request that two targets work on at once does no harm when it only asks (OPTIONS) or when the loser can be told (INVITE: its
// late 2xx is acknowledged and ended (outbound); SUBSCRIBE: the NOTIFY of the second notifier gets 481). A MESSAGE would arrive
// twice, so it moves on only where the first target surely has nothing of it: it refused with 503, or nothing had left.

#include "plugin/engine/target.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace stox::engine {

/// Why a response came without anybody having sent it.
enum class LocalFailure {
    none,
    timeout,    ///< no final response in time (RFC 3261 Timers B and F)
    unsent,     ///< the transport failed before anything of the request left
    transport,  ///< it failed with the request on its way
};

class Failover {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kSilence{4};         ///< without any response
    static constexpr std::chrono::milliseconds kOneCopy{500};  ///< RFC 3261 T1: until then UDP has sent one copy
    enum class Step {
        wait,   ///< for this target
        next,   ///< the request goes to target() now
        final,  ///< what came is the outcome
    };

    /// targets  in the order of trying, at least one
    Failover(std::string_view method, std::vector<Target> targets);

    const Target& target() const { return targets_[current_]; }
    bool is_last() const { return current_ + 1 >= targets_.size(); }
    /// The request leaves for target() now.
    void sent(TimePoint now);
    /// When on_time is due.
    std::optional<TimePoint> deadline() const { return deadline_; }

    Step on_provisional();
    Step on_final(int status, LocalFailure local, TimePoint now);
    Step on_time(TimePoint now);
    /// Targets that were found down since: not tried any more, unless they are being tried.
    template <class IsDown>
    void skip(IsDown is_down) {
        for (auto i = targets_.size(); i-- > current_ + 1;)
            if (is_down(targets_[i])) targets_.erase(targets_.begin() + static_cast<std::ptrdiff_t>(i));
    }

    /// Targets that asked to be left alone for a while: they are tried after all others.
    template <class IsBusy>
    void put_back(IsBusy is_busy) {
        std::stable_partition(targets_.begin() + static_cast<std::ptrdiff_t>(current_ + 1), targets_.end(),
                              [&](const Target& target) { return !is_busy(target); });
    }

private:
    Step advance();

    std::vector<Target> targets_;
    std::size_t current_ = 0;
    bool may_repeat_;
    TimePoint sent_at_{};
    std::optional<TimePoint> deadline_;
};

}  // namespace stox::engine
