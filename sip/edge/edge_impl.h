#pragma once
// What the edge knows and does, for its own files: each of them is one side of it. Inside sip/edge only.

#include "sip/edge/admission.h"
#include "sip/edge/connection.h"
#include "sip/edge/edge.h"
#include "sip/edge/expected_ends.h"
#include "sip/edge/log_gate.h"
#include "sip/edge/sent_requests.h"
#include "sip/edge/tcp_listener.h"
#include "sip/edge/tls_contexts.h"
#include "sip/edge/udp_listener.h"
#include "sip/edge/waiting_room.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stox::sip {

struct Edge::Impl final : ConnectionOwner {
    using Clock = std::chrono::steady_clock;

    /// Between two lines of one kind about one source.
    static constexpr std::chrono::seconds kQuiet{10};
    /// Where requests by UDP may go to; beyond, what was used longest ago is forgotten.
    static constexpr std::size_t kNextHops = 4'096, kPhones = 20'000;

    struct Live;
    Impl(boost::asio::io_context& loop_, Turn& turn_, const Endpoint::Settings& settings, Handlers handlers_)
        : loop(loop_),
          turn(turn_),
          limits(settings.limits),
          handlers(std::move(handlers_)),
          log(settings.log),
          admission(settings.limits),
          public_address(settings.public_address) {}
    ~Impl();

    Result<void> listen(const ListenAddress& address);
    Result<void> use_tls(TlsSet credentials);
    void refused(const Address& source, Transport transport);
    bool datagram(std::size_t listener, const stox::Endpoint& from, std::string_view octets);
    bool wait(std::size_t listener, const stox::Endpoint& from, std::string_view octets, WaitingRoom::Whose whose);
    void hand_on(std::size_t listener, const stox::Endpoint& from, std::string_view octets);
    void let_strangers_in();
    void let_portion_in();
    Admission::Verdict admit(const Address& from, std::string_view octets);
    bool is_next_hop(const Address& address) const;
    void accepted(std::size_t listener, boost::asio::ip::tcp::socket socket, const stox::Endpoint& peer);
    Admission::Guest guest(const Address& source) const;
    Admission::Accept let_in(const Address& source, Admission::Guest guest);
    bool make_room();
    void proven(Live& live);
    bool may_shake(const Address& source);
    bool end_handshake(Flow flow);
    Result<void> may(const NextHop& next_hop);
    Result<Flow> reused(const NextHop& next_hop) const;
    Result<boost::asio::ip::tcp::socket> bound_socket(const NextHop& next_hop);
    std::shared_ptr<Connection> add(boost::asio::ip::tcp::socket socket, Connection::Identity identity);
    std::shared_ptr<Connection> find(Flow flow) const;

    std::chrono::milliseconds admit(Connection& connection) override;
    void message(Connection& connection, std::string text) override;
    void shaken(Connection& connection) override { end_handshake(connection.identity().flow); }
    bool in_use(const Connection& connection) override { return handlers.in_use(connection.identity().flow); }
    void queued(std::ptrdiff_t change) override;
    void ended(Connection& connection, End end, const std::string& reason) override;
    void count(End end);
    void tell(const Connection& connection, End end, const std::string& reason);
    /// Not more often than LogGate lets it.
    void tell(LogLevel level, const Address& source, const std::string& kind, std::string line);

    using Target = std::tuple<Transport, stox::Endpoint, std::string, std::string>;
    static Target target_of(const Connection::Identity& to) { return {to.transport, to.peer, to.tls_name, to.credentials}; }

    using Flows = std::list<Flow>;
    /// TLS handshakes of strangers, the oldest first.
    struct Handshake {
        Flow flow;
        Address source;
        Clock::time_point begun;
    };
    struct Live {
        std::shared_ptr<Connection> connection;
        Peer peer;
        Admission::Guest guest = Admission::Guest::peer;
        Flows::iterator unproven{};  ///< in Impl::unproven, or its end
    };
    struct Listener {
        std::unique_ptr<UdpListener> udp;
        std::unique_ptr<TcpListener> tcp;
    };

    boost::asio::io_context& loop;
    Turn& turn;
    Limits limits;
    Handlers handlers;
    Log log;
    LogGate gate{kQuiet};
    Admission admission;
    Counters counters;
    std::shared_ptr<const TlsContexts> contexts;
    std::vector<Listener> listeners;
    std::vector<ListenAddress> listening;
    std::vector<stox::Endpoint> bound;
    std::optional<Address> public_address;
    std::vector<stox::Endpoint> own;  ///< as of `own_read`; interfaces come and go
    Clock::time_point own_read{};
    ExpectedEnds next_hops{kNextHops}, phones{kPhones};  ///< configured; heard from there
    SentRequests sent;
    WaitingRoom strangers;
    bool letting_in = false;  ///< let_strangers_in() is to come
    std::unordered_map<Flow, Live> flows;
    std::list<Handshake> handshakes;
    std::size_t in_queues = 0;  ///< octets that wait in all connections
    Flows unproven;  ///< connections of strangers to whom nothing was granted; the one that said something last is in front
    std::map<Target, Flow> dialled;
    std::uint64_t last_flow = 0;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

}  // namespace stox::sip
