#pragma once
// What changed, as a subscriber is told it.

#include "net/snapshot.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stox::net {

struct InterfaceUp {  ///< it exists; whether packets can leave is in `interface.up`
    Interface interface;
};
struct InterfaceChanged {
    Interface interface;
};
struct InterfaceGone {
    Interface interface;
};
struct PvdUp {
    PvdPtr pvd;
};
struct PvdChanged {
    PvdPtr pvd;
};
/// Nothing is lost yet: its addresses are about to end.
struct PvdEnding {
    PvdPtr pvd;
};
struct PvdGone {
    PvdPtr pvd;  ///< as it was
};
struct AddressUp {
    PvdPtr pvd;
    LocalAddress address;
};
struct AddressChanged {
    PvdPtr pvd;
    LocalAddress address;
};
struct AddressEnding {
    PvdPtr pvd;
    LocalAddress address;
};
struct AddressGone {
    PvdPtr pvd;
    LocalAddress address;
};
/// One kind of element of a domain has another content: routes, dns, search, nat64, captive portal, policy.
struct ElementChanged {
    PvdPtr pvd;
    ElementKind kind = ElementKind::dns;
};
struct DefaultChanged {
    PvdRef pvd;
};
using Announcement = std::variant<InterfaceUp, InterfaceChanged, InterfaceGone, PvdUp, PvdChanged, PvdEnding, PvdGone, AddressUp,
                                  AddressChanged, AddressEnding, AddressGone, ElementChanged, DefaultChanged>;

/// What a subscriber wants to hear of; empty: everything.
struct Scope {
    std::optional<int> interface = {};
    std::optional<PvdRef> pvd = {};
    std::optional<ElementKind> element = {};  ///< interface: interfaces alone; address: addresses alone; ...
    std::optional<Family> family = {};        ///< of addresses; of domains that have or had one
};

bool in_scope(const Announcement& announcement, const Scope& scope);

/// What one who knows `before` must be told to know `after`: what ends first, then what begins, domains before what is in them.
/// With an empty `before` it is all there is. Lifetimes that only moved are no change.
std::vector<Announcement> diff(const Snapshot& before, const Snapshot& after);

/// "pvd-up trunk", "address-gone trunk 10.0.0.2", ...: for logs and tests.
std::string to_string(const Announcement& announcement);

}  // namespace stox::net
