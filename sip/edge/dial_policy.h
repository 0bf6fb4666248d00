#pragma once
// Where we may send of our own accord. What a stranger wrote into a Contact is no reason to connect anywhere.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"

#include <optional>
#include <span>
#include <vector>

namespace stox::sip {

/// May a request go there?
/// configured  the next hop stands in the configuration, or was located from what stands there: then always
/// own         where we can be reached ourselves, see own_endpoints
/// errors  forbidden: the detail says why
Result<void> may_send(const stox::Endpoint& target, bool configured, std::span<const stox::Endpoint> own);

/// Where what is sent comes back to us.
/// bound       what we listen on; 0.0.0.0 and :: stand for every address of `interfaces`
/// told        the address that peers are told instead, behind a NAT: with each port of its family
std::vector<stox::Endpoint> own_endpoints(std::span<const stox::Endpoint> bound, std::span<const Address> interfaces,
                                          const std::optional<Address>& told);

}  // namespace stox::sip
