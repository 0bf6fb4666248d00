#pragma once
// A SIP request as it comes in: whose it is, whether it may go on, and what becomes of it.

#include "plugin/engine/state.h"

namespace stox::engine {

void on_sip_request(State& state, const SipRequestIn& in, TimePoint now, Actions& out);

}  // namespace stox::engine
