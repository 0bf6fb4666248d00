#include "net/ares_channel.h"

#include "mapping/core/handle.h"

#include <ares.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <unordered_map>
#include <utility>

namespace stox::net {

namespace asio = boost::asio;

namespace {

using Channel = Handle<ares_channeldata, &ares_destroy>;

constexpr int kInternet = 1;        // class IN
constexpr int kUdpPayload = 1'232;  // EDNS(0): fits the smallest IPv6 MTU, so that no answer is fragmented

/// Once per process; it has no counterpart, the library keeps nothing that would have to be given back.
bool library_ready() {
    static const bool ready = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    return ready;
}

AnswerStatus status_of(int status) {
    if (status == ARES_ETIMEOUT) return AnswerStatus::timed_out;
    return status == ARES_ENOTFOUND ? AnswerStatus::no_such_name : AnswerStatus::failed;  // .onion is refused unasked (RFC 7686)
}

}  // namespace

class AresChannel::Impl {
public:
    explicit Impl(asio::io_context& loop) : loop_(loop), timer_(loop) {}
    ~Impl() { closing_ = true; }  // what is outstanding is reported while channel_ is destroyed

    Result<void> open(const AresSettings& settings);
    void query(const DnsName& name, RecordType type, OnReply on_reply);

private:
    /// A socket of c-ares. Asio watches its descriptor and never closes it.
    struct Watched {
        explicit Watched(asio::io_context& loop) : stream(loop) {}
        asio::posix::stream_descriptor stream;
        bool read = false, write = false;  ///< what c-ares wants to know
        bool awaiting_read = false, awaiting_write = false;
    };
    struct Query {
        Impl* channel;
        OnReply on_reply;
    };

    static void on_socket(void* self, ares_socket_t descriptor, int readable, int writable) noexcept;
    static void on_answer(void* query, int status, int timeouts, unsigned char* message, int length) noexcept;
    void watch(const std::shared_ptr<Watched>& watched, int descriptor);
    void process(int readable, int writable);
    void set_timer();

    asio::io_context& loop_;
    asio::steady_timer timer_;
    std::unordered_map<int, std::shared_ptr<Watched>> sockets_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    bool closing_ = false;
    Channel channel_;  // last: destroying it calls back into the members above
};

Result<void> AresChannel::Impl::open(const AresSettings& settings) {
    if (!library_ready()) return fail(Code::unavailable, "c-ares cannot be initialised");
    std::string resolv_conf = settings.resolv_conf;
    ares_options options{};
    options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH;
    options.ednspsz = kUdpPayload;
    options.timeout = static_cast<int>(settings.first_timeout.count());
    options.tries = settings.tries;
    options.udp_port = options.tcp_port = settings.port;
    options.resolvconf_path = resolv_conf.data();
    options.sock_state_cb = &on_socket;
    options.sock_state_cb_data = this;
    ares_channeldata* channel = nullptr;
    const int wanted = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_UDP_PORT |
                       ARES_OPT_TCP_PORT | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB;
    if (const int status = ares_init_options(&channel, &options, wanted); status != ARES_SUCCESS)
        return fail(Code::unavailable, std::string("c-ares: ") + ares_strerror(status));
    channel_.reset(channel);
    if (settings.servers.empty()) return ok();
    if (const int status = ares_set_servers_ports_csv(channel, settings.servers.c_str()); status != ARES_SUCCESS)
        return fail(Code::unavailable, "DNS servers \"" + settings.servers + "\": " + ares_strerror(status));
    return ok();
}

void AresChannel::Impl::query(const DnsName& name, RecordType type, OnReply on_reply) {
    auto query = std::make_unique<Query>(Query{this, std::move(on_reply)});
    ares_query(channel_.get(), name.text().c_str(), kInternet, static_cast<int>(type), &on_answer, query.release());
    set_timer();
}

void AresChannel::Impl::on_socket(void* self, ares_socket_t descriptor, int readable, int writable) noexcept {
    auto& channel = *static_cast<Impl*>(self);
    if (!readable && !writable) {  // it is about to be closed, by c-ares
        if (const auto known = channel.sockets_.extract(descriptor); known && known.mapped()->stream.is_open())
            known.mapped()->stream.release();
        return;
    }
    auto& watched = channel.sockets_[descriptor];
    if (!watched) {
        watched = std::make_shared<Watched>(channel.loop_);
        boost::system::error_code unwatchable;  // then its questions run into their time-outs
        watched->stream.assign(descriptor, unwatchable);
    }
    if (!watched->stream.is_open()) return;
    watched->read = readable != 0;
    watched->write = writable != 0;
    channel.watch(watched, descriptor);
}

/// Copies the answer and leaves c-ares before anyone acts on it.
void AresChannel::Impl::on_answer(void* query, int status, int, unsigned char* message, int length) noexcept {
    const std::unique_ptr<Query> owned(static_cast<Query*>(query));
    auto& channel = *owned->channel;
    if (channel.closing_) return;
    Reply reply;
    if (message && length > 0) reply.message.assign(message, message + length);
    reply.status = status_of(status);
    reply.reason = ares_strerror(status);
    asio::post(channel.loop_, [alive = std::weak_ptr(channel.alive_), on_reply = std::move(owned->on_reply),
                               reply = std::move(reply)]() mutable {
        if (!alive.expired()) on_reply(std::move(reply));
    });
}

/// A socket that was closed meanwhile, and perhaps opened anew under its number, is told by its Watched being gone.
void AresChannel::Impl::watch(const std::shared_ptr<Watched>& watched, int descriptor) {
    const auto await = [&](auto direction, bool wanted, bool Watched::*awaiting) {
        if (!wanted || std::exchange((*watched).*awaiting, true)) return;
        watched->stream.async_wait(direction,
                                   [this, descriptor, awaiting, weak = std::weak_ptr(watched)](boost::system::error_code error) {
                                       const auto still = weak.lock();
                                       if (!still || error == asio::error::operation_aborted) return;
                                       (*still).*awaiting = false;
                                       const bool reads = awaiting == &Watched::awaiting_read;
                                       process(reads ? descriptor : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : descriptor);
                                       if (const auto again = weak.lock(); again && again->stream.is_open())
                                           watch(again, descriptor);
                                   });
    };
    await(asio::posix::stream_descriptor::wait_read, watched->read, &Watched::awaiting_read);
    await(asio::posix::stream_descriptor::wait_write, watched->write, &Watched::awaiting_write);
}

void AresChannel::Impl::process(int readable, int writable) {
    ares_process_fd(channel_.get(), readable, writable);
    set_timer();
}

void AresChannel::Impl::set_timer() {
    timeval left{};
    if (!ares_timeout(channel_.get(), nullptr, &left)) {
        timer_.cancel();
        return;
    }
    // One millisecond more: c-ares compares in microseconds and tells the rest rounded down.
    timer_.expires_after(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec) +
                         std::chrono::milliseconds(1));
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
        if (!error && !alive.expired()) process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    });
}

AresChannel::AresChannel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AresChannel::~AresChannel() = default;

Result<std::unique_ptr<AresChannel>> AresChannel::open(asio::io_context& loop, const AresSettings& settings) {
    auto impl = std::make_unique<Impl>(loop);
    if (const auto opened = impl->open(settings); !opened) return opened.error();
    return std::unique_ptr<AresChannel>(new AresChannel(std::move(impl)));
}

void AresChannel::query(const DnsName& name, RecordType type, OnReply on_reply) { impl_->query(name, type, std::move(on_reply)); }

}  // namespace stox::net
