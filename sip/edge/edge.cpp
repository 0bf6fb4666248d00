#include "sip/edge/edge.h"

#include "sip/edge/admission.h"
#include "sip/edge/connection.h"
#include "sip/edge/dial_policy.h"
#include "sip/edge/expected_ends.h"
#include "sip/edge/framer.h"
#include "sip/edge/log_gate.h"
#include "sip/edge/sent_requests.h"
#include "sip/edge/socket_address.h"
#include "sip/edge/tcp_listener.h"
#include "sip/edge/tls_contexts.h"
#include "sip/edge/udp_listener.h"
#include "sip/edge/waiting_room.h"

#include <boost/asio/post.hpp>

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

namespace stox::sip {

namespace {

using Clock = std::chrono::steady_clock;

/// A connection over its rate is looked at again after this.
constexpr std::chrono::milliseconds kPause{100};
/// Between two lines of one kind about one source.
constexpr std::chrono::seconds kQuiet{10};
/// Time enough for a handshake over any line: after it, one more may take the place.
constexpr std::chrono::seconds kHandshake{1};
/// The addresses of our interfaces are asked for again after this.
constexpr std::chrono::seconds kInterfaces{10};
/// Where requests by UDP may go to; beyond, what was used longest ago is forgotten.
constexpr std::size_t kNextHops = 4'096, kPhones = 20'000;

/// Whether this answers a request with what only they get who may have it: no stranger gets a 2xx.
bool grants(std::string_view message) { return is_response(message) && message.size() > 8 && message[8] == '2'; }

/// As much of a message in parts as an ICMP error has to quote.
std::string start_of(const iovec* parts, std::size_t count) {
    std::string start;
    for (std::size_t i = 0; i < count && start.size() < SentRequests::kQuoted; ++i)
        start.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    return start;
}

}  // namespace

struct Edge::Impl final : ConnectionOwner {
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

Edge::Impl::~Impl() {
    listeners.clear();
    for (auto& [flow, live] : std::exchange(flows, {})) live.connection->end(End::ours, "the endpoint ends");
}

Result<void> Edge::Impl::listen(const ListenAddress& address) {
    const auto index = listeners.size();
    Listener listener;
    if (address.transport == Transport::udp) {
        auto opened = UdpListener::open(
            loop, turn, address.endpoint,
            {[this, index](const stox::Endpoint& from, std::string_view octets) { return datagram(index, from, octets); },
             [this, index](const stox::Endpoint& to, int error, std::string_view quoted) {
                 if (sent.quotes_one(to, quoted, Clock::now()))
                     handlers.unreachable(index, to, error);
                 else
                     ++counters.dropped_unproven_errors;
             },
             [this](std::uint32_t more) { counters.dropped_by_kernel += more; }});
        if (!opened) return opened.error();
        listener.udp = std::move(opened).value();
        listening.push_back({address.transport, listener.udp->address()});
    } else {
        const std::string name(to_string(address.transport));
        auto opened = TcpListener::open(loop, address.endpoint, name,
                                        {[this, index](boost::asio::ip::tcp::socket socket, const stox::Endpoint& peer) {
                                             accepted(index, std::move(socket), peer);
                                         },
                                         [this] {
                                             ++counters.refused_descriptors;
                                             tell(LogLevel::error, {}, "descriptors",
                                                  "SIP connections are closed at once: no descriptors are left");
                                         }});
        if (!opened) return opened.error();
        listener.tcp = std::move(opened).value();
        listening.push_back({address.transport, listener.tcp->address()});
    }
    bound.push_back(listening.back().endpoint);
    listeners.push_back(std::move(listener));
    return ok();
}

Result<void> Edge::Impl::use_tls(TlsSet credentials) {
    auto made = TlsContexts::make(std::move(credentials));
    if (!made) return made.error();
    const auto before = std::exchange(contexts, std::move(made).value());
    for (const auto& one : contexts->all()) {
        const bool is_new = !before || std::ranges::find(before->all(), one) == before->all().end();
        if (log && is_new && !one->expiring().empty()) log(LogLevel::warn, one->expiring());
    }
    return ok();
}

/// What was asked for is never dropped for what others send in the next hop's name: neither its ban nor its rate holds for that.
Admission::Verdict Edge::Impl::admit(const Address& from, std::string_view octets) {
    if (!is_response(octets)) return admission.message(from, Channel::datagram, Clock::now());
    return is_next_hop(from) ? Admission::Verdict::admitted : admission.response(from, Clock::now());
}

void Edge::Impl::refused(const Address& source, Transport transport) {
    if (!admission.refused(source, transport == Transport::udp ? Channel::datagram : Channel::connection, Clock::now())) return;
    ++counters.bans;
    tell(LogLevel::warn, source, "banned",
         "security event=banned src=" + source.to_string() + " transport=" + std::string(to_string(transport)) +
             " seconds=" + std::to_string(limits.ban->length.count()));
}

bool Edge::Impl::is_next_hop(const Address& address) const { return next_hops.contains(address) || phones.contains(address); }

/// Returns whether it is handed on at once: those of peers and next hops are, and answers of theirs.
bool Edge::Impl::datagram(std::size_t listener, const stox::Endpoint& from, std::string_view octets) {
    using Verdict = Admission::Verdict;
    ++counters.received;
    switch (admit(from.address, octets)) {
        case Verdict::banned:
            ++counters.dropped_banned;
            return false;
        case Verdict::source_rate:
            ++counters.dropped_source_rate;
            return false;
        case Verdict::total_rate:
            ++counters.dropped_total_rate;
            return false;
        case Verdict::admitted:
            break;
    }
    switch (judge_datagram(octets, limits)) {
        case Datagram::noise:
            ++counters.dropped_noise;
            return false;
        case Datagram::malformed:
            ++counters.dropped_malformed;
            return false;
        case Datagram::too_large:
            ++counters.dropped_limits;
            return false;
        case Datagram::message:
            break;
    }
    const bool is_stranger = guest(from.address) == Admission::Guest::stranger;
    if (is_stranger || strangers.holds(from.address)) {
        using Whose = WaitingRoom::Whose;
        if (!wait(listener, from, octets, is_stranger ? Whose::site : Whose::address)) ++counters.dropped_queue;
        return false;
    }
    hand_on(listener, from, octets);
    return true;
}

void Edge::Impl::hand_on(std::size_t listener, const stox::Endpoint& from, std::string_view octets) {
    ++(handlers.datagram(listener, from, octets) ? counters.datagrams : counters.dropped_queue);
}

bool Edge::Impl::wait(std::size_t listener, const stox::Endpoint& from, std::string_view octets, WaitingRoom::Whose whose) {
    if (!strangers.enter(listener, from, octets, whose)) return false;
    if (!std::exchange(letting_in, true)) turn.later([this] { let_strangers_in(); });
    return true;
}

/// One portion; the next one has a turn of its own, before which the sockets are read again. In a turn that is late they wait for
/// that one at once, and for no other.
void Edge::Impl::let_strangers_in() {
    if (!turn.behind()) let_portion_in();
    letting_in = !strangers.empty();
    if (!letting_in) return;
    boost::asio::post(loop, [this, still = std::weak_ptr(alive)] {
        if (still.expired()) return;
        turn.run([this] {
            let_portion_in();
            let_strangers_in();
        });
    });
}

void Edge::Impl::let_portion_in() {
    for (std::size_t i = 0; i < WaitingRoom::kPortion && !strangers.empty(); ++i) {
        const auto one = strangers.leave();
        if (admission.banned(one.from.address, Channel::datagram, Clock::now()))
            ++counters.dropped_banned;
        else
            hand_on(one.listener, one.from, one.octets);
    }
}

Admission::Guest Edge::Impl::guest(const Address& source) const {
    using Guest = Admission::Guest;
    return admission.trusted(source) ? Guest::peer : is_next_hop(source) ? Guest::next_hop : Guest::stranger;
}

Admission::Accept Edge::Impl::let_in(const Address& source, Admission::Guest guest) {
    const auto verdict = admission.connection(source, guest, Clock::now());
    return verdict == Admission::Accept::crowded && make_room() ? admission.connection(source, guest, Clock::now()) : verdict;
}

/// The stranger that has said nothing for longest gives way; one that waits for something does not.
bool Edge::Impl::make_room() {
    constexpr int kLooked = 8;
    for (int i = 0; i < kLooked && !unproven.empty(); ++i) {
        const auto connection = find(unproven.back());
        if (connection->held() || in_use(*connection)) {
            unproven.splice(unproven.begin(), unproven, std::prev(unproven.end()));
            continue;
        }
        ++counters.closed_evicted;
        connection->end(End::ours, "another stranger wants its place");
        return true;
    }
    return false;
}

/// Something was granted to it: it is no stranger as others are.
void Edge::Impl::proven(Live& live) {
    live.connection->granted();
    if (live.unproven != unproven.end()) unproven.erase(std::exchange(live.unproven, unproven.end()));
}

/// Whether a stranger may begin a TLS handshake. Those that hold the places without going on lose them.
bool Edge::Impl::may_shake(const Address& source) {
    const auto running = std::ranges::count_if(
        handshakes, [&](const Handshake& one) { return Admission::source_of(one.source) == Admission::source_of(source); });
    if (static_cast<std::size_t>(running) >= limits.handshakes_per_source) return false;
    if (handshakes.size() < limits.handshakes) return true;
    const auto oldest = handshakes.front();
    if (Clock::now() - oldest.begun < kHandshake) return false;
    if (const auto connection = find(oldest.flow))
        connection->end(End::handshake, "no TLS handshake before another wanted its place");
    return true;
}

bool Edge::Impl::end_handshake(Flow flow) {
    return std::erase_if(handshakes, [&](const Handshake& one) { return one.flow == flow; }) > 0;
}

void Edge::Impl::accepted(std::size_t listener, boost::asio::ip::tcp::socket socket, const stox::Endpoint& peer) {
    using Accept = Admission::Accept;
    const auto whose = guest(peer.address);
    switch (let_in(peer.address, whose)) {
        case Accept::banned:
            ++counters.refused_banned;
            return;
        case Accept::source_rate:
            ++counters.refused_connection_rate;
            return tell(LogLevel::warn, peer.address, "source rate",
                        "peer=" + peer.to_string() + " connection refused: too many in a short time");
        case Accept::source_full:
            ++counters.refused_source_connections;
            return tell(LogLevel::warn, peer.address, "source full",
                        "peer=" + peer.to_string() + " connection refused: too many from there");
        case Accept::crowded:
        case Accept::full:
            ++counters.refused_total_connections;
            return tell(LogLevel::warn, {}, "full", "peer=" + peer.to_string() + " connection refused: too many in all");
        case Accept::accepted:
            break;
    }
    const auto transport = listening[listener].transport;
    const bool watched = transport == Transport::tls && whose != Admission::Guest::peer;
    if (watched && !may_shake(peer.address)) {
        ++counters.refused_handshakes;
        admission.closed(peer.address, whose);
        return tell(LogLevel::warn, peer.address, "handshakes",
                    "peer=" + peer.to_string() + " connection refused: too many TLS handshakes");
    }
    ++counters.connections;
    Connection::Identity identity;
    identity.transport = transport;
    identity.peer = peer;
    identity.listener = listener;
    identity.stranger = whose == Admission::Guest::stranger;
    const auto connection = add(std::move(socket), std::move(identity));
    auto& live = flows.at(connection->identity().flow);
    live.guest = whose;
    if (watched) handshakes.push_back({connection->identity().flow, peer.address, Clock::now()});
    if (whose == Admission::Guest::stranger) live.unproven = unproven.insert(unproven.begin(), connection->identity().flow);
    connection->accept();
}

std::shared_ptr<Connection> Edge::Impl::add(boost::asio::ip::tcp::socket socket, Connection::Identity identity) {
    identity.flow = Flow{++last_flow};
    Live live;
    live.peer = {identity.transport, identity.peer, identity.listener, identity.dialled, {}};
    live.unproven = unproven.end();
    live.connection = std::make_shared<Connection>(std::move(socket), identity, limits, *this, turn, contexts);
    auto connection = live.connection;
    flows.emplace(identity.flow, std::move(live));
    return connection;
}

/// Shared: a call may end the connection, which takes it out of `flows`.
std::shared_ptr<Connection> Edge::Impl::find(Flow flow) const {
    const auto found = flows.find(flow);
    return found == flows.end() ? nullptr : found->second.connection;
}

std::chrono::milliseconds Edge::Impl::admit(Connection& connection) {
    const auto& source = connection.identity().peer.address;
    // What a peer sends on a connection that we opened is mostly our answers.
    if (connection.identity().dialled) return {};
    switch (admission.message(source, Channel::connection, Clock::now())) {
        case Admission::Verdict::admitted:
            return {};
        case Admission::Verdict::banned:
            ++counters.closed_banned;
            connection.end(End::ours, "its source is banned");
            return {};
        default:
            return kPause;
    }
}

void Edge::Impl::message(Connection& connection, std::string text) {
    ++counters.messages;
    const auto flow = connection.identity().flow;
    auto& live = flows.at(flow);
    live.peer.tls = connection.certified();
    if (live.unproven != unproven.end()) unproven.splice(unproven.begin(), unproven, live.unproven);
    handlers.message(flow, std::move(text));
}

void Edge::Impl::queued(std::ptrdiff_t change) {
    in_queues += static_cast<std::size_t>(change);  // modulo 2^n: a negative one is subtracted
    if (change < 0 || in_queues <= limits.write_queues) return;
    for (const auto& [flow, live] : flows) live.connection->offer();
    if (in_queues <= limits.write_queues) return;
    // Of what the kernel takes, the next turns of the loop make less.
    const auto longest = std::ranges::max_element(flows, {}, [](const auto& entry) {
        auto& connection = *entry.second.connection;
        return std::pair(connection.queued() > 0 && !connection.takes(), connection.queued());
    });
    if (longest == flows.end()) return;
    const auto connection = longest->second.connection;
    connection->end(End::slow_reader, "all connections together have too much that is not taken, this one most");
}

void Edge::Impl::ended(Connection& connection, End end, const std::string& reason) {
    const auto& identity = connection.identity();
    count(end);
    tell(connection, end, reason);
    if (identity.dialled) {
        const auto found = dialled.find(target_of(identity));
        if (found != dialled.end() && found->second == identity.flow) dialled.erase(found);
    } else if (const auto live = flows.find(identity.flow); live != flows.end()) {
        admission.closed(identity.peer.address, live->second.guest);
        proven(live->second);
        const bool unshaken = end_handshake(identity.flow) && end == End::deadline;
        // Nobody does so in another's name: a connection has its source.
        if (end == End::violation || end == End::handshake || unshaken) refused(identity.peer.address, identity.transport);
    }
    const auto flow = identity.flow;
    const auto kept = connection.shared_from_this();
    if (flows.erase(flow) > 0) handlers.closed(flow);
}

void Edge::Impl::count(End end) {
    switch (end) {
        case End::violation:
            ++counters.closed_violation;
            break;
        case End::deadline:
            ++counters.closed_deadline;
            break;
        case End::idle:
            ++counters.closed_idle;
            break;
        case End::slow_reader:
            ++counters.closed_slow_reader;
            break;
        case End::handshake:
        case End::no_certificate:
            ++counters.failed_handshakes;
            break;
        case End::peer_closed:
        case End::ours:
        case End::dial:
            break;
    }
}

void Edge::Impl::tell(const Connection& connection, End end, const std::string& reason) {
    if (end == End::peer_closed || end == End::ours || end == End::idle) return;
    const auto& identity = connection.identity();
    const std::string line = "peer=" + identity.peer.to_string() + " transport=" + std::string(to_string(identity.transport)) +
                             (identity.dialled ? " connection of ours" : " connection") + " closed: " + reason;
    tell(LogLevel::warn, identity.peer.address, reason, line);
}

void Edge::Impl::tell(LogLevel level, const Address& source, const std::string& kind, std::string line) {
    if (!log) return;
    if (const auto passed = gate.pass(source, kind, std::move(line), Clock::now())) log(level, *passed);
}

Result<void> Edge::Impl::may(const NextHop& next_hop) {
    if (!next_hop.configured && Clock::now() - own_read >= kInterfaces) {
        own = own_endpoints(bound, interface_addresses(), public_address);
        own_read = Clock::now();
    }
    return may_send(next_hop, own);
}

Result<Flow> Edge::Impl::reused(const NextHop& next_hop) const {
    if (next_hop.flow != Flow::none && flows.contains(next_hop.flow)) return next_hop.flow;
    const auto open = dialled.find({next_hop.transport, next_hop.endpoint, next_hop.tls_name, next_hop.credentials});
    if (open != dialled.end()) return open->second;
    return fail(Code::unavailable, "no connection yet");
}

/// From the listener's address where there is only one to choose: peers know us by it.
Result<boost::asio::ip::tcp::socket> Edge::Impl::bound_socket(const NextHop& next_hop) {
    const auto& to = next_hop.endpoint.address;
    boost::asio::ip::tcp::socket socket(loop);
    boost::system::error_code error;
    socket.open(to.is_v4() ? boost::asio::ip::tcp::v4() : boost::asio::ip::tcp::v6(), error);
    if (error) return fail(Code::unavailable, error.message());
    std::vector<Address> candidates;
    for (const auto& address : bound)
        if (address.address.is_v4() == to.is_v4() && std::ranges::find(candidates, address.address) == candidates.end())
            candidates.push_back(address.address);
    if (candidates.size() == 1 && !is_any(candidates.front())) {
        const SocketAddress from({candidates.front(), 0});
        if (::bind(socket.native_handle(), from.get(), from.size) != 0)
            return fail(Code::unavailable, "the local address is gone");
    }
    return socket;
}

Edge::Edge(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Edge::~Edge() = default;

Result<std::unique_ptr<Edge>> Edge::open(boost::asio::io_context& loop, Turn& turn, const Endpoint::Settings& settings,
                                         Handlers handlers) {
    auto impl = std::make_unique<Impl>(loop, turn, settings, std::move(handlers));
    auto loaded = load_tls(settings.tls);
    if (!loaded) return loaded.error();
    if (auto used = impl->use_tls(std::move(loaded).value()); !used) return used.error();
    for (const auto& address : settings.listen)
        if (auto opened = impl->listen(address); !opened) return opened.error();
    return std::unique_ptr<Edge>(new Edge(std::move(impl)));
}

const std::vector<ListenAddress>& Edge::listening() const { return impl_->listening; }

int Edge::send(std::size_t listener, const stox::Endpoint& to, const iovec* parts, std::size_t count) {
    auto& udp = impl_->listeners.at(listener).udp;
    if (!udp) return EPROTONOSUPPORT;
    if (count > 0 && !is_response({static_cast<const char*>(parts->iov_base), parts->iov_len})) {
        NextHop next_hop{Transport::udp, to};
        next_hop.configured = impl_->next_hops.contains(to);
        if (impl_->phones.contains(to)) next_hop.heard = {Transport::udp, to};
        if (const auto may = impl_->may(next_hop); !may) {
            ++impl_->counters.sends_refused;
            impl_->tell(LogLevel::warn, to.address, may.error().detail,
                        "peer=" + to.to_string() + " transport=udp nothing is sent there: " + may.error().detail);
            return EACCES;
        }
        impl_->sent.sent(to, start_of(parts, count), Clock::now());
    }
    const int error = udp->send(to, parts, count);
    if (error != EAGAIN && error != ENOBUFS) return error;
    ++impl_->counters.dropped_unsent;  // as good as lost on the way: the transaction repeats it
    return 0;
}

void Edge::expect(const NextHop& next_hop) {
    if (!next_hop.configured && !(is_where_heard(next_hop) && impl_->may(next_hop))) return;
    (next_hop.configured ? impl_->next_hops : impl_->phones).use(next_hop.endpoint);
}

Result<Flow> Edge::dial(const NextHop& next_hop) {
    if (auto reused = impl_->reused(next_hop)) {
        if (next_hop.open_within) impl_->find(reused.value())->hurry(*next_hop.open_within);
        return reused;
    }
    if (const auto may = impl_->may(next_hop); !may) {
        ++impl_->counters.dials_refused;
        impl_->tell(LogLevel::warn, next_hop.endpoint.address, may.error().detail,
                    "peer=" + next_hop.endpoint.to_string() + " no connection is opened there: " + may.error().detail);
        return may.error();
    }
    expect(next_hop);
    auto socket = impl_->bound_socket(next_hop);
    if (!socket) return socket.error();
    ++impl_->counters.dialled;
    Connection::Identity identity;
    identity.transport = next_hop.transport;
    identity.peer = next_hop.endpoint;
    identity.dialled = true;
    identity.tls_name = next_hop.tls_name;
    identity.credentials = next_hop.credentials;
    const auto connection = impl_->add(std::move(socket).value(), std::move(identity));
    impl_->dialled[Impl::target_of(connection->identity())] = connection->identity().flow;
    if (next_hop.open_within) connection->hurry(*next_hop.open_within);
    connection->dial();
    return connection->identity().flow;
}

bool Edge::write(Flow flow, const iovec* parts, std::size_t count) {
    const auto found = impl_->flows.find(flow);
    if (found == impl_->flows.end()) return false;
    if (count > 0 && grants({static_cast<const char*>(parts->iov_base), parts->iov_len})) impl_->proven(found->second);
    const auto connection = found->second.connection;  // the call may end it
    return connection->write(parts, count);
}

void Edge::finish(Flow flow) {
    if (const auto connection = impl_->find(flow)) connection->finish();
}

const Edge::Peer* Edge::peer(Flow flow) const {
    const auto found = impl_->flows.find(flow);
    return found == impl_->flows.end() ? nullptr : &found->second.peer;
}

std::shared_ptr<const bool> Edge::delivers(Flow flow) const {
    const auto connection = impl_->find(flow);
    return connection ? connection->delivers() : nullptr;
}

void Edge::hold(Flow flow) {
    if (const auto connection = impl_->find(flow)) connection->hold();
}

void Edge::release(Flow flow) {
    if (const auto connection = impl_->find(flow)) connection->release();
}

void Edge::refused(const Address& source, Transport transport) { impl_->refused(source, transport); }

BanOrder Edge::ban(const Address& source, std::chrono::seconds length) {
    const auto now = Clock::now();
    return impl_->admission.ban(source, now + length, now);
}

bool Edge::unban(const Address& source) { return impl_->admission.unban(source, Clock::now()); }

std::vector<BannedSource> Edge::bans() const { return impl_->admission.bans(Clock::now()); }

void Edge::trust(std::vector<Prefix> sources) { impl_->admission.trust(std::move(sources)); }

Result<void> Edge::use_tls(TlsSet credentials) { return impl_->use_tls(std::move(credentials)); }

Counters Edge::counters() const {
    auto counters = impl_->counters;
    counters.open_connections = impl_->flows.size();
    counters.banned_sources = impl_->admission.banned_sources(Clock::now());
    return counters;
}

}  // namespace stox::sip
