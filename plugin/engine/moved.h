#pragma once
// Where a contact has gone, as the XMPP side is told it.

#include "mapping/sip/message.h"
#include "plugin/config/options.h"

#include <string>

namespace stox::engine {

/// The first Contact of a 3xx that has a form on the XMPP side, as <gone/> and <redirect/> carry it; empty: none.   (CORE-S301)
std::string new_address(const config::DomainOptions& options, const sip::Response& response);

}  // namespace stox::engine
