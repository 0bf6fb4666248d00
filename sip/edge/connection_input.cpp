// What comes over a connection: read, framed, handed on as fast as its source may send.

#include "sip/edge/connection.h"
#include "sip/edge/diverted_output.h"

#include <boost/asio/ssl/error.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <utility>

namespace stox::sip {

namespace {

using End = ConnectionOwner::End;

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

}  // namespace stox::sip
