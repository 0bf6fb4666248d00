#include "net/pvd.h"

#include "mapping/core/keyed_hash.h"

#include <algorithm>
#include <cstdio>

namespace stox::net {

namespace {

template <class T>
bool same_but_times(T one, const T& other) {
    one.expires = other.expires;
    return one == other;
}

bool same_but_times(Rdnss one, const Rdnss& other) {
    if (one.rules.size() != other.rules.size()) return false;
    for (std::size_t i = 0; i < one.rules.size(); ++i) one.rules[i].expires = other.rules[i].expires;
    one.expires = other.expires;
    return one == other;
}

template <class T>
bool same_lists(const std::vector<T>& one, const std::vector<T>& other) {
    return std::ranges::equal(one, other, [](const T& left, const T& right) { return same_but_times(left, right); });
}

}  // namespace

PvdId PvdId::of_node(std::string_view node, std::string_view interface) {
    // Two hashes of one text are 128 bits; a UUID of version 8 (RFC 9562 §5.8) says how they were made.
    const auto text = std::string(node) + '\0' + std::string(interface);
    const auto high = KeyedHash({0x73746f782d707664, 1})(text), low = KeyedHash({0x73746f782d707664, 2})(text);
    char uuid[37];
    std::snprintf(uuid, sizeof uuid, "%08x-%04x-8%03x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                  static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                  static_cast<unsigned>(0x8000 | (low >> 48 & 0x3fff)), static_cast<unsigned long long>(low & 0xffffffffffff));
    return {uuid, false};
}

bool Pvd::has(Family wanted) const {
    return std::ranges::any_of(addresses, [&](const LocalAddress& local) {
        return family(local.address) == wanted && scope(local.address) != AddressScope::link_local;
    });
}

bool Pvd::connected(Family wanted) const {
    return has(wanted) && std::ranges::any_of(routes, [&](const Route& route) { return family(route.prefix.address) == wanted; });
}

bool same(const LocalAddress& one, const LocalAddress& other) {
    auto without_times = one;
    without_times.preferred = other.preferred;
    without_times.valid = other.valid;
    return without_times == other;
}

bool same_elements(const Pvd& one, const Pvd& other, ElementKind kind) {
    switch (kind) {
        case ElementKind::interface:
            return one.interfaces == other.interfaces;
        case ElementKind::address:
            return std::ranges::equal(one.addresses, other.addresses,
                                      [](const LocalAddress& left, const LocalAddress& right) { return same(left, right); });
        case ElementKind::route:
            return same_lists(one.routes, other.routes);
        case ElementKind::rule:
            return true;  // the node's
        case ElementKind::dns:
            return same_lists(one.resolvers, other.resolvers);
        case ElementKind::search:
            return same_lists(one.search, other.search);
        case ElementKind::nat64:
            return same_lists(one.nat64, other.nat64);
        case ElementKind::captive_portal:
            return one.captive_portal.has_value() == other.captive_portal.has_value() &&
                   (!one.captive_portal || same_but_times(*one.captive_portal, *other.captive_portal));
        case ElementKind::policy:
            return one.policy == other.policy;
    }
    return true;
}

bool same(const Pvd& one, const Pvd& other) {
    if (one.id != other.id || one.name != other.name || one.trust != other.trust || one.cost != other.cost ||
        one.roles != other.roles || one.device_bound != other.device_bound)
        return false;
    for (const auto kind : {ElementKind::interface, ElementKind::address, ElementKind::route, ElementKind::dns,
                            ElementKind::search, ElementKind::nat64, ElementKind::captive_portal, ElementKind::policy})
        if (!same_elements(one, other, kind)) return false;
    return true;
}

}  // namespace stox::net
