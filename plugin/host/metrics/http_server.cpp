#include "plugin/host/metrics/http_server.h"

#include "plugin/host/listener.h"
#include "sip/edge/socket_address.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Socket = Acceptor::Socket;

namespace {

constexpr int kBacklog = 16;

HttpPage plain(unsigned status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body)}; }

/// One request and its answer.
struct Connection : std::enable_shared_from_this<Connection> {
    Connection(Socket socket_, HttpServer::Page page_, HttpServer::Patience patience_, Acceptor::Place place_)
        : socket(std::move(socket_)), timer(socket.get_executor()), page(std::move(page_)), patience(patience_), place(std::move(place_)) {
        parser.header_limit(HttpServer::kMaxHeader);
        parser.body_limit(0);
    }

    Socket socket;
    asio::steady_timer timer;
    beast::flat_buffer input{HttpServer::kMaxHeader};
    http::request_parser<http::empty_body> parser;
    http::response<http::string_body> response;
    std::optional<http::response_serializer<http::string_body>> serializer;
    HttpServer::Page page;
    HttpServer::Patience patience;
    Acceptor::Place place;

    void close() {
        error_code ignored;
        socket.close(ignored);
        timer.cancel();
    }
    /// Whoever says or reads nothing does not keep a place for ever.
    void limit(std::chrono::milliseconds most) {
        timer.expires_after(most);
        timer.async_wait([weak = weak_from_this()](error_code error) {
            auto self = weak.lock();
            if (!error && self) self->close();
        });
    }
    void start() {
        limit(patience.request);
        http::async_read_header(socket, input, parser, [self = shared_from_this()](error_code error, std::size_t) { self->came(error); });
    }
    void came(error_code error) {
        if (error == http::error::header_limit || error == http::error::buffer_overflow) return answer(plain(431, "The request is too long.\n"));
        if (error == http::error::body_limit) return answer(plain(413, "A request has no body here.\n"));
        if (error.category() == make_error_code(http::error::bad_method).category() && error != http::error::end_of_stream &&
            error != http::error::partial_message)
            return answer(plain(400, "This is no request.\n"));
        if (error) return close();
        const auto& request = parser.get();
        if (request.method() != http::verb::get && request.method() != http::verb::head) {
            response.set(http::field::allow, "GET, HEAD");
            return answer(plain(405, "Only GET and HEAD are known here.\n"));
        }
        if (parser.chunked() || parser.content_length().value_or(0) != 0) return answer(plain(413, "A request has no body here.\n"));
        const std::string_view target(request.target().data(), request.target().size());
        const auto accept = request[http::field::accept];
        answer(page(target.substr(0, target.find('?')), {accept.data(), accept.size()}));
    }
    void answer(HttpPage made) {
        response.version(11);
        response.result(made.status);
        response.set(http::field::content_type, made.type);
        response.set(http::field::cache_control, "no-store");
        response.set("X-Content-Type-Options", "nosniff");
        response.keep_alive(false);
        response.body() = std::move(made.body);
        response.prepare_payload();
        limit(patience.answer);
        serializer.emplace(response);
        serializer->split(parser.get().method() == http::verb::head);
        const auto written = [self = shared_from_this()](error_code, std::size_t) { self->leave(); };
        if (serializer->split())
            http::async_write_header(socket, *serializer, written);
        else
            http::async_write(socket, *serializer, written);
    }
    /// What is still unread would make the kernel throw the answer away.
    void leave() {
        error_code ignored;
        socket.shutdown(Socket::shutdown_send, ignored);
        input.clear();
        drain();
    }
    void drain() {
        socket.async_read_some(input.prepare(1'024), [self = shared_from_this()](error_code error, std::size_t) {
            if (error) return self->close();
            self->drain();
        });
    }
};

Result<int> listen_on_endpoint(const Endpoint& endpoint) {
    const sip::SocketAddress address(endpoint);
    const int descriptor = ::socket(sip::family_of(endpoint.address), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (descriptor >= 0 && ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        ::bind(descriptor, address.get(), address.size) == 0 && ::listen(descriptor, kBacklog) == 0)
        return descriptor;
    const std::string why = std::strerror(errno);
    if (descriptor >= 0) ::close(descriptor);
    return fail(Code::unavailable, endpoint.to_string() + ": " + why);
}

}  // namespace

HttpServer::HttpServer(asio::io_context& loop, int listener, std::string path, Page page, Patience patience)
    : path_(std::move(path)),
      acceptor_(loop, listener, kConnections, [page = std::move(page), patience](Socket socket, Acceptor::Place place) {
          std::make_shared<Connection>(std::move(socket), page, patience, std::move(place))->start();
      }) {}

Result<std::unique_ptr<HttpServer>> HttpServer::open(asio::io_context& loop, const Endpoint& endpoint, Page page, Patience patience) {
    BOOST_OUTCOME_TRY(descriptor, listen_on_endpoint(endpoint));
    return std::unique_ptr<HttpServer>(new HttpServer(loop, descriptor, {}, std::move(page), patience));
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(asio::io_context& loop, const std::string& path, Page page, Patience patience) {
    BOOST_OUTCOME_TRY(descriptor, listen_on(path, 0660));
    return std::unique_ptr<HttpServer>(new HttpServer(loop, descriptor, path, std::move(page), patience));
}

HttpServer::~HttpServer() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

std::string HttpServer::address() const {
    if (!path_.empty()) return "unix:" + path_;
    sip::SocketAddress address;
    if (::getsockname(acceptor_.descriptor(), address.get(), &address.size) != 0) return {};
    return address.endpoint().to_string();
}

}  // namespace stox::host
