#pragma once
// An Endpoint on free ports of loopback with its loop on a thread of its own, and blocking peers around it.

#include "sip/endpoint.h"
#include "tests/support/wire.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace stox::sip::test {

/// What came, in order.
template <class Value>
class Inbox {
public:
    void push(Value value) {
        const std::lock_guard lock(mutex_);
        values_.push_back(std::move(value));
        arrived_.notify_one();
    }
    /// Throws when nothing comes in time.
    Value next(std::chrono::seconds limit = std::chrono::seconds(10)) {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait_for(lock, limit, [this] { return !values_.empty(); }))
            throw std::runtime_error("nothing came in time");
        auto value = std::move(values_.front());
        values_.pop_front();
        return value;
    }
    bool empty() {
        const std::lock_guard lock(mutex_);
        return values_.empty();
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Value> values_;
};

/// What comes of a request that was started.
struct Call {
    ClientTransaction transaction = ClientTransaction::none;
    Inbox<Response> provisionals;
    Inbox<Outcome> finals;
    Inbox<bool> ended;
};

struct Acknowledged {
    std::uint64_t transaction;
    Request ack;
};

class Rig {
public:
    /// Whether somebody hears of CANCELs.
    enum class Cancellations { told, nobodys };
    /// Of Endpoint::Settings.
    struct Bounds {
        std::size_t max_transactions = 10'000;
        std::size_t max_transaction_octets = 512u << 20;
        std::size_t max_open_acks = 4'000;
        std::size_t max_open_acks_of_source = 1'000;
        std::size_t max_unanswered = 4'000;
        std::size_t max_unanswered_of_address = 500;
        std::size_t max_unanswered_of_name = 500;
    };
    Rig() : Rig(Bounds()) {}
    explicit Rig(Bounds bounds, Cancellations cancellations = Cancellations::told);
    ~Rig();

    std::atomic<int> answer_at_once = 0;  ///< a status with which requests are answered while they are told; 0: by respond()
    Inbox<std::uint64_t> cancelled;
    Inbox<Acknowledged> acknowledged;
    Inbox<std::uint64_t> unacknowledged;

    unsigned udp_port() const { return port(Transport::udp); }
    unsigned tcp_port() const { return port(Transport::tcp); }

    /// The next request that arrived, awaited for 10 s; throws when none comes.
    IncomingRequest next_request();
    /// Whether a request arrived that nobody took yet.
    bool has_request();
    void respond(std::uint64_t transaction, Response response);
    /// Sends and waits for the outcome: 40 s at most.
    Outcome send(Request request, NextHop next_hop);
    std::shared_ptr<Call> start(Request request, NextHop next_hop);
    void cancel(const Call& call, std::vector<Header> headers = {});
    void acknowledge(Request ack, NextHop next_hop);
    /// Sends and does not wait.
    void start_sending(
        Request request, NextHop next_hop, Endpoint::OnOutcome on_outcome = [](const Outcome&) {});
    /// Runs there and waits.
    void on_loop(std::function<void(Endpoint*)> action);
    Counters counters();

private:
    unsigned port(Transport transport) const;

    boost::asio::io_context loop_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<Endpoint> endpoint_;
    Inbox<IncomingRequest> requests_;
    std::thread thread_;
};

Response status(int code);
/// A well-formed MESSAGE for sip:romeo@montague.test; `headers` are whole lines, each with its CRLF.
std::string message_text(const std::string& branch, const std::string& headers = {}, const std::string& body = "hello");
/// The answer of a correct user agent to a request that we sent; `headers` are whole lines.
std::string answer_to(const std::string& request, int code, const std::string& to_tag = "uas", const std::string& headers = {});
/// A well-formed request of a caller's dialog c-`id` to sip:romeo@montague.test. `to_tag` may be empty, `headers` are whole
/// lines.
std::string request_text(const std::string& method, const std::string& id, unsigned cseq, const std::string& branch,
                         const std::string& to_tag = {}, const std::string& headers = {}, const std::string& transport = "UDP");
/// The value of a header, the first one; throws when it is not there.
std::string header_of(const std::string& message, const std::string& name);
/// The tag of a From or To value.
std::string tag_of(const std::string& value);
Request message_value(const std::string& body = "hello");
/// An INVITE from us without body; `call_id` names the call.
Request invite_value(const std::string& call_id = "call1");
NameAddr address(const std::string& uri, std::string tag = {});
NextHop next_hop(Transport transport, unsigned port);

}  // namespace stox::sip::test
