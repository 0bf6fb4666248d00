#pragma once
// Sofia-SIP's transaction layer (nta) behind plain values. No Sofia type in this header.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"
#include "mapping/sip/certified_names.h"
#include "mapping/sip/message.h"
#include "sip/edge/settings.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
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
    CertifiedNames tls{};  ///< of the other end of a TLS connection
};

/// What became of a request of ours: a final response, or 408 / 503 that we made because none came.
struct Outcome {
    Response response;
    enum class Local {
        none,
        timeout,    ///< 408: it left, and nobody answered
        unsent,     ///< 503: nothing of it can have arrived: no connection was opened, no TLS agreed on, or we may not send there
        transport,  ///< 503: the way failed when it may have arrived
    } local = Local::none;
};

/// Where somebody was heard from.
struct HeardFrom {
    Transport transport = Transport::udp;
    stox::Endpoint endpoint;
};

/// Where a request goes. TCP and TLS need no listener of theirs: then Via names the address and port of another listener of that
/// family, and answers come over the connection that was opened. A Contact is the caller's, who names a transport that is
/// listened on.
struct NextHop {
    Transport transport = Transport::udp;
    stox::Endpoint endpoint;
    std::string tls_name{};            ///< TLS: what the peer's certificate must say (RFC 5922), sent as SNI as well
    std::string credentials{};         ///< TLS: the domain whose certificate and trust are used
    Flow flow = Flow::none;            ///< this connection while it lives, else one to `endpoint`
    bool configured = true;            ///< false: learnt from a message (a Contact, a Record-Route); then not to every address
    std::optional<HeardFrom> heard{};  ///< whoever it is for was last heard from there
    /// For a connection that has to be opened, TLS included, where that is less than Limits allow.
    std::optional<std::chrono::seconds> open_within{};
};

/// Sizes of Sofia's transports, which sip/sofia_tport.h knows by heart.
struct LibraryLayout {
    std::size_t primary = 0, secondary = 0;  ///< octets
};

/// A request of ours that was started.
enum class ClientTransaction : std::uint64_t { none = 0 };

/// What becomes of it. Any of them may be empty.
struct ClientHandlers {
    /// Each 1xx, 100 as well, also those that are repeated or come from several branches.
    std::function<void(Response)> on_provisional;
    /// The final response, once. An INVITE can have more: a 2xx for each To tag (a proxy forked it) and a 2xx that comes after
    /// another outcome (late by up to 64*T1); each wants an ACK, and a BYE if it is not wanted.   (RFC 3261 §13.2.2.4)
    std::function<void(Outcome&&)> on_final;
    /// None of them will be called any more: at once after the final response, for an INVITE 64*T1 after the first.
    std::function<void()> on_end;
};

class Endpoint {
public:
    using OnRequest = std::function<void(IncomingRequest&&)>;
    using OnOutcome = std::function<void(Outcome&&)>;

    /// What is told of requests that came. `request` must be set.
    struct Events {
        /// Any request but ACK and CANCEL, in a dialog or outside of one.
        OnRequest request;
        /// An INVITE that has no final answer was cancelled. The CANCEL was answered 200; the INVITE still wants its 487, which
        /// it gets at once when this is empty.   (RFC 3261 §9.2)
        std::function<void(std::uint64_t transaction)> cancelled;
        /// The ACK for our 2xx to an INVITE, with an answer to its offer if there was one. ACKs for other answers are not told.
        std::function<void(std::uint64_t transaction, Request&& ack)> acknowledged;
        /// Our 2xx to an INVITE could not be sent, or no ACK came within 64*T1: the session is to be ended.   (§13.3.1.4)
        std::function<void(std::uint64_t transaction)> unacknowledged;
    };

    struct Settings {
        std::vector<ListenAddress> listen;
        std::string user_agent;                 ///< in User-Agent and Server; empty: neither is sent
        std::size_t max_message = 65'536;       ///< octets
        std::size_t max_transactions = 10'000;  ///< requests waiting for our final answer; further ones get 503
        /// What requests cost while they wait and, over UDP, for 64*T1 after their answer; beyond it further ones get 503.
        std::size_t max_transaction_octets = 512u << 20;
        std::size_t max_open_acks = 4'000;  ///< INVITEs whose 2xx waits for its ACK; beyond it further INVITEs get 503
        std::size_t max_open_acks_of_source = 1'000;
        /// Requests of ours by UDP to where only a message has told us to send, without a final answer; further ones fail at
        /// once.
        std::size_t max_unanswered = 4'000;
        std::size_t max_unanswered_of_address = 500;
        std::size_t max_unanswered_of_name = 500;  ///< to one To: a contact names any number of addresses as its own
        Limits limits{};
        std::vector<TlsIdentity> tls{};           ///< the first is for clients that name none of the domains
        std::optional<Address> public_address{};  ///< in Via instead of our own: behind a NAT
        Log log{};
        std::optional<LibraryLayout> library{};  ///< absent: that of the library we run with; tests give another
    };

    /// Opens the listeners. Started, used and destroyed on `loop`'s thread. All callbacks come on `loop`'s thread, never from
    /// inside a call of ours; none may destroy the endpoint.
    /// errors  unavailable: an address cannot be bound (the detail names it)
    static Result<std::unique_ptr<Endpoint>> start(boost::asio::io_context& loop, Settings settings, Events events);
    /// For those that take no INVITE: Events with `request` alone.
    static Result<std::unique_ptr<Endpoint>> start(boost::asio::io_context& loop, Settings settings, OnRequest on_request);
    ~Endpoint();

    /// What is really bound, with the ports chosen for 0.
    std::vector<ListenAddress> listening() const;

    /// Any number of provisional responses, then one final one; what comes after it, or for a request already gone, is ignored.
    /// to_tag is used for a request that had none; the first one stays. Record-Route is copied from the request. A 2xx to an
    /// INVITE is repeated here, on any transport, until its ACK or 64*T1; a reliable provisional (RSeq) is repeated by calling
    /// this again. To an INVITE that requires 100rel no provisional but 100 leaves without RSeq.   (RFC 3261 §8.2.6.2, §12.1.1,
    /// §13.3.1.4; RFC 3262 §3)
    void respond(std::uint64_t transaction, const Response& response);

    /// Sends a request with a branch and Via of its own to exactly this next hop, with Route and Contact as the request has them
    /// (Record-Route is a proxy's and not sent). From's tag, To's tag, Call-ID and CSeq are the request's. What cannot be sent
    /// ends in on_final with Outcome::Local::unsent, never in an exception or in silence. ACK and CANCEL are not for this.
    ClientTransaction start(const Request& request, const NextHop& next_hop, ClientHandlers handlers);
    /// The same for a caller that wants the outcome alone, exactly once, unless the endpoint is destroyed first: no INVITE.
    void send(const Request& request, const NextHop& next_hop, OnOutcome on_outcome);
    /// CANCELs an INVITE of ours: at once if it has a provisional response, else when the first one comes; not at all if a final
    /// one was there before. on_final comes as usual: 487, or a 2xx that crossed it, or 408 after 64*T1.   (RFC 3261 §9.1)
    /// headers  for the CANCEL: Reason (RFC 3326)
    void cancel(ClientTransaction transaction, std::vector<Header> headers = {});
    /// Sends the ACK for a 2xx to an INVITE of ours, whose Call-ID, CSeq number, From and To tag it has, and again for each
    /// repetition of that 2xx. Credentials are those of the INVITE.   (RFC 3261 §13.2.2.4)
    void acknowledge(Request ack, NextHop next_hop);

    /// The connection is needed though nothing is said on it: it does not end for idleness. Each hold wants its release.
    void hold(Flow flow);
    void release(Flow flow);
    /// A request from there was refused for who sent it. Too many, and the source is not heard for a while: its datagrams if they
    /// were datagrams, whose source anybody can forge; everything if they came over connections.   (contracts 2)
    void refused(const Address& source, Transport transport);
    /// Nothing is heard from there for so long: an operator wants it.
    BanOrder ban(const Address& source, std::chrono::seconds length);
    /// False: it is not banned.
    bool unban(const Address& source);
    std::vector<BannedSource> bans() const;
    /// Sources without rate, ban or number of connections of their own: the configured peers. Replaces those before.
    void trust(std::vector<Prefix> sources);
    /// Certificates and trust for handshakes from now on, instead of Settings::tls; connections live on.
    /// errors  unavailable: one domain stands in two; nothing has changed
    Result<void> use_tls(TlsSet credentials);
    Counters counters() const;

private:
    struct Impl;
    explicit Endpoint(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace stox::sip
