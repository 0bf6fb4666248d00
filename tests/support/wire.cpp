#include "tests/support/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace stox::test {

namespace {

constexpr int kLimit_ms = 10'000;

bool readable(int descriptor, int limit_ms = kLimit_ms) {
    pollfd wanted{descriptor, POLLIN, 0};
    return ::poll(&wanted, 1, limit_ms) > 0;
}

sockaddr_in loopback(unsigned port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

unsigned port_of(int descriptor) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

Wire accept_from(int listener) {
    if (!readable(listener)) throw std::runtime_error("no connection came within 10 s");
    return Wire(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
}

}  // namespace

Wire& Wire::operator=(Wire&& other) noexcept {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    input_ = std::move(other.input_);
    return *this;
}

Wire::~Wire() { close(); }

void Wire::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Wire::send(std::string_view octets) const {
    while (!octets.empty()) {
        const auto sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent < 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
        octets.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool Wire::fill() {
    char buffer[65'536];
    if (!readable(descriptor_)) throw std::runtime_error("nothing came within 10 s after: " + input_);
    const auto got = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(got));
    return true;
}

std::string Wire::read_until(std::string_view end) {
    for (;;) {
        if (const auto at = input_.find(end); at != std::string::npos) {
            auto text = input_.substr(0, at + end.size());
            input_.erase(0, at + end.size());
            return text;
        }
        if (!fill()) throw std::runtime_error("closed after: " + input_);
    }
}

std::string Wire::line_with(std::string_view part) {
    for (;;) {
        auto line = read_until("\n");
        line.pop_back();
        if (line.find(part) != std::string::npos) return line;
    }
}

bool Wire::comes(std::string_view part, std::chrono::milliseconds limit) {
    using std::chrono::steady_clock;
    const auto end = steady_clock::now() + limit;
    for (;;) {
        for (auto newline = input_.find('\n'); newline != input_.npos; newline = input_.find('\n')) {
            const auto line = input_.substr(0, newline);
            input_.erase(0, newline + 1);
            if (line.find(part) != line.npos) return true;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now());
        if (left.count() <= 0 || !readable(descriptor_, static_cast<int>(left.count())) || !fill()) return false;
    }
}

bool Wire::closed() {
    try {
        while (fill()) input_.clear();
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

TcpListener::TcpListener() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto here = loopback(0);
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || ::listen(descriptor_, 8) != 0)
        throw std::runtime_error("cannot listen");
    port_ = port_of(descriptor_);
}

Wire TcpListener::accept() const { return accept_from(descriptor_); }

void TcpListener::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

UnixListener::UnixListener() {
    char pattern[] = "/tmp/stox-test-XXXXXX";
    if (!::mkdtemp(pattern)) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    path_ = folder_ + "/xmpp";
    descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(descriptor_, 8) != 0)
        throw std::runtime_error("cannot listen on " + path_);
}

UnixListener::~UnixListener() {
    ::close(descriptor_);
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
}

Wire UnixListener::accept() const { return accept_from(descriptor_); }

Wire tcp_to(unsigned port) {
    Wire wire(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto there = loopback(port);
    if (::connect(wire.descriptor(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
        throw std::runtime_error("cannot connect");
    return wire;
}

Wire udp_to(unsigned port, unsigned host) {
    Wire wire(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    auto here = loopback(0);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    const auto there = loopback(port);
    ::bind(wire.descriptor(), reinterpret_cast<const sockaddr*>(&here), sizeof here);
    ::connect(wire.descriptor(), reinterpret_cast<const sockaddr*>(&there), sizeof there);
    return wire;
}

unsigned local_port(const Wire& wire) { return port_of(wire.descriptor()); }

}  // namespace stox::test
