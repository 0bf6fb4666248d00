#pragma once
// Presence of XMPP users for the SIP contacts that watch them: what a presence::WatcherRelation wants done.   (RFC 8048 §5.3,
// S2X)

#include "plugin/engine/sip_checks.h"
#include "plugin/engine/state.h"

#include <string>

namespace stox::engine {

/// A SUBSCRIBE to a user's presence, or the end of what it made. False: it is nobody's who watches.
bool watcher_news(State& state, const sip::Action& news, TimePoint now, Actions& out);
/// Why a SUBSCRIBE inside a dialog is refused before that dialog hears of it: it takes no PIDF any more.   (PRES-110)
std::optional<Refusal> check_refresh(const sip::Request& request);
/// What a user, or their server, sends to a contact.
void tell_watchers(State& state, const xmpp::Presence& presence, TimePoint now, Actions& out);

void watchers_stream_up(State& state, TimePoint now);
void watchers_stream_down(State& state, TimePoint now, Actions& out);
void watchers_tick(State& state, TimePoint now, Actions& out);
/// The options changed: subscriptions of peers that are gone end, or all of them.
void watchers_configure(State& state, TimePoint now, Actions& out);
/// The domain goes: subscriptions end, with the word when to come back; for good, rows as well.
void watchers_leave(State& state, bool for_good, TimePoint now, Actions& out);
void restore_watcher(State& state, std::string key, WatcherRow row, TimePoint now, Actions& out);

}  // namespace stox::engine
