// What is written to a connection: queued for the end of the turn, and no further than its peer takes it.

#include "sip/edge/connection.h"
#include "sip/edge/diverted_output.h"

#include <boost/asio/write.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <utility>

namespace stox::sip {

namespace {

using End = ConnectionOwner::End;

/// Memory that a queue keeps while nothing waits in it.
constexpr std::size_t kKeptQueue = 16'384;
/// What is written within one turn of the loop waits for its end up to here: what one TLS record holds.
constexpr std::size_t kTogether = 16'384;

}  // namespace

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

}  // namespace stox::sip
