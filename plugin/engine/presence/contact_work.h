#pragma once
// What the parts of watch_contacts share: an input for one relation, and everything that comes of it done.

#include "plugin/engine/log.h"
#include "plugin/engine/state.h"

#include <chrono>
#include <variant>

namespace stox::engine {

/// What the relation asked for is done: SUBSCRIBEs, stanzas, rows. The contact may be gone afterwards.
void perform(State& state, Contact& contact, presence::ContactRelation::Actions acts, TimePoint now, Actions& out);

/// What is known and not told is told, or waits behind what others wait to tell; the row follows, and the contact is due again when
/// it is.
void settle(State& state, Contact& contact, TimePoint now, Actions& out);
/// The same, with `most` stanzas told whoever waits.
void settle(State& state, Contact& contact, std::size_t most, TimePoint now, Actions& out);

/// Times that have come, as the domain's options want it.
void let_time_pass(State& state, presence::ContactRelation& relation, TimePoint now, presence::ContactRelation::Actions& acts);

void send_presence(State& state, xmpp::Presence presence, Actions& out);
xmpp::Presence presence_of(const xmpp::Jid& from, const xmpp::Jid& to, xmpp::PresenceType type);
/// Both bare.
std::string row_key(const xmpp::Jid& user, const xmpp::Jid& contact);

inline constexpr std::string_view kDialogPackage = "dialog";

/// The peer that leads to it; empty: none does.
std::string peer_name(const State& state, const Contact& contact);
/// A SUBSCRIBE of our own to the contact: of presence, or kDialogPackage; or the status that stands for why nothing was sent.
std::variant<sip::UsageKey, int> start_subscribe(State& state, const Contact& contact, std::string_view event, unsigned expires,
                                                 TimePoint now, Actions& out);

void perform_line(State& state, Contact& contact, const presence::ContactRelation::Actions& acts, TimePoint now, Actions& out);
/// The line is asked about as long as the contact's presence is told, and its times that have come.
void follow_line(State& state, Contact& contact, TimePoint now, Actions& out);
/// The contact is watched no more.
void leave_line(State& state, Contact& contact, TimePoint now, Actions& out);

/// The same as drive(), of the line; settle() the contact afterwards.
template <class Work>
void drive_line(State& state, Contact& contact, TimePoint now, Actions& out, Work work) {
    presence::ContactRelation::Actions acts;
    work(contact.line->relation, acts);
    contact.line->relation.tick(now, acts);
    perform_line(state, contact, acts, now, out);
}

/// work  (relation, acts)
template <class Work>
void drive(State& state, Contact& contact, TimePoint now, Actions& out, Work work) {
    presence::ContactRelation::Actions acts;
    work(contact.relation, acts);
    let_time_pass(state, contact.relation, now, acts);
    perform(state, contact, std::move(acts), now, out);
}

inline presence::ContactRelation::Below dice(State& state) {
    return [&state](unsigned bound) { return static_cast<unsigned>(state.ids.trace().bits % std::max(bound, 1u)); };
}

}  // namespace stox::engine
