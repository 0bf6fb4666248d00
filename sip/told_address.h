#pragma once
// By which address peers know us.

#include "mapping/core/endpoint.h"

#include <optional>

namespace stox::sip {

/// The address that peers are told in Via and Contact: as configured, as bound, or the one that packets to the world would carry.
/// configured   behind a NAT; of another family than `bound` it counts for nothing
Address told_address(const Address& bound, const std::optional<Address>& configured);

}  // namespace stox::sip
