#include "plugin/engine/presence/contact_work.h"

#include "mapping/presence/xmpp.h"
#include "mapping/xmpp/caps.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/destination.h"
#include "plugin/engine/services.h"

#include <algorithm>

namespace stox::engine {

namespace {

using presence::Authorization, presence::ContactAct, presence::ResourcePresence;

constexpr const char* kPretendedResource = "phone";

bool is_pretended(const Contact& contact) {
    return std::holds_alternative<presence::contact::Pretended>(contact.relation.state());
}

/// The stream is there and knows of what was told before.
bool can_tell(const State& state, const Contact& contact) { return state.stream_up && !contact.resending; }

void tell(State& state, const Contact& contact, const ResourcePresence& what, TimePoint now, Actions& out) {
    state.contacts.told.spend(now);
    auto stanza = presence::write_presence(what, contact.contact, contact.user, state.utc);
    if (!stanza) return;
    if (is_pretended(contact) && what.is_available())
        stanza->payload.push_back(xmpp::caps(kCapsNode, contact_info(state, contact.contact, {})));
    send_presence(state, std::move(*stanza), out);
}

/// The SUBSCRIBE of our own to the contact, or the status that stands for why there is none.
std::variant<sip::Request, int> make_subscribe(const State& state, const Contact& contact, std::string_view event,
                                               unsigned expires, std::string& peer) {
    auto way = destination(state, contact.contact);
    if (const auto* why = std::get_if<xmpp::StanzaError>(&way))
        return why->condition == xmpp::Condition::item_not_found ? 404 : 503;
    auto& to = std::get<Destination>(way);
    const auto from = user_uri(state.options, contact.user);
    // What was granted is not over for a slip in the options: only the contact says so.
    if (to.emergency || !from) return contact.relation.authorization() == Authorization::granted ? 503 : 403;
    peer = to.peer->name;
    sip::Request request;
    request.method = "SUBSCRIBE";
    request.uri = contact.redirected.value_or(to.uri);
    request.to.uri = std::move(to.uri);
    request.from.uri = from.value();
    const auto type = event == kDialogPackage ? presence::kDialogInfoType : presence::kPidfType;
    request.headers = {{"Event", std::string(event)}, {"Accept", std::string(type)}, {"Expires", std::to_string(expires)}};
    return request;
}

/// 0, or the status that stands for why nothing was sent.
int start(State& state, Contact& contact, unsigned expires, TimePoint now, Actions& out) {
    const auto started = start_subscribe(state, contact, "presence", expires, now, out);
    if (const auto* status = std::get_if<int>(&started)) return *status;
    state.contacts.set_usage(contact, std::get<sip::UsageKey>(started));
    if (contact.confirm_by) contact.confirm_by = std::max(*contact.confirm_by, now + Contacts::kConfirm);
    contact.redirected.reset();
    return 0;
}

void learn(State& state, Contact& contact, TimePoint now) {
    if (is_pretended(contact)) {
        ResourcePresence made;
        made.resource = kPretendedResource;
        contact.shown.learn({{made}}, now);
    } else if (state.contacts.document) {
        contact.shown.learn(state.contacts.document->presentity, now);
        contact.notified = true;
    } else {
        contact.shown.learn_nothing();
    }
    if (contact.notified || is_pretended(contact)) contact.published.reset();
    contact.confirm_by.reset();
}

/// What its devices have published holds where the contact itself says nothing, and only for who may see it: that nothing but a
/// roster says so (assumed) is not enough, for anybody's server may probe.   (PRES-94)
std::optional<std::uint64_t> published_for(const State& state, const Contact& contact) {
    using Look = presence::ContactRelation::Look;
    const auto& relation = contact.relation;
    const bool doubted = std::holds_alternative<presence::contact::Pending>(relation.state());
    const bool is_confirmed = relation.look() == Look::granted && !doubted && !relation.assumed();
    const bool may_see = is_confirmed || relation.look() == Look::pretended;
    if (contact.notified || !may_see || relation.is_over() || !relation.is_online()) return std::nullopt;
    return state.publications.version(contact.contact.to_string());
}

/// Nothing is known any more by a subscription.
void withdraw_shown(State& state, Contact& contact, TimePoint now, Actions& out) {
    contact.notified = false;
    contact.confirm_by.reset();
    // What takes its place is a document like any other.
    if (published_for(state, contact)) return;
    contact.published.reset();
    if (can_tell(state, contact))
        for (const auto& gone : contact.shown.forget(now)) tell(state, contact, gone, now, out);
    else
        contact.shown.withdraw();
}

void follow_publications(State& state, Contact& contact, TimePoint now, Actions& out) {
    const auto version = published_for(state, contact);
    if (version == contact.published || !contact.relation.is_online()) return;
    contact.published = version;
    if (version) {
        contact.shown.learn(state.publications.composed(contact.contact.to_string()), now);
        contact.confirm_by.reset();
    } else if (is_pretended(contact)) {
        learn(state, contact, now);
    } else {
        withdraw_shown(state, contact, now, out);
    }
}

void answer_probe(State& state, Contact& contact, Actions& out) {
    if (!contact.moved || contact.published) return contact.shown.repeat();
    auto error = presence_of(contact.contact, contact.user, xmpp::PresenceType::error);
    error.error = contact.moved;
    send_presence(state, std::move(error), out);
}

void keep(State& state, Contact& contact, TimePoint now) {
    contact.kept_shown = contact.shown.shown();
    contact.has_row = true;
    ContactRow row{contact.user, contact.contact, contact.relation.authorization() == Authorization::granted, contact.kept_shown};
    if (const auto since = contact.relation.assumed()) row.assumed = state.utc_at(*since);
    state.commits.update({Collection::contacts, row_key(contact.user, contact.contact), std::move(row)}, now);
}

void erase(State& state, Contact& contact, TimePoint now) {
    if (std::exchange(contact.has_row, false))
        state.commits.erase(Collection::contacts, row_key(contact.user, contact.contact), now);
}

}  // namespace

std::string row_key(const xmpp::Jid& user, const xmpp::Jid& contact) { return user.to_string() + ' ' + contact.to_string(); }

std::string peer_name(const State& state, const Contact& contact) {
    const auto way = destination(state, contact.contact);
    const auto* to = std::get_if<Destination>(&way);
    return to ? to->peer->name : std::string();
}

std::variant<sip::UsageKey, int> start_subscribe(State& state, const Contact& contact, std::string_view event, unsigned expires,
                                                 TimePoint now, Actions& out) {
    std::string peer;
    auto request = make_subscribe(state, contact, event, expires, peer);
    if (const auto* status = std::get_if<int>(&request)) return *status;
    const auto usage = state.dialogs.subscribe(std::move(std::get<sip::Request>(request)), peer, state.ways(now, out));
    if (usage == sip::UsageKey::none) return 503;
    return usage;
}

xmpp::Presence presence_of(const xmpp::Jid& from, const xmpp::Jid& to, xmpp::PresenceType type) {
    xmpp::Presence made;
    made.from = from;
    made.to = to;
    made.type = type;
    return made;
}

void send_presence(State& state, xmpp::Presence presence, Actions& out) {
    auto& owed = state.contacts.owed;
    if (state.stream_up && owed.empty()) return out.push_back(SendStanza{std::move(presence)});
    // That a relation was granted, or is over, is said once. Of one that is over, what is left of its resources may be too much.
    const bool is_full = owed.size() >= 2 * std::size_t{state.options.presence.relations};
    if (!state.stream_up && is_full && presence.type == xmpp::PresenceType::unavailable) return;
    owed.push_back(std::move(presence));
}

void let_time_pass(State& state, presence::ContactRelation& relation, TimePoint now, presence::ContactRelation::Actions& acts) {
    const auto mode = state.options.presence.mode;
    const auto* idle = std::get_if<presence::contact::Idle>(&relation.state());
    if (idle && idle->until && mode == config::PresenceMode::pretended) return relation.pretend(now, acts);
    const bool nobody = mode == config::PresenceMode::off || state.contacts.alone;
    if (idle && idle->until && nobody) return relation.withdraw(now, acts);
    relation.tick(now, acts);
}

void perform(State& state, Contact& contact, presence::ContactRelation::Actions acts, TimePoint now, Actions& out) {
    int failed = 0;
    for (const auto act : acts) {
        switch (act) {
            case ContactAct::queue:
                state.contacts.pacer.push(peer_name(state, contact), contact.number, now);
                break;
            case ContactAct::start_subscribe:
                failed = start(state, contact, state.options.presence.expires, now, out);
                break;
            case ContactAct::start_poll:
                failed = start(state, contact, 0, now, out);
                break;
            case ContactAct::end_subscribe:
                state.dialogs.unsubscribe(contact.usage, state.ways(now, out));
                break;
            case ContactAct::tell_subscribed:
                send_presence(state, presence_of(contact.contact, contact.user, xmpp::PresenceType::subscribed), out);
                break;
            case ContactAct::tell_unsubscribed:
                for (const auto& gone : contact.shown.forget(now)) tell(state, contact, gone, now, out);
                send_presence(state, presence_of(contact.contact, contact.user, xmpp::PresenceType::unsubscribed), out);
                break;
            case ContactAct::tell_presence:
                contact.moved.reset();
                learn(state, contact, now);
                break;
            case ContactAct::tell_unavailable:
                withdraw_shown(state, contact, now, out);
                break;
            case ContactAct::answer_probe:
                answer_probe(state, contact, out);
                break;
            case ContactAct::keep:
                keep(state, contact, now);
                break;
            case ContactAct::erase:
                erase(state, contact, now);
                break;
        }
    }
    if (failed != 0)
        return drive(state, contact, now, out,
                     [&](auto& relation, auto& more) { relation.failed(failed, {}, false, now, dice(state), more); });
    if (contact.relation.is_over()) {
        // Also of what ended without a word nothing is left to be seen.
        for (const auto& gone : contact.shown.forget(now)) tell(state, contact, gone, now, out);
        leave_line(state, contact, now, out);
        return state.contacts.remove(contact);
    }
    follow_publications(state, contact, now, out);
    settle(state, contact, now, out);
}

void settle(State& state, Contact& contact, TimePoint now, Actions& out) {
    const auto& contacts = state.contacts;
    settle(state, contact, contacts.others_wait() ? 0 : contacts.told.left(now), now, out);
}

void settle(State& state, Contact& contact, std::size_t most, TimePoint now, Actions& out) {
    auto& contacts = state.contacts;
    follow_line(state, contact, now, out);
    const bool tells = can_tell(state, contact) && !contact.waits_to_tell;
    if (tells) {
        for (const auto& one : contact.shown.take_due(now, most)) tell(state, contact, one, now, out);
        const auto more = contact.shown.next_timeout();
        contact.waits_to_tell = more && *more <= now;
        if (contact.waits_to_tell) contacts.telling.push_back(contact.number);
    }
    // Until it is confirmed or withdrawn, what another life has shown stands there.
    if (contact.has_row && !contact.confirm_by && contact.shown.shown() != contact.kept_shown) keep(state, contact, now);
    auto due = contact.relation.next_timeout();
    const auto sooner = [&due](std::optional<TimePoint> at) {
        if (at && (!due || *at < *due)) due = at;
    };
    if (tells && !contact.waits_to_tell) sooner(contact.shown.next_timeout());
    sooner(contact.confirm_by);
    contacts.count_expendable(contact);
    if (contact.line) sooner(contact.line->relation.next_timeout());
    contacts.set_due(contact, due);
}

}  // namespace stox::engine
