#pragma once
// Somebody writes: isComposing of SIP (RFC 3994) and chat states of XMPP (XEP-0085). Nothing of it is kept or tried again.

#include "mapping/im/extensions.h"
#include "mapping/im/is_composing.h"
#include "plugin/engine/state.h"

namespace stox::engine {

/// A contact tells; its user sees it while the stream is up.   (IM-28, CHAT-40)
void take_composing(State& state, const im::IsComposing& status, const Composing::Pair& pair, TimePoint now, Actions& out);
/// Whose time is over without a word.   (CHAT-42)
void composing_lapsed(State& state, TimePoint now, Actions& out);
/// A message came from them: they are done.
void message_ends_composing(State& state, xmpp::Message& message);

/// A user tells; a contact hears it whose client tells us the same and does not refuse it.   (CHAT-41, CHAT-43, RFC 3994 §7)
void send_chat_state(State& state, const xmpp::Message& in, im::ChatState chat_state, TimePoint now, Actions& out);

}  // namespace stox::engine
