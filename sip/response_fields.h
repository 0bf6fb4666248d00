#pragma once
// The fields of a response that are its own; those that it copies from its request are nta's affair. Inside sip/ only.

#include "mapping/sip/message.h"
#include "sip/sofia_handles.h"

#include <string>

namespace stox::sip {

/// server  in Server; empty: there is none
/// Null: the library does not take one of them.
Message response_fields(nta_agent_t* agent, const std::string& server, const Response& response);

}  // namespace stox::sip
