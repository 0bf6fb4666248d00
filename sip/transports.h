#pragma once
// The transport layer under nta: what is listened on, who is at the other end, and by which transport a request leaves.
// Between sockets and transactions there is this seam and no other. Inside sip/ only.

#include "sip/endpoint.h"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

struct nta_agent_s;
struct nta_incoming_s;
struct tport_s;

namespace stox::sip {

/// Where a request came from.
struct Origin {
    stox::Endpoint source;
    Transport transport = Transport::udp;
    Flow flow = Flow::none;
    std::vector<std::string> tls_names;
};

/// By which a request leaves: what nta is told.
struct Way {
    std::string url;          ///< the next hop as a SIP URI, numeric
    tport_s* port = nullptr;  ///< null: nta finds one by the URL
};

class Transports {
public:
    /// Opens the listeners of `settings` in `agent`, which outlives this.
    /// errors  unavailable: an address cannot be bound (the detail names it)
    static Result<std::unique_ptr<Transports>> open(boost::asio::io_context& loop, nta_agent_s* agent,
                                                    const Endpoint::Settings& settings);
    ~Transports();

    /// What is really bound, with the ports chosen for 0.
    std::vector<ListenAddress> listening() const;
    Origin origin(nta_incoming_s* transaction) const;
    Way way(const NextHop& next_hop);

private:
    explicit Transports(nta_agent_s* agent);
    Result<void> listen(const ListenAddress& address);

    nta_agent_s* agent_;
};

}  // namespace stox::sip
