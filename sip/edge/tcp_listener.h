#pragma once
// One listening TCP socket, that does not spin when descriptors run out.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace stox::sip {

class TcpListener {
public:
    struct Handlers {
        std::function<void(boost::asio::ip::tcp::socket socket, const stox::Endpoint& peer)> accepted;
        /// A connection was closed at once for want of a descriptor.
        std::function<void()> no_descriptor;
    };

    /// name    for the error: "tcp" or "tls"
    /// errors  unavailable: cannot be bound
    static Result<std::unique_ptr<TcpListener>> open(boost::asio::io_context& loop, const stox::Endpoint& address,
                                                     const std::string& name, Handlers handlers);
    ~TcpListener();

    const stox::Endpoint& address() const { return address_; }

private:
    TcpListener(boost::asio::ip::tcp::acceptor acceptor, stox::Endpoint address, Handlers handlers);
    void wait();
    void accept_batch();
    void accepted(int descriptor, const stox::Endpoint& peer);
    bool shed();

    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    stox::Endpoint address_;
    Handlers handlers_;
    int reserve_;  ///< given up for a moment to accept and close what would else wait, and wake us, for ever
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stox::sip
