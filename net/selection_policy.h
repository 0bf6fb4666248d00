#pragma once
// By which policy a provisioning domain selects addresses: what the operator set, what the network sent, what follows from the
// domain's own addresses.   (RFC 6724 §2.1, RFC 7078)

#include "net/policy_table.h"

#include <optional>
#include <span>

namespace stox::net {

/// What the operator set for the domain.
struct ConfiguredPolicy {
    std::optional<PolicyTable> table;
    bool automatic_rows = true;       ///< the Automatic Row Additions flag
    bool prefer_temporary = false;    ///< the Privacy Preference flag
    bool received_overrides = false;  ///< whether a received table replaces the one set here
};

/// What OPTION_ADDRSEL of that domain said.   (RFC 7078 §2)
struct AddressSelectionOption {
    std::optional<PolicyTable> table;
    bool automatic_rows = true;    ///< A: false forbids them. Without meaning where there is a table
    bool prefer_temporary = true;  ///< P: false turns the preference off, true changes nothing
};

struct SelectionPolicy {
    PolicyTable table;
    bool prefer_temporary = false;
    friend bool operator==(const SelectionPolicy&, const SelectionPolicy&) = default;
};

/// own   the domain's addresses but those of tunnels: each ULA and 6to4 prefix among them gets a row for its site, unless that is
///       forbidden or the table was received; a row that is there stays as it is   (RFC 6724 §10.6, §10.7)
SelectionPolicy selection_policy(const ConfiguredPolicy& configured, const std::optional<AddressSelectionOption>& received,
                                 std::span<const Address> own);

}  // namespace stox::net
