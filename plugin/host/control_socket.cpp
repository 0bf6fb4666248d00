#include "plugin/host/control_socket.h"

#include <fcntl.h>

#include <chrono>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

namespace {

constexpr std::chrono::milliseconds kAgain{500};

}  // namespace

struct ControlSocket::State : std::enable_shared_from_this<ControlSocket::State> {
    State(asio::io_context& loop, ServiceAccess access_, Events events_)
        : acceptor(loop), again(loop), access(std::move(access_)), events(std::move(events_)) {}

    Local::acceptor acceptor;
    asio::steady_timer again;
    ServiceAccess access;
    Events events;
    bool closed = false;

    void accept() {
        acceptor.async_accept([self = shared_from_this()](error_code error, Local::socket socket) {
            if (self->closed) return;
            if (error) return self->accept_later();
            self->take(std::move(socket));
            self->accept();
        });
    }

    /// No descriptor is left, or no memory: at once it would be the same.
    void accept_later() {
        again.expires_after(kAgain);
        again.async_wait([self = shared_from_this()](error_code error) {
            if (!error && !self->closed) self->accept();
        });
    }

    void take(Local::socket socket) {
        const auto peer = peer_of(socket.native_handle());
        if (!peer) return events.refused("uid=unknown");
        if (!access.allows(*peer))
            return events.refused("uid=" + std::to_string(peer->user) + " pid=" + std::to_string(peer->process));
        events.arrived(socket.native_handle(), peer->user);
    }
};

ControlSocket::ControlSocket(asio::io_context& loop, int listener, ServiceAccess access, Events events)
    : state_(std::make_shared<State>(loop, std::move(access), std::move(events))) {
    state_->acceptor.assign(Local(), ::fcntl(listener, F_DUPFD_CLOEXEC, 3));
    state_->acceptor.non_blocking(true);
    state_->accept();
}

ControlSocket::~ControlSocket() {
    state_->closed = true;
    state_->again.cancel();
    error_code ignored;
    state_->acceptor.close(ignored);
}

}  // namespace stox::host
