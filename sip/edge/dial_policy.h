#pragma once
// Where we may send of our own accord. What a stranger wrote into a Contact is no reason to connect anywhere.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"

#include <span>

namespace stox::sip {

/// May a request go there?
/// configured  the next hop stands in the configuration, or was located from what stands there: then always
/// own         what we listen on
/// errors  forbidden: the detail says why
Result<void> may_send(const stox::Endpoint& target, bool configured, std::span<const stox::Endpoint> own);

}  // namespace stox::sip
