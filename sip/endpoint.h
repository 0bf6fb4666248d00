#pragma once
// Sofia-SIP's transaction layer (nta) behind plain values. No Sofia type in this header.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"
#include "mapping/sip/message.h"
#include "sip/edge/settings.h"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stox::sip {

struct ListenAddress {
    Transport transport = Transport::udp;
    stox::Endpoint endpoint;  ///< port 0: any free one; see Endpoint::listening
};

/// The connection that a message came over, or `none` for UDP and for one that is gone.   (RFC 5626, RFC 5923)
enum class Flow : std::uint64_t { none = 0 };

struct IncomingRequest {
    std::uint64_t transaction = 0;  ///< to answer it by
    Request request;
    stox::Endpoint source;
    Transport transport = Transport::udp;
    Flow flow = Flow::none;
    std::vector<std::string> tls_names;  ///< that the certificate of a TLS client proved (RFC 5922); empty: none
};

/// What became of a request of ours: a final response, or 408 / 503 that we made because none came.
struct Outcome {
    Response response;
    enum class Local { none, timeout, transport } local = Local::none;
};

struct NextHop {
    Transport transport = Transport::udp;
    stox::Endpoint endpoint;
    std::string tls_name{};     ///< TLS: what the peer's certificate must say (RFC 5922), sent as SNI as well
    std::string credentials{};  ///< TLS: the domain whose certificate and trust are used
    Flow flow = Flow::none;     ///< this connection while it lives, else one to `endpoint`
    bool configured = true;     ///< false: learnt from a message (a Contact, a Record-Route); then not to every address
};

/// Sizes of Sofia's transports, which sip/tport_bridge.cpp knows by heart.
struct LibraryLayout {
    std::size_t primary = 0, secondary = 0;  ///< octets
};

class Endpoint {
public:
    using OnRequest = std::function<void(IncomingRequest)>;
    using OnOutcome = std::function<void(Outcome)>;

    struct Settings {
        std::vector<ListenAddress> listen;
        std::string user_agent;                 ///< in User-Agent and Server; empty: neither is sent
        std::size_t max_message = 65'536;       ///< octets
        std::size_t max_transactions = 10'000;  ///< requests waiting for our answer; further ones get 503
        Limits limits{};
        std::vector<TlsIdentity> tls{};           ///< the first is for clients that name none of the domains
        std::optional<Address> public_address{};  ///< in Via instead of our own: behind a NAT
        Log log{};
        std::optional<LibraryLayout> library{};  ///< absent: that of the library we run with; tests give another
    };

    /// Opens the listeners. Started, used and destroyed on `loop`'s thread. All callbacks come on `loop`'s thread, never from
    /// inside a call of ours.
    /// errors  unavailable: an address cannot be bound (the detail names it)
    static Result<std::unique_ptr<Endpoint>> start(boost::asio::io_context& loop, Settings settings, OnRequest on_request);
    ~Endpoint();

    /// What is really bound, with the ports chosen for 0.
    std::vector<ListenAddress> listening() const;
    /// Answers once; a second answer, or one to a request already gone, is ignored.
    void respond(std::uint64_t transaction, Response response);
    /// Sends a request outside any dialog, with a branch and Via of its own, to exactly this next hop. `on_outcome` is called
    /// exactly once, unless the endpoint is destroyed first. From's tag, Call-ID and CSeq are the request's.
    void send(Request request, NextHop next_hop, OnOutcome on_outcome);

    /// The connection is needed though nothing is said on it: it does not end for idleness. Each hold wants its release.
    void hold(Flow flow);
    void release(Flow flow);
    /// A request from there was refused for who sent it. Too many, and the source is not heard for a while.   (contracts 2)
    void refused(const Address& source);
    /// Sources without rate, ban or number of connections of their own: the configured peers. Replaces those before.
    void trust(std::vector<Prefix> sources);
    /// Certificates and trust for handshakes from now on; connections live on.
    /// errors  unavailable: what is wrong, with the file; nothing has changed
    Result<void> reload_tls(std::vector<TlsIdentity> identities);
    Counters counters() const;

private:
    struct Impl;
    explicit Endpoint(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace stox::sip
