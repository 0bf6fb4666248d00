// What happens to the watched contacts of a domain with its stream, its options, its start and its end.

#include "plugin/engine/presence/contact_work.h"
#include "plugin/engine/presence/watch_contacts.h"

#include <algorithm>

namespace stox::engine {

namespace {

using presence::Authorization;

/// While the user has not said whether the contact may see them, a probe is answered as if they had refused.   (RFC 6121 §4.3.2)
bool may_probe(State& state, const Contact& contact) {
    const auto* watcher = state.watchers.find(contact.user, contact.contact);
    return !watcher || !watcher->relation.asked();
}

/// What is known is told, and whether its user is there is asked: a component that was away has heard nothing.
void tell_new_stream(State& state, Contact& contact, TimePoint now, Actions& out) {
    contact.resending = false;
    if (contact.relation.authorization() == Authorization::granted) {
        if (may_probe(state, contact)) {
            send_presence(state, presence_of(contact.contact, contact.user, xmpp::PresenceType::probe), out);
            contact.probed = now;
        }
        if (contact.shown.is_known()) contact.shown.repeat();
    }
    settle(state, contact, now, out);
}

void resend(State& state, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    while (!contacts.resend.empty() && *contacts.resend_at <= now) {
        if (auto* contact = contacts.find(contacts.resend.front())) tell_new_stream(state, *contact, now, out);
        contacts.resend.pop_front();
        *contacts.resend_at += Contacts::kResendGap;
    }
}

/// What another life has shown and nobody has confirmed is stale.   (no "online" of who is not)
void withdraw_unconfirmed(State& state, Contact& contact, TimePoint now, Actions& out) {
    if (!contact.confirm_by || *contact.confirm_by > now) return;
    contact.confirm_by.reset();
    perform(state, contact, {presence::ContactAct::tell_unavailable}, now, out);
}

}  // namespace

void contacts_tick(State& state, TimePoint now, Actions& out) {
    if (state.leaving) return;
    auto& contacts = state.contacts;
    for (const auto number : std::exchange(contacts.cancelled, {}))
        if (auto* contact = contacts.find(number))
            drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.unsubscribe(now, acts); });
    while (auto* contact = contacts.take_due(now)) {
        const auto number = contact->number;
        withdraw_unconfirmed(state, *contact, now, out);
        if ((contact = contacts.find(number))) drive(state, *contact, now, out, [](auto&, auto&) {});
    }
    const auto waits = [&](std::uint64_t number) {
        const auto* contact = contacts.find(number);
        return contact && contact->relation.waits_for_turn();
    };
    while (const auto next = contacts.pacer.take(now, waits))
        drive(state, *contacts.find(*next), now, out, [&](auto& relation, auto& acts) { relation.turn(now, acts); });
    if (state.stream_up) resend(state, now, out);
}

std::optional<TimePoint> contacts_due(const State& state) {
    if (state.leaving) return std::nullopt;
    const auto& contacts = state.contacts;
    auto due = contacts.first_due();
    const auto sooner = [&due](std::optional<TimePoint> at) {
        if (at && (!due || *at < *due)) due = at;
    };
    if (!contacts.cancelled.empty()) sooner(TimePoint{});
    sooner(contacts.pacer.next_timeout());
    if (state.stream_up && !contacts.resend.empty()) sooner(contacts.resend_at);
    return due;
}

void contacts_stream_up(State& state, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    for (auto& stanza : std::exchange(contacts.owed, {})) out.push_back(SendStanza{std::move(stanza)});
    contacts.resend.clear();
    contacts.resend_at = now;
    for (auto* contact : contacts.all()) {
        if (!contact->shown.is_known() && !contact->kept_shown.empty()) contact->confirm_by = now + Contacts::kConfirm;
        contact->resending = true;
        contacts.resend.push_back(contact->number);
        settle(state, *contact, now, out);
    }
    resend(state, now, out);
}

void contacts_configure(State& state, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    contacts.pacer.configure(state.options.presence.subscribe_rate);
    if (std::exchange(contacts.mode, state.options.presence.mode) == state.options.presence.mode) return;
    // Nobody pretends to know whom the other way is asked for, nor the other way round.
    for (auto* contact : contacts.all()) {
        const auto number = contact->number;
        drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.withdraw(now, acts); });
        if ((contact = contacts.find(number)))
            drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.online(now, acts); });
    }
}

void contacts_leave(State& state, TimePoint now, Actions& out) {
    const bool for_good = state.is_leaving_for_good();
    for (auto* contact : state.contacts.all()) {
        perform(state, *contact, {presence::ContactAct::tell_unavailable}, now, out);
        if (for_good && contact->has_row)
            state.commits.erase(Collection::contacts, row_key(contact->user, contact->contact), now);
    }
    state.contacts = {};
}

void restore_contact(State& state, std::string key, ContactRow row, TimePoint now, Actions& out) {
    if (key != row_key(row.user, row.contact) || state.contacts.find(row.user, row.contact)) return;  // it would be a second one
    auto& contact = state.contacts.add(row.user, row.contact);
    contact.relation = presence::ContactRelation(row.granted ? Authorization::granted : Authorization::pending);
    contact.has_row = true;
    contact.shown.restore(row.shown);
    contact.kept_shown = contact.shown.shown();
    if (!row.shown.empty()) contact.confirm_by = now + Contacts::kConfirm;
    // Nobody says who is there; whom the server says to be away is let go.
    drive(state, contact, now, out, [&](auto& relation, auto& acts) { relation.online(now, acts); });
}

}  // namespace stox::engine
