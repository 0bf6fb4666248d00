#include "sip/turn.h"

#include "mapping/core/assert.h"

#include <boost/asio/post.hpp>

namespace stox::sip {

void Turn::later(std::function<void()> action) {
    put_off_.push_back(std::move(action));
    if (put_off_.size() == 1 && !running_) post();
}

void Turn::post() {
    boost::asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) run([] {});
    });
}

Turn::Running::Running(Turn& turn) : turn_(turn), alive_(turn.alive_) {
    STOX_ASSERT(!turn_.running_);
    turn_.running_ = true;
}

Turn::Running::~Running() {
    if (alive_.expired()) return;
    turn_.running_ = false;
    if (!turn_.put_off_.empty()) turn_.post();
}

void Turn::Running::finish() {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + kLongest;
    while (!alive_.expired() && !turn_.put_off_.empty() && Clock::now() < end) {
        const auto action = std::move(turn_.put_off_.front());
        turn_.put_off_.pop_front();
        action();
    }
}

}  // namespace stox::sip
