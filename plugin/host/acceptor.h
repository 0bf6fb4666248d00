#pragma once
// Connections to a socket that listens: so many at once, the next one waits with the kernel.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace stox::host {

/// Used and destroyed on the loop's thread; what has arrived outlives it.
class Acceptor {
public:
    using Socket = boost::asio::generic::stream_protocol::socket;
    using Place = std::shared_ptr<void>;  ///< given back with its last copy
    using Arrived = std::function<void(Socket, Place)>;

    /// listener  owned from now on
    Acceptor(boost::asio::io_context& loop, int listener, std::size_t most, Arrived arrived);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    int descriptor() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace stox::host
