#include "sip/edge/udp_listener.h"

#include "sip/edge/socket_address.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace stox::sip {

namespace {

constexpr std::size_t kBatch = 32;
/// Of one turn at most, whatever is in them: as many as the kernel's queue has place for in short messages. A turn can be long,
/// and what it leaves there waits for the next one.
constexpr int kBatches = 256;
constexpr std::size_t kLargest = 65'536;
/// What we ask the kernel to hold for us; it gives what net.core.rmem_max allows.
constexpr int kReceiveBuffer = 4 << 20;

void set(int descriptor, int level, int option, int value) { ::setsockopt(descriptor, level, option, &value, sizeof value); }

void set_options(int descriptor, bool v4) {
    set(descriptor, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
    set(descriptor, SOL_SOCKET, SO_RXQ_OVFL, 1);
    // Large requests are cut into fragments rather than lost, and refusals of the network are told.
    if (v4) {
        set(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
        set(descriptor, IPPROTO_IP, IP_RECVERR, 1);
    } else {
        set(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
        set(descriptor, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
}

}  // namespace

struct UdpListener::Batch {
    struct Control {
        alignas(cmsghdr) char octets[CMSG_SPACE(sizeof(std::uint32_t))];
    };
    std::array<std::array<char, kLargest>, kBatch> octets;
    std::array<SocketAddress, kBatch> from;
    std::array<Control, kBatch> control;
    std::array<iovec, kBatch> parts;
    std::array<mmsghdr, kBatch> messages;

    void reset() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            parts[i] = {octets[i].data(), kLargest};
            messages[i] = {};
            messages[i].msg_hdr.msg_name = from[i].get();
            messages[i].msg_hdr.msg_namelen = sizeof from[i].storage;
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
            messages[i].msg_hdr.msg_control = control[i].octets;
            messages[i].msg_hdr.msg_controllen = sizeof control[i].octets;
        }
    }
};

Result<std::unique_ptr<UdpListener>> UdpListener::open(boost::asio::io_context& loop, Turn& turn, const stox::Endpoint& address,
                                                       Handlers handlers) {
    const auto problem = [&](const char* what) {
        return fail(Code::unavailable, "udp:" + address.to_string() + " cannot be bound: " + what);
    };
    boost::asio::ip::udp::socket socket(loop);
    boost::system::error_code error;
    socket.open(address.address.is_v4() ? boost::asio::ip::udp::v4() : boost::asio::ip::udp::v6(), error);
    if (error) return problem(std::strerror(error.value()));
    const int descriptor = socket.native_handle();
    if (!address.address.is_v4()) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_options(descriptor, address.address.is_v4());
    const SocketAddress wanted(address);
    SocketAddress bound;
    if (::bind(descriptor, wanted.get(), wanted.size) != 0 || ::getsockname(descriptor, bound.get(), &bound.size) != 0)
        return problem(std::strerror(errno));
    socket.native_non_blocking(true, error);
    if (error) return problem(std::strerror(error.value()));
    std::unique_ptr<UdpListener> listener(new UdpListener(turn, std::move(socket), bound.endpoint(), std::move(handlers)));
    listener->wait_for_errors();
    listener->wait();
    return listener;
}

UdpListener::UdpListener(Turn& turn, boost::asio::ip::udp::socket socket, stox::Endpoint address, Handlers handlers)
    : turn_(turn),
      socket_(std::move(socket)),
      address_(address),
      handlers_(std::move(handlers)),
      batch_(std::make_unique<Batch>()) {}

UdpListener::~UdpListener() = default;

void UdpListener::wait() {
    socket_.async_wait(boost::asio::socket_base::wait_read,
                       [this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
                           if (error || alive.expired()) return;
                           turn_.run([this] {
                               read_batches();
                               wait();
                           });
                       });
}

/// When the loop sees both at one look it serves this one first: what could not be sent is told before what came afterwards.
void UdpListener::wait_for_errors() {
    socket_.async_wait(boost::asio::socket_base::wait_error,
                       [this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
                           if (error || alive.expired()) return;
                           turn_.run([this] {
                               read_errors();
                               wait_for_errors();
                           });
                       });
}

/// As much as one batch of work for each turn of the loop: others have their turn between two. What is dropped, or waits, is no
/// work; would it be read as slowly, a peer's datagram would stand for long behind those of a flood.
void UdpListener::read_batches() {
    std::size_t handed_on = 0;
    for (int i = 0; i < kBatches && handed_on < kBatch; ++i)
        if (read_batch(handed_on) < kBatch) return;
}

/// How many there were.
std::size_t UdpListener::read_batch(std::size_t& handed_on) {
    batch_->reset();
    const int count = ::recvmmsg(socket_.native_handle(), batch_->messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        auto& header = batch_->messages[at].msg_hdr;
        for (auto* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
            if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_RXQ_OVFL) continue;
            std::uint32_t total;
            std::memcpy(&total, CMSG_DATA(part), sizeof total);
            count_drops(total);
        }
        const auto from = batch_->from[at].endpoint();
        if (from.port != 0) handed_on += handlers_.datagram(from, {batch_->octets[at].data(), batch_->messages[at].msg_len});
    }
    return static_cast<std::size_t>(std::max(count, 0));
}

void UdpListener::count_drops(std::uint32_t total) {
    // Both wrap around; what lies between stays right.
    const std::uint32_t more = total - drops_;
    drops_ = total;
    if (more > 0) handlers_.dropped_by_kernel(more);
}

void UdpListener::read_errors() {
    constexpr int kMost = 16;
    for (int i = 0; i < kMost; ++i) {
        SocketAddress to;
        char quoted[512];
        alignas(cmsghdr) char control[512];
        iovec part{quoted, sizeof quoted};
        msghdr header{};
        header.msg_name = to.get();
        header.msg_namelen = sizeof to.storage;
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        const auto size = ::recvmsg(socket_.native_handle(), &header, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (size < 0) return;
        for (auto* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
            const bool v4 = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVERR;
            const bool v6 = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVERR;
            if (!v4 && !v6) continue;
            sock_extended_err what;
            std::memcpy(&what, CMSG_DATA(item), sizeof what);
            // What the kernel itself refuses was the result of the send already.
            if (what.ee_origin == SO_EE_ORIGIN_ICMP || what.ee_origin == SO_EE_ORIGIN_ICMP6)
                handlers_.unreachable(to.endpoint(), static_cast<int>(what.ee_errno), {quoted, static_cast<std::size_t>(size)});
        }
    }
}

int UdpListener::send(const stox::Endpoint& to, const iovec* parts, std::size_t count) {
    if (to.address.is_v4() != address_.address.is_v4()) return EAFNOSUPPORT;
    const SocketAddress target(to);
    msghdr header{};
    header.msg_name = const_cast<sockaddr*>(target.get());
    header.msg_namelen = target.size;
    header.msg_iov = const_cast<iovec*>(parts);
    header.msg_iovlen = count;
    // A call may give back an older error, of another target or forged; those are told through the error queue.
    constexpr int kAttempts = 4;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (::sendmsg(socket_.native_handle(), &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
        if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ENETUNREACH) break;
    }
    // Nothing was refused before it left: errors come faster than we send.
    return errno == ECONNREFUSED ? EAGAIN : errno;
}

}  // namespace stox::sip
