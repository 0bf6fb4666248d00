#pragma once
// Lines to and from whoever holds the worker.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stox::host {

/// Owns neither descriptor given to it: it works on duplicates. All callbacks come on the loop's thread;
/// on_end never from inside a call of send.
class ControlChannel : public std::enable_shared_from_this<ControlChannel> {
public:
    static constexpr std::size_t kMaxLine = 1u << 20;     ///< octets of one line; a longer one ends the channel
    static constexpr std::size_t kMostWaiting = 32u << 20;  ///< of all lines; then the channel is over
    static constexpr std::size_t kMaxWaiting = 8u << 20;  ///< octets not yet written; then log lines are dropped and counted

    using OnLine = std::function<void(std::string_view)>;
    using OnEnd = std::function<void()>;

    /// Null: no descriptor is left.
    static std::shared_ptr<ControlChannel> open(boost::asio::io_context& loop, int in, int out, OnLine on_line, OnEnd on_end);

    void send(std::string line);
    /// A line that may be lost when nobody reads; how many were is told with the next one that is not.
    void send_log(std::string line);
    /// Calls done when all that waits is written, or at once if writing is over.
    void drain(std::function<void()> done);
    /// No callback comes any more.
    void close();
    /// The same, and the other side sees the end once it has read what waits; it has a second for that.
    void finish();

private:
    ControlChannel(boost::asio::io_context& loop, OnLine on_line, OnEnd on_end);
    void read();
    void take(std::string_view octets);
    void flush();
    void end();
    void close_output();

    boost::asio::posix::stream_descriptor in_, out_;
    boost::asio::steady_timer patience_;
    OnLine on_line_;
    OnEnd on_end_;
    std::array<char, 65'536> buffer_;
    std::string partial_, waiting_, writing_;
    std::size_t dropped_ = 0;
    bool broken_ = false;
    std::function<void()> drained_;
};

}  // namespace stox::host
