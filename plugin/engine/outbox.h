#pragma once
// Messages from XMPP between their acceptance and their end, as the parts of the engine that work on them see them.

#include "plugin/engine/state.h"

#include <variant>

namespace stox::engine {

/// Nothing in it that a page-mode message carries: a chat state, a marker, an empty body.
struct NothingToSend {};
using Prepared = std::variant<Outgoing, xmpp::StanzaError, NothingToSend>;

/// The request that a stanza becomes, with these ids; `id` and `key` are the caller's to set.
Prepared prepare(const State& state, const xmpp::Message& in, const OutboxRow& ids, TimePoint now);
/// The original as an error needs it: addresses, id and type, not the content.
xmpp::Message envelope(const xmpp::Message& in);

/// Its row is written, or could not be.
void outbox_settled(State& state, RequestId id, const Result<void>& result, TimePoint now, Actions& out);
/// The first of that line goes out, if it may.
void send_next(State& state, const std::string& line, TimePoint now, Actions& out);
/// A request is over: delivered, or sent again, or its author hears of it.
void settle(State& state, Outcome outcome, TimePoint now, Actions& out);
/// The domain is removed with it: its author is told.
void abandon(State& state, RequestId id, TimePoint now, Actions& out);

}  // namespace stox::engine
