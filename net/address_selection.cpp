#include "net/address_selection.h"

#include <algorithm>
#include <array>
#include <compare>
#include <numeric>
#include <utility>

namespace stox::net {

namespace {

/// What a rule says of two: less means that the first is the worse one; unordered counts as equal.
using Verdict = std::partial_ordering;

Verdict prefer(bool first, bool second) { return static_cast<int>(first) <=> static_cast<int>(second); }

/// Leaves those that no other one is preferred to. Some rules order some pairs only, so a sort by them could run in circles; this
/// is the elimination of RFC 6724 §5, which cannot.
template <class T, class Rule>
void eliminate(std::vector<T>& left, const Rule& rule) {
    if (left.size() < 2) return;
    const auto beaten = [&](const T& one) {
        return std::ranges::any_of(left, [&](const T& another) { return rule(one, another) < 0; });
    };
    std::vector<T> best;
    std::ranges::copy_if(left, std::back_inserter(best), [&](const T& one) { return !beaten(one); });
    if (!best.empty()) left = std::move(best);
}

/// Bits of the source's own subnet only; the addresses are of one family.   (RFC 6724 §2.2)
unsigned common_prefix_length(const SourceAddress& source, const Address& address) {
    const unsigned mapping = source.address.is_v4() ? 96 : 0;
    return std::min(common_bits(source.address, address) - mapping, source.prefix_length);
}

// ---- Source addresses (RFC 6724 §5) ----

struct SourceContext {
    const Address& destination;
    const Outgoing& outgoing;
    const PolicyTable& policy;
    const SourcePreferences& preferences;
};
using SourceRule = Verdict (*)(const SourceAddress&, const SourceAddress&, const SourceContext&);

Verdict same_address(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    return prefer(a.address == c.destination, b.address == c.destination);
}

/// The smallest scope that reaches the destination, else the largest.
Verdict appropriate_scope(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    const auto sa = scope(a.address), sb = scope(b.address), wanted = scope(c.destination);
    if (sa == sb) return Verdict::equivalent;
    if (sa < sb) return sa < wanted ? Verdict::less : Verdict::greater;
    return sb < wanted ? Verdict::greater : Verdict::less;
}

Verdict not_deprecated(const SourceAddress& a, const SourceAddress& b, const SourceContext&) {
    return prefer(!a.deprecated, !b.deprecated);
}

Verdict home_over_care_of(const SourceAddress& a, const SourceAddress& b) {
    if ((a.home && a.care_of) != (b.home && b.care_of)) return prefer(a.home && a.care_of, b.home && b.care_of);
    if (a.home == a.care_of || b.home == b.care_of) return Verdict::equivalent;
    return prefer(a.home, b.home);
}

Verdict home_address(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    if (!c.preferences.care_of) return home_over_care_of(a, b);
    if (a.home == a.care_of || b.home == b.care_of) return Verdict::equivalent;
    return prefer(a.care_of, b.care_of);
}

Verdict outgoing_interface(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    return prefer(a.interface == c.outgoing.interface, b.interface == c.outgoing.interface);
}

/// Rule 5.5. Says nothing about an address whose routers are not known.
Verdict advertised_by_next_hop(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    if (!c.outgoing.next_hop || a.routers.empty() || b.routers.empty()) return Verdict::equivalent;
    // A router is told by its link-local address, which is one only together with its link.
    const auto by_next_hop = [&](const SourceAddress& source) {
        return source.interface == c.outgoing.interface &&
               std::ranges::find(source.routers, *c.outgoing.next_hop) != source.routers.end();
    };
    return prefer(by_next_hop(a), by_next_hop(b));
}

Verdict matching_label(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    const auto label = c.policy.find(c.destination).label;
    return prefer(c.policy.find(a.address).label == label, c.policy.find(b.address).label == label);
}

Verdict temporary_or_public(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    return prefer(a.temporary == c.preferences.temporary, b.temporary == c.preferences.temporary);
}

Verdict longest_prefix(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    return common_prefix_length(a, c.destination) <=> common_prefix_length(b, c.destination);
}

constexpr std::array<SourceRule, 9> kSourceRules{
    same_address,            // 1
    appropriate_scope,       // 2
    not_deprecated,          // 3
    home_address,            // 4
    outgoing_interface,      // 5
    advertised_by_next_hop,  // 5.5
    matching_label,          // 6
    temporary_or_public,     // 7
    longest_prefix,          // 8
};

/// On the subnet of the next hop; the longer prefix of two that are.
Verdict subnet_of_next_hop(const SourceAddress& a, const SourceAddress& b, const SourceContext& c) {
    const auto hop = c.outgoing.next_hop.value_or(c.destination);
    const auto length = [&](const SourceAddress& source) {
        return common_prefix_length(source, hop) == source.prefix_length ? static_cast<int>(source.prefix_length) : -1;
    };
    return length(a) <=> length(b);
}

constexpr std::array<SourceRule, 4> kIpv4SourceRules{same_address, outgoing_interface, subnet_of_next_hop, appropriate_scope};

bool is_candidate(const SourceAddress& source, const Address& destination, const Outgoing& outgoing) {
    if (source.address.is_v4() != destination.is_v4() || source.tentative) return false;
    if (is_multicast(source.address) || is_unspecified(source.address)) return false;
    if (source.interface == outgoing.interface) return true;
    const auto on_one_link = [](const Address& address) { return scope(address) <= AddressScope::link_local; };
    return outgoing.any_interface && !is_multicast(destination) && !on_one_link(destination) && !on_one_link(source.address);
}

// ---- Destination addresses (RFC 6724 §6, RFC 8305 §4) ----

using DestinationRule = Verdict (*)(const Destination&, const Destination&, const PolicyTable&);

Verdict usable(const Destination& a, const Destination& b, const PolicyTable&) {
    return prefer(a.reachable && a.source, b.reachable && b.source);
}

Verdict matching_scope(const Destination& a, const Destination& b, const PolicyTable&) {
    const auto matches = [](const Destination& d) { return d.source && scope(d.address) == scope(d.source->address); };
    return prefer(matches(a), matches(b));
}

Verdict source_not_deprecated(const Destination& a, const Destination& b, const PolicyTable&) {
    const auto deprecated = [](const Destination& d) { return d.source && !d.address.is_v4() && d.source->deprecated; };
    return prefer(!deprecated(a), !deprecated(b));
}

Verdict source_home(const Destination& a, const Destination& b, const PolicyTable&) {
    return a.source && b.source ? home_over_care_of(*a.source, *b.source) : Verdict::equivalent;
}

Verdict labels_match(const Destination& a, const Destination& b, const PolicyTable& policy) {
    const auto match = [&](const Destination& d) {
        return d.source && policy.find(d.source->address).label == policy.find(d.address).label;
    };
    return prefer(match(a), match(b));
}

Verdict higher_precedence(const Destination& a, const Destination& b, const PolicyTable& policy) {
    return policy.find(a.address).precedence <=> policy.find(b.address).precedence;
}

Verdict native_transport(const Destination& a, const Destination& b, const PolicyTable&) {
    return prefer(!a.encapsulated, !b.encapsulated);
}

Verdict smaller_scope(const Destination& a, const Destination& b, const PolicyTable&) {
    return scope(b.address) <=> scope(a.address);
}

Verdict shorter_round_trip(const Destination& a, const Destination& b, const PolicyTable&) {
    return a.round_trip && b.round_trip ? Verdict(*b.round_trip <=> *a.round_trip) : Verdict::equivalent;
}

Verdict used_before(const Destination& a, const Destination& b, const PolicyTable&) { return prefer(a.used, b.used); }

Verdict lower_rank(const Destination& a, const Destination& b, const PolicyTable&) { return b.rank <=> a.rank; }

Verdict longest_matching_prefix(const Destination& a, const Destination& b, const PolicyTable&) {
    if (a.address.is_v4() != b.address.is_v4()) return Verdict::equivalent;
    const auto length = [](const Destination& d) { return d.source ? common_prefix_length(*d.source, d.address) : 0; };
    return length(a) <=> length(b);
}

/// Rule 10 is that the first of those left is taken.
constexpr std::array<DestinationRule, 12> kDestinationRules{
    usable,                   // 1
    matching_scope,           // 2
    source_not_deprecated,    // 3
    source_home,              // 4
    labels_match,             // 5
    higher_precedence,        // 6
    native_transport,         // 7
    smaller_scope,            // 8
    shorter_round_trip,       // RFC 8305 §4
    used_before,              // RFC 8305 §4
    lower_rank,               // of hosts: XEP-0495
    longest_matching_prefix,  // 9
};

}  // namespace

std::vector<SourceAddress> candidate_sources(const Address& destination, std::span<const SourceAddress> addresses,
                                             const Outgoing& outgoing) {
    std::vector<SourceAddress> candidates;
    std::ranges::copy_if(addresses, std::back_inserter(candidates),
                         [&](const SourceAddress& source) { return is_candidate(source, destination, outgoing); });
    return candidates;
}

std::optional<SourceAddress> select_source(const Address& destination, std::span<const SourceAddress> addresses,
                                           const Outgoing& outgoing, const PolicyTable& policy,
                                           const SourcePreferences& preferences) {
    auto left = candidate_sources(destination, addresses, outgoing);
    const SourceContext context{destination, outgoing, policy, preferences};
    const auto rules =
        destination.is_v4() ? std::span<const SourceRule>(kIpv4SourceRules) : std::span<const SourceRule>(kSourceRules);
    for (const auto rule : rules)
        eliminate(left, [&](const SourceAddress& a, const SourceAddress& b) { return rule(a, b, context); });
    if (left.empty()) return std::nullopt;
    return std::move(left.front());
}

Result<SourceAddress> named_source(const Address& source, const Address& destination, std::span<const SourceAddress> addresses,
                                   const Outgoing& outgoing) {
    for (const auto& address : addresses)
        if (address.address == source && is_candidate(address, destination, outgoing)) return address;
    return fail(Code::unavailable, source.to_string() + " is no source address for " + destination.to_string());
}

std::vector<std::size_t> order_of(std::span<const Destination> destinations, const PolicyTable& policy) {
    std::vector<std::size_t> rest(destinations.size()), order;
    std::iota(rest.begin(), rest.end(), std::size_t{0});
    while (!rest.empty()) {
        auto left = rest;
        for (const auto rule : kDestinationRules)
            eliminate(left, [&](std::size_t a, std::size_t b) { return rule(destinations[a], destinations[b], policy); });
        order.push_back(left.front());
        std::erase(rest, left.front());
    }
    return order;
}

std::vector<Destination> in_order(std::span<const Destination> destinations, const PolicyTable& policy) {
    std::vector<Destination> ordered;
    for (const auto position : order_of(destinations, policy)) ordered.push_back(destinations[position]);
    return ordered;
}

std::vector<Destination> interleaved(std::vector<Destination> ordered, unsigned first_family_count) {
    if (ordered.empty()) return ordered;
    const bool first = ordered.front().address.is_v4();
    const auto other =
        std::stable_partition(ordered.begin(), ordered.end(), [&](const Destination& d) { return d.address.is_v4() == first; });
    std::vector<Destination> mixed;
    auto one = ordered.begin(), two = other;
    for (unsigned count = std::max(first_family_count, 1U); one != other || two != ordered.end(); count = 1) {
        for (; count > 0 && one != other; --count) mixed.push_back(std::move(*one++));
        if (two != ordered.end()) mixed.push_back(std::move(*two++));
    }
    return mixed;
}

}  // namespace stox::net
