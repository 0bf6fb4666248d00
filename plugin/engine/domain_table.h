#pragma once
// Which domain a SIP request belongs to.   (CORE-08, contract: docs/architecture.md, Configuration)

#include "plugin/engine/peers.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::engine {

/// Of all domains of the worker; none is null.
using Domains = std::vector<const config::DomainOptions*>;

struct NotServed {};
/// Several domains claim the host and the sender tells them not apart.
struct Ambiguous {};

/// The name of the domain that a request for `host` (lower case) from that sender goes to: the one whose component domain or
/// SIP domain is the host; else, among those that serve it as XMPP domain, the one with a peer that matches the sender most
/// closely, else the one that would challenge it. One claimant alone gets it whatever the sender is, so that its own checks
/// refuse and log.
std::variant<std::string, NotServed, Ambiguous> route(const Domains& domains, std::string_view host, const Sender& sender);

/// Whether the sender is a peer of any domain.
bool is_peer(const Domains& domains, const Sender& sender);

}  // namespace stox::engine
