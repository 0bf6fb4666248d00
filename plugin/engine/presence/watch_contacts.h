#pragma once
// XMPP users who watch SIP contacts: what comes of stanzas, notifications, time and options.   (PRES-10 to PRES-29)

#include "plugin/engine/state.h"

#include <optional>

namespace stox::engine {

/// Presence of a user to a contact, or to the gateway itself, that is not about who watches the user: subscribe, unsubscribe,
/// probe, and whether the user is there.
void watch_contacts(State& state, const xmpp::Presence& presence, TimePoint now, Actions& out);

/// What a NOTIFY cannot be taken for, before the dialog layer sees it; nothing: it may have it.   (PRES-26)
std::optional<sip::Response> refuse_notify(State& state, const sip::Request& notify);
/// False: it is about no subscription to a contact.
bool contact_news(State& state, const sip::Action& news, TimePoint now, Actions& out);

void contacts_tick(State& state, TimePoint now, Actions& out);
std::optional<TimePoint> contacts_due(const State& state);
/// A new stream knows nothing: what is known of each contact is told again, a few at a time.
void contacts_stream_up(State& state, TimePoint now, Actions& out);
/// Who could be told is away.
void contacts_stream_down(State& state, TimePoint now);
/// The options changed.
void contacts_configure(State& state, TimePoint now, Actions& out);
/// Nobody sees a contact of a gateway that is not there.
void contacts_leave(State& state, TimePoint now, Actions& out);
void restore_contact(State& state, std::string key, ContactRow row, TimePoint now, Actions& out);

}  // namespace stox::engine
