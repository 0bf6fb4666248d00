#pragma once
// An Endpoint on free ports of loopback with its loop on a thread of its own, and blocking peers around it.

#include "sip/endpoint.h"
#include "tests/support/wire.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace stox::sip::test {

class Rig {
public:
    explicit Rig(std::size_t max_transactions = 10'000);
    ~Rig();

    unsigned udp_port() const { return port(Transport::udp); }
    unsigned tcp_port() const { return port(Transport::tcp); }

    /// The next request that arrived, awaited for 10 s; throws when none comes.
    IncomingRequest next_request();
    /// Whether a request arrived that nobody took yet.
    bool has_request();
    void respond(std::uint64_t transaction, Response response);
    /// Sends and waits for the outcome: 40 s at most.
    Outcome send(Request request, NextHop next_hop);
    /// Sends and does not wait.
    void start_sending(
        Request request, NextHop next_hop, Endpoint::OnOutcome on_outcome = [](const Outcome&) {});

private:
    /// Runs there and waits.
    void on_loop(std::function<void(Endpoint*)> action);
    unsigned port(Transport transport) const;

    boost::asio::io_context loop_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<Endpoint> endpoint_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<IncomingRequest> requests_;
    std::thread thread_;
};

Response status(int code);
/// A well-formed MESSAGE for sip:romeo@montague.test; `headers` are whole lines, each with its CRLF.
std::string message_text(const std::string& branch, const std::string& headers = {}, const std::string& body = "hello");
/// The answer of a correct user agent to a request that we sent.
std::string answer_to(const std::string& request, int code);
Request message_value(const std::string& body = "hello");
NextHop next_hop(Transport transport, unsigned port);

}  // namespace stox::sip::test
