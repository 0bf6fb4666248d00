#pragma once
// Things that are forgotten a fixed time after they were noted.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace stox::sip {

/// First noted, first expired: one timer whatever their number.
class Expiry {
public:
    using Clock = std::chrono::steady_clock;

    Expiry(boost::asio::io_context& loop, Clock::duration delay, std::function<void(std::uint64_t)> on_expired)
        : timer_(loop), delay_(delay), on_expired_(std::move(on_expired)) {}

    void add(std::uint64_t number) {
        noted_.emplace_back(Clock::now() + delay_, number);
        if (noted_.size() == 1) wait();
    }

private:
    void wait() {
        timer_.expires_at(noted_.front().first);
        timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
            if (error || alive.expired()) return;
            while (!noted_.empty() && noted_.front().first <= Clock::now()) {
                const auto number = noted_.front().second;
                noted_.pop_front();
                on_expired_(number);
            }
            if (!noted_.empty()) wait();
        });
    }

    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    boost::asio::steady_timer timer_;
    Clock::duration delay_;
    std::function<void(std::uint64_t)> on_expired_;
    std::deque<std::pair<Clock::time_point, std::uint64_t>> noted_;
};

}  // namespace stox::sip
