#pragma once
// What the operator says about provisioning domains. It wins over whatever the network says.

#include "net/pvd.h"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stox::net {

/// One configured domain: the implicit one of its interfaces, and the explicit one of its id.
struct PvdPolicy {
    std::string name;
    std::vector<std::string> interfaces;  ///< names; more than one makes them one domain
    std::optional<DnsName> id;            ///< of the explicit domain that this is
    Trust trust = Trust::untrusted;  ///< authenticated is reached by a validated id alone; of the rest by_attachment is the most
    Cost cost = Cost::normal;
    std::set<std::string> roles;
    std::vector<Rdnss> resolvers;       ///< besides those learnt, before them
    bool learnt_resolvers = true;       ///< false: `resolvers` are instead of them
    std::vector<DnsName> domains;       ///< that its resolvers know, besides what they say themselves
    bool default_resolver = true;       ///< false: they are asked for these domains alone
    std::optional<PolicyTable> policy;  ///< instead of a received one
    bool hidden = false;                ///< in no snapshot
};

struct NodePolicy {
    std::string node;  ///< identifies this machine, for ids of implicit domains
    std::vector<PvdPolicy> pvds;
    std::string default_pvd;                 ///< a name; empty: the node's own domain, else that of the best default route
    std::chrono::seconds ending_notice{30};  ///< so long before its end an element counts as ending
};

}  // namespace stox::net
