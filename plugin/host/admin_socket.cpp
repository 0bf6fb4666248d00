#include "plugin/host/admin_socket.h"

#include "plugin/host/listener.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <istream>
#include <optional>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = Acceptor::Socket;

namespace {

/// One question and its answer.
struct Connection : std::enable_shared_from_this<Connection> {
    Connection(Socket socket_, Acceptor::Place place_)
        : socket(std::move(socket_)), timer(socket.get_executor()), input(AdminSocket::kMaxLine), place(std::move(place_)) {}

    Socket socket;
    asio::steady_timer timer;
    asio::streambuf input;
    std::string output;
    Acceptor::Place place;

    void close() {
        error_code ignored;
        socket.close(ignored);
        timer.cancel();
    }
    /// Whoever says or reads nothing does not keep a place for ever.
    void limit() {
        timer.expires_after(AdminSocket::kPatience);
        timer.async_wait([weak = weak_from_this()](error_code error) {
            auto self = weak.lock();
            if (!error && self) self->close();
        });
    }
    void reply(const AdminAnswer& answer) {
        output = admin_answer_line({}, answer) + '\n';
        limit();
        asio::async_write(socket, asio::buffer(output), [self = shared_from_this()](error_code, std::size_t) { self->close(); });
    }
};

std::optional<ucred> credentials_of(Socket& socket) {
    ucred peer = {};
    socklen_t length = sizeof peer;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
    return peer;
}

}  // namespace

Result<std::unique_ptr<AdminSocket>> AdminSocket::open(asio::io_context& loop, const std::string& path, Events events) {
    BOOST_OUTCOME_TRY(descriptor, listen_on(path, 0600));
    return std::unique_ptr<AdminSocket>(new AdminSocket(loop, descriptor, path, std::move(events)));
}

AdminSocket::AdminSocket(asio::io_context& loop, int listener, std::string path, Events events)
    : path_(std::move(path)),
      events_(std::make_shared<Events>(std::move(events))),
      acceptor_(loop, listener, kConnections,
                [this](Socket socket, Acceptor::Place place) { take(std::move(socket), std::move(place)); }) {}

AdminSocket::~AdminSocket() { ::unlink(path_.c_str()); }

void AdminSocket::take(Socket socket, Acceptor::Place place) {
    const auto peer = credentials_of(socket);
    auto connection = std::make_shared<Connection>(std::move(socket), std::move(place));
    if (!peer || (peer->uid != 0 && peer->uid != ::geteuid())) {
        events_->refused("administration refused uid=" + (peer ? std::to_string(peer->uid) : std::string("unknown")));
        return connection->reply({AdminAnswer::kFailed, "Only root and the user of the worker may do this.\n"});
    }
    connection->limit();
    asio::async_read_until(connection->socket, connection->input, '\n',
                           [weak = std::weak_ptr(events_), connection, uid = peer->uid](error_code error, std::size_t) {
                               const auto events = weak.lock();
                               if (error || !events) return connection->close();
                               std::istream lines(&connection->input);
                               std::string line;
                               std::getline(lines, line);
                               const auto command = parse_command(line);
                               const auto* asked = command ? std::get_if<AdminAsked>(&command.value()) : nullptr;
                               if (!asked) return connection->reply({AdminAnswer::kMisused, "This cannot be understood.\n"});
                               auto known = *asked;
                               known.who = "uid:" + std::to_string(uid);  // what the kernel says, whatever they say
                               connection->reply(events->asked(known));
                           });
}

}  // namespace stox::host
