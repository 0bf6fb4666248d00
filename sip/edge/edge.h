#pragma once
// The SIP sockets of an endpoint: everything between the network and whole SIP messages. Knows nothing of Sofia.

#include "sip/edge/settings.h"
#include "sip/endpoint.h"
#include "sip/turn.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct iovec;

namespace stox::sip {

class Edge {
public:
    /// Called on the loop; `closed` also from inside write() and finish(). `listener` is an index in listening().
    struct Handlers {
        /// False: there was no room for it.
        std::function<bool(std::size_t listener, const stox::Endpoint& from, std::string_view octets)> datagram;
        /// What was sent there by UDP did not arrive: errno.
        std::function<void(std::size_t listener, const stox::Endpoint& to, int error)> unreachable;
        std::function<void(Flow flow, std::string message)> message;
        /// The flow's connection has ended, or will take nothing more.
        std::function<void(Flow flow)> closed;
        /// Whether a transaction waits on the flow: silence is then no reason to end it.
        std::function<bool(Flow flow)> in_use;
    };

    /// A connection as it is known to others.
    struct Peer {
        Transport transport = Transport::tcp;
        stox::Endpoint endpoint;
        std::size_t listener = 0;  ///< that accepted it; of a dialled one see `dialled`
        bool dialled = false;      ///< then `listener` means nothing
        CertifiedNames tls{};
    };

    /// turn    outlives this
    /// errors  unavailable: an address cannot be bound, a certificate cannot be used (the detail names it)
    static Result<std::unique_ptr<Edge>> open(boost::asio::io_context& loop, Turn& turn, const Endpoint::Settings& settings,
                                              Handlers handlers);
    ~Edge();

    /// What is bound, in the order of the settings.
    const std::vector<ListenAddress>& listening() const;

    /// One datagram. 0, or why not (errno): EACCES is the dial policy, which holds for requests.
    int send(std::size_t listener, const stox::Endpoint& to, const iovec* parts, std::size_t count);
    /// A request is about to leave. If the next hop is a configured one, or where its receiver was heard from, requests may go
    /// there by UDP from now on, and what comes from its address is no stranger's.
    void expect(const NextHop& next_hop);
    /// The connection for a request: next_hop.flow while it lives, one that is open to the same peer under the same name and
    /// credentials (RFC 5923), or a new one, on which can be written at once; Handlers::closed tells when it fails.
    /// errors  forbidden: the dial policy; unavailable: no descriptor
    Result<Flow> dial(const NextHop& next_hop);
    /// Queues. False: the flow has ended, perhaps by this.
    bool write(Flow flow, const iovec* parts, std::size_t count);
    /// Ends it after what was written has left.
    void finish(Flow flow);
    const Peer* peer(Flow flow) const;
    /// See Connection::delivers. Null: the flow has ended.
    std::shared_ptr<const bool> delivers(Flow flow) const;

    /// While held, silence does not end the flow. Each hold wants its release.
    void hold(Flow flow);
    void release(Flow flow);
    /// See Admission.
    void refused(const Address& source, Transport transport);
    BanOrder ban(const Address& source, std::chrono::seconds length);
    bool unban(const Address& source);
    std::vector<BannedSource> bans() const;
    void trust(std::vector<Prefix> sources);
    /// For handshakes from now on; connections live on.
    /// errors  unavailable: one domain stands in two; nothing has changed
    Result<void> use_tls(TlsSet credentials);
    Counters counters() const;

private:
    struct Impl;
    explicit Edge(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace stox::sip
