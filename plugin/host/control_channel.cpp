#include "plugin/host/control_channel.h"

#include "plugin/host/control_lines.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds kPatience{1};

/// Of a duplicate that an exec does not inherit. False: no descriptor is left.
bool use(int descriptor, asio::posix::stream_descriptor& by) {
    const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return false;
    error_code error;
    by.assign(own, error);
    if (error) ::close(own);
    return !error;
}

}  // namespace

std::shared_ptr<ControlChannel> ControlChannel::open(asio::io_context& loop, int in, int out, OnLine on_line, OnEnd on_end) {
    auto channel = std::shared_ptr<ControlChannel>(new ControlChannel(loop, std::move(on_line), std::move(on_end)));
    if (!use(in, channel->in_) || !use(out, channel->out_)) return nullptr;
    channel->in_.non_blocking(true);
    channel->out_.non_blocking(true);
    channel->read();
    return channel;
}

ControlChannel::ControlChannel(asio::io_context& loop, OnLine on_line, OnEnd on_end)
    : in_(loop), out_(loop), patience_(loop), on_line_(std::move(on_line)), on_end_(std::move(on_end)) {}

void ControlChannel::read() {
    in_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](error_code error, std::size_t octets) {
        if (error) return self->end();
        self->take({self->buffer_.data(), octets});
        if (self->in_.is_open()) self->read();
    });
}

void ControlChannel::take(std::string_view octets) {
    for (std::size_t newline; (newline = octets.find('\n')) != octets.npos; octets.remove_prefix(newline + 1)) {
        partial_ += octets.substr(0, newline);
        const std::string line = std::exchange(partial_, {});
        if (const auto on_line = on_line_; !line.empty() && on_line) on_line(line);  // which may close us
        if (!in_.is_open()) return;
    }
    partial_ += octets;
    if (partial_.size() > kMaxLine) {
        send(log_line("error", "a control line is longer than 1 MiB; the module and the worker do not fit"));
        end();
        close();
    }
}

void ControlChannel::send(std::string line) {
    if (broken_) return;
    if (waiting_.size() > kMostWaiting) {  // whoever asks and does not read asks no more
        broken_ = true;
        waiting_.clear();
        // Whoever sends is about something, maybe about all channels: it is told behind that.
        return asio::post(in_.get_executor(), [self = shared_from_this()] { self->end(); });
    }
    if (dropped_ > 0 && waiting_.size() < kMaxWaiting / 2)
        waiting_ +=
            log_line("warn", std::to_string(std::exchange(dropped_, 0)) + " log lines were dropped: nobody read them") + '\n';
    waiting_ += std::move(line);
    waiting_ += '\n';
    flush();
}

void ControlChannel::send_log(std::string line) {
    if (waiting_.size() + line.size() > kMaxWaiting)
        ++dropped_;
    else
        send(std::move(line));
}

void ControlChannel::flush() {
    if (!writing_.empty() || broken_) return;
    if (waiting_.empty()) {
        if (auto done = std::exchange(drained_, nullptr)) done();
        return;
    }
    writing_.swap(waiting_);
    asio::async_write(out_, asio::buffer(writing_), [self = shared_from_this()](error_code error, std::size_t) {
        self->writing_.clear();
        if (error) self->broken_ = true;
        if (error && self->drained_) std::exchange(self->drained_, nullptr)();
        self->flush();
    });
}

void ControlChannel::drain(std::function<void()> done) {
    drained_ = std::move(done);
    if (broken_)
        std::exchange(drained_, nullptr)();
    else
        flush();
}

void ControlChannel::end() {
    if (auto on_end = std::exchange(on_end_, nullptr)) on_end();
}

void ControlChannel::close() {
    on_line_ = nullptr;
    on_end_ = nullptr;
    error_code ignored;
    in_.close(ignored);
}

void ControlChannel::finish() {
    close();
    patience_.expires_after(kPatience);
    patience_.async_wait([self = shared_from_this()](error_code error) {
        if (!error) self->close_output();
    });
    drain([self = shared_from_this()] { self->close_output(); });
}

void ControlChannel::close_output() {
    broken_ = true;
    patience_.cancel();
    error_code ignored;
    out_.close(ignored);
}

}  // namespace stox::host
