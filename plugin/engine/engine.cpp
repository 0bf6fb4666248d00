#include "plugin/engine/engine.h"

#include "mapping/im/extensions.h"
#include "mapping/im/html.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/admin.h"
#include "plugin/engine/admin_orders.h"
#include "plugin/engine/answers.h"
#include "plugin/engine/chat_states.h"
#include "plugin/engine/dialog_news.h"
#include "plugin/engine/drain.h"
#include "plugin/engine/log.h"
#include "plugin/engine/outbox.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/presence/contact_work.h"
#include "plugin/engine/presence/publish.h"
#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watch_contacts.h"
#include "plugin/engine/reports.h"
#include "plugin/engine/rerouting.h"
#include "plugin/engine/restore.h"
#include "plugin/engine/services.h"
#include "plugin/engine/sip_requests.h"
#include "plugin/engine/state.h"
#include "plugin/engine/stream_writer.h"
#include "plugin/engine/texts.h"

#include <algorithm>

namespace stox::engine {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // COMPAT clang 14: deduces none for an aggregate by itself

void refuse_stanza(const xmpp::Stanza& stanza, xmpp::ErrorType type, xmpp::Condition condition, std::string text, Actions& out) {
    xmpp::StanzaError error;
    error.type = type;
    error.condition = condition;
    error.text = std::move(text);
    if (auto reply = xmpp::make_error(stanza, std::move(error))) out.push_back(SendStanza{std::move(*reply)});
}

/// Octets of a stanza's id; clients make some forty.
constexpr std::size_t kLongestId = 1'024;

std::string bare_of(const xmpp::Jid& jid) { return jid.local + '@' + jid.domain; }

void on_message(State& state, const xmpp::Message& message, UtcTime received, TimePoint now, Actions& out) {
    if (message.type == xmpp::MessageType::error) return message_failed(state, message, now, out);
    if (message.to.local.empty() && words_asked(state, message, now, out)) return;
    if (message.to.local.empty())
        return refuse_stanza(message, xmpp::ErrorType::cancel, xmpp::Condition::service_unavailable,
                             "Write to a contact, not to the gateway.", out);
    // It is kept with what is stored about the message, for days if a receipt is awaited.
    if (message.id.size() > kLongestId)
        return refuse_stanza(message, xmpp::ErrorType::modify, xmpp::Condition::policy_violation,
                             "The id of this message is too long.", out);
    const auto extensions = im::read_extensions(message);
    if (extensions.is_copy || is_report(message)) return;  // somebody else's message, or an element that is ours alone   (IM-18)
    state.odd_names.look_at(message.from, out);
    // A state or a receipt: nobody waits for an answer to it, and texts have a share of their own.
    if (message.bodies.empty() && !state.signal_rates.take(bare_of(message.from), now)) return;
    if (!message.bodies.empty() && !state.user_rates.take(bare_of(message.from), now))
        return refuse_stanza(message, xmpp::ErrorType::wait, xmpp::Condition::resource_constraint,
                             "You send faster than this gateway allows.", out);
    if (state.draining && !message.bodies.empty())
        return refuse_stanza(message, xmpp::ErrorType::wait, xmpp::Condition::resource_constraint,
                             "This gateway takes no messages for a while.", out);
    if (state.loops.is_ours(message))
        return refuse_stanza(message, xmpp::ErrorType::modify, xmpp::Condition::policy_violation,
                             "This message came back to the gateway that had carried it.", out);
    const bool is_personal = message.type != xmpp::MessageType::groupchat;
    if (is_personal && (extensions.received || extensions.displayed)) take_receipt(state, message, extensions, now, out);
    if (extensions.state && message.bodies.empty()) return send_chat_state(state, message, *extensions.state, now, out);
    deliver_to_sip(state, message, received, state.ids.trace(), now, out);
}

/// A client that wrote its message in rich text alone, against XEP-0071 §7, wrote one all the same.   (IM-16)
std::optional<xmpp::Message> with_text(const xmpp::Message& message) {
    if (!message.bodies.empty() || message.type == xmpp::MessageType::error) return std::nullopt;
    const auto rich = std::ranges::find_if(message.payload, im::is_xhtml_im);
    if (rich == message.payload.end()) return std::nullopt;
    auto text = im::xhtml_im_to_text(*rich);
    if (text.empty()) return std::nullopt;
    auto filled = message;
    filled.bodies = {{std::move(text), {}}};
    return filled;
}

bool asks(const xmpp::Iq& iq) { return iq.type == xmpp::IqType::get || iq.type == xmpp::IqType::set; }

void on_iq(State& state, const xmpp::Iq& iq, TimePoint now, Actions& out) {
    if (asks(iq) && is_about_commands(iq)) return commands_asked(state, iq, now, out);
    if (asks(iq)) return answer_iq(state, iq, now, out);
    if (state.barrier.is_answer(iq.id)) barrier_answered(state, now, out);
}

const xmpp::Jid& from_of(const xmpp::Stanza& stanza) {
    return std::visit([](const auto& one) -> const xmpp::Jid& { return one.from; }, stanza);
}

const xmpp::Jid& to_of(const xmpp::Stanza& stanza) {
    return std::visit([](const auto& one) -> const xmpp::Jid& { return one.to; }, stanza);
}

bool is_from_ourselves(const State& state, const xmpp::Stanza& stanza) { return from_of(stanza).domain == state.options.domain; }

/// Whether its author may use this gateway; a stranger hears that they may not.   (CORE-72)
bool is_served(const State& state, const xmpp::Stanza& stanza, Actions& out) {
    const auto* message = std::get_if<xmpp::Message>(&stanza);
    const bool failure = message && message->type == xmpp::MessageType::error;
    if (serves(state.options, from_of(stanza).domain) || failure) return true;
    refuse_stanza(stanza, xmpp::ErrorType::auth, xmpp::Condition::forbidden, "This gateway serves its own users only.", out);
    return false;
}

/// Of whom an administrator wants nothing; who hears so, where somebody waits for an answer.
bool is_blocked(const State& state, const xmpp::Stanza& stanza, Actions& out) {
    if (std::holds_alternative<xmpp::Iq>(stanza) || !state.user_rates.is_blocked(bare_of(from_of(stanza)))) return false;
    if (const auto* message = std::get_if<xmpp::Message>(&stanza); message && message->type == xmpp::MessageType::error) return false;
    const auto* presence = std::get_if<xmpp::Presence>(&stanza);
    // Who goes goes, or contacts would see them for ever.
    using Type = xmpp::PresenceType;
    if (presence && presence->type == Type::probe) return true;
    if (presence && presence->type != Type::subscribe && presence->type != Type::subscribed) return false;
    refuse_stanza(stanza, xmpp::ErrorType::auth, xmpp::Condition::forbidden, "An administrator of this gateway has blocked you.", out);
    return true;
}

void on_stanza(State& state, const xmpp::Stanza& stanza, UtcTime received, TimePoint now, Actions& out) {
    if (to_of(stanza).domain != state.options.domain) return;  // the server routes only our domain here
    // Our own domain speaks to us only in the answers to our ping; anything else from it is a loop.   (IM-18)
    if (is_from_ourselves(state, stanza)) {
        const auto* iq = std::get_if<xmpp::Iq>(&stanza);
        if (iq && iq->from.local.empty()) on_iq(state, *iq, now, out);
        return;
    }
    // Answers first: that to our ping may come from a domain that a reload took from us meanwhile.
    if (const auto* iq = std::get_if<xmpp::Iq>(&stanza); iq && !asks(*iq)) return on_iq(state, *iq, now, out);
    if (!is_served(state, stanza, out) || is_blocked(state, stanza, out)) return;
    std::visit(Overloaded{[&](const xmpp::Message& m) {
                              const auto filled = with_text(m);
                              on_message(state, filled ? *filled : m, received, now, out);
                          },
                          [&](const xmpp::Presence& p) {
                              tell_watchers(state, p, now, out);
                              watch_contacts(state, p, now, out);
                          },
                          [&](const xmpp::Iq& iq) { on_iq(state, iq, now, out); }},
               stanza);
}

/// Whether its author waits for an answer that depends on what is in it.
bool asks_something(const xmpp::Stanza& stanza) {
    if (const auto* message = std::get_if<xmpp::Message>(&stanza)) return message->type != xmpp::MessageType::error;
    const auto* iq = std::get_if<xmpp::Iq>(&stanza);
    return iq && asks(*iq);
}

void on_unreadable(State& state, const UnreadableStanzaIn& in, TimePoint now, Actions& out) {
    // Of an error, a result or a presence the envelope says all there is to know.
    if (!asks_something(in.envelope)) return on_stanza(state, in.envelope, {}, now, out);
    const auto &from = from_of(in.envelope), &to = to_of(in.envelope);
    if (to.domain != state.options.domain || is_from_ourselves(state, in.envelope)) return;
    if (!is_served(state, in.envelope, out)) return;
    out.push_back(line(Level::info, state.ids.trace(), "stanza refused",
                       {{"from", from.to_string()}, {"to", to.to_string()}, {"reason", in.why.detail}}));
    if (in.why.code == Code::too_large)
        refuse_stanza(in.envelope, xmpp::ErrorType::modify, xmpp::Condition::policy_violation,
                      "Too long or too complex for this gateway; nothing of it was delivered.", out);
    else
        refuse_stanza(in.envelope, xmpp::ErrorType::modify, xmpp::Condition::bad_request, "This cannot be understood.", out);
}

/// Of one user, where the operator sets no rate: a client that comes back acknowledges all it finds at once.
constexpr unsigned kSignalsPerSecond = 100;

void configure(State& state) {
    state.hops.configure(state.options);
    state.user_rates.configure(state.options.user_rate);
    state.signal_rates.configure(state.options.user_rate != 0 ? state.options.user_rate : kSignalsPerSecond);
    state.outbound.accounts().configure(state.secrets.logins);
    state.authentication.configure(state.options, state.secrets.users, state.ids);
    sip::CallSettings calls;
    calls.min_expires = std::chrono::seconds(state.options.presence.min_expires);
    calls.max_expires = std::chrono::seconds(state.options.presence.max_expires);
    state.dialogs.use(std::move(calls));
    std::map<std::string, std::size_t> most_dialogs;
    for (const auto& peer : state.options.peers)
        if (peer.limits.dialogs != 0) most_dialogs.emplace(peer.name, peer.limits.dialogs);
    state.dialogs.limit_peers(std::move(most_dialogs));
    auto before = std::exchange(state.rates, {});
    for (const auto& peer : state.options.peers) {
        if (peer.limits.per_second == 0) continue;
        const auto known = before.find(peer.name);
        const bool same = known != before.end() && known->second.bucket.rate() == peer.limits.per_second;
        state.rates.emplace(peer.name, same ? known->second : PeerRate{TokenBucket(peer.limits.per_second), {}, 0});
    }
}

/// What was learnt of contacts counts while their addresses mean the same.
bool same_addresses(const config::DomainOptions& one, const config::DomainOptions& other) {
    return one.scheme == other.scheme && one.domain == other.domain && one.sip_domain == other.sip_domain;
}

void request_over(State& state, Outcome outcome, TimePoint now, Actions& out) {
    if (!state.dialogs.over(outcome, state.ways(now, out))) message_over(state, std::move(outcome), now, out);
}

void go_on(State& state, TimePoint now, Actions& out) {
    for (auto& outcome : state.outbound.resume(state.hops, state.turn(now, out))) request_over(state, std::move(outcome), now, out);
}

void on_sip_response(State& state, const SipResponseIn& in, TimePoint now, Actions& out) {
    const auto turn = state.turn(now, out);
    if (state.hops.on_response(in, turn)) return;
    if (auto outcome = state.outbound.on_response(in, state.hops, turn)) request_over(state, std::move(*outcome), now, out);
}

void on_committed(State& state, const Committed& in, TimePoint now, Actions& out) {
    for (const auto& [number, result] : state.commits.committed(in, state.turn(now, out))) {
        if (state.inbox.find(number))
            inbox_settled(state, number, result, now, out);
        else
            outbox_settled(state, RequestId{number}, result, now, out);
    }
    write_stream(state, now, out);
    accept_due(state, now, out);
}

void on_tick(State& state, TimePoint now, Actions& out) {
    if (const auto due = state.barrier.deadline(); due && *due <= now) barrier_overdue(state, now, out);
    accept_due(state, now, out);
    composing_lapsed(state, now, out);
    admin_tick(state, now, out);
    forget_requests(state, state.delivered.take_lapsed(now), now);
    const auto turn = state.turn(now, out);
    state.hops.tick(turn);
    state.outbound.tick(state.hops, turn);
    state.dialogs.tick(state.ways(now, out));
    publications_tick(state, now, out);
    contacts_tick(state, now, out);
    watchers_tick(state, now, out);
    go_on(state, now, out);  // a location may have been given up
    if (state.leaving && !state.leaving->over && state.leaving->until <= now) drain_over(state, now, out);
    state.commits.tick(turn);
}

/// What holds of whatever leaves.
void finish(State& state, TimePoint now, Actions& out) {
    for (auto& action : out) {
        if (auto* answer = std::get_if<RespondSip>(&action)) complete(answer->response);
        if (auto* stanza = std::get_if<SendStanza>(&action)) speak_their_language(stanza->stanza, state.options.language);
    }
    state.loops.watch(out, now);
}

State make_state(config::DomainOptions options, IdGenerator ids, Secrets secrets) {
    const KeyedHash::Key key{ids.trace().bits, ids.trace().bits};
    return State{.options = std::move(options),
                 .ids = std::move(ids),
                 .commits = {},
                 .inbox = {},
                 .barrier = {},
                 .messages = {},
                 .owed = {},
                 .imdn_contacts = {},
                 .formats = {},
                 .receipts = {},
                 .threads = {},
                 .composing = {},
                 .merged = {},
                 .hops = {},
                 .outbound = {},
                 .secrets = std::move(secrets),
                 .authentication = {},
                 .rates = {},
                 .loops = LoopGuard(key),
                 .user_rates = {},
                 .odd_names = {},
                 .leaving = {}};
}

}  // namespace

struct Engine::Impl {
    State state;
};

Engine::Engine(config::DomainOptions options, IdGenerator ids, Secrets secrets)
    : impl_(new Impl{make_state(std::move(options), std::move(ids), std::move(secrets))}) {
    impl_->state.dialogs.begin(impl_->state.ids, impl_->state.options.domain);
    configure(impl_->state);
    Actions none;
    contacts_configure(impl_->state, {}, none);
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

std::vector<Action> Engine::handle(Input input, TimePoint now) {
    auto& state = impl_->state;
    Actions out;
    std::visit(
        Overloaded{[&](const StreamUp&) {
                       stream_up(state, now, out);
                       contacts_stream_up(state, now, out);
                       watchers_stream_up(state, now);
                   },
                   [&](const StreamDown&) {
                       stream_down(state, now, out);
                       contacts_stream_down(state, now);
                       watchers_stream_down(state, now, out);
                   },
                   [&](const StanzaIn& in) {
                       state.set_utc(in.received, now);
                       on_stanza(state, in.stanza, in.received, now, out);
                   },
                   [&](const UnreadableStanzaIn& in) { on_unreadable(state, in, now, out); },
                   [&](const SipRequestIn& in) {
                       state.set_utc(in.received, now);
                       on_sip_request(state, in, now, out);
                   },
                   [&](const SipResponseIn& in) { on_sip_response(state, in, now, out); },
                   [&](const OwnAddresses& in) { state.dialogs.set_addresses(in.addresses); },
                   [&](const Located& in) {
                       if (state.dialogs.located(in, state.ways(now, out))) return;
                       state.hops.located(in, state.turn(now, out));
                       go_on(state, now, out);
                   },
                   [&](const Committed& in) { on_committed(state, in, now, out); },
                   [&](Restored& in) {
                       if (in.read != UtcTime{}) state.set_utc(in.read, now);
                       restore(state, std::move(in), now, out);
                   },
                   [&](OptionsChanged& in) {
                       const bool same = same_addresses(state.options, in.options);
                       if (!same) {
                           state.spellings.clear();
                           state.devices.clear();
                       }
                       state.options = std::move(in.options);
                       state.secrets = std::move(in.secrets);
                       configure(state);
                       publications_configure(state, same, now);
                       contacts_configure(state, now, out);
                       watchers_configure(state, now, out);
                       find_new_ways(state, now, out);
                       go_on(state, now, out);
                   },
                   [&](const Authorized& in) { authorized(state, in, now, out); },
                   [&](const Administered& in) { administered(state, in, now, out); },
                   [&](const Tick&) { on_tick(state, now, out); },
                   [&](const Shutdown& in) { begin_drain(state, in.why, now, out); }},
        input);
    tell_owners(state, now, out);
    // Whoever waits for the end does not wait for company.
    if (state.leaving) state.commits.hurry(state.turn(now, out));
    finish(state, now, out);
    return out;
}

void Engine::log_details(bool wanted) { impl_->state.details = wanted; }

std::optional<TimePoint> Engine::next_timeout() const {
    const auto& state = impl_->state;
    std::optional<TimePoint> next;
    const auto end = state.leaving && !state.leaving->over && !is_drained(state) ? std::optional(state.leaving->until) : std::nullopt;
    for (const auto& due :
         {state.barrier.deadline(), state.inbox.next_timeout(), state.commits.next_timeout(), state.hops.next_timeout(),
          state.outbound.next_timeout(), state.dialogs.next_timeout(), contacts_due(state), publications_due(state),
          state.watchers.first_due(), state.composing.next_timeout(), state.delivered.next_timeout(), state.desk.next_timeout(), end})
        if (due && (!next || *due < *next)) next = due;
    return next;
}

Engine::Pending Engine::pending() const {
    const auto& state = impl_->state;
    return {state.inbox.unanswered(), state.messages.queued(), state.messages.in_progress(),
            state.inbox.size(),       state.owed.size(),       state.commits.outstanding()};
}

void Engine::for_each_record(const std::function<void(Collection, const std::string&)>& visit) const {
    const auto& state = impl_->state;
    for (const auto& [number, entry] : state.inbox.entries())
        if (entry.stage != InboxEntry::Stage::committing) visit(Collection::inbox, entry.key);
    for (const auto* outgoing : state.messages.all())
        if (outgoing->stored) visit(Collection::outbox, outgoing->key);
    for (const auto& owed : state.owed.all()) visit(Collection::outbox, owed.key);
    state.contacts.for_each_row([&](const Contact& contact) { visit(Collection::contacts, row_key(contact.user, contact.contact)); });
    state.watchers.for_each_row([&](const Watcher& watcher) { visit(Collection::watchers, watcher.key); });
}

bool Engine::takes_stanzas() const { return impl_->state.messages.unstored() < MessageQueue::kUnstored; }

bool Engine::drained() const { return is_drained(impl_->state); }

std::vector<Engine::PeerState> Engine::peers() const {
    const auto& state = impl_->state;
    std::vector<PeerState> all;
    for (const auto& peer : state.options.peers)
        all.push_back({peer.name, state.hops.reach(peer.name),
                       state.outbound.in_progress(peer.name) + state.inbox.unanswered_from(peer.name),
                       state.hops.targets(peer.name)});
    return all;
}

AdminOutcome Engine::administer(const AdminOrder& order) { return engine::administer(impl_->state, order); }

const std::string& Engine::contact_token() const { return impl_->state.dialogs.token(); }

DomainRow Engine::domain_row() const { return engine::domain_row(impl_->state); }
std::vector<TrafficRow> Engine::traffic_rows() const { return engine::traffic_rows(impl_->state); }

}  // namespace stox::engine
