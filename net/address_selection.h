#pragma once
// Which source address goes with a destination, and in which order destinations are tried.   (RFC 6724, RFC 8305 §4)
//
// Functions of values. What they are given belongs to one provisioning domain: neither a source nor a policy of another one is
// ever chosen (RFC 7556 §5.2.2).

#include "mapping/core/result.h"
#include "net/address_scope.h"
#include "net/policy_table.h"

#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace stox::net {

/// An address of ours.
struct SourceAddress {
    Address address;
    unsigned prefix_length = 128;  ///< of its subnet
    int interface = 0;
    std::vector<Address> routers;  ///< that advertised its prefix; empty where nobody did, or nobody remembers
    bool tentative = false;        ///< not, or in vain, proven to be unique: never used
    bool deprecated = false;       ///< without meaning for IPv4   (RFC 6724 §3.2)
    bool temporary = false;
    bool home = false;     ///< of a mobile node,
    bool care_of = false;  ///< both at once when it is at home
    friend bool operator==(const SourceAddress&, const SourceAddress&) = default;
};

/// How packets to the destination leave.
struct Outgoing {
    int interface = 0;
    std::optional<Address> next_hop;  ///< nullopt: the destination is on the link
    /// Also addresses of other interfaces: of a router, or on the loopback interface. Never for link-local and multicast
    /// destinations, and never link-local ones.
    bool any_interface = false;
};

struct SourcePreferences {
    /// Public addresses are the default, against RFC 6724 but as its rule 7 allows: what we connect or listen with lives long,
    /// and peers know us by it.
    bool temporary = false;
    bool care_of = false;
};

/// CandidateSource(D), in the order given.   (RFC 6724 §4)
std::vector<SourceAddress> candidate_sources(const Address& destination, std::span<const SourceAddress> addresses,
                                             const Outgoing& outgoing);

/// Source(D): the best candidate; of equal ones the first. For an IPv4 destination, which the RFC leaves open: the address of
/// whose subnet the next hop is, else one of a scope that fits, else the first. returns nullopt when there is no candidate
std::optional<SourceAddress> select_source(const Address& destination, std::span<const SourceAddress> addresses,
                                           const Outgoing& outgoing, const PolicyTable& policy,
                                           const SourcePreferences& preferences = {});

/// The source that the caller named, as it is among the candidates.   (RFC 6724 §4)
/// errors   unavailable: it is none of them; nothing else is taken in its place
Result<SourceAddress> named_source(const Address& source, const Address& destination, std::span<const SourceAddress> addresses,
                                   const Outgoing& outgoing);

/// One address that a name has, with what is known of the way to it.
struct Destination {
    Address address;
    std::optional<SourceAddress> source;                  ///< Source(D)
    bool reachable = true;                                ///< false only when it is known not to be
    bool encapsulated = false;                            ///< the way is a tunnel
    std::optional<std::chrono::microseconds> round_trip;  ///< from the history of this provisioning domain
    bool used = false;                                    ///< the same history knows a connection to it
    unsigned rank = 0;                                    ///< of its host, among those of one priority   (RFC 2782)
    friend bool operator==(const Destination&, const Destination&) = default;
};

/// By the ten rules, between 8 and 9 those of RFC 8305 §4 and then the rank that chance gave to hosts by weight. The order is
/// total and the same for the same input; what no rule tells apart stays as it was. Returns positions in `destinations`, the best
/// first.
std::vector<std::size_t> order_of(std::span<const Destination> destinations, const PolicyTable& policy);
std::vector<Destination> in_order(std::span<const Destination> destinations, const PolicyTable& policy);

/// The families in turn, beginning with that of the first: `first_family_count` of it, then one of each as long as there are
/// both. (RFC 8305 §4)
std::vector<Destination> interleaved(std::vector<Destination> ordered, unsigned first_family_count = 1);

}  // namespace stox::net
