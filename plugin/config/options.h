#pragma once
// The options as structs: what the loader makes of the operator's words and what the engine reads. One field per row of
// schema.json.

#include "mapping/core/endpoint.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stox::config {

/// Where SIP is listened for. "udp:0.0.0.0:5060", "tcp:[::]:5060".
struct Listener {
    Transport transport = Transport::udp;
    Endpoint endpoint;

    friend bool operator==(const Listener&, const Listener&) = default;
};

/// Scope `engine`: once per worker.
struct EngineOptions {
    std::vector<Listener> bind{{Transport::udp, {Address::v4({0, 0, 0, 0}), 5060}},
                               {Transport::tcp, {Address::v4({0, 0, 0, 0}), 5060}}};
    std::string log_level = "info";  ///< error | warn | info | debug

    friend bool operator==(const EngineOptions&, const EngineOptions&) = default;
};

enum class PeerKind { proxy, trunk, phone };

/// Where requests to a peer go; numeric until net/ locates names. "sip:192.0.2.1:5060;transport=tcp"
struct NextHop {
    Transport transport = Transport::udp;
    Endpoint endpoint;

    friend bool operator==(const NextHop&, const NextHop&) = default;
};

/// Contract 2: who a SIP request may come from, and where ours go.
struct Peer {
    std::string name;
    PeerKind kind = PeerKind::proxy;
    std::vector<Prefix> source;           ///< match.source
    std::optional<NextHop> next_hop;      ///< absent: nothing is sent to this peer
    std::vector<std::string> identities;  ///< domains its users may claim; empty: the component's own SIP domain
    std::vector<std::string> targets;     ///< domains it is the way to; empty: none but by `is_default`
    bool is_default = false;              ///< `default`

    friend bool operator==(const Peer&, const Peer&) = default;
};

enum class AddressScheme { native, nested };

/// Scope `domain`.
struct DomainOptions {
    std::string domain;  ///< the component's
    std::string name;    ///< shown in service discovery; empty: "SIP gateway"
    AddressScheme scheme = AddressScheme::native;
    std::string sip_domain;                 ///< CORE-10; empty: none
    std::vector<std::string> xmpp_domains;  ///< whose accounts may use the gateway (CORE-72) and are reached by SIP (CORE-11)
    std::vector<Peer> peers;
    bool pager_as_chat = true;      ///< IM-22
    int message_accept_code = 202;  ///< IM-29
    bool from_gr = false;           ///< IM-03

    friend bool operator==(const DomainOptions&, const DomainOptions&) = default;
};

/// How the component reaches its server.
struct Attachment {
    std::string unix_path;        ///< of the private socket; empty: tcp
    std::optional<Endpoint> tcp;  ///< loopback only
    std::string secret;           ///< never logged

    friend bool operator==(const Attachment&, const Attachment&) = default;
};

}  // namespace stox::config
