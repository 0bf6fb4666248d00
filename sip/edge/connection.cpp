#include "sip/edge/connection.h"

#include "mapping/core/handle.h"
#include "sip/edge/certificate_names.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <utility>

namespace stox::sip {

namespace {

using std::chrono::seconds;
using End = ConnectionOwner::End;
using X509Handle = Handle<X509, &X509_free>;

/// For what was written to leave, and for the peer to close after us.
constexpr seconds kDrain{2};
/// The kernel's own patience with a peer that acknowledges nothing.
constexpr int kUserTimeoutMs = 30'000;

void set_options(Connection::Socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
}

boost::asio::ip::tcp::endpoint to_asio(const stox::Endpoint& endpoint) {
    const auto& octets = endpoint.address.octets();
    if (endpoint.address.is_v4())
        return {boost::asio::ip::address_v4({octets[0], octets[1], octets[2], octets[3]}), endpoint.port};
    return {boost::asio::ip::address_v6(octets), endpoint.port};
}

}  // namespace

Connection::Connection(Socket socket, Identity identity, const Limits& limits, ConnectionOwner& owner, Turn& turn,
                       std::shared_ptr<const TlsContexts> contexts)
    : socket_(std::move(socket)),
      identity_(std::move(identity)),
      limits_(limits),
      owner_(owner),
      turn_(turn),
      contexts_(std::move(contexts)),
      framer_(limits),
      timer_(socket_.get_executor()),
      pause_(socket_.get_executor()) {}

Connection::~Connection() = default;

void Connection::accept() {
    set_options(socket_);
    if (identity_.transport == Transport::tls)
        handshake();
    else
        opened();
}

void Connection::dial() {
    opens_within(limits_.connect);
    socket_.async_connect(to_asio(identity_.peer), [self = shared_from_this()](error_code error) {
        if (self->state_ != State::connecting) return;
        if (error) return self->end(End::dial, error.message());
        self->connected();
    });
}

void Connection::connected() {
    set_options(socket_);
    if (identity_.transport == Transport::tls)
        handshake();
    else
        opened();
}

void Connection::handshake() {
    state_ = State::handshaking;
    opens_within(limits_.handshake);
    auto* context = identity_.dialled ? &contexts_->client(identity_.credentials) : contexts_->server();
    if (!context) return end(End::no_certificate, "no certificate of ours");
    tls_ = std::make_unique<boost::asio::ssl::stream<Socket&>>(socket_, *context);
    contexts_->attend(tls_->native_handle());
    if (identity_.dialled && !identity_.tls_name.empty() && !Address::parse(identity_.tls_name)) {
        auto name = identity_.tls_name;
        if (name.ends_with('.')) name.pop_back();  // RFC 6066 §3
        SSL_set_tlsext_host_name(tls_->native_handle(), name.c_str());
    }
    const auto role = identity_.dialled ? boost::asio::ssl::stream_base::client : boost::asio::ssl::stream_base::server;
    tls_->async_handshake(role, [self = shared_from_this()](error_code error) { self->shaken(error); });
}

void Connection::shaken(error_code error) {
    if (state_ != State::handshaking) return;
    if (error) {
        const auto verified = SSL_get_verify_result(tls_->native_handle());
        return end(End::handshake, verified == X509_V_OK
                                       ? error.message()
                                       : std::string("certificate: ") + X509_verify_cert_error_string(verified));
    }
    if (const auto wrong = check_peer(); !wrong.empty()) return end(End::handshake, wrong);
    if (!identity_.dialled) owner_.shaken(*this);
    opened();
}

/// What is wrong with the peer's certificate beyond its chain, which OpenSSL checked. Empty: nothing.
std::string Connection::check_peer() {
    auto* ssl = tls_->native_handle();
    const bool checked = SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER;
    const X509Handle certificate(SSL_get1_peer_certificate(ssl));
    if (!checked) return {};
    if (!certificate) return identity_.dialled ? "the peer has no certificate" : "";
    if (!is_for_sip(*certificate)) return "the certificate is not for SIP: its extended key usage says otherwise";
    const auto names = read_names(*certificate);
    certified_ = {contexts_->trust_of(SSL_get_SSL_CTX(ssl)), sip_identities(names)};
    if (!identity_.dialled) return {};
    const auto expected = identity_.tls_name.empty() ? identity_.peer.address.to_string() : identity_.tls_name;
    return proves(names, expected) ? std::string() : "the certificate is not for " + expected;
}

void Connection::opened() {
    state_ = State::open;
    *delivers_ = true;
    due_at(Clock::now() + limits_.idle);
    if (!queue_.empty()) flush();
    if (state_ == State::open || state_ == State::draining) read();
}

void Connection::finish() {
    if (state_ == State::ended || finishing_) return;
    if (state_ != State::open) return end(End::ours, "closed by us");
    finishing_ = true;
    if (accounted_ > 0) owner_.queued(-static_cast<std::ptrdiff_t>(std::exchange(accounted_, 0)));
    if (!std::exchange(told_, true)) owner_.ended(*this, End::ours, "closed by us");
    state_ = State::draining;
    pause_.cancel();
    due_at(Clock::now() + kDrain);
    read();  // it may have waited for its rate
    if (writing_) return;
    if (queue_.empty()) return drain();
    flush();
}

/// Says that nothing more comes and lets the peer close: what it still sends would turn into a reset that eats our last answer.
void Connection::drain() {
    const auto shut = [self = shared_from_this()](error_code) {
        error_code ignored;
        if (self->state_ == State::draining) self->socket_.shutdown(Socket::shutdown_send, ignored);
    };
    if (tls_)
        tls_->async_shutdown(shut);
    else
        shut({});
}

void Connection::end(End end, const std::string& reason) {
    if (state_ == State::ended) return;
    if (state_ == State::open && !queue_.empty() && end != End::slow_reader) last_words();
    state_ = State::ended;
    timer_.cancel();
    pause_.cancel();
    error_code ignored;
    socket_.close(ignored);
    account();
    if (!std::exchange(told_, true)) owner_.ended(*this, end, reason);
}

/// This step of its opening, and within what all of them together may take.
void Connection::opens_within(std::chrono::seconds limit) { due_at(std::min(Clock::now() + limit, opens_by_)); }

void Connection::hurry(std::chrono::seconds limit) {
    if (state_ != State::connecting && state_ != State::handshaking) return;
    opens_by_ = std::min(opens_by_, Clock::now() + limit);
    if (due_ != Clock::time_point()) due_at(std::min(due_, opens_by_));
}

void Connection::due_at(Clock::time_point due) {
    due_ = due;
    // A timer that fires too early looks again; one that would fire too late is set anew.
    if (due_ < armed_) wait_until_due();
}

void Connection::wait_until_due() {
    armed_ = due_;
    timer_.expires_at(due_);
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (error || self->state_ == State::ended) return;
        self->armed_ = Clock::time_point::max();
        if (Clock::now() < self->due_)
            self->wait_until_due();
        else
            self->expired();
    });
}

void Connection::expired() {
    switch (state_) {
        case State::connecting:
            return end(End::dial, "no connection in time");
        case State::handshaking:
            return end(End::deadline, "no TLS handshake in time");
        case State::draining:
        case State::ended:
            return end(End::ours, "closed by us");
        case State::open:
            break;
    }
    if (message_due_) return end(End::deadline, "a message was not complete in time");
    if (held_ > 0 || waiting_message_ || owner_.in_use(*this)) return due_at(Clock::now() + limits_.idle);
    end(End::idle, "idle");
}

}  // namespace stox::sip
