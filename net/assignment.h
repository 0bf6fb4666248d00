#pragma once
// Which provisioning domain an element belongs to. The only place that decides it.   (RFC 7556 §2, §5.1, §7; RFC 8801 §3)

#include "net/change.h"
#include "net/node_policy.h"

#include <string_view>

namespace stox::net {

/// A domain before it has a handle. Two elements are of one domain exactly when their keys are equal.
struct Membership {
    std::string key = {};
    PvdId id = {};
    std::string name = {};
    Trust trust = Trust::untrusted;
    const PvdPolicy* policy = nullptr;  ///< of the configuration, where one is meant
    bool node = false;
};

/// The domain of what is learnt there.
/// interface  its name; empty for home.interface 0
Membership membership(const Home& home, std::string_view interface, const NodePolicy& policy);

/// Whether the configuration has a domain for the interface.
const PvdPolicy* policy_of(std::string_view interface, const NodePolicy& policy);

}  // namespace stox::net
