#pragma once
// A provisioning domain as it is known at one moment.   (RFC 7556)

#include "net/element.h"
#include "net/pvd_ref.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stox::net {

/// In order: more may be believed of a later one. Only authenticated domains are one domain over several links.   (RFC 7556 §7)
enum class Trust : std::uint8_t { untrusted, by_attachment, authenticated };
enum class Cost : std::uint8_t { normal, metered };

/// Text that stays while the handle changes: for an explicit domain its name, for an implicit one a UUID made of the node's own
/// identity and the interface's name, so that it is the same after a restart.   (RFC 7556 §2.4)
struct PvdId {
    std::string text;
    bool explicit_ = false;

    static PvdId of_network(const DnsName& name) { return {name.text(), true}; }
    /// node  identifies the machine; may be any text, the same after a restart
    static PvdId of_node(std::string_view node, std::string_view interface);
    friend auto operator<=>(const PvdId&, const PvdId&) = default;
};

struct Pvd {
    PvdRef ref;
    PvdId id;
    std::string name;             ///< for people: that of the configuration, else of the network, else of the interface; "node"
    std::vector<int> interfaces;  ///< that are up, ascending
    bool device_bound = true;     ///< sockets are bound to its device; false: the node's, which leaves by the kernel's routes
    Trust trust = Trust::untrusted;
    Cost cost = Cost::normal;
    std::set<std::string> roles;
    bool ending = false;  ///< all its addresses are about to end

    std::vector<LocalAddress> addresses;  ///< that can be used: none is tentative
    std::vector<Route> routes;
    std::vector<Rdnss> resolvers;  ///< each server once
    std::vector<SearchDomain> search;
    std::vector<Nat64Prefix> nat64;
    std::optional<CaptivePortal> captive_portal;
    std::optional<PolicyTable> policy;  ///< none: PolicyTable::standard()

    const PolicyTable& policy_table() const { return policy ? *policy : PolicyTable::standard(); }
    /// Whether it has an address of the family that reaches further than its link.
    bool has(Family family) const;
    /// And a route of that family.   (RFC 8305bis: an address alone connects nothing)
    bool connected(Family family) const;
    friend bool operator==(const Pvd&, const Pvd&) = default;
};

using PvdPtr = std::shared_ptr<const Pvd>;

/// Whether two states of a domain are the same to a subscriber: lifetimes, which every advertisement moves, do not count.
bool same(const LocalAddress& one, const LocalAddress& other);
bool same_elements(const Pvd& one, const Pvd& other, ElementKind kind);
bool same(const Pvd& one, const Pvd& other);

}  // namespace stox::net
