#include "net/element.h"

#include <type_traits>

namespace stox::net {

namespace {

std::string identity_of(const Interface& interface) { return std::to_string(interface.index); }

std::string identity_of(const LocalAddress& local) {
    return local.address.to_string() + "/" + std::to_string(local.prefix_length);
}

std::string identity_of(const Route& route) {
    auto text = route.prefix.to_string();
    if (route.next_hop) text += " via " + route.next_hop->to_string();
    return text + " metric " + std::to_string(route.metric) + " table " + std::to_string(route.table);
}

std::string identity_of(const RoutingRule& rule) {
    auto text = std::to_string(rule.priority) + (rule.family == Family::ipv4 ? ": ipv4" : ": ipv6");
    if (rule.from) text += " from " + rule.from->to_string();
    if (rule.to) text += " to " + rule.to->to_string();
    if (!rule.input.empty()) text += " iif " + rule.input;
    if (!rule.output.empty()) text += " oif " + rule.output;
    if (rule.mask != 0) text += " mark " + std::to_string(rule.mark) + "/" + std::to_string(rule.mask);
    return text + " table " + std::to_string(rule.table);
}

std::string identity_of(const Rdnss& server) { return Endpoint{server.address, server.port}.to_string(); }
std::string identity_of(const SearchDomain& search) { return search.domain.text(); }
std::string identity_of(const Nat64Prefix& nat64) { return nat64.prefix.to_string(); }
std::string identity_of(const CaptivePortal&) { return "portal"; }
std::string identity_of(const ReceivedPolicy&) { return "policy"; }

}  // namespace

std::string_view to_string(ElementKind kind) {
    switch (kind) {
        case ElementKind::interface:
            return "interface";
        case ElementKind::address:
            return "address";
        case ElementKind::route:
            return "route";
        case ElementKind::rule:
            return "rule";
        case ElementKind::dns:
            return "dns";
        case ElementKind::search:
            return "search";
        case ElementKind::nat64:
            return "nat64";
        case ElementKind::captive_portal:
            return "captive-portal";
        case ElementKind::policy:
            return "policy";
    }
    return "unknown";
}

std::string identity(const Element& element) {
    return std::visit([](const auto& one) { return identity_of(one); }, element);
}

TimePoint end_of(const Element& element) {
    return std::visit(
        [](const auto& one) {
            using T = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<T, LocalAddress>)
                return one.valid;
            else if constexpr (std::is_same_v<T, Interface> || std::is_same_v<T, RoutingRule>)
                return kNever;
            else
                return one.expires;
        },
        element);
}

Origin origin_of(const Element& element) {
    return std::visit(
        [](const auto& one) {
            using T = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<T, Interface> || std::is_same_v<T, RoutingRule>)
                return Origin::configuration;
            else
                return one.origin;
        },
        element);
}

}  // namespace stox::net
