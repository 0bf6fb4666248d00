// Stanzas of users about contacts.

#include "plugin/engine/destination.h"
#include "plugin/engine/presence/contact_work.h"
#include "plugin/engine/presence/watch_contacts.h"

namespace stox::engine {

namespace {

using xmpp::Condition, xmpp::ErrorType, xmpp::Presence, xmpp::PresenceType;
using Said = Contacts::User::Said;

void refuse(const Presence& presence, xmpp::StanzaError why, Actions& out) {
    if (auto reply = xmpp::make_error(presence, std::move(why))) out.push_back(SendStanza{std::move(*reply)});
}

xmpp::StanzaError error(ErrorType type, Condition condition, const char* text) {
    xmpp::StanzaError made;
    made.type = type;
    made.condition = condition;
    made.text = text;
    return made;
}

/// Of what a roster alone says the oldest makes room for one more, whoever's it is: it costs nobody anything that the next probe
/// does not bring back.   (PRES-27)
bool make_room(State& state, TimePoint now, Actions& out) {
    const auto before = state.contacts.size();
    if (auto* oldest = state.contacts.oldest_expendable())
        drive(state, *oldest, now, out, [&](auto& relation, auto& acts) { relation.forget(now, acts); });
    return state.contacts.size() < before;
}

/// Nothing: that user may watch one more, and this contact can be asked.
std::optional<xmpp::StanzaError> reason_against(State& state, const Presence& presence, TimePoint now, Actions& out) {
    const auto& options = state.options.presence;
    if (options.mode == config::PresenceMode::off)
        return error(ErrorType::cancel, Condition::feature_not_implemented, "This gateway carries no presence.");
    const auto way = destination(state, presence.to.bare());
    if (const auto* why = std::get_if<xmpp::StanzaError>(&way)) return *why;
    if (std::get<Destination>(way).emergency)
        return error(ErrorType::cancel, Condition::not_allowed, "A number for emergencies has no presence.");
    if (!state.signal_rates.take(presence.from.bare().to_string(), now))
        return error(ErrorType::wait, Condition::resource_constraint, "You send faster than this gateway allows.");
    switch (state.contacts.is_full(presence.from, options.contacts_per_user, options.relations)) {
        case Contacts::Full::user:
            return error(ErrorType::wait, Condition::resource_constraint, "You watch as many contacts as this gateway allows.");
        case Contacts::Full::domain:
            if (make_room(state, now, out)) break;
            return error(ErrorType::wait, Condition::resource_constraint, "This gateway can watch no further contacts.");
        case Contacts::Full::no:
            break;
    }
    return std::nullopt;
}

void everybody(State& state, const xmpp::Jid& user, TimePoint now, Actions& out,
               void (presence::ContactRelation::*input)(TimePoint, presence::ContactRelation::Actions&)) {
    for (auto* contact : state.contacts.of(user))
        drive(state, *contact, now, out, [&](auto& relation, auto& acts) { (relation.*input)(now, acts); });
}

void is_there(State& state, const xmpp::Jid& from, TimePoint now, Actions& out) {
    auto* user = state.contacts.user(from);
    if (!user) return;
    if (!from.is_bare() && user->resources.size() < Contacts::kResources) user->resources.insert(from.resource);
    if (std::exchange(user->said, Said::online) != Said::online)
        everybody(state, from, now, out, &presence::ContactRelation::online);
}

/// A bare JID says it of all resources.
void is_away(State& state, const xmpp::Jid& from, TimePoint now, Actions& out) {
    auto* user = state.contacts.user(from);
    if (!user) return;
    if (from.is_bare()) user->resources.clear();
    user->resources.erase(from.resource);
    if (!user->resources.empty() || std::exchange(user->said, Said::offline) == Said::offline) return;
    everybody(state, from, now, out, &presence::ContactRelation::offline);
}

void subscribe(State& state, const Presence& presence, TimePoint now, Actions& out) {
    auto* contact = state.contacts.find(presence.from, presence.to);
    if (!contact || state.options.presence.mode == config::PresenceMode::off)
        if (auto why = reason_against(state, presence, now, out)) return refuse(presence, std::move(*why), out);
    if (!contact) contact = &state.contacts.add(presence.from, presence.to);
    drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.subscribe(now, acts); });
}

/// Of a contact that they do not watch; who asks too much is not answered.
void deny(State& state, const Presence& presence, TimePoint now, Actions& out) {
    if (!state.signal_rates.take(presence.from.bare().to_string(), now)) return;
    send_presence(state, presence_of(presence.to.bare(), presence.from.bare(), PresenceType::unsubscribed), out);
}

void unsubscribe(State& state, const Presence& presence, TimePoint now, Actions& out) {
    auto* contact = state.contacts.find(presence.from, presence.to);
    if (!contact) return deny(state, presence, now, out);
    drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.unsubscribe(now, acts); });
}

void probe(State& state, const Presence& presence, TimePoint now, Actions& out) {
    // Where no presence is asked for, none is known.
    if (state.options.presence.mode == config::PresenceMode::off) return;
    auto* contact = state.contacts.find(presence.from, presence.to);
    // `unsubscribed` would take the contact off the roster, and each login probes all of them: a lost store would cost
    // everybody's. So the contact is asked as if the user had subscribed, or there is no answer.   (PRES-27)
    if (!contact && (!state.knows_relations || reason_against(state, presence, now, out))) return;
    if (!contact) contact = &state.contacts.add(presence.from, presence.to);
    drive(state, *contact, now, out, [&](auto& relation, auto& acts) { relation.probe(now, acts); });
    is_there(state, presence.from, now, out);
}

/// The gateway is there as long as it answers; it is nobody's contact on the SIP side.   (PRES-97, XEP-0100)
void about_the_gateway(State& state, const Presence& presence, Actions& out) {
    const auto answer = [&](PresenceType type) {
        send_presence(state, presence_of({{}, state.options.domain, {}}, presence.from.bare(), type), out);
    };
    if (presence.type == PresenceType::subscribe) answer(PresenceType::subscribed), answer(PresenceType::available);
    if (presence.type == PresenceType::probe) answer(PresenceType::available);
    if (presence.type == PresenceType::unsubscribe) answer(PresenceType::unavailable), answer(PresenceType::unsubscribed);
}

}  // namespace

void watch_contacts(State& state, const Presence& presence, TimePoint now, Actions& out) {
    if (state.leaving) return;
    if (presence.to.local.empty()) return about_the_gateway(state, presence, out);
    switch (presence.type) {
        case PresenceType::subscribe:
            return subscribe(state, presence, now, out);
        case PresenceType::unsubscribe:
            return unsubscribe(state, presence, now, out);
        case PresenceType::probe:
            return probe(state, presence, now, out);
        case PresenceType::available:
            return is_there(state, presence.from, now, out);
        case PresenceType::unavailable:
            return is_away(state, presence.from, now, out);
        case PresenceType::subscribed:
        case PresenceType::unsubscribed:
        case PresenceType::error:
            return;
    }
}

}  // namespace stox::engine
