#include "sip/edge/connection.h"

#include "mapping/core/handle.h"
#include "sip/edge/certificate_names.h"
#include "sip/edge/diverted_output.h"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

namespace stox::sip {

namespace {

using std::chrono::seconds;
using End = ConnectionOwner::End;
using X509Handle = Handle<X509, &X509_free>;

/// For what was written to leave, and for the peer to close after us.
constexpr seconds kDrain{2};
/// Memory that a queue keeps while nothing waits in it.
constexpr std::size_t kKeptQueue = 16'384;
/// What is written within one turn of the loop waits for its end up to here: what one TLS record holds.
constexpr std::size_t kTogether = 16'384;
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

/// In TLS 1.3 a client is done before the server has judged its certificate, so that the refusal comes as an alert in place of
/// data; whatever the client had written by then is not read.   (RFC 8446 §4.4.2.4, §6.2)
bool refuses_our_certificate(boost::system::error_code error) {
    if (error.category() != boost::asio::error::get_ssl_category()) return false;
    switch (ERR_GET_REASON(static_cast<unsigned long>(error.value())) - SSL_AD_REASON_OFFSET) {
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_ACCESS_DENIED:
        case SSL_AD_DECRYPT_ERROR:  // a signature in its chain, or its own
        case SSL_AD_CERTIFICATE_REQUIRED:
            return true;
        default:
            return false;
    }
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

template <class Buffer, class Handler>
void Connection::async_read(const Buffer& buffer, Handler handler) {
    if (tls_)
        tls_->async_read_some(buffer, std::move(handler));
    else
        socket_.async_read_some(buffer, std::move(handler));
}

void Connection::read() {
    if (std::exchange(reading_, true)) return;
    async_read(boost::asio::buffer(input_), [self = shared_from_this()](error_code error, std::size_t size) {
        self->reading_ = false;
        if (self->state_ == State::ended) return;
        if (error) return self->failed(error);
        self->heard_ = true;
        if (self->state_ == State::draining) return self->read();
        self->turn_.run([&] { self->take(size); });
    });
}

/// What has been received and is not read yet: Asio gives one TLS record at a time, each by a turn of the loop. That the peer has
/// ended is left to the next read, and everything while OpenSSL may have half a record to write.
std::size_t Connection::read_on() {
    if (!tls_ || writing_) return 0;
    auto* ssl = tls_->native_handle();
    if (!SSL_has_pending(ssl) && BIO_ctrl_pending(SSL_get_rbio(ssl)) == 0) return 0;
    DivertedOutput output(*ssl);
    ERR_clear_error();
    const int size = SSL_read(ssl, input_.data(), static_cast<int>(input_.size()));
    if (size > 0) return output.give_back(), static_cast<std::size_t>(size);
    const int what = SSL_get_error(ssl, size);
    if (what == SSL_ERROR_SSL || what == SSL_ERROR_SYSCALL)
        broken(output.take());
    else
        output.give_back();
    ERR_clear_error();
    return 0;
}

/// By the error that OpenSSL has noted. Asio sends the alert only of an error that it met itself.   (RFC 8446 §6.2)
void Connection::broken(const std::string& alert) {
    const error_code error(static_cast<int>(ERR_get_error()), boost::asio::error::get_ssl_category());
    ::send(socket_.native_handle(), alert.data(), alert.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    failed(error);
}

void Connection::failed(error_code error) {
    if (identity_.dialled && !heard_ && refuses_our_certificate(error) && SSL_version(tls_->native_handle()) == TLS1_3_VERSION) {
        *delivers_ = false;
        return end(End::handshake, "the peer refuses our certificate: " + error.message());
    }
    end(End::peer_closed, error == boost::asio::error::eof ? "closed by the peer" : error.message());
}

void Connection::take(std::size_t size) {
    for (; size > 0; size = read_on()) {
        framer_.append({input_.data(), size});
        if (!frame()) return;
    }
    if (state_ != State::ended) read();
}

/// Hands on what is whole. False: not to be read on for now, or ever.
bool Connection::frame() {
    bool whole = false;
    while (state_ == State::open) {
        if (!waiting_message_) {
            auto framed = framer_.next();
            if (!framed) break;
            if (auto* violation = std::get_if<Violation>(&*framed)) {
                end(End::violation, violation->reason);
                return false;
            }
            if (std::holds_alternative<Ping>(*framed)) {
                pinged_ = true;
                continue;
            }
            whole = carried_ = true;
            waiting_message_ = std::get<std::string>(std::move(*framed));
        }
        if (!may_take()) return false;
        owner_.message(*this, std::exchange(waiting_message_, std::nullopt).value());
    }
    if (state_ != State::open) return false;
    if (pinged_) {
        if (!may_take()) return false;
        pinged_ = false;
        // One, however many came together: else two octets of ours leave in a packet of their own for every four of theirs.
        const iovec pong{const_cast<char*>("\r\n"), 2};
        if (!write(&pong, 1)) return false;
    }
    // A message has its time from the first octet that we saw of it, and gets no more by further octets. Blank lines are a sign
    // of life of who has said something, and of nobody else.
    const bool begun = framer_.in_message();
    if (begun && (whole || !message_due_)) due_at(Clock::now() + limits_.message);
    if (!begun && (carried_ || identity_.dialled)) due_at(Clock::now() + limits_.idle);
    message_due_ = begun;
    return true;
}

/// False: it has ended, or is looked at again later. Not read on meanwhile: the peer feels it as a full window. Its time for the
/// next message begins after that.
bool Connection::may_take() {
    const auto wait = owner_.admit(*this);
    if (state_ != State::open) return false;
    if (wait.count() == 0) return true;
    message_due_ = false;
    if (waiting_message_) due_at(Clock::now() + limits_.idle);
    pause_.expires_after(wait);
    pause_.async_wait([self = shared_from_this()](error_code error) {
        if (!error && self->frame()) self->read();
    });
    return false;
}

bool Connection::write(const iovec* parts, std::size_t count) {
    if (state_ == State::ended || finishing_) return false;
    if (queued() > limit()) offer();
    if (queued() > limit() && !takes()) {
        end(End::slow_reader, "it takes nothing that we send");
        return false;
    }
    for (std::size_t i = 0; i < count; ++i) queue_.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    if (state_ == State::open && !writing_) flush_soon();
    account();
    return state_ != State::ended;
}

void Connection::offer() {
    if (state_ == State::open && !writing_ && !queue_.empty()) flush();
}

bool Connection::takes() {
    pollfd room{socket_.native_handle(), POLLOUT, 0};
    return state_ == State::open && ::poll(&room, 1, 0) > 0 && (room.revents & POLLOUT);
}

/// What the messages of one read give rise to leaves together: one call, and one TLS record.
void Connection::flush_soon() {
    if (queue_.size() >= kTogether) return flush();
    if (std::exchange(flush_posted_, true)) return;
    turn_.later([self = shared_from_this()] {
        self->flush_posted_ = false;
        const bool writable = self->state_ == State::open || self->state_ == State::draining;
        if (writable && !self->writing_ && !self->queue_.empty()) self->flush();
    });
}

void Connection::account() {
    if (told_) return;  // the owner may be gone
    const auto now = state_ == State::ended ? 0 : queued();
    const auto change = static_cast<std::ptrdiff_t>(now) - static_cast<std::ptrdiff_t>(std::exchange(accounted_, now));
    if (change != 0) owner_.queued(change);
}

void Connection::flush() {
    sending_.swap(queue_);
    queue_.clear();
    std::size_t sent = 0;
    if (!tls_) {
        // Most of what we write fits: no turn of the loop for it.
        const auto now = ::send(socket_.native_handle(), sending_.data(), sending_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (now > 0) sent = static_cast<std::size_t>(now);
        if (sent == sending_.size()) return flushed();
    }
    writing_ = true;
    const auto done = [self = shared_from_this()](error_code error, std::size_t) {
        self->writing_ = false;
        if (self->state_ == State::ended) return;
        if (error) return self->end(End::peer_closed, error.message());
        self->flushed();
    };
    const auto rest = boost::asio::buffer(sending_) + sent;
    if (tls_)
        boost::asio::async_write(*tls_, rest, done);
    else
        boost::asio::async_write(socket_, rest, done);
}

void Connection::flushed() {
    // A long queue that has left gives its memory back.
    if (sending_.capacity() > kKeptQueue)
        std::string().swap(sending_);
    else
        sending_.clear();
    account();
    if (state_ == State::ended) return;
    if (!queue_.empty()) return flush();
    if (finishing_) drain();
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

/// What this turn wrote, as far as the kernel takes it at once. Asio may not know yet that what it wrote before has left.
void Connection::last_words() {
    if (!tls_) return offer();
    // A message of which only a part has left would go on with what stands here.
    if (writing_ && sending_.size() > kTogether) return;
    auto* ssl = tls_->native_handle();
    if (BIO_ctrl_wpending(SSL_get_wbio(ssl)) > 0) return;  // it comes first
    DivertedOutput output(*ssl);
    SSL_write(ssl, queue_.data(), static_cast<int>(queue_.size()));
    ERR_clear_error();
    const auto records = output.take();
    ::send(socket_.native_handle(), records.data(), records.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
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
