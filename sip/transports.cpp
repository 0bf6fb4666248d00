#include "sip/transports.h"

#include "sip/edge/socket_address.h"
#include "sip/told_address.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/tport.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace stox::sip {

namespace {

/// Where nothing is, and nothing is ever sent: nta answers a request for it with 503 at once.
constexpr const char* kNowhere = "sip:0.0.0.0:9;transport=tcp";

stox::Endpoint to_endpoint(const su_sockaddr_t& address, socklen_t size) {
    SocketAddress copy;
    std::copy_n(reinterpret_cast<const char*>(&address), std::min<std::size_t>(size, sizeof address),
                reinterpret_cast<char*>(&copy.storage));
    return copy.endpoint();
}

std::string url_of(Transport transport, const stox::Endpoint& endpoint) {
    return "sip:" + endpoint.to_string() + ";transport=" + std::string(to_string(transport));
}

}  // namespace

Transports::Transports(Turn& turn, SofiaLoop& sofia, nta_agent_s* agent)
    : agent_(agent),
      bridge_(agent, {[this](std::size_t listener, const stox::Endpoint& to, const iovec* parts, std::size_t count) {
                          return edge_ ? edge_->send(listener, to, parts, count) : EPIPE;
                      },
                      [this](Flow flow, const iovec* parts, std::size_t count) {
                          return edge_ && edge_->write(flow, parts, count) ? 0 : EPIPE;
                      },
                      [this](Flow flow) {
                          if (edge_) edge_->finish(flow);
                      },
                      [this, &turn, &sofia] { turn.later([this, &sofia] { sofia.enter([this] { bridge_.deliver(); }); }); }}) {}

Transports::~Transports() = default;

Result<std::unique_ptr<Transports>> Transports::open(boost::asio::io_context& loop, Turn& turn, SofiaLoop& sofia,
                                                     nta_agent_s* agent, const Endpoint::Settings& settings) {
    if (auto checked = check_library(settings.library); !checked) return checked.error();
    std::unique_ptr<Transports> made(new Transports(turn, sofia, agent));
    auto* self = made.get();
    auto opened = Edge::open(
        loop, turn, settings,
        {[self](std::size_t listener, const stox::Endpoint& from, std::string_view octets) {
             return self->bridge_.datagram(listener, from, octets);
         },
         [self](std::size_t listener, const stox::Endpoint& to, int error) { self->bridge_.unreachable(listener, to, error); },
         [self](Flow flow, std::string message) { self->received(flow, std::move(message)); },
         [self](Flow flow) { self->bridge_.closed(flow); }, [self](Flow flow) { return self->bridge_.in_use(flow); }});
    if (!opened) return opened.error();
    self->edge_ = std::move(opened).value();
    if (auto added = self->add_primaries(settings); !added) return added.error();
    return made;
}

Result<void> Transports::add_primaries(const Endpoint::Settings& settings) {
    const auto& listeners = edge_->listening();
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        const auto& [transport, endpoint] = listeners[i];
        const stox::Endpoint name{told_address(endpoint.address, settings.public_address), endpoint.port};
        if (auto added = add_primary(transport, name, endpoint.address, i); !added) return added;
    }
    // Connections can be opened from any family that something listens on, also over the transport that nothing does.
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        const auto endpoint = listeners[i].endpoint;
        const stox::Endpoint name{told_address(endpoint.address, settings.public_address), endpoint.port};
        for (const auto transport : {Transport::tcp, Transport::tls}) {
            const bool there = std::ranges::any_of(primaries_, [&](const Primary& primary) {
                return primary.transport == transport && primary.address.is_v4() == endpoint.address.is_v4();
            });
            if (there) continue;
            if (auto added = add_primary(transport, name, endpoint.address, i); !added) return added;
        }
    }
    bridge_.seal();
    return ok();
}

Result<void> Transports::add_primary(Transport transport, const stox::Endpoint& name, const Address& address,
                                     std::size_t listener) {
    auto added = bridge_.add_primary(transport, name, listener);
    if (!added) return added.error();
    primaries_.push_back({transport, address});
    return ok();
}

/// Of several the one whose address the kernel would send from.
std::optional<std::size_t> Transports::primary_for(Transport transport, const stox::Endpoint& target) const {
    std::vector<std::size_t> fitting;
    for (std::size_t i = 0; i < primaries_.size(); ++i)
        if (primaries_[i].transport == transport && primaries_[i].address.is_v4() == target.address.is_v4()) fitting.push_back(i);
    if (fitting.empty()) return std::nullopt;
    if (fitting.size() == 1) return fitting.front();
    const auto source = source_for(target);
    const auto best = std::ranges::find_if(fitting, [&](std::size_t i) { return primaries_[i].address == source; });
    return best == fitting.end() ? fitting.front() : *best;
}

void Transports::received(Flow flow, std::string message) {
    if (port_of(flow))
        bridge_.message(flow, std::move(message));
    else
        edge_->finish(flow);
}

/// Sofia comes to know a connection when it first matters: with a whole message, or with a request of ours.
tport_s* Transports::port_of(Flow flow) {
    if (auto* port = bridge_.port(flow)) return port;
    const auto* peer = edge_->peer(flow);
    if (!peer) return nullptr;
    const auto primary = peer->dialled ? primary_for(peer->transport, peer->endpoint) : std::optional(peer->listener);
    if (!primary) return nullptr;
    auto opened = bridge_.open(flow, *primary, peer->endpoint);
    return opened ? opened.value() : nullptr;
}

Origin Transports::origin(msg_s* message, const tport_s* port) const {
    Origin origin;
    origin.source = to_endpoint(*msg_addr(message), static_cast<socklen_t>(msg_addrinfo(message)->ai_addrlen));
    if (!port) return origin;
    if (const auto transport = parse_transport(tport_name(port)->tpn_proto)) origin.transport = transport.value();
    origin.flow = TportBridge::flow(port);
    if (const auto* peer = edge_->peer(origin.flow)) origin.tls = peer->tls;
    return origin;
}

Way Transports::way(const NextHop& next_hop) {
    if (next_hop.transport == Transport::udp) {
        const auto primary = primary_for(Transport::udp, next_hop.endpoint);
        if (!primary) return {kNowhere};
        edge_->expect(next_hop);
        return {url_of(Transport::udp, next_hop.endpoint), bridge_.primary(*primary), {}};
    }
    if (!primary_for(next_hop.transport, next_hop.endpoint)) return {kNowhere};
    const auto flow = edge_->dial(next_hop);
    if (!flow) return {kNowhere};
    if (auto* port = port_of(flow.value()))
        return {url_of(next_hop.transport, next_hop.endpoint), port, edge_->delivers(flow.value())};
    edge_->finish(flow.value());
    return {kNowhere};
}

}  // namespace stox::sip
