#include "tests/sim/world.h"

#include <array>

namespace stox::sim {

using namespace std::chrono_literals;
using engine::TimePoint;

namespace {

const Address kPhone = Address::v4({10, 0, 0, 1});
constexpr std::array<std::string_view, 3> kContacts{"juliet", "nurse", "tybalt"};
constexpr std::array<std::string_view, 3> kUsers{"romeo", "mercutio", "nobody"};
constexpr std::array<int, 9> kFinals{200, 200, 200, 202, 404, 486, 500, 503, 603};

config::NextHop hop(const std::string& host) {
    config::NextHop made;
    made.uri = "sip:" + host;
    made.host = host;
    if (const auto address = Address::parse(host)) made.address = address.value();
    return made;
}

/// One to three ways, of which one may have to be located.
std::vector<config::NextHop> hops(std::mt19937_64& random) {
    std::vector made{hop("10.0.0.1")};
    if (random() % 2) made.push_back(hop("10.0.0.2"));
    if (random() % 3 == 0) made.push_back(hop("proxy.test"));
    for (auto& one : made) one.priority = static_cast<unsigned>(random() % 2);
    return made;
}

config::DomainOptions first_options(std::mt19937_64& random) {
    config::DomainOptions options;
    options.domain = "capulet.test";
    options.xmpp_domains = {"montague.test"};
    config::Peer peer;
    peer.name = "phones";
    peer.kind = random() % 2 ? config::PeerKind::proxy : config::PeerKind::phone;
    peer.source = {{kPhone, 32}};
    peer.probe = random() % 2;
    peer.next_hops = hops(random);
    options.peers = {peer};
    return options;
}

IdGenerator seeded_ids(std::uint64_t seed) {
    return IdGenerator([random = std::mt19937_64(seed)](std::span<std::uint8_t> wanted) mutable {
        for (auto& octet : wanted) octet = static_cast<std::uint8_t>(random());
    });
}

std::string body(const xmpp::Message& message) { return message.bodies.empty() ? std::string() : message.bodies.front().text; }

/// The stanza's id stands in the text, so that a request of ours can be told whose it is.
std::string id_in(const std::string& text) { return text.substr(0, text.find(' ')); }

}  // namespace

World::World(std::uint64_t seed)
    : seed_(seed), random_(seed), options_(first_options(random_)), engine_(options_, seeded_ids(seed ^ 0x9e3779b97f4a7c15ULL)) {}

void World::note(std::string text) {
    const auto passed = std::chrono::duration_cast<Milliseconds>(now_.time_since_epoch()).count();
    trace_.push_back(std::to_string(passed) + " ms  " + std::move(text));
}

void World::run() {
    schedule_story();
    while (!events_.empty()) {
        auto next = events_.extract(events_.begin());
        now_ = next.key();
        next.mapped()();
        check_bounds();
    }
    ledger_.close(engine_.pending());
}

void World::schedule_story() {
    after(delay(50), [this] { stream_up(); });
    const auto span = 1 + static_cast<unsigned>(pick(5'000));
    const auto writers = static_cast<unsigned>(pick(chance(10) ? 120 : 12));
    for (unsigned number = 0; number < writers; ++number) {
        after(delay(span), [this, number] { sip_user_writes(number); });
        after(delay(span), [this, number] { xmpp_user_writes(number); });
    }
    for (auto drops = pick(4); drops > 0; --drops) after(delay(span), [this] { stream_down(); });
    for (auto changes = pick(3); changes > 0; --changes) after(delay(span), [this] { change_options(); });
    after(Milliseconds(2 * span) + 60s, [this] { end_probing(); });
    if (chance(30))
        after(delay(2 * span), [this] {
            note("shutdown");
            feed(engine::Shutdown{});
            stopped_ = true;
        });
}

// The engine

void World::feed(engine::Input input) {
    if (stopped_) return;
    for (const auto& action : engine_.handle(std::move(input), now_))
        std::visit([this](const auto& one) { perform(one); }, action);
    arm();
}

void World::arm() {
    const auto due = engine_.next_timeout();
    const auto number = ++tick_;
    if (!due) return;
    at(std::max(*due, now_), [this, number] {
        if (number == tick_) feed(engine::Tick{});
    });
}

void World::perform(const engine::SendStanza& action) {
    if (const auto* message = std::get_if<xmpp::Message>(&action.stanza); message && message->type == xmpp::MessageType::error) {
        note("author told " + message->id);
        ledger_.author_told(message->id);
    }
    to_server(action.stanza);
}

void World::perform(const engine::RespondSip& action) {
    const auto transaction = static_cast<std::uint64_t>(action.transaction);
    note("answer " + std::to_string(transaction) + ' ' + std::to_string(action.response.status));
    ledger_.sip_answered(transaction, action.response.status);
}

void World::perform(const engine::SendSip& action) {
    if (action.request.method == "OPTIONS") return answer_probe(action);
    const auto id = id_in(action.request.body);
    note("send " + id + " to " + action.request.uri.to_string());
    ledger_.request_sent(action.transaction, id, action.request.uri.to_string());
    ++in_progress_;
    if (chance(20))
        after(delay(300), [this, transaction = action.transaction] {
            sip::Response provisional;
            provisional.status = 100;
            feed(engine::SipResponseIn{transaction, provisional, engine::LocalFailure::none});
        });
    engine::SipResponseIn outcome{action.transaction, {}, engine::LocalFailure::none};
    outcome.response.status = kFinals[pick(kFinals.size())];
    auto when = 300ms + delay(1'700);
    if (chance(12)) {
        using engine::LocalFailure;
        constexpr std::array kFailures{LocalFailure::timeout, LocalFailure::unsent, LocalFailure::transport};
        outcome.local = kFailures[pick(kFailures.size())];
        outcome.response.status = outcome.local == LocalFailure::timeout ? 408 : 503;
        when = outcome.local == LocalFailure::timeout ? Milliseconds(32s) : delay(1'000);
    }
    // Of a datagram that came back within 500 ms there is no second copy.
    const bool untaken = outcome.local == engine::LocalFailure::unsent ||
                         (outcome.local == engine::LocalFailure::none && outcome.response.status == 503) ||
                         (outcome.local == engine::LocalFailure::transport && when < 500ms);
    after(when, [this, outcome, untaken] {
        note("final " + std::to_string(static_cast<std::uint64_t>(outcome.transaction)) + ' ' +
             std::to_string(outcome.response.status));
        --in_progress_;
        // After the end nobody hears it; the author was told that it may have been delivered.
        ledger_.request_ended(outcome.transaction, stopped_ ? 0 : outcome.response.status, untaken);
        feed(outcome);
    });
}

void World::answer_probe(const engine::SendSip& action) {
    if (chance(10) && !dead_.erase(action.target)) dead_.insert(action.target);
    engine::SipResponseIn outcome{action.transaction, {}, engine::LocalFailure::none};
    outcome.response.status = chance(80) ? 200 : chance(50) ? 404 : 503;
    auto when = delay(chance(90) ? 200 : 8'000);
    if (dead_.contains(action.target)) {
        outcome.local = chance(50) ? engine::LocalFailure::timeout : engine::LocalFailure::unsent;
        outcome.response.status = outcome.local == engine::LocalFailure::timeout ? 408 : 503;
        if (outcome.local == engine::LocalFailure::timeout) when = Milliseconds(32s);
    }
    after(when, [this, outcome] { feed(outcome); });
}

void World::perform(const engine::Locate& action) {
    note("locate " + action.hop.host);
    ++locating_;
    engine::Located answer{action.location, {}, {}};
    if (chance(80))
        for (auto targets = 1 + pick(3); targets > 0; --targets)
            answer.targets.push_back({Transport::udp, {Address::v4({10, 0, 1, static_cast<std::uint8_t>(targets)}), 5060}});
    else
        answer.error = "nowhere";
    if (chance(2)) return;  // nobody ever answers
    after(delay(2'000), [this, answer] {
        --locating_;
        feed(answer);
    });
}

void World::perform(const engine::Refused&) { throw Broken("a peer counted as a stranger"); }

void World::check_bounds() const {
    const auto pending = engine_.pending();
    if (pending.held_messages > 1'024) throw Broken("more than 1,024 held");
    if (pending.queued_messages > kContacts.size() * 50) throw Broken("more than 50 queued for a target");
    if (stopped_) return;
    // What waits for a location is in progress as well.
    if (pending.transactions < in_progress_ || (locating_ == 0 && pending.transactions != in_progress_))
        throw Broken("the engine miscounts its transactions");
}

// People and networks

void World::sip_user_writes(unsigned number) {
    if (stopped_) return;
    sip::Request request;
    request.method = "MESSAGE";
    request.uri = sip::Uri::parse("sip:" + std::string(kUsers[pick(kUsers.size())]) + "@montague.test").value();
    request.from = {"", sip::Uri::parse("sip:juliet@capulet.test").value(), "tag" + std::to_string(number)};
    request.to = {"", request.uri, ""};
    request.call_id = "call" + std::to_string(number);
    request.cseq = 1;
    request.content_type = "text/plain";
    request.body = "s2x-" + std::to_string(number);
    const auto arrive = [this, request] {
        if (stopped_) return;
        const auto transaction = ++last_transaction_;
        note("request " + std::to_string(transaction) + ' ' + request.body);
        ledger_.sip_request(transaction, request.body);
        feed(engine::SipRequestIn{engine::ServerTransaction{transaction}, request, {kPhone, 5060}, Transport::udp});
    };
    arrive();
    if (chance(15)) after(delay(500), arrive);     // the same request by another way (RFC 3261 §8.2.2.2)
    if (chance(30)) after(delay(15'000), arrive);  // or tried again, if it was refused
}

void World::xmpp_user_writes(unsigned number) {
    if (!up_) return;  // the server answers for a missing gateway
    xmpp::Message message;
    message.from = {"romeo", "montague.test", "garden"};
    message.to = {std::string(kContacts[pick(kContacts.size())]), "capulet.test", {}};
    message.id = "x2s-" + std::to_string(number);
    message.type = xmpp::MessageType::chat;
    message.bodies = {{message.id + " hello", {}}};
    to_engine(message);
}

void World::stream_up() {
    if (up_ || stopped_) return;
    note("stream up");
    up_ = true;
    ++stream_;
    written_until_ = read_until_ = now_;
    feed(engine::StreamUp{});
}

void World::stream_down() {
    if (!up_) return;
    note("stream down");
    up_ = false;
    ++stream_;
    feed(engine::StreamDown{});
    after(100ms + delay(2'000), [this] { stream_up(); });
}

void World::change_options() {
    note("options");
    options_.message_accept_code = chance(50) ? 200 : 202;
    options_.pager_as_chat = chance(50);
    options_.peers.front().next_hops = chance(30) ? std::vector<config::NextHop>() : hops(random_);
    options_.peers.front().probe = !probing_over_ && chance(50);
    feed(engine::OptionsChanged{options_});
}

/// Else the story would have no end.
void World::end_probing() {
    probing_over_ = true;
    options_.peers.front().probe = false;
    feed(engine::OptionsChanged{options_});
}

// The server, at the other end of the stream

void World::to_server(xmpp::Stanza stanza) {
    if (!up_) return;
    written_until_ = std::max(written_until_, now_) + delay(chance(2) ? 12'000 : 40);
    at(written_until_, [this, stanza = std::move(stanza), on = stream_] {
        if (on == stream_) server_reads(stanza);
    });
}

void World::server_reads(const xmpp::Stanza& stanza) {
    if (const auto* iq = std::get_if<xmpp::Iq>(&stanza); iq && iq->type == xmpp::IqType::get) {
        xmpp::Iq result;
        result.from = iq->to;
        result.to = iq->from;
        result.id = iq->id;
        result.type = chance(30) ? xmpp::IqType::error : xmpp::IqType::result;  // a server without XEP-0199 answers too
        if (result.type == xmpp::IqType::error) result.error = xmpp::StanzaError{};
        return to_engine(result);
    }
    const auto* message = std::get_if<xmpp::Message>(&stanza);
    if (!message || message->type == xmpp::MessageType::error) return;
    const auto text = body(*message);
    ledger_.server_read(text, message->id);
    note("server has " + text);
    if (message->to.local != "nobody") return;
    ledger_.server_refused(text);
    xmpp::StanzaError error;
    error.condition = xmpp::Condition::service_unavailable;
    if (auto reply = xmpp::make_error(stanza, error)) to_engine(std::move(*reply));
}

void World::to_engine(xmpp::Stanza stanza) {
    read_until_ = std::max(read_until_, now_) + delay(40);
    at(read_until_, [this, stanza = std::move(stanza), on = stream_] {
        if (on != stream_ || stopped_) return;
        const auto* message = std::get_if<xmpp::Message>(&stanza);
        if (message && message->type != xmpp::MessageType::error) {
            note("stanza " + message->id);
            ledger_.stanza_given(message->id);
        }
        feed(engine::StanzaIn{stanza});
    });
}

}  // namespace stox::sim
