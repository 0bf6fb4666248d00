#pragma once
// The transport layer under nta: what is listened on, who is at the other end, and by which transport a request leaves. It joins
// the edge, which knows sockets, and the bridge, which knows Sofia. Inside sip/ only.

#include "sip/edge/edge.h"
#include "sip/endpoint.h"
#include "sip/sofia_loop.h"
#include "sip/tport_bridge.h"
#include "sip/turn.h"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct nta_agent_s;
struct msg_s;
struct tport_s;

namespace stox::sip {

/// Where a request came from.
struct Origin {
    stox::Endpoint source;
    Transport transport = Transport::udp;
    Flow flow = Flow::none;
    CertifiedNames tls{};
};

/// By which a request leaves: what nta is told.
struct Way {
    std::string url{};                       ///< the next hop as a SIP URI, numeric
    tport_s* port = nullptr;                 ///< null: there is no way, and nta will say so
    std::shared_ptr<const bool> delivers{};  ///< of a connection: whether what was written can have been read
};

class Transports {
public:
    /// Opens the listeners of `settings` in `agent`. It, `turn` and `sofia` outlive this.
    /// errors  unavailable: an address cannot be bound, a certificate cannot be used (the detail names it), another SIP library
    static Result<std::unique_ptr<Transports>> open(boost::asio::io_context& loop, Turn& turn, SofiaLoop& sofia,
                                                    nta_agent_s* agent, const Endpoint::Settings& settings);
    ~Transports();

    /// What is really bound, with the ports chosen for 0.
    const std::vector<ListenAddress>& listening() const { return edge_->listening(); }
    Origin origin(msg_s* message, const tport_s* port) const;
    /// For one request that is sent at once. A connection that it needs is opened, or the one that is open taken.
    Way way(const NextHop& next_hop);
    /// How many messages the edge took from the library so far.
    std::uint64_t sent() const { return bridge_.sent(); }
    Edge& edge() { return *edge_; }

private:
    /// A primary of nta's: first those of the listeners, in their order, then those for requests of ours by a transport that
    /// nothing listens on.
    struct Primary {
        Transport transport;
        Address address;
    };

    Transports(Turn& turn, SofiaLoop& sofia, nta_agent_s* agent);
    Result<void> add_primaries(const Endpoint::Settings& settings);
    Result<void> add_primary(Transport transport, const stox::Endpoint& name, const Address& address, std::size_t listener);
    std::optional<std::size_t> primary_for(Transport transport, const stox::Endpoint& target) const;
    tport_s* port_of(Flow flow);
    void received(Flow flow, std::string message);

    nta_agent_s* agent_;
    std::vector<Primary> primaries_;
    TportBridge bridge_;
    std::unique_ptr<Edge> edge_;  ///< ends first: it tells the bridge that its flows end
};

}  // namespace stox::sip
