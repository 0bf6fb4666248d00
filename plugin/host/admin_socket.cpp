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
using Local = asio::local::stream_protocol;

struct AdminSocket::State : std::enable_shared_from_this<AdminSocket::State> {
    State(asio::io_context& loop_, std::string path_, Events events_)
        : acceptor(loop_), retry(loop_), path(std::move(path_)), events(std::move(events_)) {}

    Local::acceptor acceptor;
    asio::steady_timer retry;
    std::string path;
    Events events;
    std::size_t connections = 0;
    bool accepting = false, closed = false;

    void accept();
    void accept_later();
    void take(Local::socket socket);
};

namespace {

/// One question and its answer.
struct Connection : std::enable_shared_from_this<Connection> {
    Connection(Local::socket socket_, std::function<void()> over_)
        : socket(std::move(socket_)), timer(socket.get_executor()), input(AdminSocket::kMaxLine), over(std::move(over_)) {}
    ~Connection() { over(); }

    Local::socket socket;
    asio::steady_timer timer;
    asio::streambuf input;
    std::string output;
    std::function<void()> over;

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

std::optional<ucred> credentials_of(Local::socket& socket) {
    ucred peer = {};
    socklen_t length = sizeof peer;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
    return peer;
}

}  // namespace

Result<std::unique_ptr<AdminSocket>> AdminSocket::open(asio::io_context& loop, const std::string& path, Events events) {
    BOOST_OUTCOME_TRY(descriptor, listen_on(path, 0600));
    auto state = std::make_shared<State>(loop, path, std::move(events));
    state->acceptor.assign(Local(), descriptor);
    state->accept();
    return std::unique_ptr<AdminSocket>(new AdminSocket(std::move(state)));
}

AdminSocket::~AdminSocket() {
    state_->closed = true;
    error_code ignored;
    state_->acceptor.close(ignored);
    state_->retry.cancel();
    ::unlink(state_->path.c_str());
}

void AdminSocket::State::accept() {
    if (accepting || closed || connections >= kConnections) return;
    accepting = true;
    acceptor.async_accept([self = shared_from_this()](error_code error, Local::socket socket) {
        self->accepting = false;
        if (self->closed) return;
        if (!error) self->take(std::move(socket));
        error ? self->accept_later() : self->accept();
    });
}

/// No descriptor is left, or no memory: at once it would be the same.
void AdminSocket::State::accept_later() {
    retry.expires_after(std::chrono::seconds(1));
    retry.async_wait([weak = weak_from_this()](error_code error) {
        auto self = weak.lock();
        if (!error && self) self->accept();
    });
}

void AdminSocket::State::take(Local::socket socket) {
    const auto peer = credentials_of(socket);
    ++connections;
    auto over = [weak = weak_from_this()] {
        auto self = weak.lock();
        if (!self) return;
        --self->connections;
        self->accept();
    };
    auto connection = std::make_shared<Connection>(std::move(socket), std::move(over));
    if (!peer || (peer->uid != 0 && peer->uid != ::geteuid())) {
        events.refused("administration refused uid=" + (peer ? std::to_string(peer->uid) : std::string("unknown")));
        return connection->reply({AdminAnswer::kFailed, "Only root and the user of the worker may do this.\n"});
    }
    connection->limit();
    asio::async_read_until(connection->socket, connection->input, '\n',
                           [self = shared_from_this(), connection, uid = peer->uid](error_code error, std::size_t) {
                               if (error || self->closed) return connection->close();
                               std::istream lines(&connection->input);
                               std::string line;
                               std::getline(lines, line);
                               const auto command = parse_command(line);
                               const auto* asked = command ? std::get_if<AdminAsked>(&command.value()) : nullptr;
                               if (!asked) return connection->reply({AdminAnswer::kMisused, "This cannot be understood.\n"});
                               auto known = *asked;
                               known.who = "uid:" + std::to_string(uid);  // what the kernel says, whatever they say
                               connection->reply(self->events.asked(known));
                           });
}

}  // namespace stox::host
