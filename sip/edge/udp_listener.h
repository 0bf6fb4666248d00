#pragma once
// One UDP socket: read in batches, written at once, told of what the network says about what we sent.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"
#include "sip/turn.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

struct iovec;

namespace stox::sip {

class UdpListener {
public:
    struct Handlers {
        /// True: it was handed on, and is work of this turn.
        std::function<bool(const stox::Endpoint& from, std::string_view octets)> datagram;
        /// An ICMP error, or what somebody sent as one: a datagram that begins like this did not arrive there.
        std::function<void(const stox::Endpoint& to, int error, std::string_view quoted)> unreachable;
        /// So many more datagrams came while the kernel's queue was full.
        std::function<void(std::uint32_t count)> dropped_by_kernel;
    };

    /// turn    outlives this
    /// errors  unavailable: cannot be bound
    static Result<std::unique_ptr<UdpListener>> open(boost::asio::io_context& loop, Turn& turn, const stox::Endpoint& address,
                                                     Handlers handlers);
    ~UdpListener();

    const stox::Endpoint& address() const { return address_; }
    /// 0, or why not (errno). EAGAIN: the kernel has no room.
    int send(const stox::Endpoint& to, const iovec* parts, std::size_t count);

private:
    struct Batch;
    UdpListener(Turn& turn, boost::asio::ip::udp::socket socket, stox::Endpoint address, Handlers handlers);
    void wait();
    void wait_for_errors();
    void read_batches();
    std::size_t read_batch(std::size_t& handed_on);
    void read_errors();
    void count_drops(std::uint32_t total);

    Turn& turn_;
    boost::asio::ip::udp::socket socket_;
    stox::Endpoint address_;
    Handlers handlers_;
    std::unique_ptr<Batch> batch_;
    std::uint32_t drops_ = 0;  ///< the kernel's count when we last saw it
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stox::sip
