#include "net/assignment.h"

#include <algorithm>

namespace stox::net {

namespace {

/// One on each link, since anybody can claim a name; authorised and authenticated it is one over all links.   (RFC 7556 §7.2)
Membership explicit_pvd(const Home& home, std::string_view interface, const NodePolicy& policy) {
    Membership one{.key = {}, .id = PvdId::of_network(*home.pvd), .name = home.pvd->text()};
    const auto listed = std::ranges::find_if(policy.pvds, [&](const PvdPolicy& row) { return row.id == home.pvd; });
    if (listed != policy.pvds.end() && home.validated) {
        one.trust = Trust::authenticated;
        one.key = "pvd " + home.pvd->text();
    } else {
        one.key = "pvd " + home.pvd->text() + " on " + std::to_string(home.interface);
        const bool safe_link = listed != policy.pvds.end() && std::ranges::count(listed->interfaces, interface) > 0;
        if (safe_link)
            one.trust = std::min(listed->trust, Trust::by_attachment);
        else
            return one;  // whoever sent it gets nothing of the configuration
    }
    one.policy = &*listed;
    if (!listed->name.empty()) one.name = listed->name;
    return one;
}

}  // namespace

const PvdPolicy* policy_of(std::string_view interface, const NodePolicy& policy) {
    const auto listed = std::ranges::find_if(
        policy.pvds, [&](const PvdPolicy& row) { return std::ranges::count(row.interfaces, interface) > 0; });
    return listed == policy.pvds.end() ? nullptr : &*listed;
}

Membership membership(const Home& home, std::string_view interface, const NodePolicy& policy) {
    if (home.interface == 0) {
        // What the host uses for whatever names no domain is its administrator's choice already.
        return {
            .key = "node", .id = PvdId::of_node(policy.node, ""), .name = "node", .trust = Trust::by_attachment, .node = true};
    }
    if (home.pvd) return explicit_pvd(home, interface, policy);
    if (const auto* row = policy_of(interface, policy)) {
        return {.key = "name " + row->name,
                .id = PvdId::of_node(policy.node, row->name),
                .name = row->name,
                .trust = std::min(row->trust, Trust::by_attachment),
                .policy = row};
    }
    return {.key = "interface " + std::to_string(home.interface),
            .id = PvdId::of_node(policy.node, interface),
            .name = std::string(interface)};
}

}  // namespace stox::net
