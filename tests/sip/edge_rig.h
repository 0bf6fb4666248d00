#pragma once
// An Endpoint with its loop on a thread of its own, which answers every request with 200 at once, unless its Call-ID begins with
// "wait", and keeps what it heard.

#include "sip/endpoint.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace stox::sip::test {

/// Free ports of 127.0.0.1.
Endpoint::Settings on_loopback(std::vector<Transport> transports);
/// A well-formed request over that transport ("UDP", "TCP", "TLS"), with a Contact whose host no one can resolve.
std::string options_text(const std::string& transport, const std::string& branch);

class EdgeRig {
public:
    explicit EdgeRig(Endpoint::Settings settings = on_loopback({Transport::udp, Transport::tcp}));
    ~EdgeRig();

    unsigned port(Transport transport) const;
    /// Sends and waits for the outcome.
    Outcome send(Request request, NextHop next_hop);
    std::vector<IncomingRequest> requests();
    /// The next request that holds this Call-ID, awaited for 10 s.
    IncomingRequest request(const std::string& call_id);
    /// Awaited for 10 s: a line of the log with `part` in it. Empty: none came.
    std::string log_line(const std::string& part);
    Counters counters();
    /// Awaited for 10 s: what a peer sees may come before it is counted.
    bool counted(const std::function<bool(const Counters&)>& as_wanted);
    /// Runs there and waits.
    void on_loop(const std::function<void(Endpoint&)>& action);
    /// The same, and in the same turn of the loop the endpoint ends.
    void end_after(const std::function<void(Endpoint&)>& action);

private:
    boost::asio::io_context loop_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<Endpoint> endpoint_;
    std::mutex mutex_;
    std::condition_variable news_;
    std::vector<IncomingRequest> requests_;
    std::vector<std::string> log_;
    std::thread thread_;
};

}  // namespace stox::sip::test
