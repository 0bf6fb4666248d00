#pragma once
// Page-mode messages both ways (RFC 7572) and what becomes of each: nothing is accepted that could still be lost unseen.
// (contract: docs/architecture.md, Delivery)

#include "plugin/engine/author.h"
#include "plugin/engine/state.h"

namespace stox::engine {

// SIP to XMPP: the row is written, the stanza goes out, the answer waits a moment for what the server says to it.

/// A MESSAGE that passed check_request. A copy of one that is under way or was accepted gets 482.   (IM-34)
void deliver_to_xmpp(State& state, const SipRequestIn& in, const config::Peer& peer, const Author& author, Trace trace,
                     TimePoint now, Actions& out);
/// It stands in the inbox from now on, and in the store with `more` or not at all. Its octets are counted here.
void take_in(State& state, InboxEntry entry, std::vector<RecordChange> more, TimePoint now, Actions& out);
/// All of them, or none. At least one; the answer to a transaction stands with the last.
void take_in(State& state, std::vector<InboxEntry> entries, std::vector<RecordChange> more, TimePoint now, Actions& out);
/// No copy of these requests comes any more.
void forget_requests(State& state, std::vector<std::string> keys, TimePoint now);
/// An error stanza that answers one of our messages.
void message_failed(State& state, const xmpp::Message& error, TimePoint now, Actions& out);

// XMPP to SIP: the row is written, one transaction per contact at a time; its final response decides.

void deliver_to_sip(State& state, const xmpp::Message& in, UtcTime received, Trace trace, TimePoint now, Actions& out);
/// What a report says about a row, which changes with it or stays as it is.
struct Telling {
    Receipts::Before before;
    RecordChange change;
};
enum class Taken { yes, no, nothing_to_send };
/// A notification, as the stanza that stands for it; its `telling` is written together with it.
Taken deliver_report(State& state, const xmpp::Message& report, Telling telling, Trace trace, TimePoint now, Actions& out);
/// One of our MESSAGEs is over; the next one to its contact begins.
void message_over(State& state, Outcome outcome, TimePoint now, Actions& out);

}  // namespace stox::engine
