#include "sip/tport_bridge.h"

#include "mapping/core/handle.h"
#include "sip/edge/socket_address.h"
#include "sip/guard.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_string.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>

// What follows is how the library lays out its transports and which of its exported functions work on them. Its public headers
// do not say so; the version that Debian 12 ships is what it was taken from, and check_library() refuses any other.
// Only what is used has a name.
namespace stox::sip {

namespace {

struct Primary592;

struct Port488 {
    su_home_t home;
    unsigned accepted : 1;
    unsigned connection_oriented : 1;
    unsigned has_connection : 1;
    unsigned reusable : 1;
    unsigned closed : 1;
    unsigned receive_closed : 2;
    unsigned send_closed : 2;
    unsigned unused_flags : 3;
    unsigned connected : 1;
    unsigned more_unused_flags : 3;
    void* in_tree[3];
    void* master;
    Primary592* primary;
    void* parameters;
    void* owner_data;
    void* timer;
    su_time_t keepalive_times[2];
    tp_name_t name;
    void* subjects;
    su_socket_t socket;
    int registration;
    int events;
    su_addrinfo_t address_info;
    su_sockaddr_t address;
    msg_t* message;  ///< begun and not complete
    unsigned char rest[200];
};

struct Primary592 {
    Port488 port;
    void const* type;
    int kind;
    void* list[3];
    unsigned updating : 1;
    unsigned natted : 1;
    unsigned has_tls : 1;
    void* stun;
    unsigned parameters[12];
};

static_assert(sizeof(Port488) == 488 && sizeof(Primary592) == 592);

/// A kind of transport: its functions; null ones have a default. The order is the library's.
struct Type {
    char const* name;
    int kind;
    std::size_t primary_size;
    int (*init_primary)(Primary592*, tp_name_t*, su_addrinfo_t*, tagi_t const*, char const** culprit);
    void (*deinit_primary)(Primary592*);
    int (*wake_primary)(Primary592*, int events);
    tport_t* (*connect)(Primary592*, su_addrinfo_t*, tp_name_t const*);
    std::size_t secondary_size;
    int (*init_secondary)(Port488*, int socket, int accepted, char const** reason);
    void (*deinit_secondary)(Port488*);
    void (*shutdown)(Port488*, int how);
    void* set_events;
    void* wake;
    int (*receive)(Port488*);
    ssize_t (*send)(Port488 const*, msg_t*, msg_iovec_t*, std::size_t);
    void* unused[6];
};

extern "C" {
extern Type const tport_tcp_vtable, tport_udp_vtable;
int tport_register_type(Type const*);
Port488* tport_alloc_secondary(Primary592*, int socket, int accepted, char const** reason);
int tport_setname(Port488*, char const* protocol, su_addrinfo_t const*, char const* canonical);
int tport_register_secondary(Port488*, su_wakeup_f, int events);
void tport_zap_secondary(Port488*);
void tport_close(Port488*);
void tport_recv_event(Port488*);
ssize_t tport_recv_iovec(Port488 const*, msg_t**, msg_iovec_t*, std::size_t size, int exact);
void tport_error_report(Port488*, int error, su_sockaddr_t const*);
}

/// Ours behind theirs: the library allocates as much as a type says, zeroed.
struct Secondary {
    Port488 port;
    TportBridge::Line* line;  ///< null: the bridge knows it no more
};
struct ListeningPrimary {
    Primary592 primary;
    TportBridge::Primary* mine;
};

tport_t* as_tport(Port488* port) { return reinterpret_cast<tport_t*>(port); }
Secondary* as_secondary(Port488 const* port) { return reinterpret_cast<Secondary*>(const_cast<Port488*>(port)); }

/// Datagrams that wait for Sofia's loop, of one listener. The loop takes all in one turn, so this many never come together
/// unless it is stuck.
constexpr std::size_t kWaiting = 4'096;
constexpr Flow kSelfCallFlow{1};

void wake(int event) {
    const std::uint64_t one = 1;
    (void)!::write(event, &one, sizeof one);
}

void sleep_again(int event) {
    std::uint64_t count;
    (void)!::read(event, &count, sizeof count);
}

int make_event() { return ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

}  // namespace

struct TportBridge::Primary {
    struct Record {
        stox::Endpoint peer;
        std::string octets;
        int error = 0;  ///< what was sent to `peer` did not arrive
    };

    TportBridge& bridge;
    Transport transport;
    std::size_t listener;
    ListeningPrimary* theirs = nullptr;
    int event = -1;  ///< UDP; theirs to close
    std::deque<Record> waiting{};
};

struct TportBridge::Line {
    TportBridge& bridge;
    Flow flow;
    Secondary* theirs = nullptr;
    int event = -1;  ///< theirs to close
    std::deque<std::string> waiting{};
    bool closed = false;
};

/// What the library calls.
struct BridgeHooks {
    /// The primary that is being made; the library has no way to hand it to init_primary.
    inline static thread_local TportBridge::Primary* making = nullptr;

    static int init_primary(Primary592* primary, tp_name_t*, su_addrinfo_t*, tagi_t const*, char const** culprit) noexcept {
        *culprit = "bridge";
        if (!making) return errno = EPERM, -1;
        auto* listening = reinterpret_cast<ListeningPrimary*>(primary);
        listening->mine = making;
        making->theirs = listening;
        if (making->transport == Transport::udp) {
            primary->port.socket = making->event = make_event();
            primary->port.events = SU_WAIT_IN;
            return making->event < 0 ? -1 : 0;
        }
        primary->port.connection_oriented = 1;
        primary->has_tls = making->transport == Transport::tls;
        return 0;
    }

    static void deinit_primary(Primary592* primary) noexcept {
        auto* listening = reinterpret_cast<ListeningPrimary*>(primary);
        if (listening->mine) listening->mine->theirs = nullptr;
        listening->mine = nullptr;
    }

    /// Sofia wants a connection of its own accord: for an answer whose connection is gone, or with none given. Where we connect
    /// to is decided in one place, Edge::dial, and that is not here.
    static tport_t* connect(Primary592*, su_addrinfo_t*, tp_name_t const*) noexcept {
        errno = EACCES;
        return nullptr;
    }

    static int init_secondary(Port488* port, int, int, char const**) noexcept {
        port->has_connection = 1;
        return 0;
    }

    static void deinit_secondary(Port488* port) noexcept { unlink(port); }
    static void shut(Port488* port, int) noexcept { unlink(port); }

    static void unlink(Port488* port) {
        auto* line = std::exchange(as_secondary(port)->line, nullptr);
        if (!line) return;
        auto& bridge = line->bridge;
        const auto flow = line->flow;
        bridge.lines_.erase(flow);
        bridge.network_.finish(flow);
    }

    static int wake_primary(Primary592* primary, int) noexcept {
        auto* listening = reinterpret_cast<ListeningPrimary*>(primary);
        if (!listening->mine) return 0;
        sleep_again(listening->mine->event);
        while (listening->mine && !listening->mine->waiting.empty()) {
            auto& next = listening->mine->waiting.front();
            if (next.error == 0) {
                tport_recv_event(&primary->port);
                continue;
            }
            const SocketAddress peer(next.peer);
            const int error = next.error;
            listening->mine->waiting.pop_front();
            su_sockaddr_t address{};
            std::memcpy(&address, peer.get(), std::min<std::size_t>(peer.size, sizeof address));
            tport_error_report(&primary->port, error, &address);
        }
        return 0;
    }

    static int wake_secondary(su_root_magic_t*, su_wait_t*, su_wakeup_arg_t* argument) noexcept {
        auto* port = reinterpret_cast<Port488*>(argument);
        auto* kept = tport_ref(as_tport(port));
        if (auto* line = as_secondary(port)->line) sleep_again(line->event);
        while (auto* line = as_secondary(port)->line) {
            if (line->waiting.empty()) {
                if (line->closed) tport_close(port);
                break;
            }
            tport_recv_event(port);
            // Either it wants to read no more from there, or it sees another end of the message than our framing does.
            if (!port->closed && (port->receive_closed || port->message)) tport_close(port);
        }
        tport_unref(kept);
        return 0;
    }

    /// Copies one message into a fresh one of the library's. One that is over its limit is cut there and then refused.
    static bool copy_in(Port488* port, const std::string& octets, bool exact) {
        msg_iovec_t parts[msg_n_fragments]{};
        const auto count = tport_recv_iovec(port, &port->message, parts, octets.size(), exact);
        if (count < 0) return false;
        std::size_t copied = 0;
        for (ssize_t i = 0; i < count; ++i) {
            const auto size = std::min<std::size_t>(parts[i].mv_len, octets.size() - copied);
            std::memcpy(parts[i].mv_base, octets.data() + copied, size);
            copied += size;
        }
        msg_recv_commit(port->message, static_cast<usize_t>(copied), exact);
        return true;
    }

    static int receive_datagram(Port488* port) noexcept {
        auto* mine = reinterpret_cast<ListeningPrimary*>(port)->mine;
        if (!mine || mine->waiting.empty()) return 0;
        const auto record = std::move(mine->waiting.front());
        mine->waiting.pop_front();
        if (!copy_in(port, record.octets, true)) return errno = ENOMEM, -1;
        const SocketAddress from(record.peer);
        auto* info = msg_addrinfo(port->message);
        std::memcpy(info->ai_addr, from.get(), from.size);
        info->ai_addrlen = from.size;
        return 0;  // complete, as datagrams are
    }

    static int receive_message(Port488* port) noexcept {
        auto* line = as_secondary(port)->line;
        if (!line || line->waiting.empty()) return 1;
        const auto text = std::move(line->waiting.front());
        line->waiting.pop_front();
        if (!copy_in(port, text, false)) return errno = ENOMEM, -1;
        msg_set_address(port->message, &port->address, static_cast<socklen_t>(port->address_info.ai_addrlen));
        return 1;
    }

    static ssize_t total(const msg_iovec_t* parts, std::size_t count) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < count; ++i) size += parts[i].mv_len;
        return static_cast<ssize_t>(size);
    }

    /// What the library wants to hear of a message that was given to the network: its size, or -1 and why.
    static ssize_t told(int error, TportBridge& bridge, const msg_iovec_t* parts, std::size_t count) {
        errno = error;
        if (error != 0) return -1;
        ++bridge.sent_;
        return total(parts, count);
    }

    static const iovec* as_iovec(const msg_iovec_t* parts) {
        static_assert(sizeof(msg_iovec_t) == sizeof(iovec));
        return reinterpret_cast<const iovec*>(parts);
    }

    static ssize_t send_datagram(Port488 const* port, msg_t* message, msg_iovec_t* parts, std::size_t count) noexcept {
        auto* mine = reinterpret_cast<ListeningPrimary const*>(port)->mine;
        SocketAddress to;
        msg_get_address(message, reinterpret_cast<su_sockaddr_t*>(&to.storage), &to.size);
        if (!mine) return errno = EPIPE, -1;
        return told(mine->bridge.network_.send(mine->listener, to.endpoint(), as_iovec(parts), count), mine->bridge, parts,
                    count);
    }

    static ssize_t send_message(Port488 const* port, msg_t*, msg_iovec_t* parts, std::size_t count) noexcept {
        auto* line = as_secondary(port)->line;
        if (!line || line->closed) return errno = EPIPE, -1;
        auto& bridge = line->bridge;
        return told(bridge.network_.write(line->flow, as_iovec(parts), count), bridge, parts, count);
    }

    static Type make_type(const char* name) {
        Type type{};
        type.name = name;
        type.kind = tport_type_local;
        type.primary_size = sizeof(ListeningPrimary);
        type.init_primary = init_primary;
        type.deinit_primary = deinit_primary;
        type.connect = connect;
        type.secondary_size = sizeof(Secondary);
        type.init_secondary = init_secondary;
        type.deinit_secondary = deinit_secondary;
        type.shutdown = shut;
        const bool udp = std::string_view(name) == "udp";
        type.wake_primary = udp ? wake_primary : nullptr;
        type.receive = udp ? receive_datagram : receive_message;
        type.send = udp ? send_datagram : send_message;
        return type;
    }

    /// Ours are found before the library's own of the same name.
    static bool register_types() {
        static const Type types[] = {make_type("udp"), make_type("tcp"), make_type("tls")};
        return std::ranges::all_of(types, [](const Type& type) { return tport_register_type(&type) == 0; });
    }
};

TportBridge::TportBridge(nta_agent_s* agent, Network network) : agent_(agent), network_(std::move(network)) {}

/// The transports are the agent's; they only forget us, and send to nobody from now on.
TportBridge::~TportBridge() {
    for (auto& [flow, line] : lines_) line->theirs->line = nullptr;
    for (auto& primary : primaries_)
        if (primary->theirs) primary->theirs->mine = nullptr;
}

Result<std::size_t> TportBridge::add_primary(Transport transport, const stox::Endpoint& name, std::size_t listener) {
    primaries_.push_back(std::make_unique<Primary>(Primary{*this, transport, listener}));
    // The scheme decides which transports nta looks among.
    const auto url =
        (transport == Transport::tls ? "sips:" : "sip:") + name.to_string() + ";transport=" + std::string(to_string(transport));
    BridgeHooks::making = primaries_.back().get();
    const int added = nta_agent_add_tport(agent_, reinterpret_cast<const url_string_t*>(url.c_str()), TPTAG_SDWN_ERROR(1),
                                          TPTAG_IDLE(UINT_MAX), TAG_END());
    BridgeHooks::making = nullptr;
    if (added != 0 || !primaries_.back()->theirs)
        return fail(Code::unavailable, "the SIP stack has no transport for " + url + ": " + std::strerror(errno));
    return primaries_.size() - 1;
}

/// By these names a request that is to leave by one of several alike is told so (NTATAG_TPORT). They would stand in Via, had
/// nta known them when it made those.
void TportBridge::seal() {
    for (std::size_t i = 0; i < primaries_.size(); ++i) {
        auto& port = primaries_[i]->theirs->primary.port;
        port.name.tpn_ident = su_strdup(&port.home, std::to_string(i).c_str());
    }
}

bool TportBridge::datagram(std::size_t primary, const stox::Endpoint& from, std::string_view octets) {
    auto& to = *primaries_.at(primary);
    if (to.waiting.size() >= kWaiting) return false;
    to.waiting.push_back({from, std::string(octets)});
    if (to.waiting.size() == 1) wake(to.event);
    return true;
}

void TportBridge::unreachable(std::size_t primary, const stox::Endpoint& peer, int error) {
    auto& to = *primaries_.at(primary);
    if (to.waiting.size() >= kWaiting || error == 0) return;
    to.waiting.push_back({peer, {}, error});
    if (to.waiting.size() == 1) wake(to.event);
}

Result<tport_s*> TportBridge::open(Flow flow, std::size_t primary, const stox::Endpoint& peer) {
    auto& on = *primaries_.at(primary);
    const int event = make_event();
    if (event < 0) return fail(Code::unavailable, "no descriptor for a connection");
    const char* reason = nullptr;
    auto* port = tport_alloc_secondary(&on.theirs->primary, event, 1, &reason);  // it closes `event` when it fails
    if (!port) return fail(Code::unavailable, "no transport for a connection");

    SocketAddress address(peer);
    su_addrinfo_t info = on.theirs->primary.port.address_info;
    info.ai_addr = address.get();
    info.ai_addrlen = address.size;
    info.ai_family = family_of(peer.address);
    info.ai_canonname = nullptr;
    const auto protocol = on.theirs->primary.port.name.tpn_proto;
    if (tport_setname(port, protocol, &info, nullptr) < 0 ||
        tport_register_secondary(port, &BridgeHooks::wake_secondary, SU_WAIT_IN) < 0) {
        tport_zap_secondary(port);
        return fail(Code::unavailable, "no transport for a connection");
    }
    port->connection_oriented = 1;
    port->connected = 1;
    auto line = std::make_unique<Line>(Line{*this, flow});
    line->theirs = as_secondary(port);
    line->event = event;
    as_secondary(port)->line = line.get();
    lines_.emplace(flow, std::move(line));
    return as_tport(port);
}

void TportBridge::message(Flow flow, std::string text) {
    const auto found = lines_.find(flow);
    if (found == lines_.end()) return;
    auto& line = *found->second;
    line.waiting.push_back(std::move(text));
    if (line.waiting.size() == 1) wake(line.event);
}

void TportBridge::closed(Flow flow) {
    const auto found = lines_.find(flow);
    if (found == lines_.end()) return;
    found->second->closed = true;
    wake(found->second->event);
}

tport_s* TportBridge::primary(std::size_t number) const { return as_tport(&primaries_.at(number)->theirs->primary.port); }

tport_s* TportBridge::port(Flow flow) const {
    const auto found = lines_.find(flow);
    return found == lines_.end() || found->second->closed ? nullptr : as_tport(&found->second->theirs->port);
}

Flow TportBridge::flow(const tport_s* port) {
    if (!tport_is_secondary(port)) return Flow::none;
    const auto* line = reinterpret_cast<const Secondary*>(port)->line;
    return line ? line->flow : Flow::none;
}

bool TportBridge::in_use(Flow flow) const {
    const auto found = lines_.find(flow);
    return found != lines_.end() && su_home_refcount(&found->second->theirs->port.home) > 1;
}

namespace {

using Root = Handle<su_root_t, &su_root_destroy>;
using Agent = Handle<nta_agent_t, &nta_agent_destroy>;

/// A request that lacks most headers: answered 400 by nta itself, with what the transports made of our address in it.
std::string odd_request(std::string_view transport) {
    return "OPTIONS sip:self.invalid SIP/2.0\r\nVia: SIP/2.0/" + std::string(transport) +
           " self.invalid;branch=z9hG4bKself;rport\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

void append(std::string& to, const iovec* parts, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
}

/// Equal sizes do not prove an equal layout: so one request goes through each kind of transport, before any from outside.
bool call_itself() {
    Root root(su_root_create(nullptr));
    if (!root) return false;
    su_root_threading(root.get(), 0);
    Agent agent(nta_agent_create(root.get(), reinterpret_cast<const url_string_t*>(-1), nullptr, nullptr,
                                 NTATAG_MCLASS(guarded_messages()), NTATAG_SERVER_RPORT(1), TAG_END()));
    if (!agent) return false;
    const stox::Endpoint self{Address::v4({192, 0, 2, 1}), 5060}, peer{Address::v4({192, 0, 2, 2}), 5070};
    std::string by_udp, by_tcp;
    stox::Endpoint udp_target;
    bool finished = false;
    TportBridge bridge(agent.get(), {[&](std::size_t, const stox::Endpoint& to, const iovec* parts, std::size_t count) {
                                         udp_target = to;
                                         append(by_udp, parts, count);
                                         return 0;
                                     },
                                     [&](Flow flow, const iovec* parts, std::size_t count) {
                                         if (flow == kSelfCallFlow) append(by_tcp, parts, count);
                                         return 0;
                                     },
                                     [&](Flow flow) { finished = flow == kSelfCallFlow; }});
    const auto udp = bridge.add_primary(Transport::udp, self, 0), tcp = bridge.add_primary(Transport::tcp, self, 1);
    if (!udp || !tcp) return false;
    bridge.seal();
    if (!bridge.open(kSelfCallFlow, tcp.value(), peer)) return false;
    if (TportBridge::flow(bridge.port(kSelfCallFlow)) != kSelfCallFlow || bridge.in_use(kSelfCallFlow)) return false;
    bridge.datagram(udp.value(), peer, odd_request("UDP"));
    bridge.message(kSelfCallFlow, odd_request("TCP"));
    constexpr int kTurns = 16;
    for (int i = 0; i < kTurns; ++i) su_root_step(root.get(), 0);

    const auto good = [](const std::string& answer) {
        return answer.starts_with("SIP/2.0 400 ") && answer.find("received=192.0.2.2") != answer.npos &&
               answer.find("rport=5070") != answer.npos;
    };
    return good(by_udp) && good(by_tcp) && udp_target == peer && finished && !bridge.port(kSelfCallFlow);
}

Result<void> check_sizes(const LibraryLayout& layout) {
    if (layout.primary == sizeof(Primary592) && layout.secondary == sizeof(Port488)) return ok();
    return fail(Code::unavailable, "this Sofia-SIP library is not the one stox was written for: its transports have " +
                                       std::to_string(layout.primary) + " and " + std::to_string(layout.secondary) +
                                       " octets, not 592 and 488. Install libsofia-sip-ua0 1.12.11+20110422 of Debian 12");
}

Result<void> check_once() {
    if (auto sizes = check_sizes({tport_tcp_vtable.primary_size, tport_tcp_vtable.secondary_size}); !sizes) return sizes;
    if (auto sizes = check_sizes({tport_udp_vtable.primary_size, tport_udp_vtable.secondary_size}); !sizes) return sizes;
    if (BridgeHooks::register_types() && call_itself()) return ok();
    return fail(Code::unavailable,
                "this Sofia-SIP library is not the one stox was written for: a call to itself failed. Install libsofia-sip-ua0 "
                "1.12.11+20110422 of Debian 12");
}

}  // namespace

Result<void> check_library(const std::optional<LibraryLayout>& layout) {
    if (layout)
        if (auto sizes = check_sizes(*layout); !sizes) return sizes;
    static const Result<void> checked = check_once();
    return checked;
}

}  // namespace stox::sip
