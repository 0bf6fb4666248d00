#pragma once
// c-ares on an Asio loop: a question goes out, octets come back. The only file set that includes ares.h.

#include "net/dns.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stox::net {

struct AresSettings {
    std::string servers;                             ///< "192.0.2.1:53,[2001:db8::1]:53"; empty: as resolv_conf says
    std::string resolv_conf = "/etc/resolv.conf";    ///< unreadable: a server on 127.0.0.1, as resolv.conf(5) says
    std::uint16_t port = 53;                         ///< of the servers in resolv_conf, which names none
    std::chrono::milliseconds first_timeout{1'000};  ///< of one try; doubles with each round of all servers
    int tries = 2;                                   ///< of each server
};

/// One set of servers. On the loop's thread only, and made, used and destroyed outside of its own callbacks.
class AresChannel {
public:
    struct Reply {
        std::vector<std::uint8_t> message;              ///< the answer with its header; empty: there was none
        AnswerStatus status = AnswerStatus::timed_out;  ///< when there was none
        std::string reason;                             ///< likewise, in c-ares' words
    };
    using OnReply = std::function<void(Reply)>;

    /// errors  unavailable: c-ares cannot be set up, the list of servers cannot be read
    static Result<std::unique_ptr<AresChannel>> open(boost::asio::io_context& loop, const AresSettings& settings);
    ~AresChannel();
    AresChannel(const AresChannel&) = delete;
    AresChannel& operator=(const AresChannel&) = delete;

    /// Asks for exactly this name: no search list. The reply comes from the loop, never from inside this call, exactly once
    /// unless the channel is destroyed first. c-ares asks again by TCP when an answer was cut, and the next server when one
    /// refuses.
    void query(const DnsName& name, RecordType type, OnReply on_reply);

private:
    class Impl;
    explicit AresChannel(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace stox::net
