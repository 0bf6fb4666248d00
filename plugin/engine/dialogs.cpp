#include "plugin/engine/dialogs.h"

#include "mapping/core/assert.h"
#include "mapping/sip/header_values.h"
#include "plugin/engine/peers.h"

#include <algorithm>
#include <iterator>

namespace stox::engine {

namespace {

template <class One, class... Types>
constexpr bool is_one_of = (std::is_same_v<One, Types> || ...);

constexpr const char* kNotItself =
    "asked from where this peer's auth may not go: no next_hop of it, nor a connection of the peer itself, known by its "
    "match.tls_name (by nothing else where each next_hop is TLS) or by an address that is a next_hop or, without match.user, "
    "stands alone in match.source";

constexpr const char* kUnbound =
    "asked over a connection of the peer itself, which may speak for others: name the realm in auth.realms, or set auth.ha1_file";

std::string key_of(const std::string& call_id, const std::string& own_tag) { return call_id + '\n' + own_tag; }

void strip_credentials(sip::Request& request) {
    std::erase_if(request.headers, [](const sip::Header& header) {
        return sip::same_token(header.name, "Authorization") || sip::same_token(header.name, "Proxy-Authorization");
    });
}

/// What a request of ours came to, as the dialog layer is told it: silence is 408, a way that fails 503.   (RFC 3261 §8.1.3.1)
sip::Response response_of(const Outcome& outcome) {
    if (outcome.kind == Outcome::Kind::answered) return outcome.response;
    sip::Response made;
    made.status = outcome.kind == Outcome::Kind::timeout ? 408 : outcome.kind == Outcome::Kind::too_large ? 513 : 503;
    return made;
}

/// A URI as something that can be located.   (RFC 3263 §4)
config::NextHop hop_of(const sip::Uri& uri) {
    config::NextHop hop;
    hop.uri = uri.to_string();
    hop.sips = uri.scheme == sip::Scheme::sips;
    hop.host = uri.host;
    if (auto address = Address::parse(uri.host)) {
        hop.address = address.value();
        hop.host = address.value().to_string();
    }
    hop.port = uri.port;
    if (const auto* parameter = uri.parameter("transport"); parameter && parameter->value)
        if (const auto transport = parse_transport(*parameter->value)) hop.transport = transport.value();
    // With sips the transport says what TLS runs over.   (RFC 3261 §26.2.2)
    if (hop.sips) hop.transport = Transport::tls;
    return hop;
}

}  // namespace

void Dialogs::begin(IdGenerator& ids, std::string domain) {
    token_ = ids.wire_id();
    domain_ = std::move(domain);
    sip::UserAgent::Settings settings;
    settings.limits = {kPerPeer, kInAll};
    settings.on_dialog_over = [this](const sip::DialogId& id) { gone_.push_back(key_of(id.call_id, id.local_tag)); };
    agent_ = std::make_unique<sip::UserAgent>(
        std::move(settings),
        [&ids](std::uint32_t bound) { return static_cast<std::uint32_t>(ids.trace().bits % std::max(bound, 1u)); },
        [&ids] { return ids.wire_id(); });
    use({});
}

void Dialogs::use(sip::CallSettings calls) {
    calls.repeat_responses = false;  // sip/endpoint does it
    calls.allow = "MESSAGE, OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH";
    calls.allow_events = "presence";
    agent_->use(std::move(calls));
}

// Who asks for what

template <class Work>
void Dialogs::drive(const Ways& ways, Work work) {
    std::vector<sip::Action> actions;
    work(actions);
    perform(std::move(actions), ways);
    while (!outcomes_.empty()) {
        const auto outcome = std::move(outcomes_.front());
        outcomes_.pop_front();
        respond(outcome, ways);
    }
    forget_gone(ways.turn.out);
}

sip::UsageKey Dialogs::subscribe(sip::Request request, const std::string& peer, const Ways& ways) {
    auto& ids = ways.turn.ids;
    const auto towards = ways.hops.likely(peer);
    request.from.tag = ids.wire_id();
    request.call_id = ids.wire_id();
    request.cseq = 1;
    request.contacts = {
        contact(towards ? towards->transport : Transport::udp, towards ? towards->endpoint.address : Address(), false)};
    auto key = sip::UsageKey::none;
    drive(ways, [&](auto& out) { key = agent_->subscribe(std::move(request), peer, false, ways.turn.now, out); });
    return key;
}

void Dialogs::unsubscribe(sip::UsageKey subscription, const Ways& ways) {
    drive(ways, [&](auto& out) { agent_->unsubscribe(subscription, ways.turn.now, out); });
}

void Dialogs::grant(sip::UsageKey subscription, sip::Notification first, const Ways& ways) {
    drive(ways, [&](auto& out) { agent_->grant(subscription, std::move(first), ways.turn.now, out); });
}

void Dialogs::deny(sip::UsageKey subscription, const sip::Reply& reply, const Ways& ways) {
    drive(ways, [&](auto& out) { agent_->deny(subscription, reply, ways.turn.now, out); });
}

void Dialogs::accept(sip::UsageKey poll, const Ways& ways) {
    drive(ways, [&](auto& out) { agent_->accept(poll, ways.turn.now, out); });
}

void Dialogs::publish(sip::UsageKey subscription, sip::Notification notification, const Ways& ways) {
    drive(ways, [&](auto& out) { agent_->publish(subscription, std::move(notification), ways.turn.now, out); });
}

// What comes

void Dialogs::receive(const SipRequestIn& in, const std::string& peer, const Ways& ways) {
    const auto& request = in.request;
    drive(ways, [&](auto& out) {
        agent_->receive({static_cast<sip::TransactionId>(in.transaction), request, peer,
                         contact(in.transport, in.source.address, true), in.transport == Transport::tls},
                        ways.turn.now, out);
        // Before anything is asked for that it brings about: that goes by the same way. Not from a second notifier, who has none.
        if (!request.to.tag.empty()) {
            const bool known = agent_->dialog(sip::DialogId{request.call_id, request.to.tag, request.from.tag}) != nullptr;
            if (known) hear(in, request.to.tag, ways.turn.out);
            return;
        }
        // The tag of a dialog that this request made.
        for (const auto& action : out)
            if (const auto* wanted = std::get_if<sip::SubscriptionWanted>(&action))
                if (const auto dialog = agent_->dialog(wanted->subscription)) hear(in, dialog->id.local_tag, ways.turn.out);
    });
}

// Connections that dialogs are reached by

void Dialogs::hear(const SipRequestIn& in, const std::string& own_tag, Actions& out) {
    auto& heard = heard_[key_of(in.request.call_id, own_tag)];
    const auto before = heard;
    heard = {in.source, in.transport, in.flow, before.held, in.tls};
    if (before.held == in.flow) return;
    release(heard, out);
    hold(heard, out);
}

/// Who is behind an address translator is reached by that connection alone, and subscriptions are silent for an hour.
/// (RFC 5626 §5.3, RFC 5923)
void Dialogs::hold(Heard& heard, Actions& out) {
    if (heard.flow == Flow::none || (held_.size() >= kHeld && !held_.contains(heard.flow))) return;
    heard.held = heard.flow;
    if (++held_[heard.flow] == 1) out.push_back(HoldFlow{heard.flow});
}

void Dialogs::release(Heard& heard, Actions& out) {
    const auto held = held_.find(std::exchange(heard.held, Flow::none));
    if (held == held_.end() || --held->second > 0) return;
    out.push_back(ReleaseFlow{held->first});
    held_.erase(held);
}

const Dialogs::Heard* Dialogs::heard_of(const sip::Request& ours) const {
    const auto found = heard_.find(key_of(ours.call_id, ours.from.tag));
    return found == heard_.end() ? nullptr : &found->second;
}

void Dialogs::forget_gone(Actions& out) {
    for (const auto& key : std::exchange(gone_, {})) {
        const auto heard = heard_.find(key);
        if (heard == heard_.end()) continue;
        release(heard->second, out);
        heard_.erase(heard);
    }
}

bool Dialogs::located(const Located& in, const Ways& ways) {
    const auto found = locating_.find(in.location);
    if (found == locating_.end()) return false;
    const auto locating = found->second;
    give_up_.erase({locating.until, in.location});
    locating_.erase(found);
    sent_.at(locating.request).locating.reset();
    drive(ways, [&](auto&) { dispatch(locating.request, in.targets, ways); });
    return true;
}

void Dialogs::tick(const Ways& ways) {
    while (!give_up_.empty() && give_up_.begin()->first <= ways.turn.now) {
        const Located none{give_up_.begin()->second, {}, "no answer in time"};
        located(none, ways);
    }
    drive(ways, [&](auto& out) { agent_->tick(ways.turn.now, out); });
}

std::optional<TimePoint> Dialogs::next_timeout() const {
    auto next = agent_->next_timeout();
    if (!give_up_.empty() && (!next || give_up_.begin()->first < *next)) next = give_up_.begin()->first;
    return next;
}

// What is to be done

void Dialogs::perform(std::vector<sip::Action> actions, const Ways& ways) {
    for (auto& action : actions)
        std::visit(
            [&](auto& one) {
                using One = std::decay_t<decltype(one)>;
                if constexpr (is_one_of<One, sip::SendRequest>)
                    send(std::move(one), ways);
                else if constexpr (is_one_of<One, sip::Respond>)
                    ways.turn.out.push_back(RespondSip{ServerTransaction{one.transaction}, std::move(one.response)});
                else if constexpr (is_one_of<One, sip::SendAck, sip::SendCancel>)
                    STOX_ASSERT(false);  // nobody calls
                else
                    news_.push_back(std::move(one));
            },
            action);
}

void Dialogs::send(sip::SendRequest action, const Ways& ways) {
    const auto* peer = agent_->peer_of(action.key);
    if (!peer) return;
    auto& request = action.request;
    strip_credentials(request);
    const RequestId id{++ways.turn.last_number};
    auto& sent = sent_.emplace(id, Sent{action.key, *peer, request, {}}).first->second;
    if (is_challenged(request)) sent.answering = std::exchange(challenged_, std::nullopt);
    if (!request.to.tag.empty()) return send_inside(id, std::move(request), ways);
    for (auto& header : credentials_for(sent, sent.request, ways))
        request.headers.push_back(std::move(header));
    if (auto outcome = ways.outbound.start_dialog(id, std::move(request), sent.peer, {}, ways.hops, ways.turn))
        outcomes_.push_back(std::move(*outcome));
}

/// Those that its challenge was answered with, else those that this peer asked for before.
std::vector<sip::Header> Dialogs::credentials_for(Sent& sent, const sip::Request& request, const Ways& ways) {
    if (const auto& challenged = sent.answering) {
        sent.attempt = challenged->attempt;
        const bool same = challenged->request.uri == request.uri && challenged->request.body == request.body;
        if (same) return challenged->credentials;
    }
    return ways.outbound.accounts().authorize(sent.peer, request, sent.attempt, ways.turn);
}

/// It is the one that was challenged and goes again.
bool Dialogs::is_challenged(const sip::Request& request) const {
    return challenged_ && challenged_->request.call_id == request.call_id && challenged_->request.method == request.method;
}

/// The first route, or the remote target. A strict router stands in the Request-URI and the target is the last route.
/// (RFC 3261 §8.1.2, §12.2.1.1)
sip::Uri Dialogs::next_hop_of(const sip::Request& request) const {
    if (request.routes.empty()) return request.uri;
    const auto dialog = agent_->dialog(sip::DialogId{request.call_id, request.from.tag, request.to.tag});
    const auto& first = dialog && !dialog->route_set.empty() ? dialog->route_set.front().uri : request.routes.front().uri;
    return first.parameter("lr") ? request.routes.front().uri : request.uri;
}

void Dialogs::send_inside(RequestId id, sip::Request request, const Ways& ways) {
    const auto hop = hop_of(next_hop_of(request));
    const auto* heard = heard_of(request);
    // Who is behind an address translator is reached by the connection that they opened, and by nothing else.   (RFC 5626 §5.3)
    const bool by_flow = heard && heard->flow != Flow::none && (!hop.transport || *hop.transport == heard->transport);
    if (by_flow && !hop.address) return dispatch(id, {{heard->transport, heard->source, hop.host, heard->flow, true}}, ways);
    if (hop.address) {
        const auto transport = by_flow ? heard->transport : hop.transport.value_or(Transport::udp);
        const std::uint16_t port = hop.port.value_or(transport == Transport::tls ? 5061 : 5060);
        Target target{transport, {*hop.address, port}, transport == Transport::tls ? hop.host : std::string()};
        if (by_flow) target.flow = heard->flow;
        std::vector<Target> targets{target};
        // Too long for a datagram: over a connection first, where the peer has not said by which way it is reached.   (RFC 3261
        // §18.1.1)
        if (!by_flow && !hop.transport && wire_size(request) > Outbound::kMaxUdpRequest) {
            targets.insert(targets.begin(), target);
            targets.front().transport = Transport::tcp;
        }
        return dispatch(id, std::move(targets), ways);
    }
    const auto location = ways.turn.next_location();
    const auto until = ways.turn.now + NextHops::kLocateIn;
    sent_.at(id).locating = location;
    locating_.emplace(location, Locating{id, until});
    give_up_.insert({until, location});
    ways.turn.out.push_back(Locate{location, hop});
}

/// Whether the other end of its connection is that peer, and nobody for whom it speaks. A datagram has any source that somebody
/// has written into it.
bool Dialogs::is_peer_itself(const std::string& name, const Heard* heard, const Ways& ways) {
    const auto* peer = heard && heard->flow != Flow::none ? ways.options.find_peer(name) : nullptr;
    return peer && engine::is_peer_itself(ways.options, *peer, {heard->source.address, heard->tls, {}},
                                          ways.hops.is_at_in_clear(name, heard->source.address));
}

/// What the operator named is told apart from what a message made up, and where the peer was heard from is said: the dial policy
/// of sip/ decides. The credentials of a peer are for its next hops: a Contact is anywhere, with whoever listens there.
void Dialogs::dispatch(RequestId id, std::vector<Target> targets, const Ways& ways) {
    auto& sent = sent_.at(id);
    if (targets.empty()) {
        Outcome nowhere{id, Outcome::Kind::nowhere};
        return outcomes_.push_back(std::move(nowhere));
    }
    const auto* heard = heard_of(sent.request);
    sent.by_its_flow = is_peer_itself(sent.peer, heard, ways) &&
                       std::ranges::all_of(targets, [&](const Target& target) { return target.flow == heard->flow; });
    // What the peer asked for over its own connection goes over that, and nowhere else should it be gone.
    if (sent.by_its_flow && sent.answering)
        for (auto& target : targets) target.endpoint = heard->source;
    for (auto& target : targets) {
        target.configured = ways.hops.leads_to(sent.peer, target.transport, target.endpoint);
        if (heard && !target.configured) target.heard = HeardFrom{heard->transport, heard->source};
    }
    // Over a connection it goes to whoever opened that, whatever a Contact says, and to the endpoint should that be gone.
    sent.to_next_hop = std::ranges::all_of(targets, [&](const Target& target) {
        if (target.flow == Flow::none) return target.configured;
        return sent.by_its_flow && (target.configured || target.endpoint == heard->source);
    });
    auto request = sent.request;
    if (sent.to_next_hop)
        for (auto& header : credentials_for(sent, request, ways)) request.headers.push_back(std::move(header));
    if (auto outcome = ways.outbound.start_dialog(id, std::move(request), sent.peer, std::move(targets), ways.hops, ways.turn))
        outcomes_.push_back(std::move(*outcome));
}

// What became of it

bool Dialogs::over(const Outcome& outcome, const Ways& ways) {
    if (!sent_.contains(outcome.request)) return false;
    outcomes_.push_back(outcome);
    drive(ways, [](auto&) {});
    return true;
}

void Dialogs::respond(const Outcome& outcome, const Ways& ways) {
    auto node = sent_.extract(outcome.request);
    if (!node) return;
    auto& sent = node.mapped();
    sip::IncomingResponse in{sent.key, response_of(outcome)};
    const int status = outcome.kind == Outcome::Kind::answered ? in.response.status : 0;
    if (status == 401 || status == 407) in.credentials = answer_challenge(sent, in.response, ways);
    if (status >= 200 && status < 300 && sent.to_next_hop) ways.outbound.accounts().accepted(sent.peer);
    std::vector<sip::Action> actions;
    agent_->receive(in, ways.turn.now, actions);
    perform(std::move(actions), ways);
    challenged_.reset();
}

/// Nothing: the challenge is the outcome.
std::vector<sip::Header> Dialogs::answer_challenge(Sent& sent, const sip::Response& response, const Ways& ways) {
    auto& accounts = ways.outbound.accounts();
    if (!accounts.has(sent.peer)) {
        accounts.not_answered(sent.peer, "no auth is set for this peer", ways.turn);
        return {};
    }
    if (!sent.to_next_hop && !sent.by_its_flow) {
        accounts.not_answered(sent.peer, kNotItself, ways.turn);
        return {};
    }
    if (sent.by_its_flow && !accounts.is_bound(sent.peer)) {
        accounts.not_answered(sent.peer, kUnbound, ways.turn);
        return {};
    }
    auto credentials = sent.request.to.tag.empty()
                           ? accounts.answer(sent.peer, sent.request, response, sent.attempt, ways.turn)
                           : accounts.answer_once(sent.peer, sent.request, response, sent.attempt, ways.turn);
    if (!credentials) return {};
    challenged_ = Challenged{sent.request, *credentials, sent.attempt};
    return std::move(*credentials);
}

/// By transport and family of where it leads, else by the family, else any.
sip::NameAddr Dialogs::contact(Transport transport, const Address& towards, bool gruu) const {
    const auto rank = [&](const sip::OwnAddress& us) {
        const auto address = Address::parse(us.host);
        const bool family = address && address.value().is_v4() == towards.is_v4();
        return (family ? 2 : 0) + (us.transport == transport ? 1 : 0);
    };
    const auto best = std::ranges::max_element(addresses_, {}, rank);
    auto made = sip::own_contact(best == addresses_.end() ? sip::OwnAddress{domain_, {}, transport} : *best, token_, gruu);
    return made ? std::move(made).value() : sip::NameAddr{};
}

}  // namespace stox::engine
