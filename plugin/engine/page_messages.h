#pragma once
// Page-mode messages both ways (RFC 7572) and what becomes of each: nothing is accepted that could still be lost unseen.

#include "plugin/engine/author.h"
#include "plugin/engine/state.h"

namespace stox::engine {

// SIP to XMPP: the stanza goes out, the answer waits until the server has taken it.

/// A MESSAGE that passed check_request. A copy of one that is held or was accepted gets 482.   (IM-34)
void deliver_to_xmpp(State& state, const SipRequestIn& in, const config::Peer& peer, const Author& author, Trace trace,
                     TimePoint now, Actions& out);
/// The ping was answered: what it covered is accepted.
void barrier_answered(State& state, TimePoint now, Actions& out);
/// The ping was not answered in time.
void barrier_overdue(State& state, TimePoint now, Actions& out);
/// An error stanza that answers one of our messages.
void message_failed(State& state, const xmpp::Message& error, Actions& out);
/// The stream is gone, or the domain goes: what is held was not accepted.
void refuse_held(State& state, std::string_view why, Actions& out);

// XMPP to SIP: one transaction per target at a time; its final response decides.

void deliver_to_sip(State& state, const xmpp::Message& in, Trace trace, TimePoint now, Actions& out);
/// One of our MESSAGEs is over; the next one to its target begins.
void message_over(State& state, Outcome outcome, TimePoint now, Actions& out);
/// The domain goes: authors are told what became of their messages.
void abandon_messages(State& state, Actions& out);

}  // namespace stox::engine
