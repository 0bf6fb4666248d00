#pragma once
// The order in which the targets of a service are tried.   (RFC 2782)

#include "net/dns.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace stox::net {

/// A uniform number from 0 to `most`, both included. An argument wherever chance is needed, so that tests repeat.
using Random = std::function<std::uint32_t(std::uint32_t most)>;

/// By priority; within one by chance, in proportion to the weight.
std::vector<SrvRecord> in_srv_order(std::vector<SrvRecord> records, const Random& random);

}  // namespace stox::net
