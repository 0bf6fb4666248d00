// What comes and goes by UDP.

#include "sip/edge/dial_policy.h"
#include "sip/edge/edge_impl.h"
#include "sip/edge/framer.h"

#include <boost/asio/post.hpp>

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace stox::sip {

namespace {

using Clock = std::chrono::steady_clock;

/// As much of a message in parts as an ICMP error has to quote.
std::string start_of(const iovec* parts, std::size_t count) {
    std::string start;
    for (std::size_t i = 0; i < count && start.size() < SentRequests::kQuoted; ++i)
        start.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    return start;
}

}  // namespace

/// What was asked for is never dropped for what others send in the next hop's name: neither its ban nor its rate holds for that.
Admission::Verdict Edge::Impl::admit(const Address& from, std::string_view octets) {
    if (!is_response(octets)) return admission.message(from, Channel::datagram, Clock::now());
    return is_next_hop(from) ? Admission::Verdict::admitted : admission.response(from, Clock::now());
}

bool Edge::Impl::is_next_hop(const Address& address) const { return next_hops.contains(address) || phones.contains(address); }

/// Returns whether it is handed on at once: those of peers and next hops are, and answers of theirs.
bool Edge::Impl::datagram(std::size_t listener, const stox::Endpoint& from, std::string_view octets) {
    using Verdict = Admission::Verdict;
    ++counters.received;
    switch (admit(from.address, octets)) {
        case Verdict::banned:
            ++counters.dropped_banned;
            return false;
        case Verdict::source_rate:
            ++counters.dropped_source_rate;
            return false;
        case Verdict::total_rate:
            ++counters.dropped_total_rate;
            return false;
        case Verdict::admitted:
            break;
    }
    switch (judge_datagram(octets, limits)) {
        case Datagram::noise:
            ++counters.dropped_noise;
            return false;
        case Datagram::malformed:
            ++counters.dropped_malformed;
            return false;
        case Datagram::too_large:
            ++counters.dropped_limits;
            return false;
        case Datagram::message:
            break;
    }
    const bool is_stranger = guest(from.address) == Admission::Guest::stranger;
    if (is_stranger || strangers.holds(from.address)) {
        using Whose = WaitingRoom::Whose;
        if (!wait(listener, from, octets, is_stranger ? Whose::site : Whose::address)) ++counters.dropped_queue;
        return false;
    }
    hand_on(listener, from, octets);
    return true;
}

void Edge::Impl::hand_on(std::size_t listener, const stox::Endpoint& from, std::string_view octets) {
    ++(handlers.datagram(listener, from, octets) ? counters.datagrams : counters.dropped_queue);
}

bool Edge::Impl::wait(std::size_t listener, const stox::Endpoint& from, std::string_view octets, WaitingRoom::Whose whose) {
    if (!strangers.enter(listener, from, octets, whose)) return false;
    if (!std::exchange(letting_in, true)) turn.later([this] { let_strangers_in(); });
    return true;
}

/// One portion; the next one has a turn of its own, before which the sockets are read again. In a turn that is late they wait for
/// that one at once, and for no other.
void Edge::Impl::let_strangers_in() {
    if (!turn.behind()) let_portion_in();
    letting_in = !strangers.empty();
    if (!letting_in) return;
    boost::asio::post(loop, [this, still = std::weak_ptr(alive)] {
        if (still.expired()) return;
        turn.run([this] {
            let_portion_in();
            let_strangers_in();
        });
    });
}

void Edge::Impl::let_portion_in() {
    for (std::size_t i = 0; i < WaitingRoom::kPortion && !strangers.empty(); ++i) {
        const auto one = strangers.leave();
        if (admission.banned(one.from.address, Channel::datagram, Clock::now()))
            ++counters.dropped_banned;
        else
            hand_on(one.listener, one.from, one.octets);
    }
}

int Edge::send(std::size_t listener, const stox::Endpoint& to, const iovec* parts, std::size_t count) {
    auto& udp = impl_->listeners.at(listener).udp;
    if (!udp) return EPROTONOSUPPORT;
    if (count > 0 && !is_response({static_cast<const char*>(parts->iov_base), parts->iov_len})) {
        NextHop next_hop{Transport::udp, to};
        next_hop.configured = impl_->next_hops.contains(to);
        if (impl_->phones.contains(to)) next_hop.heard = {Transport::udp, to};
        if (const auto may = impl_->may(next_hop); !may) {
            ++impl_->counters.sends_refused;
            impl_->tell(LogLevel::warn, to.address, may.error().detail,
                        "peer=" + to.to_string() + " transport=udp nothing is sent there: " + may.error().detail);
            return EACCES;
        }
        impl_->sent.sent(to, start_of(parts, count), Clock::now());
    }
    const int error = udp->send(to, parts, count);
    if (error != EAGAIN && error != ENOBUFS) return error;
    ++impl_->counters.dropped_unsent;  // as good as lost on the way: the transaction repeats it
    return 0;
}

void Edge::expect(const NextHop& next_hop) {
    if (!next_hop.configured && !(is_where_heard(next_hop) && impl_->may(next_hop))) return;
    (next_hop.configured ? impl_->next_hops : impl_->phones).use(next_hop.endpoint);
}

}  // namespace stox::sip
