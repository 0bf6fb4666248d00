#include "plugin/host/acceptor.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/socket.h>

#include <chrono>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using boost::system::error_code;
using Stream = asio::generic::stream_protocol;

namespace {

constexpr std::chrono::seconds kAgain{1};

int family_of(int listener) {
    sockaddr_storage address = {};
    socklen_t length = sizeof address;
    return ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0 ? address.ss_family : AF_UNSPEC;
}

}  // namespace

struct Acceptor::State : std::enable_shared_from_this<Acceptor::State> {
    State(asio::io_context& loop, std::size_t most_, Arrived arrived_)
        : acceptor(loop), again(loop), most(most_), arrived(std::move(arrived_)) {}

    asio::basic_socket_acceptor<Stream> acceptor;
    asio::steady_timer again;
    std::size_t most, taken = 0;
    Arrived arrived;
    bool accepting = false, closed = false;

    void accept() {
        if (accepting || closed || taken >= most) return;
        accepting = true;
        acceptor.async_accept([self = shared_from_this()](error_code error, Socket socket) {
            self->accepting = false;
            if (self->closed) return;
            if (error) return self->accept_later();
            self->arrived(std::move(socket), self->place());
            self->accept();
        });
    }

    /// No descriptor is left, or no memory: at once it would be the same.
    void accept_later() {
        again.expires_after(kAgain);
        again.async_wait([weak = weak_from_this()](error_code error) {
            auto self = weak.lock();
            if (!error && self) self->accept();
        });
    }

    Place place() {
        ++taken;
        return {static_cast<void*>(nullptr), [weak = weak_from_this()](void*) {
                    auto self = weak.lock();
                    if (!self) return;
                    --self->taken;
                    self->accept();
                }};
    }
};

Acceptor::Acceptor(asio::io_context& loop, int listener, std::size_t most, Arrived arrived)
    : state_(std::make_shared<State>(loop, most, std::move(arrived))) {
    state_->acceptor.assign(Stream(family_of(listener), 0), listener);
    state_->acceptor.non_blocking(true);
    state_->accept();
}

Acceptor::~Acceptor() {
    state_->closed = true;
    state_->again.cancel();
    error_code ignored;
    state_->acceptor.close(ignored);
}

int Acceptor::descriptor() const { return state_->acceptor.native_handle(); }

}  // namespace stox::host
