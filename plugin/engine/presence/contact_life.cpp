// What happens to the watched contacts of a domain with its stream, its options, its start and its end.

#include "plugin/engine/destination.h"
#include "plugin/engine/presence/contact_work.h"
#include "plugin/engine/presence/watch_contacts.h"

#include <algorithm>

namespace stox::engine {

namespace {

using presence::Authorization;

/// While the user has not said that the contact may see them, a probe is answered as if they had refused.   (RFC 6121 §4.3.2)
bool may_probe(State& state, const Contact& contact) {
    const auto* watcher = state.watchers.find(contact.user, contact.contact);
    return !watcher || !watcher->relation.stranger_since();
}

/// What is known is told, and whether its user is there is asked: a component that was away has heard nothing.
void tell_new_stream(State& state, Contact& contact, TimePoint now, Actions& out) {
    // What was ended while nobody could be told is begun again.
    if (contact.relation.is_online())
        drive(state, contact, now, out, [&](auto& relation, auto& acts) { relation.online(now, acts); });
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

/// What is owed goes first, so that nobody hears of an end what came after it.
void pay(State& state, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    for (; !contacts.owed.empty() && contacts.told.left(now) > 0; contacts.owed.pop_front()) {
        contacts.told.spend(now);
        out.push_back(SendStanza{std::move(contacts.owed.front())});
    }
}

/// Those that waited, in turn, a few stanzas each: one contact that all users watch is as many pairs, and others are not to wait for
/// all it has to say.
void go_on_telling(State& state, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    pay(state, now, out);
    while (contacts.owed.empty() && !contacts.telling.empty() && contacts.told.left(now) > 0) {
        auto* contact = contacts.find(contacts.telling.front());
        contacts.telling.pop_front();
        if (!contact) continue;
        contact->waits_to_tell = false;
        settle(state, *contact, std::min(Contacts::kTurn, contacts.told.left(now)), now, out);
    }
}

/// The notifiers are not asked for ever on behalf of nobody.
void end_alone(State& state, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    if (contacts.alone_at && *contacts.alone_at <= now) {
        contacts.alone_at.reset();
        contacts.alone = true;
        for (const auto* contact : contacts.all()) contacts.ending.push_back(contact->number);
        contacts.end_at = now;
    }
    while (!contacts.ending.empty() && *contacts.end_at <= now) {
        if (auto* contact = contacts.find(contacts.ending.front()))
            drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.withdraw(now, acts); });
        contacts.ending.pop_front();
        *contacts.end_at += Contacts::kResendGap;
    }
}

/// Another peer leads there now, or none.
bool has_lost_its_peer(const State& state, const Contact& contact) {
    const auto* peer = contact.usage == sip::UsageKey::none ? nullptr : state.dialogs.peer_of(contact.usage);
    if (!peer) return false;
    const auto way = destination(state, contact.contact);
    const auto* to = std::get_if<Destination>(&way);
    return !to || to->peer->name != *peer;
}

/// What another life has shown and nobody has confirmed is stale.   (no "online" of who is not)
void withdraw_unconfirmed(State& state, Contact& contact, TimePoint now, Actions& out) {
    if (!contact.confirm_by || *contact.confirm_by > now) return;
    // Its turn has not come: there are more contacts at that peer than it may be asked for in a minute.
    if (contact.relation.waits_for_turn()) {
        contact.confirm_by = now + Contacts::kConfirm;
        return;
    }
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
        const auto* contact = contacts.find(number & ~ContactLine::kTurn);
        if (!contact || !(number & ContactLine::kTurn)) return contact && contact->relation.waits_for_turn();
        return contact->line && contact->line->relation.waits_for_turn();
    };
    while (const auto next = contacts.pacer.take(now, waits)) {
        const auto go = [&](auto& relation, auto& acts) { relation.turn(now, acts); };
        auto& contact = *contacts.find(*next & ~ContactLine::kTurn);
        if (!(*next & ContactLine::kTurn)) {
            drive(state, contact, now, out, go);
            continue;
        }
        drive_line(state, contact, now, out, go);
        settle(state, contact, now, out);
    }
    if (!state.stream_up) return end_alone(state, now, out);
    resend(state, now, out);
    go_on_telling(state, now, out);
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
    if (!state.stream_up && contacts.size() != 0) sooner(contacts.alone_at);
    if (!state.stream_up && !contacts.ending.empty()) sooner(contacts.end_at);
    if (state.stream_up && !contacts.resend.empty()) sooner(contacts.resend_at);
    if (state.stream_up && !(contacts.owed.empty() && contacts.telling.empty())) sooner(contacts.told.next());
    return due;
}

void contacts_stream_down(State& state, TimePoint now) {
    if (!state.contacts.alone) state.contacts.alone_at = now + Contacts::kAlone;
}

void contacts_stream_up(State& state, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    contacts.alone_at.reset();
    contacts.alone = false;
    contacts.ending.clear();
    contacts.forget_resources();  // those that are there answer the probes
    pay(state, now, out);
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
    const bool all = std::exchange(contacts.mode, state.options.presence.mode) != state.options.presence.mode;
    // Nobody pretends to know whom the other way is asked for, nor the other way round; nor by a peer that is none any more.
    for (auto* contact : contacts.all()) {
        if (!all && !has_lost_its_peer(state, *contact)) {
            settle(state, *contact, now, out);
            continue;
        }
        const auto number = contact->number;
        drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.withdraw(now, acts); });
        if ((contact = contacts.find(number)) && contact->relation.is_online())
            drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.online(now, acts); });
    }
}

void contacts_leave(State& state, TimePoint now, Actions& out) {
    const bool for_good = state.is_leaving_for_good();
    state.publications = {};
    if (state.stream_up)
        for (auto& stanza : std::exchange(state.contacts.owed, {})) out.push_back(SendStanza{std::move(stanza)});
    for (auto* contact : state.contacts.all()) {
        contact->resending = false;  // it is now or never
        perform(state, *contact, {presence::ContactAct::tell_unavailable}, now, out);
        if (for_good && contact->has_row)
            state.commits.erase(Collection::contacts, row_key(contact->user, contact->contact), now);
    }
    state.contacts = {};
}

namespace {

/// The clock may have been set back since. There is a day yet to be confirmed in, however long nobody was asked.
std::optional<TimePoint> assumed_since(const State& state, const ContactRow& row, TimePoint now) {
    if (!row.assumed) return std::nullopt;
    const UtcTime::duration age = std::clamp<UtcTime::duration>(state.utc_at(now) - *row.assumed, UtcTime::duration::zero(),
                                                             presence::ContactRelation::kAssumedFor - std::chrono::hours(24));
    return now - age;
}

}  // namespace

void restore_contact(State& state, std::string key, ContactRow row, TimePoint now, Actions& out) {
    if (key != row_key(row.user, row.contact) || state.contacts.find(row.user, row.contact)) return;  // it would be a second one
    auto& contact = state.contacts.add(row.user, row.contact);
    contact.relation =
        presence::ContactRelation(row.granted ? Authorization::granted : Authorization::pending, assumed_since(state, row, now));
    contact.has_row = true;
    contact.shown.restore(row.shown);
    contact.kept_shown = contact.shown.shown();
    if (!row.shown.empty()) contact.confirm_by = now + Contacts::kConfirm;
    if (!state.stream_up && !state.contacts.alone_at) state.contacts.alone_at = now + Contacts::kAlone;
    // Nobody says who is there; whom the server says to be away is let go.
    drive(state, contact, now, out, [&](auto& relation, auto& acts) { relation.online(now, acts); });
}

}  // namespace stox::engine
