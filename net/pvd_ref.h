#pragma once
// The handle of a provisioning domain.

#include "mapping/core/ids.h"

#include <compare>
#include <cstdint>

namespace stox::net {

/// One attachment of one provisioning domain. Its number is never given twice: when the domain goes and comes back it has
/// another, so a handle that was kept is an error and never means another domain. Questions and targets carry the same number.
class PvdRef {
public:
    constexpr PvdRef() = default;  ///< unspecified
    constexpr explicit PvdRef(ProvisioningDomain domain) : domain_(domain) {}
    /// Whatever the default domain is when it is used.
    static constexpr PvdRef unspecified() { return {}; }
    /// The domain that has nothing: every operation in it fails at once.
    static constexpr PvdRef none() { return PvdRef(static_cast<ProvisioningDomain>(UINT32_MAX)); }

    constexpr ProvisioningDomain domain() const { return domain_; }
    constexpr std::uint32_t number() const { return static_cast<std::uint32_t>(domain_); }
    friend constexpr auto operator<=>(const PvdRef&, const PvdRef&) = default;

private:
    ProvisioningDomain domain_ = ProvisioningDomain::host_default;
};

}  // namespace stox::net
