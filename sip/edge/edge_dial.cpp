// Connections of ours: where they may go, and by which of them a request goes.

#include "sip/edge/dial_policy.h"
#include "sip/edge/edge_impl.h"
#include "sip/edge/socket_address.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace stox::sip {

namespace {

/// The addresses of our interfaces are asked for again after this.
constexpr std::chrono::seconds kInterfaces{10};

}  // namespace

Result<void> Edge::Impl::may(const NextHop& next_hop) {
    if (!next_hop.configured && Clock::now() - own_read >= kInterfaces) {
        own = own_endpoints(bound, interface_addresses(), public_address);
        own_read = Clock::now();
    }
    return may_send(next_hop, own);
}

Result<Flow> Edge::Impl::reused(const NextHop& next_hop) const {
    if (next_hop.flow != Flow::none && flows.contains(next_hop.flow)) return next_hop.flow;
    const auto open = dialled.find({next_hop.transport, next_hop.endpoint, next_hop.tls_name, next_hop.credentials});
    if (open != dialled.end()) return open->second;
    return fail(Code::unavailable, "no connection yet");
}

/// From the listener's address where there is only one to choose: peers know us by it.
Result<boost::asio::ip::tcp::socket> Edge::Impl::bound_socket(const NextHop& next_hop) {
    const auto& to = next_hop.endpoint.address;
    boost::asio::ip::tcp::socket socket(loop);
    boost::system::error_code error;
    socket.open(to.is_v4() ? boost::asio::ip::tcp::v4() : boost::asio::ip::tcp::v6(), error);
    if (error) return fail(Code::unavailable, error.message());
    std::vector<Address> candidates;
    for (const auto& address : bound)
        if (address.address.is_v4() == to.is_v4() && std::ranges::find(candidates, address.address) == candidates.end())
            candidates.push_back(address.address);
    if (candidates.size() == 1 && !is_any(candidates.front())) {
        const SocketAddress from({candidates.front(), 0});
        if (::bind(socket.native_handle(), from.get(), from.size) != 0)
            return fail(Code::unavailable, "the local address is gone");
    }
    return socket;
}

Result<Flow> Edge::dial(const NextHop& next_hop) {
    if (auto reused = impl_->reused(next_hop)) {
        if (next_hop.open_within) impl_->find(reused.value())->hurry(*next_hop.open_within);
        return reused;
    }
    if (const auto may = impl_->may(next_hop); !may) {
        ++impl_->counters.dials_refused;
        impl_->tell(LogLevel::warn, next_hop.endpoint.address, may.error().detail,
                    "peer=" + next_hop.endpoint.to_string() + " no connection is opened there: " + may.error().detail);
        return may.error();
    }
    expect(next_hop);
    auto socket = impl_->bound_socket(next_hop);
    if (!socket) return socket.error();
    ++impl_->counters.dialled;
    Connection::Identity identity;
    identity.transport = next_hop.transport;
    identity.peer = next_hop.endpoint;
    identity.dialled = true;
    identity.tls_name = next_hop.tls_name;
    identity.credentials = next_hop.credentials;
    const auto connection = impl_->add(std::move(socket).value(), std::move(identity));
    impl_->dialled[Impl::target_of(connection->identity())] = connection->identity().flow;
    if (next_hop.open_within) connection->hurry(*next_hop.open_within);
    connection->dial();
    return connection->identity().flow;
}

}  // namespace stox::sip
