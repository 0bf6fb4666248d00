#pragma once
// The fields of a request of ours, but for the Via and the branch that are nta's affair. Inside sip/ only.

#include "mapping/sip/message.h"
#include "sip/sofia_handles.h"

#include <string>

namespace stox::sip {

/// The request, complete but for its Via. Written into the message itself: as tags of nta's calls they would be gone through,
/// sorted out and copied several times.
/// user_agent  in User-Agent; empty: there is none
/// leg         that the library wants for every request
/// Null: it cannot be written, or the library does not take something of it.
Message request_fields(nta_agent_t* agent, nta_leg_t* leg, const std::string& user_agent, const Request& request);

}  // namespace stox::sip
