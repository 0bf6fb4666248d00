// SIP peers: what they send, and how they answer.

#include "tests/sim/world.h"

#include <array>

namespace stox::sim {

using namespace std::chrono_literals;

namespace {

const Address kPhone = Address::v4({10, 0, 0, 1});
constexpr std::array<std::string_view, 3> kUsers{"romeo", "mercutio", "nobody"};

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
    options.message_hold_ms = random() % 3 ? 300 : 0;
    config::Peer peer;
    peer.name = "phones";
    peer.kind = random() % 2 ? config::PeerKind::proxy : config::PeerKind::phone;
    peer.source = {{kPhone, 32}};
    peer.probe = random() % 2;
    peer.next_hops = hops(random);
    options.peers = {peer};
    return options;
}

sip::Request message(const std::string& user, const std::string& from, const std::string& call_id) {
    sip::Request request;
    request.method = "MESSAGE";
    request.uri = sip::Uri::parse("sip:" + user + "@montague.test").value();
    request.from = {"", sip::Uri::parse("sip:" + from + "@capulet.test").value(), "tag" + call_id};
    request.to = {"", request.uri, ""};
    request.call_id = call_id;
    request.cseq = 1;
    request.content_type = "text/plain";
    return request;
}

}  // namespace

World::World(std::uint64_t seed)
    : seed_(seed), random_(seed), options_(first_options(random_)), presence_(seed % 3 == 0), presence_random_(~seed) {}

void World::schedule_story() {
    after(Milliseconds(0), [this] { start(); });
    const auto span = 1 + static_cast<unsigned>(pick(5'000));
    const auto writers = static_cast<unsigned>(pick(chance(10) ? 120 : 12));
    if (chance(50)) after(delay(span), [this] { imdn_contact_shows_itself(); });
    for (unsigned number = 0; number < writers; ++number) {
        after(delay(span), [this, number] { sip_user_writes(number); });
        after(delay(span), [this, number] { xmpp_user_writes(number); });
    }
    for (auto drops = pick(4); drops > 0; --drops) after(delay(span), [this] { stream_down(false); });
    for (auto changes = pick(3); changes > 0; --changes) after(delay(span), [this] { change_options(); });
    if (chance(30)) after(delay(span), [this] { stream_down(true); });
    if (chance(40))
        for (auto crashes = 1 + pick(3); crashes > 0; --crashes) after(delay(span + 1'000), [this] { crash(); });
    if (chance(20)) after(delay(span + 500), [this] { stop(); });
    if (chance(20)) after(delay(span), [this] { disk_fills(); });
    if (presence_) schedule_presence(span);
    after(Milliseconds(2 * span) + 60s, [this] { end_probing(); });
}

void World::sip_user_writes(unsigned number) {
    const std::string user(kUsers[pick(kUsers.size())]), from = chance(50) ? "juliet" : "nurse";
    auto request = message(user, from, "call" + std::to_string(number));
    request.body = "s2x-" + std::to_string(number);
    const auto arrive = [this, request] {
        if (!engine_) return;
        const auto transaction = ++last_transaction_;
        note("request " + std::to_string(transaction) + ' ' + request.body);
        to_xmpp_.request(transaction, request.body, request.from.uri.user + '>' + request.uri.user, to_xmpp_disk());
        engine::SipRequestIn in{engine::ServerTransaction{transaction}, request, {kPhone, 5060}, Transport::udp};
        in.received = wall_clock();
        feed(in);
    };
    arrive();
    // The same request by another way (RFC 3261 §8.2.2.2), or tried again because it was refused or not answered.
    const auto by_another_way = [this, arrive, life = life_] {
        if (life == life_) arrive();
    };
    if (chance(15)) after(delay(500), by_another_way);
    if (chance(30))
        after(delay(15'000), [this, arrive, text = request.body] {
            if (!to_xmpp_.is_accepted(text)) arrive();
        });
}

/// By a message that is refused today, and says all the same that its sender knows IMDN.
void World::imdn_contact_shows_itself() {
    if (!engine_) return;
    auto request = message("romeo", "tybalt", "cpim");
    request.content_type = "message/cpim";
    request.body = "From: <im:tybalt@capulet.test>\r\n\r\n";
    const auto transaction = ++last_transaction_;
    to_xmpp_.request(transaction, request.body, "tybalt>romeo", to_xmpp_disk());
    feed(engine::SipRequestIn{engine::ServerTransaction{transaction}, request, {kPhone, 5060}, Transport::udp});
    imdn_contacts_.insert("tybalt");
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
    in_this_life(now_ + when, [this, outcome] { feed(outcome); });
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
    in_this_life(now_ + delay(2'000), [this, answer] {
        --locating_;
        feed(answer);
    });
}

void World::change_options() {
    note("options");
    options_.message_accept_code = chance(50) ? 200 : 202;
    options_.message_hold_ms = chance(50) ? 300 : static_cast<unsigned>(pick(2'000));
    options_.pager_as_chat = chance(50);
    options_.peers.front().next_hops = chance(30) ? std::vector<config::NextHop>() : hops(random_);
    options_.peers.front().probe = !probing_over_ && chance(50);
    if (!stopping_since_) feed(engine::OptionsChanged{options_});
}

/// Else the story would have no end.
void World::end_probing() {
    probing_over_ = true;
    options_.peers.front().probe = false;
    if (!stopping_since_) feed(engine::OptionsChanged{options_});
}

}  // namespace stox::sim
