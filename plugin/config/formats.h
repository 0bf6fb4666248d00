#pragma once
// The text forms that option values have, read once: the validator asks whether, the loader takes what.

#include "mapping/core/result.h"
#include "plugin/config/options.h"

#include <string>
#include <string_view>

namespace stox::config {

/// "udp:0.0.0.0:5060"; udp or tcp.
Result<Listener> parse_listener(std::string_view text);
/// "sip:192.0.2.1:5060;transport=tcp"; port 5060 and udp when absent.
Result<NextHop> parse_next_hop(std::string_view text);
/// A domain name or address literal in lower case, without a trailing dot.
Result<std::string> parse_domain(std::string_view text);

}  // namespace stox::config
