#pragma once
// Where we may send of our own accord. What a stranger wrote into a Contact is no reason to connect anywhere.

#include "sip/endpoint.h"

#include <optional>
#include <span>
#include <vector>

namespace stox::sip {

/// Whether that is exactly where its receiver was heard from: address, port and transport. Who speaks from one port has said
/// nothing about the others of that address, behind which quite another service may listen.
bool is_where_heard(const NextHop& next_hop);

/// May a request go there? What is configured, or was located from what is configured, always. Where its receiver was heard from,
/// unless that is ourselves. Anything else that a message named, a Contact or a Route, only if that is an address of the open
/// network and none of ours.
/// own     where we can be reached ourselves, see own_endpoints
/// errors  forbidden: the detail says why
Result<void> may_send(const NextHop& next_hop, std::span<const stox::Endpoint> own);

/// Where what is sent comes back to us.
/// bound       what we listen on; 0.0.0.0 and :: stand for every address of `interfaces`
/// told        the address that peers are told instead, behind a NAT: with each port of its family
std::vector<stox::Endpoint> own_endpoints(std::span<const stox::Endpoint> bound, std::span<const Address> interfaces,
                                          const std::optional<Address>& told);

}  // namespace stox::sip
