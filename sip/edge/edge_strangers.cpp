// Connections that come: how many of whom, and who gives way to whom.

#include "sip/edge/edge_impl.h"
#include "sip/edge/socket_address.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace stox::sip {

namespace {

/// Time enough for a handshake over any line: after it, one more may take the place.
constexpr std::chrono::seconds kHandshake{1};

}  // namespace

Admission::Guest Edge::Impl::guest(const Address& source) const {
    using Guest = Admission::Guest;
    return admission.trusted(source) ? Guest::peer : is_next_hop(source) ? Guest::next_hop : Guest::stranger;
}

Admission::Accept Edge::Impl::let_in(const Address& source, Admission::Guest guest) {
    const auto verdict = admission.connection(source, guest, Clock::now());
    return verdict == Admission::Accept::crowded && make_room() ? admission.connection(source, guest, Clock::now()) : verdict;
}

/// The stranger that has said nothing for longest gives way; one that waits for something does not.
bool Edge::Impl::make_room() {
    constexpr int kLooked = 8;
    for (int i = 0; i < kLooked && !unproven.empty(); ++i) {
        const auto connection = find(unproven.back());
        if (connection->held() || in_use(*connection)) {
            unproven.splice(unproven.begin(), unproven, std::prev(unproven.end()));
            continue;
        }
        ++counters.closed_evicted;
        connection->end(End::ours, "another stranger wants its place");
        return true;
    }
    return false;
}

/// Something was granted to it: it is no stranger as others are.
void Edge::Impl::proven(Live& live) {
    live.connection->granted();
    if (live.unproven != unproven.end()) unproven.erase(std::exchange(live.unproven, unproven.end()));
}

/// Whether a stranger may begin a TLS handshake. Those that hold the places without going on lose them.
bool Edge::Impl::may_shake(const Address& source) {
    const auto running = std::ranges::count_if(
        handshakes, [&](const Handshake& one) { return Admission::source_of(one.source) == Admission::source_of(source); });
    if (static_cast<std::size_t>(running) >= limits.handshakes_per_source) return false;
    if (handshakes.size() < limits.handshakes) return true;
    const auto oldest = handshakes.front();
    if (Clock::now() - oldest.begun < kHandshake) return false;
    if (const auto connection = find(oldest.flow))
        connection->end(End::handshake, "no TLS handshake before another wanted its place");
    return true;
}

bool Edge::Impl::end_handshake(Flow flow) {
    return std::erase_if(handshakes, [&](const Handshake& one) { return one.flow == flow; }) > 0;
}

void Edge::Impl::accepted(std::size_t listener, boost::asio::ip::tcp::socket socket, const stox::Endpoint& peer) {
    using Accept = Admission::Accept;
    const auto whose = guest(peer.address);
    switch (let_in(peer.address, whose)) {
        case Accept::banned:
            ++counters.refused_banned;
            return;
        case Accept::source_rate:
            ++counters.refused_connection_rate;
            return tell(LogLevel::warn, peer.address, "source rate",
                        "peer=" + peer.to_string() + " connection refused: too many in a short time");
        case Accept::source_full:
            ++counters.refused_source_connections;
            return tell(LogLevel::warn, peer.address, "source full",
                        "peer=" + peer.to_string() + " connection refused: too many from there");
        case Accept::crowded:
        case Accept::full:
            ++counters.refused_total_connections;
            return tell(LogLevel::warn, {}, "full", "peer=" + peer.to_string() + " connection refused: too many in all");
        case Accept::accepted:
            break;
    }
    const auto transport = listening[listener].transport;
    const bool watched = transport == Transport::tls && whose != Admission::Guest::peer;
    if (watched && !may_shake(peer.address)) {
        ++counters.refused_handshakes;
        admission.closed(peer.address, whose);
        return tell(LogLevel::warn, peer.address, "handshakes",
                    "peer=" + peer.to_string() + " connection refused: too many TLS handshakes");
    }
    ++counters.connections;
    Connection::Identity identity;
    identity.transport = transport;
    identity.peer = peer;
    identity.listener = listener;
    identity.stranger = whose == Admission::Guest::stranger;
    const auto connection = add(std::move(socket), std::move(identity));
    auto& live = flows.at(connection->identity().flow);
    live.guest = whose;
    if (watched) handshakes.push_back({connection->identity().flow, peer.address, Clock::now()});
    if (whose == Admission::Guest::stranger) live.unproven = unproven.insert(unproven.begin(), connection->identity().flow);
    connection->accept();
}

}  // namespace stox::sip
