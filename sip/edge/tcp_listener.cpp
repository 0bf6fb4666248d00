#include "sip/edge/tcp_listener.h"

#include "sip/edge/socket_address.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace stox::sip {

namespace {

/// For one turn of the loop.
constexpr int kBatch = 64;
constexpr int kBacklog = 1'024;
/// Without a descriptor even for closing: until one may have come free.
constexpr std::chrono::milliseconds kPause{100};

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

Result<std::unique_ptr<TcpListener>> TcpListener::open(boost::asio::io_context& loop, const stox::Endpoint& address,
                                                       const std::string& name, Handlers handlers) {
    const auto problem = [&](const char* what) {
        return fail(Code::unavailable, name + ':' + address.to_string() + " cannot be bound: " + what);
    };
    boost::asio::ip::tcp::acceptor acceptor(loop);
    boost::system::error_code error;
    acceptor.open(address.address.is_v4() ? boost::asio::ip::tcp::v4() : boost::asio::ip::tcp::v6(), error);
    if (error) return problem(std::strerror(error.value()));
    const int descriptor = acceptor.native_handle(), on = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!address.address.is_v4()) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const SocketAddress wanted(address);
    SocketAddress bound;
    if (::bind(descriptor, wanted.get(), wanted.size) != 0 || ::listen(descriptor, kBacklog) != 0 ||
        ::getsockname(descriptor, bound.get(), &bound.size) != 0)
        return problem(std::strerror(errno));
    acceptor.native_non_blocking(true, error);
    if (error) return problem(std::strerror(error.value()));
    std::unique_ptr<TcpListener> listener(new TcpListener(std::move(acceptor), bound.endpoint(), std::move(handlers)));
    if (listener->reserve_ < 0) return problem(std::strerror(errno));
    listener->wait();
    return listener;
}

TcpListener::TcpListener(boost::asio::ip::tcp::acceptor acceptor, stox::Endpoint address, Handlers handlers)
    : acceptor_(std::move(acceptor)),
      pause_(acceptor_.get_executor()),
      address_(address),
      handlers_(std::move(handlers)),
      reserve_(open_reserve()) {}

TcpListener::~TcpListener() {
    if (reserve_ >= 0) ::close(reserve_);
}

void TcpListener::wait() {
    acceptor_.async_wait(boost::asio::socket_base::wait_read,
                         [this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
                             if (!error && !alive.expired()) accept_batch();
                         });
}

void TcpListener::accept_batch() {
    const auto alive = std::weak_ptr(alive_);
    for (int i = 0; i < kBatch; ++i) {
        SocketAddress peer;
        const int descriptor = ::accept4(acceptor_.native_handle(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            accepted(descriptor, peer.endpoint());
            if (alive.expired()) return;
            continue;
        }
        if (errno == EAGAIN) break;
        const bool none_left = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (!none_left) continue;  // this one connection is gone again
        handlers_.no_descriptor();
        if (shed()) continue;
        pause_.expires_after(kPause);
        return pause_.async_wait([this, alive](boost::system::error_code error) {
            if (!error && !alive.expired()) wait();
        });
    }
    wait();
}

void TcpListener::accepted(int descriptor, const stox::Endpoint& peer) {
    boost::asio::ip::tcp::socket socket(acceptor_.get_executor());
    boost::system::error_code error;
    socket.assign(peer.address.is_v4() ? boost::asio::ip::tcp::v4() : boost::asio::ip::tcp::v6(), descriptor, error);
    if (error)
        ::close(descriptor);
    else
        handlers_.accepted(std::move(socket), peer);
}

/// False when there is no reserve: it could not be taken back the last time.
bool TcpListener::shed() {
    if (reserve_ < 0) reserve_ = open_reserve();
    if (reserve_ < 0) return false;
    ::close(reserve_);
    const int descriptor = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) ::close(descriptor);
    reserve_ = open_reserve();
    return true;
}

}  // namespace stox::sip
