#pragma once
// Configuration elements: what a node can learn about the networks it is attached to, one struct each.
//
// An element says nothing of its provisioning domain; net/change.h says where it was learnt, net/assignment.h what follows from
// that. Times are ends on the monotonic clock, never durations.

#include "net/address_scope.h"
#include "net/dns_name.h"
#include "net/policy_table.h"
#include "net/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::net {

/// Who says so. Of two that say the same the earlier one counts.   (RFC 6731 §4.1, RFC 8106 §5.3.1)
enum class Origin : std::uint8_t { configuration, dhcpv6, dhcpv4, router_advertisement, manager, kernel, resolv_conf };

/// Of a router or route (RFC 4191 §2.1), of a DNS server (RFC 6731 §4.1).
enum class Preference : std::int8_t { low = -1, medium = 0, high = 1 };

struct Interface {
    int index = 0;
    std::string name;
    bool up = false;  ///< set up by the administrator and with carrier: packets can leave
    bool loopback = false;
    unsigned mtu = 0;
    friend bool operator==(const Interface&, const Interface&) = default;
};

struct LocalAddress {
    Address address;
    unsigned prefix_length = 0;
    int interface = 0;
    TimePoint preferred = kNever, valid = kNever;
    bool temporary = false;   ///< RFC 8981
    bool tentative = false;   ///< duplicate address detection runs, or found a duplicate: it is not there yet
    bool deprecated = false;  ///< its preferred lifetime is over
    bool ending = false;      ///< its preferred or valid lifetime is about to be; of a snapshot, no source says it
    Origin origin = Origin::kernel;
    friend bool operator==(const LocalAddress&, const LocalAddress&) = default;
};

struct Route {
    Prefix prefix;
    std::optional<Address> next_hop;  ///< none: on the link
    int interface = 0;
    Preference preference = Preference::medium;
    std::uint32_t metric = 0;   ///< of the kernel, smaller first
    std::uint32_t table = 254;  ///< RT_TABLE_MAIN
    TimePoint expires = kNever;
    Origin origin = Origin::kernel;
    friend bool operator==(const Route&, const Route&) = default;
};

/// A policy rule of the kernel (ip rule). It is the node's, not a domain's.
struct RoutingRule {
    Family family = Family::ipv4;
    std::uint32_t priority = 0;
    std::optional<Prefix> from, to;
    std::string input, output;  ///< names of interfaces; empty: any
    std::uint32_t mark = 0, mask = 0;
    std::uint32_t table = 0;
    friend bool operator==(const RoutingRule&, const RoutingRule&) = default;
};

/// A domain whose names a server knows; the root: it is a default resolver. Reverse zones are domains too.   (RFC 6731 §4.1)
struct NameRule {
    DnsName domain;
    TimePoint expires = kNever;
    friend bool operator==(const NameRule&, const NameRule&) = default;
};

/// A recursive DNS server.
struct Rdnss {
    Address address;
    std::uint16_t port = 53;
    int interface = 0;  ///< 0: of the node as a whole
    Preference preference = Preference::medium;
    std::vector<NameRule> rules{NameRule{}};  ///< without any it is asked nothing
    TimePoint expires = kNever;
    Origin origin = Origin::kernel;
    friend bool operator==(const Rdnss&, const Rdnss&) = default;
};

/// A search list is a hint: it never completes a name by itself.   (RFC 6731 appendix A.2)
struct SearchDomain {
    DnsName domain;
    int interface = 0;
    TimePoint expires = kNever;
    Origin origin = Origin::kernel;
    friend bool operator==(const SearchDomain&, const SearchDomain&) = default;
};

struct Nat64Prefix {
    Prefix prefix;
    int interface = 0;
    TimePoint expires = kNever;
    Origin origin = Origin::router_advertisement;
    friend bool operator==(const Nat64Prefix&, const Nat64Prefix&) = default;
};

/// RFC 8910.
struct CaptivePortal {
    std::string uri;
    int interface = 0;
    TimePoint expires = kNever;
    Origin origin = Origin::router_advertisement;
    friend bool operator==(const CaptivePortal&, const CaptivePortal&) = default;
};

/// A policy table that the network sent.   (RFC 7078)
struct ReceivedPolicy {
    PolicyTable table;
    int interface = 0;
    TimePoint expires = kNever;
    Origin origin = Origin::dhcpv6;
    friend bool operator==(const ReceivedPolicy&, const ReceivedPolicy&) = default;
};

using Element =
    std::variant<Interface, LocalAddress, Route, RoutingRule, Rdnss, SearchDomain, Nat64Prefix, CaptivePortal, ReceivedPolicy>;

/// In the order of the variant.
enum class ElementKind : std::uint8_t { interface, address, route, rule, dns, search, nat64, captive_portal, policy };

inline ElementKind kind(const Element& element) { return static_cast<ElementKind>(element.index()); }
/// "interface", "address", "dns", ...
std::string_view to_string(ElementKind kind);

/// What makes it this one among its kind on its interface: learnt again with the same identity it replaces what was known.
/// "2001:db8::1/64", "10.0.0.0/8 via 10.0.0.1 metric 100", ...
std::string identity(const Element& element);
/// When it ends without anyone saying so.
TimePoint end_of(const Element& element);
/// configuration for what has no origin of its own and is the node's: an interface, a routing rule.
Origin origin_of(const Element& element);

}  // namespace stox::net
