#pragma once
// One turn of the loop: what a handler puts off is done before the handler is over. Inside sip/ only.

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace stox::sip {

/// For one thread: the loop's. Posted to the loop, each step of a message's way would cost a look at all descriptors: at low
/// load, where nothing shares it, that is most of what a message costs.
class Turn {
public:
    explicit Turn(boost::asio::io_context& loop) : loop_(loop) {}

    /// Runs it when nothing that runs now is on the stack any more: within the turn, or in one of its own. In order; never if
    /// this is gone by then.
    void later(std::function<void()> action);

    /// So long what was put off may go on; the rest has its turn when the loop has looked at its descriptors. Work puts off more
    /// work: without a bound, timers that come due faster than they are served would leave no time for anything else.
    static constexpr std::chrono::milliseconds kLongest{50};

    /// Something was left for the next turn, or waits behind what runs.
    bool behind() const { return !put_off_.empty(); }

    /// What a handler of the loop's does, and then what it put off, as far as one turn goes. Not to be entered twice. The
    /// handler waits for its next event before what it put off runs, which may throw.
    template <class Handler>
    void run(Handler handler) {
        Running running(*this);
        handler();
        running.finish();
    }

private:
    /// However the turn ends, what is left is done in the next.
    class Running {
    public:
        explicit Running(Turn& turn);
        ~Running();
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        void finish();

    private:
        Turn& turn_;
        std::weak_ptr<bool> alive_;
    };

    void post();

    boost::asio::io_context& loop_;
    std::deque<std::function<void()>> put_off_;
    bool running_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stox::sip
