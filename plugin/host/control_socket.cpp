#include "plugin/host/control_socket.h"

#include <fcntl.h>

#include <limits>
#include <utility>

namespace stox::host {

ControlSocket::ControlSocket(boost::asio::io_context& loop, int listener, ServiceAccess access, Events events)
    : access_(std::move(access)),
      events_(std::move(events)),
      acceptor_(loop, ::fcntl(listener, F_DUPFD_CLOEXEC, 3), std::numeric_limits<std::size_t>::max(),
                [this](Acceptor::Socket socket, const Acceptor::Place&) { take(socket.native_handle()); }) {}

void ControlSocket::take(int connection) const {
    const auto peer = peer_of(connection);
    if (!peer) return events_.refused("uid=unknown");
    if (!access_.allows(*peer))
        return events_.refused("uid=" + std::to_string(peer->user) + " pid=" + std::to_string(peer->process));
    events_.arrived(connection, peer->user);
}

}  // namespace stox::host
