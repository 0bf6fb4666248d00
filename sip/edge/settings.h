#pragma once
// What the edge is told from outside, and what it counts: plain values.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::sip {

/// error: someone must act. warn: a peer misbehaves. info: a change of state.   (contracts 9)
enum class LogLevel { error, warn, info, debug };
using Log = std::function<void(LogLevel, std::string_view text)>;

/// Certificate and trust of the domains that share them.
struct TlsIdentity {
    enum class Trust {
        system,  ///< the host's certificate store
        file,    ///< `trust_file` alone
        none,    ///< no certificate is checked
    };
    enum class VerifyClient {
        none,      ///< no certificate is asked for
        optional,  ///< asked for; one that is shown must be good
        required,
    };

    std::vector<std::string> domains;  ///< chosen by the SNI of a client, and by NextHop::credentials when dialling
    std::string certificate_chain;     ///< PEM file: own certificate, then the intermediate ones; empty: none, for dialling only
    std::string key;                   ///< PEM file, not encrypted
    Trust trust = Trust::system;
    std::string trust_file{};  ///< PEM
    VerifyClient verify_client = VerifyClient::none;
};

/// A TlsIdentity whose files were read and fit together: what handshakes use. Never changes.
class TlsCredentials;
/// Of several domains, the first one for clients that name none.
using TlsSet = std::vector<std::shared_ptr<const TlsCredentials>>;
/// What is wrong with one.
struct TlsFault {
    enum class Part { certificate, key, trust } part;
    std::string text;  ///< names the file
};
using LoadedTls = std::variant<std::shared_ptr<const TlsCredentials>, TlsFault>;
LoadedTls load_tls(const TlsIdentity& identity);
/// errors  unavailable: as the fault of the first that has one, with its domain
Result<TlsSet> load_tls(const std::vector<TlsIdentity>& identities);

/// How much of what strangers send is read, and for how long.   (contracts 4 and 6)
struct Limits {
    using Seconds = std::chrono::seconds;

    std::size_t header_octets = 32'768;  ///< start line and header section
    std::size_t body_octets = 65'536;
    std::size_t headers = 128;
    std::size_t via_values = 70;    ///< all Via header fields together
    std::size_t route_values = 70;  ///< Route, and Record-Route likewise

    Seconds handshake{5};  ///< TLS, either way
    Seconds connect{5};
    Seconds message{10};  ///< from its first octet to its last
    Seconds idle{120};    ///< of a connection that nobody holds
    // Octets that wait for who does not take them. One more message is queued; then the connection is closed.
    std::size_t write_queue = 1'048'576;
    std::size_t stranger_write_queue = 65'536;  ///< of a connection to which nothing was granted
    std::size_t write_queues = 67'108'864;      ///< of all together; then one that takes nothing is closed, the one with most

    std::size_t connections_per_source = 20;  ///< and four times as many from one /48 of IPv6
    std::size_t connections = 2'000;          ///< a quarter of them is kept for peers and next hops
    std::size_t handshakes = 64;  ///< TLS handshakes of strangers at once; beyond, one that has had a second gives way
    std::size_t handshakes_per_source = 8;
    // Requests by UDP, responses by UDP and what comes over connections have such a rate each.
    unsigned source_rate = 500;  ///< messages a second from one address (IPv6: one /64)
    unsigned source_burst = 1'000;
    unsigned total_rate = 10'000;  ///< messages a second from all
    unsigned total_burst = 20'000;
    unsigned accept_cost = 20;  ///< messages that a new connection counts as
    /// So many refusals within `window`, and the source is not heard for `length`.
    struct Ban {
        unsigned refusals = 20;
        Seconds window{10};
        Seconds length{60};
    };
    std::optional<Ban> ban = Ban{};    ///< none: nobody is ever banned, and no refusal is remembered
    std::size_t sources = 65'536;      ///< remembered; beyond, the one longest unseen is forgotten
    std::size_t ordered_bans = 1'000;  ///< of an operator; beyond, no more are taken
};

/// A source that is not heard for a while.
struct BannedSource {
    Address source;      ///< of IPv6 the /64
    bool whole = false;  ///< false: its datagrams alone
    std::chrono::steady_clock::time_point until{};
};

/// What became of an operator's wish that a source is not heard.
enum class BanOrder { taken, is_peer, too_many };

/// Since the start, by cause. What came by UDP is either handed on or dropped for one cause: `received` is `datagrams` and every
/// dropped_... but the last two.
struct Counters {
    std::uint64_t received = 0;             ///< datagrams that the kernel gave us
    std::uint64_t datagrams = 0;            ///< of these, handed on to the transactions
    std::uint64_t messages = 0;             ///< the same, from connections
    std::uint64_t connections = 0;          ///< accepted
    std::uint64_t dialled = 0;              ///< connections we tried to open
    std::uint64_t dials_refused = 0;        ///< by the dial policy
    std::uint64_t sends_refused = 0;        ///< datagrams, by the dial policy
    std::uint64_t dropped_source_rate = 0;  ///< datagrams over the rate of their source; on connections they wait instead
    std::uint64_t dropped_total_rate = 0;
    std::uint64_t dropped_banned = 0;              ///< datagrams of a banned source
    std::uint64_t dropped_noise = 0;               ///< datagrams that are no SIP: STUN, SigComp, blank lines
    std::uint64_t dropped_malformed = 0;           ///< datagrams that are no SIP, responses that break a rule of the framing
    std::uint64_t dropped_limits = 0;              ///< datagrams over a limit: headers, their octets, Via, routes, body
    std::uint64_t dropped_queue = 0;               ///< datagrams that found no room in the transactions, or where strangers wait
    std::uint64_t dropped_by_kernel = 0;           ///< datagrams that came while its queue was full
    std::uint64_t dropped_unproven_errors = 0;     ///< ICMP errors that quote no request of ours
    std::uint64_t dropped_unsent = 0;              ///< datagrams of ours for which the kernel had no room
    std::uint64_t refused_connection_rate = 0;     ///< connections over the rate of their source, or of all
    std::uint64_t refused_handshakes = 0;          ///< over handshakes or handshakes_per_source
    std::uint64_t refused_source_connections = 0;  ///< over connections_per_source
    std::uint64_t refused_total_connections = 0;   ///< over connections, or over what strangers may have of them
    std::uint64_t refused_banned = 0;              ///< connections of a banned source
    std::uint64_t closed_evicted = 0;              ///< strangers' connections that gave way to another
    std::uint64_t refused_descriptors = 0;         ///< no descriptor was left
    std::uint64_t closed_banned = 0;               ///< connections whose source was banned meanwhile
    std::uint64_t closed_violation = 0;            ///< connections that broke a rule of the framing
    std::uint64_t closed_deadline = 0;             ///< handshake, connect or message took too long
    std::uint64_t closed_idle = 0;
    std::uint64_t closed_slow_reader = 0;  ///< write_queue
    std::uint64_t failed_handshakes = 0;
    std::uint64_t bans = 0;
    std::uint64_t requests = 0;           ///< handed on to be answered
    std::uint64_t refused_requests = 0;   ///< 503: as many wait as may
    std::uint64_t refused_memory = 0;     ///< 503: what is kept of them has its limit
    std::uint64_t refused_open_acks = 0;  ///< INVITEs, 503: too many of the source, or of all, were not acknowledged
    // Now:
    std::size_t open_connections = 0;  ///< accepted and dialled
    std::size_t banned_sources = 0;
};

}  // namespace stox::sip
