#pragma once
// Messages from SIP that failed after they were accepted: what their authors are told.   (IM-30, IM-47, IM-55)

#include "plugin/engine/state.h"

namespace stox::engine {

/// The XMPP side sent `error` for a message whose request got 2xx.
/// row   of that message; null when it was delivered so far that its record is gone
void report_failure(State& state, const InboxRow* row, const xmpp::Message& error, TimePoint now, Actions& out);

}  // namespace stox::engine
