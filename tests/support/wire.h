#pragma once
// Blocking ends of sockets for tests: wait for text with a limit, never for a fixed time.

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace stox::test {

/// One connected stream or datagram socket. Owns the descriptor.
class Wire {
public:
    explicit Wire(int descriptor) : descriptor_(descriptor) {}
    Wire(Wire&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), input_(std::move(other.input_)) {}
    Wire& operator=(Wire&& other) noexcept;
    ~Wire();

    int descriptor() const { return descriptor_; }
    void send(std::string_view octets) const;
    /// Everything up to and with `end`, which is awaited for 10 s; throws when it does not come.
    std::string read_until(std::string_view end);
    /// The next line that contains `part`, without its newline; the lines before it are dropped.
    std::string line_with(std::string_view part);
    /// Whether such a line comes in that time: for what must not. The lines before it are dropped.
    bool comes(std::string_view part, std::chrono::milliseconds limit);
    /// Whether the other side closes within 10 s; what it still sends is dropped.
    bool closed();
    void close();

private:
    bool fill();

    int descriptor_;
    std::string input_;
};

/// A unix listener on a path of its own in a temporary folder, removed at the end.
class UnixListener {
public:
    UnixListener();
    ~UnixListener();
    UnixListener(const UnixListener&) = delete;
    UnixListener& operator=(const UnixListener&) = delete;

    const std::string& path() const { return path_; }
    /// The next connection, awaited for 10 s; throws when none comes.
    Wire accept() const;

private:
    std::string folder_, path_;
    int descriptor_;
};

/// A TCP listener on a free port of 127.0.0.1.
class TcpListener {
public:
    TcpListener();
    ~TcpListener() { close(); }
    TcpListener(const TcpListener&) = delete;
    TcpListener& operator=(const TcpListener&) = delete;

    unsigned port() const { return port_; }
    Wire accept() const;
    void close();

private:
    int descriptor_;
    unsigned port_;
};

Wire tcp_to(unsigned port);
/// A UDP socket on 127.0.0.1, or another host of that network, connected to that port of 127.0.0.1.
Wire udp_to(unsigned port, unsigned host = 1);
unsigned local_port(const Wire& wire);

}  // namespace stox::test
