#pragma once
// A network for dialog layers, with the transactions of RFC 3261 §17 (and RFC 6026) below each: seeded loss, doubling, delay and
// disorder, in virtual time. An INVITE for the address of a proxy is forked to all phones behind it.

#include "mapping/sip/user_agent.h"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace stox::test {

using sip::RequestKey;
using sip::TimePoint;
using sip::TransactionId;
using std::chrono::milliseconds;

/// What a rule of the game was broken by; empty: nothing.
class Broken : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Packet {
    std::string branch;
    std::optional<sip::Request> request{};
    std::optional<sip::Response> response{};
    std::string method{};  ///< of the response's request
};

class Node;

struct Trouble {
    double loss = 0, doubled = 0;
    milliseconds delay{20}, jitter{0};
};

class Net {
public:
    Net(std::uint64_t seed, Trouble trouble) : random(seed), trouble_(trouble) {}

    std::mt19937_64 random;
    TimePoint now{};

    unsigned below(unsigned bound) { return static_cast<unsigned>(random() % bound); }
    bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random) < p; }
    void at(TimePoint when, std::function<void()> what) { queue_.emplace(when, std::move(what)); }
    void in(milliseconds after, std::function<void()> what) { at(now + after, std::move(what)); }
    void send(const std::string& host, Packet packet);
    void attach(const std::string& host, Node* node) { nodes_[host] = node; }
    /// INVITEs for that host go to all of these, and their CANCELs.
    void fork(const std::string& host, std::vector<std::string> phones) { forks_[host] = std::move(phones); }
    /// Runs until nothing is to come. Breaks when that takes over `limit`.
    void run(milliseconds limit);
    std::size_t packets = 0;

private:
    friend class Node;
    struct ForkState {
        std::set<std::string> pending;
        bool accepted = false;
        std::optional<Packet> refusal{};
        std::string caller;
    };
    void deliver(const std::string& host, const Packet& packet);
    void fork_request(const std::string& host, const Packet& packet, const std::string& caller);
    bool fork_response(const std::string& from, const Packet& packet);

    Trouble trouble_;
    std::multimap<TimePoint, std::function<void()>> queue_;
    std::map<std::string, Node*> nodes_;
    std::map<std::string, std::vector<std::string>> forks_;
    std::map<std::string, ForkState> forked_;  ///< by branch
};

/// A user agent on its transactions. What the layer asks of the application goes to `application`.
class Node {
public:
    Node(Net& net, std::string host, sip::UserAgent::Settings settings);
    virtual ~Node() = default;

    sip::UserAgent& agent() { return agent_; }
    const std::string& host() const { return host_; }
    sip::NameAddr contact() const;
    /// Gives the agent an input and does what it asks.
    void run(const std::function<void(sip::UserAgent::Actions&)>& input);
    void respond(TransactionId transaction, sip::Response response);
    /// The rules that hold when all is over.
    void check_end() const;

protected:
    virtual void application(const sip::Action& action) = 0;
    Net& net_;

private:
    friend class Net;
    struct Client {
        RequestKey key;
        sip::Request request;
        std::string host, branch;
        int status = 0;
        bool cancelled = false;
        milliseconds interval{500};
        TimePoint deadline;
        unsigned generation = 0;
    };
    struct Server {
        std::string from, branch;
        sip::Request request;
        std::optional<sip::Response> last{};
        bool acknowledged = false;
        milliseconds interval{500};
        TimePoint deadline;
    };
    void perform(const sip::Action& action);
    void start(RequestKey key, const sip::Request& request, std::string branch);
    void repeat(const std::string& id, unsigned generation);
    void repeat_refusal(TransactionId transaction);
    void receive(const Packet& packet, const std::string& from);
    void receive_request(const Packet& packet, const std::string& from);
    void receive_response(const Packet& packet);
    void wake();
    void check_cseq(const sip::Request& request);

    std::string host_;
    sip::UserAgent agent_;
    std::map<std::string, Client> clients_;      ///< by branch + method
    std::map<RequestKey, std::string> invites_;  ///< branch of an INVITE of ours
    std::map<TransactionId, Server> servers_;
    std::map<std::string, TransactionId> server_ids_;                        ///< by branch + method
    std::map<std::string, std::uint32_t> cseqs_;                             ///< the last one sent, by dialog
    std::set<std::pair<std::string, std::string>> accepted_, acknowledged_;  ///< branch and To tag of 2xx
    TransactionId last_transaction_ = 0;
    std::uint64_t last_branch_ = 0;
    std::optional<TimePoint> woken_{};
    std::vector<sip::Action> queue_{};
    bool running_ = false;
};

/// The host that a request is sent to: of its first route or its URI.
std::string host_of(const sip::Request& request);

}  // namespace stox::test
