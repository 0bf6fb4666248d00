#pragma once
// What is ours and waits for the component stream: it is written in order as long as the window has room, and a barrier behind it
// tells when the server has it.

#include "plugin/engine/state.h"

namespace stox::engine {

/// Writes what may be written now, and a ping where one is due. To be called after whatever gives it work or room.
void write_stream(State& state, TimePoint now, Actions& out);

void stream_up(State& state, TimePoint now, Actions& out);
/// What was written and is not covered waits again; who waits for an answer gets it, for the messages are ours.
void stream_down(State& state, TimePoint now, Actions& out);
/// The ping was answered: what it covered is delivered.
void barrier_answered(State& state, TimePoint now, Actions& out);
/// The ping was not answered in time: another one goes out, for as long as the stream lives.
void barrier_overdue(State& state, TimePoint now, Actions& out);

// What this asks of the two directions

/// A row of a message from SIP is written, or could not be.
void inbox_settled(State& state, std::uint64_t number, const Result<void>& result, TimePoint now, Actions& out);
/// Requests whose time to wait is over (none: all) get their 2xx.
void accept_due(State& state, std::optional<TimePoint> until, Actions& out);
/// The server has these: they are delivered.
void inbox_covered(State& state, Barrier::Position position, TimePoint now, Actions& out);

}  // namespace stox::engine
