#pragma once
// Sofia's event loop inside ours: its epoll descriptor is watched by Asio, its next timer is one of ours.

#include "mapping/core/handle.h"
#include "mapping/core/result.h"
#include "sip/turn.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

struct su_root_s;
extern "C" void su_root_destroy(su_root_s*);

namespace stox::sip {

/// For one thread: the loop's.
class SofiaLoop {
public:
    /// after_step  called after each turn of Sofia's loop, when none of its callbacks is running any more
    /// turn        outlives this
    /// errors  unavailable: no descriptors
    static Result<std::unique_ptr<SofiaLoop>> create(boost::asio::io_context& loop, Turn& turn, std::function<void()> after_step);
    ~SofiaLoop();

    su_root_s* root() const { return root_.get(); }
    /// Something of nta was called from outside its callbacks: its timers may have changed. They are looked at a moment later.
    void touched();
    /// Gives the library something to do that it did not wait for in its loop, as a step of that would: callbacks come of it.
    void enter(const std::function<void()>& call);

private:
    using Root = Handle<su_root_s, &su_root_destroy>;

    SofiaLoop(boost::asio::io_context& loop, Turn& turn, Root root, int epoll, std::function<void()> after_step);
    void watch();
    void step();
    void wake_within(std::chrono::milliseconds wait);

    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    Turn& turn_;
    Root root_;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer timer_;
    std::chrono::steady_clock::time_point wakes_at_ = std::chrono::steady_clock::time_point::max();  ///< timer_ does; max: not
    std::function<void()> after_step_;
};

}  // namespace stox::sip
