#include "plugin/engine/admin_orders.h"

#include "mapping/address.h"
#include "mapping/core/assert.h"
#include "plugin/engine/author.h"
#include "plugin/engine/peers.h"

namespace stox::engine {

namespace {

std::string_view to_string(Engine::Reach reach) {
    switch (reach) {
        case Engine::Reach::up:
            return "up";
        case Engine::Reach::down:
            return "down";
        case Engine::Reach::unknown:
            break;
    }
    return "unknown";
}

std::size_t on_their_way(const State& state, const std::string& peer) {
    return state.outbound.in_progress(peer) + state.inbox.unanswered_from(peer);
}

std::vector<PeerRow> peer_rows(const State& state) {
    std::vector<PeerRow> rows;
    for (const auto& peer : state.options.peers) {
        PeerRow row{state.options.domain,           peer.name, std::string(to_string(state.hops.reach(peer.name))), peer.probe,
                    on_their_way(state, peer.name), {}};
        for (const auto& [target, reach] : state.hops.targets(peer.name)) {
            if (!row.targets.empty()) row.targets += ", ";
            row.targets += target + ' ' + std::string(to_string(reach));
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<LimitRow> limit_rows(const State& state) {
    const auto& domain = state.options.domain;
    std::vector<LimitRow> rows{{domain, "messages_to_xmpp", {}, state.inbox.size(), Inbox::kEntries},
                               {domain, "messages_to_sip", {}, state.messages.size() + state.owed.size(), MessageQueue::kInAll},
                               {domain, "unstored_messages", {}, state.messages.unstored(), MessageQueue::kUnstored},
                               {domain, "users_remembered", {}, state.user_rates.size(), UserRates::kCapacity},
                               {domain, "user_rate", {}, 0, state.options.user_rate}};
    for (const auto& peer : state.options.peers) {
        rows.push_back({domain, "peer_transactions", peer.name, on_their_way(state, peer.name), peer.limits.transactions});
        rows.push_back({domain, "peer_dialogs", peer.name, state.dialogs.usages_of(peer.name), peer.limits.dialogs});
        rows.push_back({domain, "peer_per_second", peer.name, 0, peer.limits.per_second});
    }
    rows.push_back({domain, "contacts", {}, state.contacts.size(), state.options.presence.relations});
    rows.push_back({domain, "publications", {}, state.publications.size(), presence::PublicationLimits{}.in_all});
    for (const auto& [user, per_second] : state.user_rates.exceptions())
        rows.push_back(per_second == UserRates::kBlocked ? LimitRow{domain, "user_blocked", user, 0, 0}
                                                         : LimitRow{domain, "user_rate", user, 0, per_second});
    return rows;
}

/// As their messages name them, however it was typed. A client's resource has no limit of its own.
Result<std::string> user_named(const std::string& text) {
    if (text.starts_with("sip:")) {
        BOOST_OUTCOME_TRY(uri, sip::Uri::parse(text));
        return rate_key(uri);
    }
    if (text.starts_with("tel:") || text.starts_with('+')) {
        BOOST_OUTCOME_TRY(uri, sip::Uri::parse(text.starts_with('+') ? "tel:" + text : text));
        const auto number = global_number(uri);
        return number.empty() ? uri.user : number;
    }
    if (text.find('@') == text.npos) return text.substr(0, text.find('/'));
    BOOST_OUTCOME_TRY(jid, xmpp::Jid::parse(text));
    BOOST_OUTCOME_TRY(local, prepare_localpart(jid.local));
    BOOST_OUTCOME_TRY(domain, domain_to_jid(jid.domain));
    return xmpp::Jid{std::move(local), std::move(domain), {}}.to_string();
}

AdminOutcome limit_user(State& state, const AdminOrder& order) {
    const auto named = user_named(order.text("user"));
    if (!named) return {false, "There can be no such user: " + named.error().detail + '.', {}};
    const auto& user = named.value();
    if (user.ends_with('@' + state.options.domain)) return {false, "A contact is named by the SIP address, or by the number."};
    if (order.text("per_second") == "default") {
        state.user_rates.forget_exception(user);
        return {true, user + " has the limit that is configured."};
    }
    const bool is_blocked = order.text("per_second") == "blocked";
    const auto per_second = is_blocked ? UserRates::kBlocked : order.number("per_second");
    if (!state.user_rates.except(user, per_second)) return {false, "There are too many limits of single users."};
    if (is_blocked) return {true, user + " is refused."};
    return {true,
            per_second == 0 ? user + " has no limit." : user + " may send " + std::to_string(per_second) + " messages a second."};
}

AdminOutcome drain(State& state, const AdminOrder& order) {
    state.draining = order.text("state") == "on";
    return {true, state.draining ? state.options.domain + " takes nothing new; what it has is delivered."
                                 : state.options.domain + " takes messages."};
}

AdminOutcome list_subscriptions(State& state, const AdminOrder& order) {
    const auto named = user_named(order.text("user"));
    if (!named) return {false, "There can be no such user: " + named.error().detail + '.', {}};
    const bool all = named.value() == "all";
    std::vector<SubscriptionRow> rows;
    for (const auto* contact : state.contacts.all())
        if (all || contact->user.to_string() == named.value())
            rows.push_back({state.options.domain, contact->user.to_string(), contact->contact.to_string(), "to_sip",
                            std::string(presence::to_string(contact->relation.look()))});
    for (const auto* watcher : state.watchers.all())
        if (all || watcher->user.to_string() == named.value())
            rows.push_back({state.options.domain, watcher->user.to_string(), watcher->contact.to_string(), "to_xmpp",
                            watcher->relation.is_granted()   ? "granted"
                            : watcher->relation.is_refused() ? "refused"
                                                             : "pending"});
    return {true, {}, {to_table(rows)}};
}

/// What the user has said of being watched by the contact is forgotten as well, so that they may be asked.
AdminOutcome cancel_subscription(State& state, const AdminOrder& order) {
    const auto user = xmpp::Jid::parse(order.text("user")), contact = xmpp::Jid::parse(order.text("contact"));
    if (!user || !contact) return {false, "There is no such subscription.", {}};
    const auto* known = state.contacts.find(user.value(), contact.value());
    const auto* watcher = state.watchers.find(user.value(), contact.value());
    const bool was_let_go = state.watchers.take_remembered(user.value(), contact.value()).has_value();
    const auto whose = user.value().bare().to_string(), of = contact.value().bare().to_string();
    if (watcher) state.watchers.cancelled.push_back(watcher->number);
    if (known) {
        state.contacts.cancelled.push_back(known->number);
        return {true, whose + " no longer watches " + of + '.', {}};
    }
    if (!watcher && !was_let_go) return {false, "There is no such subscription.", {}};
    return {true, of + " no longer watches " + whose + '.', {}};
}

}  // namespace

AdminOutcome administer(State& state, const AdminOrder& order) {
    switch (order.verb) {
        case AdminVerb::peers:
            return {true, {}, {to_table(peer_rows(state))}};
        case AdminVerb::limits:
            return {true, {}, {to_table(limit_rows(state))}};
        case AdminVerb::user_limit:
            return limit_user(state, order);
        case AdminVerb::drain:
            return drain(state, order);
        case AdminVerb::subscriptions:
            return list_subscriptions(state, order);
        case AdminVerb::cancel_subscription:
            return cancel_subscription(state, order);
        default:
            break;
    }
    STOX_ASSERT(!"an order of the engine alone");
    return {false, {}, {}};
}

DomainRow domain_row(const State& state) {
    DomainRow row;
    row.domain = state.options.domain;
    row.state = state.draining ? "draining" : state.stream_up ? "up" : "down";
    row.held_messages = state.inbox.unanswered();
    row.queued_messages = state.messages.queued();
    row.transactions = state.messages.in_progress();
    row.stored_messages = state.inbox.size() + state.messages.size() + state.owed.size();
    row.to_sip_total = state.carried.to_sip;
    row.to_xmpp_total = state.carried.to_xmpp;
    row.failed_total = state.carried.failed_to_sip + state.carried.failed_to_xmpp;
    row.attached = state.stream_up;
    return row;
}

std::vector<TrafficRow> traffic_rows(const State& state) {
    const auto& domain = state.options.domain;
    const auto& carried = state.carried;
    return {{domain, "to_sip", "delivered", carried.to_sip},
            {domain, "to_sip", "failed", carried.failed_to_sip},
            {domain, "to_xmpp", "delivered", carried.to_xmpp},
            {domain, "to_xmpp", "failed", carried.failed_to_xmpp}};
}

}  // namespace stox::engine
