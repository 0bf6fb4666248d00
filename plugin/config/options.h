#pragma once
// The options as structs: what the loader makes of the operator's words and what the engine reads. One field per row of
// schema.json.

#include "mapping/core/endpoint.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::config {

/// Where SIP is listened for. "udp:0.0.0.0:5060", "tls:[::]:5061".
struct Listener {
    Transport transport = Transport::udp;
    Endpoint endpoint;

    friend bool operator==(const Listener&, const Listener&) = default;
};

/// Paths of a PEM certificate chain and its key; both empty: none.
struct CertificateFiles {
    std::string certificate, key;

    friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

/// What one source may do before it is known for more than its address; 0 is no limit.   (CORE-71)
struct SourceLimits {
    unsigned per_source_rate = 500;     ///< messages a second of a source that is no peer
    unsigned per_source_burst = 1'000;  ///< at once, before the rate counts
    unsigned connections_per_source = 20;
    unsigned connections = 2'000;
    unsigned total_rate = 10'000;  ///< messages a second of all
    unsigned total_burst = 20'000;
    unsigned handshakes = 64;  ///< of strangers, at once
    unsigned handshakes_per_source = 8;
    unsigned sources = 65'536;  ///< remembered
    unsigned write_queue_kib = 1'024;
    unsigned stranger_write_queue_kib = 64;
    unsigned write_queues_mib = 64;
    unsigned headers = 128;  ///< of one message, as the four below
    unsigned header_kib = 32;
    unsigned body_kib = 64;
    unsigned vias = 70;
    unsigned routes = 70;
    unsigned requests = 10'000;  ///< waiting for our answer
    unsigned request_memory_mib = 512;
    unsigned ban_refusals = 20;  ///< in ban_window_s; then the source is not heard for ban_s; 0: nobody is banned
    unsigned ban_window_s = 10;
    unsigned ban_s = 60;
    unsigned connect_s = 5;  ///< of a connection of ours
    unsigned handshake_s = 5;
    unsigned message_s = 10;  ///< from its first octet to its last
    unsigned idle_s = 120;    ///< of a connection that nobody needs

    friend bool operator==(const SourceLimits&, const SourceLimits&) = default;
};

/// Where HTTP tells how the worker does; neither set: nowhere.
struct MetricsOptions {
    std::optional<Endpoint> endpoint;
    std::string unix_path;
    bool allow_remote = false;   ///< the endpoint may be reachable from other machines
    unsigned link_down_s = 60;   ///< how long a component stream may be down before that is unhealthy

    bool is_on() const { return endpoint || !unix_path.empty(); }
    friend bool operator==(const MetricsOptions&, const MetricsOptions&) = default;
};

/// Scope `engine`: once per worker.
struct EngineOptions {
    std::vector<Listener> bind{{Transport::udp, {Address::v4({0, 0, 0, 0}), 5060}},
                               {Transport::tcp, {Address::v4({0, 0, 0, 0}), 5060}}};
    std::optional<Address> public_address;  ///< in Via and Contact instead of the bound one: behind a NAT
    CertificateFiles tls;                   ///< for domains that have none of their own
    SourceLimits limits;
    std::vector<Endpoint> dns_servers;  ///< empty: those of the host's resolv.conf
    std::string state_dir;              ///< of the store; empty: nobody said where, see store_path()
    bool store_survives_power_cut = true;  ///< `store_durability`: full, else normal
    std::uint64_t memory_limit_mib = 0;    ///< of the worker as a process; 0: none
    std::string log_level = "info";     ///< error | warn | info | debug
    MetricsOptions metrics{};

    friend bool operator==(const EngineOptions&, const EngineOptions&) = default;
};

enum class PeerKind { proxy, trunk, phone };

/// Where requests to a peer go: a URI without user, and its place among several.
struct NextHop {
    std::string uri;                     ///< as the operator wrote it
    bool sips = false;                   ///< TLS on every hop, so TLS on the first
    std::string host;                    ///< a name in lower case, or an address in its canonical form without brackets
    std::optional<Address> address;      ///< set when the host is one; then nothing needs to be located
    std::optional<std::uint16_t> port;   ///< absent: located, or the transport's own
    std::optional<Transport> transport;  ///< absent: located, or UDP (TLS with sips)
    unsigned priority = 0;               ///< the lowest is tried first
    unsigned weight = 1;                 ///< share among those of one priority   (RFC 2782)

    friend bool operator==(const NextHop&, const NextHop&) = default;
};

/// E.164 numbers with their plus: all that begin with `first`, or those from `first` to `last`, which have one length.
struct Numbers {
    std::string first, last;
    bool prefix = false;

    /// number   "+442071234567"
    bool contains(const std::string& number) const {
        if (prefix) return number.starts_with(first);
        return number.size() == first.size() && first <= number && number <= last;
    }
    friend bool operator==(const Numbers&, const Numbers&) = default;
};

/// Whom a peer may speak for: a domain's users, one user, or numbers. Without a domain, numbers at the component's own SIP
/// domain and in tel URIs.
struct Identity {
    std::string domain;              ///< lower case
    std::string user;                ///< unescaped, compared as it stands; empty: any
    std::optional<Numbers> numbers;  ///< instead of `user`

    friend bool operator==(const Identity&, const Identity&) = default;
};

/// What a peer is the way to: a domain with its subdomains, or the numbers with a prefix. One of the two is empty.
struct TargetRule {
    std::string domain;         ///< lower case
    std::string number_prefix;  ///< "+44"

    friend bool operator==(const TargetRule&, const TargetRule&) = default;
};

/// With which we answer a peer's digest challenge; one of the files is set.
struct PeerAuth {
    std::string user;
    std::string password_file;
    std::string ha1_file;
    std::vector<std::string> realms;  ///< the only ones it is used for; empty: any that this peer names

    friend bool operator==(const PeerAuth&, const PeerAuth&) = default;
};

/// How much a peer may have at once; 0 is no limit.   (CORE-71)
struct PeerLimits {
    unsigned dialogs = 0;       ///< calls and subscriptions, whoever begins them; never more than engine::Dialogs allows
    unsigned transactions = 0;  ///< messages on their way to it or from it
    unsigned per_second = 0;    ///< requests from it, OPTIONS not counted

    friend bool operator==(const PeerLimits&, const PeerLimits&) = default;
};

/// Whether messages to a peer go in message/cpim when their authors want receipts.   (IM-40)
enum class CpimUse {
    automatic,  ///< unless it is a trunk
    always,     ///< to those too
    never,
};

/// Contract 2: who a SIP request may come from, and where ours go.
struct Peer {
    std::string name;
    PeerKind kind = PeerKind::proxy;
    // `match`: the conditions that are set must all hold; none set: nothing is heard from it
    std::vector<Prefix> source;
    std::vector<std::string> tls_names;  ///< one of them is what a TLS client's certificate proves
    std::vector<std::string> users;      ///< one of them is who digest authentication proves

    std::vector<NextHop> next_hops;  ///< in the operator's order; empty: nothing is sent to this peer
    std::optional<PeerAuth> auth;
    bool probe = true;                 ///< by OPTIONS to each next hop
    unsigned probe_interval_s = 15;
    unsigned probe_timeout_s = 4;  ///< without any answer: a miss
    std::vector<Identity> identities;  ///< empty: users of the component's own SIP domain
    bool pai_trusted = false;          ///< `pai`: its P-Asserted-Identity is who the author is   (RFC 3325)
    std::vector<TargetRule> targets;   ///< empty: none but by `is_default`
    bool is_default = false;           ///< `default`
    std::string trunk_domain;          ///< scheme phone: the host of numbers that go to it; empty: the domain's own
    CpimUse cpim = CpimUse::automatic;
    bool large_message = true;  ///< texts whose MESSAGE is over 1,300 octets go over a stream transport (IM-10)
    PeerLimits limits;

    bool is_heard() const { return !source.empty() || !tls_names.empty() || !users.empty(); }
    friend bool operator==(const Peer&, const Peer&) = default;
};

enum class AddressScheme { native, nested, phone };

/// Scheme phone: which numbers there are besides the global ones (+...).   (CORE-35, CORE-36)
struct PhoneOptions {
    std::vector<std::string> dial_plan;  ///< of numbers that name no context: "*21#", "xxxx" (x a digit), "0." (any more)
    std::vector<std::string> contexts;   ///< phone-contexts of numbers that name one: a domain, "+44"
    std::vector<std::string> emergency_numbers{"112", "911", "000", "08", "110", "118", "119", "999"};  ///< 3GPP TS 22.101 §10.1

    friend bool operator==(const PhoneOptions&, const PhoneOptions&) = default;
};

/// Whether a TLS client must show a certificate.
enum class VerifyClient { none, optional, required };

/// TLS of one domain: its certificate (none: the engine's) and whom it believes.
struct DomainTls {
    CertificateFiles files;
    std::string trust = "system";  ///< or the path of a PEM file
    VerifyClient verify_client = VerifyClient::none;

    friend bool operator==(const DomainTls&, const DomainTls&) = default;
};

/// Digest authentication of those who write to us.   (RFC 8760)
struct DigestOptions {
    std::string realm;                                                     ///< never empty once loaded: the component's domain
    std::vector<std::string> algorithms{"SHA-256", "SHA-512-256", "MD5"};  ///< offered, best first
    std::string ha1_file;                                                  ///< empty: nobody authenticates

    friend bool operator==(const DigestOptions&, const DigestOptions&) = default;
};

enum class PresenceMode {
    subscribe,  ///< asked for and told by SIP
    pretended,  ///< `static`: every contact is shown as available   (PRES-29)
    off,
};

/// Presence both ways (RFC 8048). Bounds are of one domain.
struct PresenceOptions {
    PresenceMode mode = PresenceMode::subscribe;
    unsigned expires = 3600;                        ///< seconds that a SUBSCRIBE of ours asks for
    unsigned min_expires = 60, max_expires = 3600;  ///< of theirs   (PRES-30)
    unsigned subscribe_rate = 50;                   ///< a second, to each peer   (PRES-93)
    unsigned contacts_per_user = 1'000;
    unsigned watchers_per_user = 100;
    unsigned watchers_per_peer = 10'000;
    unsigned relations = 20'000;  ///< each way
    bool on_the_phone = false;    ///< contacts are asked whether they are   (PRES-113)

    friend bool operator==(const PresenceOptions&, const PresenceOptions&) = default;
};

/// Scope `domain`.
struct DomainOptions {
    std::string domain;  ///< the component's
    std::string name;    ///< shown in service discovery; empty: "SIP gateway"
    AddressScheme scheme = AddressScheme::native;
    std::string sip_domain;                 ///< CORE-10; empty: none
    std::vector<std::string> xmpp_domains;  ///< whose accounts may use the gateway (CORE-72) and are reached by SIP (CORE-11)
    std::vector<std::string> nested_xmpp_domains;  ///< of those, the ones that SIP does not route to us (CORE-11)
    PhoneOptions phone;
    std::string emergency_line;  ///< the peer that emergency numbers go to; empty: they are refused
    DomainTls tls;
    DigestOptions digest;
    std::vector<Peer> peers;
    bool pager_as_chat = true;           ///< IM-22
    int message_accept_code = 202;       ///< IM-29
    unsigned message_hold_ms = 300;      ///< how long the answer to a MESSAGE waits for an error of the XMPP side   (IM-30)
    bool from_gr = false;                ///< IM-03
    bool allow_6xx = false;              ///< CORE-53
    int service_unavailable_code = 480;  ///< to a MESSAGE (CORE-X19)
    std::string language = "en";         ///< a language tag (CORE-60, CORE-61)
    unsigned user_rate = 0;              ///< messages a second of one user; 0 is no limit (CORE-71)
    bool unique_call_id = true;          ///< IM-05
    std::string correction_mark{"* "};   ///< IM-20
    bool e2e_fallback = false;           ///< IM-27
    bool xhtml_im = false;               ///< IM-25
    bool chat_states = true;             ///< whether contacts hear that somebody writes (CHAT-41)
    PresenceOptions presence;

    /// Null: there is none of that name.
    const Peer* find_peer(std::string_view peer) const {
        for (const auto& one : peers)
            if (one.name == peer) return &one;
        return nullptr;
    }
    friend bool operator==(const DomainOptions&, const DomainOptions&) = default;
};

/// How the component reaches its server.
struct Attachment {
    std::string unix_path;        ///< of the private socket; empty: tcp
    std::optional<Endpoint> tcp;  ///< loopback only
    std::string secret;           ///< never logged
    std::optional<unsigned> owner{};  ///< the user who must be behind unix_path; absent: no other can stand there

    friend bool operator==(const Attachment&, const Attachment&) = default;
};

}  // namespace stox::config
