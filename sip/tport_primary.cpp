// A primary transport: a listener of ours, as the library sees it.

#include "sip/edge/socket_address.h"
#include "sip/tport_hooks.h"

#include <sofia-sip/msg_addr.h>

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace stox::sip {

int BridgeHooks::init_primary(Primary592* primary, tp_name_t*, su_addrinfo_t*, tagi_t const*, char const** culprit) noexcept {
    *culprit = "bridge";
    if (!making) return errno = EPERM, -1;
    auto* listening = reinterpret_cast<ListeningPrimary*>(primary);
    listening->mine = making;
    making->theirs = listening;
    if (making->transport == Transport::udp) {
        primary->port.socket = make_event();
        primary->port.events = SU_WAIT_IN;
        return primary->port.socket < 0 ? -1 : 0;
    }
    primary->port.connection_oriented = 1;
    primary->has_tls = making->transport == Transport::tls;
    return 0;
}

void BridgeHooks::deinit_primary(Primary592* primary) noexcept {
    auto* listening = reinterpret_cast<ListeningPrimary*>(primary);
    if (listening->mine) listening->mine->theirs = nullptr;
    listening->mine = nullptr;
}

/// It ends with the last that waits, or with the transport.
void BridgeHooks::deliver_datagrams(TportBridge::Primary& mine) {
    while (mine.theirs && !mine.waiting.empty()) {
        auto* port = &mine.theirs->primary.port;
        auto& next = mine.waiting.front();
        if (next.error == 0) {
            tport_recv_event(port);
            continue;
        }
        const SocketAddress peer(next.peer);
        const int error = next.error;
        mine.waiting.pop_front();
        su_sockaddr_t address{};
        std::memcpy(&address, peer.get(), std::min<std::size_t>(peer.size, sizeof address));
        tport_error_report(port, error, &address);
    }
}

int BridgeHooks::receive_datagram(Port488* port) noexcept {
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

ssize_t BridgeHooks::send_datagram(Port488 const* port, msg_t* message, msg_iovec_t* parts, std::size_t count) noexcept {
    auto* mine = reinterpret_cast<ListeningPrimary const*>(port)->mine;
    SocketAddress to;
    msg_get_address(message, reinterpret_cast<su_sockaddr_t*>(&to.storage), &to.size);
    if (!mine) return errno = EPIPE, -1;
    return told(mine->bridge.network_.send(mine->listener, to.endpoint(), as_iovec(parts), count), mine->bridge, parts, count);
}

/// Sofia wants a connection of its own accord: for an answer whose connection is gone, or with none given. Where we connect
/// to is decided in one place, Edge::dial, and that is not here.
tport_t* BridgeHooks::connect(Primary592*, su_addrinfo_t*, tp_name_t const*) noexcept {
    errno = EACCES;
    return nullptr;
}

}  // namespace stox::sip
