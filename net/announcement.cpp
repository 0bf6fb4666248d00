#include "net/announcement.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace stox::net {

namespace {

constexpr std::array kOwnElements{ElementKind::route,          ElementKind::dns,   ElementKind::search, ElementKind::nat64,
                                  ElementKind::captive_portal, ElementKind::policy};

const LocalAddress* find(const Pvd& pvd, const LocalAddress& wanted) {
    const auto found = std::ranges::find_if(pvd.addresses, [&](const LocalAddress& local) {
        return local.address == wanted.address && local.interface == wanted.interface &&
               local.prefix_length == wanted.prefix_length;
    });
    return found == pvd.addresses.end() ? nullptr : &*found;
}

void tell_gone(const PvdPtr& before, const Pvd& after, std::vector<Announcement>& out) {
    for (const auto& local : before->addresses)
        if (!find(after, local)) out.push_back(AddressGone{before, local});
}

void tell_new(const Pvd& before, const PvdPtr& after, std::vector<Announcement>& out) {
    for (const auto& local : after->addresses) {
        const auto* known = find(before, local);
        if (!known)
            out.push_back(AddressUp{after, local});
        else if (!same(*known, local))
            out.push_back(AddressChanged{after, local});
        if (local.ending && !(known && known->ending)) out.push_back(AddressEnding{after, local});
    }
    for (const auto kind : kOwnElements)
        if (!same_elements(before, *after, kind)) out.push_back(ElementChanged{after, kind});
    if (after->ending && !before.ending) out.push_back(PvdEnding{after});
}

PvdPtr find(const Snapshot& snapshot, PvdRef ref) {
    const auto found = std::ranges::find_if(snapshot.pvds, [&](const PvdPtr& pvd) { return pvd->ref == ref; });
    return found == snapshot.pvds.end() ? nullptr : *found;
}

/// The domain of an announcement, nullptr when it is about an interface or the default.
const Pvd* pvd_of(const Announcement& announcement) {
    return std::visit(
        [](const auto& one) -> const Pvd* {
            if constexpr (requires { one.pvd->ref; })
                return one.pvd.get();
            else
                return nullptr;
        },
        announcement);
}

std::optional<ElementKind> kind_of(const Announcement& announcement) {
    return std::visit(
        [](const auto& one) -> std::optional<ElementKind> {
            if constexpr (requires { one.kind; })
                return one.kind;
            else if constexpr (requires { one.interface; })
                return ElementKind::interface;
            else if constexpr (requires { one.address; })
                return ElementKind::address;
            else
                return std::nullopt;
        },
        announcement);
}

bool about_interface(const Announcement& announcement, int index) {
    return std::visit(
        [&](const auto& one) {
            if constexpr (requires { one.interface; })
                return one.interface.index == index;
            else if constexpr (requires { one.address; })
                return one.address.interface == index;
            else if constexpr (requires { one.pvd->interfaces; })
                return std::ranges::count(one.pvd->interfaces, index) > 0;
            else
                return false;
        },
        announcement);
}

bool of_family(const Announcement& announcement, Family wanted) {
    return std::visit(
        [&](const auto& one) {
            if constexpr (requires { one.address; })
                return family(one.address.address) == wanted;
            else if constexpr (requires { one.pvd->ref; })
                return one.pvd->has(wanted);
            else
                return true;
        },
        announcement);
}

}  // namespace

bool in_scope(const Announcement& announcement, const Scope& scope) {
    if (scope.interface && !about_interface(announcement, *scope.interface)) return false;
    if (scope.element && kind_of(announcement) != scope.element) return false;
    if (scope.family && !of_family(announcement, *scope.family)) return false;
    if (!scope.pvd) return true;
    const auto* pvd = pvd_of(announcement);
    return pvd && pvd->ref == *scope.pvd;
}

std::vector<Announcement> diff(const Snapshot& before, const Snapshot& after) {
    std::vector<Announcement> out;
    static const Pvd kNothing{};
    for (const auto& pvd : before.pvds) {
        const auto now = find(after, pvd->ref);
        if (now.get() == pvd.get()) continue;
        tell_gone(pvd, now ? *now : kNothing, out);
        if (!now) out.push_back(PvdGone{pvd});
    }
    for (const auto& interface : before.interfaces)
        if (!after.interface(interface.index)) out.push_back(InterfaceGone{interface});
    for (const auto& interface : after.interfaces) {
        const auto* known = before.interface(interface.index);
        if (!known)
            out.push_back(InterfaceUp{interface});
        else if (*known != interface)
            out.push_back(InterfaceChanged{interface});
    }
    for (const auto& pvd : after.pvds) {
        const auto known = find(before, pvd->ref);
        if (known.get() == pvd.get()) continue;
        if (!known)
            out.push_back(PvdUp{pvd});
        else if (!same(*known, *pvd))
            out.push_back(PvdChanged{pvd});
        tell_new(known ? *known : kNothing, pvd, out);
    }
    if (before.default_pvd != after.default_pvd) out.push_back(DefaultChanged{after.default_pvd});
    return out;
}

std::string to_string(const Announcement& announcement) {
    static constexpr std::array<std::string_view, std::variant_size_v<Announcement>> kNames{
        "interface-up", "interface-changed", "interface-gone", "pvd-up",       "pvd-changed",     "pvd-ending",     "pvd-gone",
        "address-up",   "address-changed",   "address-ending", "address-gone", "element-changed", "default-changed"};
    std::string text(kNames[announcement.index()]);
    std::visit(
        [&](const auto& one) {
            if constexpr (requires { one.pvd->name; }) text += " " + one.pvd->name;
            if constexpr (requires { one.interface; }) text += " " + one.interface.name + (one.interface.up ? "" : " down");
            if constexpr (requires { one.address; }) text += " " + one.address.address.to_string();
            if constexpr (requires { one.kind; }) text += " " + std::string(to_string(one.kind));
        },
        announcement);
    return text;
}

}  // namespace stox::net
