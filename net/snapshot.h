#pragma once
// All that a node knows of its networks at one moment. Immutable and shared: a reader never locks and may keep it.

#include "net/failure.h"
#include "net/pvd.h"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace stox::net {

struct Snapshot {
    std::vector<Interface> interfaces;    ///< by index; those that are down too
    std::vector<PvdPtr> pvds;             ///< by handle
    std::vector<RoutingRule> rules;       ///< of the kernel, by priority
    PvdRef default_pvd = PvdRef::none();  ///< what `unspecified` means; none while there is no domain

    /// errors  gone: a handle of an attachment that ended; no_pvd: none, or unspecified while there is no domain
    Outcome<PvdPtr> find(PvdRef ref) const;
    /// By name or by the text of its id; of two with one name the one that came first. nullptr: there is none.
    PvdPtr named(std::string_view name) const;
    /// Those with an address of the family, all without one.
    std::vector<PvdPtr> list(std::optional<Family> family = std::nullopt) const;
    const Interface* interface(int index) const;
    friend bool operator==(const Snapshot&, const Snapshot&) = default;  ///< domains by identity
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace stox::net
