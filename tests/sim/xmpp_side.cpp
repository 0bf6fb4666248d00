// The server at the other end of the stream.

#include "tests/sim/world.h"

#include <array>

namespace stox::sim {

using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 3> kContacts{"juliet", "nurse", "tybalt"};

std::string body(const xmpp::Message& message) { return message.bodies.empty() ? std::string() : message.bodies.front().text; }

}  // namespace

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
    if (up_ || !engine_ || stopping_since_) return;
    note("stream up");
    up_ = true;
    ++stream_;
    written_until_ = read_until_ = now_;
    handled_.clear();
    covered_ = 0;
    pings_.clear();
    feed(engine::StreamUp{});
}

void World::stream_down(bool killed) {
    if (!up_) return;
    note(killed ? "server killed" : "stream down");
    ++(killed ? counts_.kills : counts_.drops);
    if (killed) lose_what_was_handled();
    up_ = false;
    ++stream_;
    feed(engine::StreamDown{});
    after(100ms + delay(2'000), [this] { stream_up(); });
}

/// Of what it had dealt with shortly before, something had not been kept anywhere.
void World::lose_what_was_handled() {
    const bool loses = chance(50);
    for (const auto& [at, is_error, name, copy] : handled_)
        if (loses && !is_error && at + 500ms > now_ && chance(50)) to_xmpp_.lost_by_server(name);
}

void World::to_server(xmpp::Stanza stanza) {
    if (!up_) return;
    written_until_ = std::max(written_until_, now_) + delay(chance(2) ? 12'000 : 40);
    at(written_until_, [this, stanza = std::move(stanza), on = stream_] {
        if (on == stream_) server_reads(stanza);
    });
}

void World::server_reads(const xmpp::Stanza& stanza) {
    if (const auto* iq = std::get_if<xmpp::Iq>(&stanza)) {
        if (iq->type == xmpp::IqType::get) pinged(*iq);
        return;
    }
    if (const auto* presence = std::get_if<xmpp::Presence>(&stanza)) return server_reads(*presence);
    const auto* message = std::get_if<xmpp::Message>(&stanza);
    if (!message) return;
    if (message->type == xmpp::MessageType::error) {
        note("author told " + message->id);
        to_sip_.error_arrived(message->id);
        handled_.push_back({now_, true, message->id, 0});
        return;
    }
    const auto text = body(*message);
    const bool refused = message->to.local == "nobody";
    note("server has " + text);
    const auto copy = to_xmpp_.handled(text, refused);
    handled_.push_back({now_, false, text, copy});
    if (!refused) return;
    xmpp::StanzaError error;
    error.condition = xmpp::Condition::service_unavailable;
    auto reply = xmpp::make_error(stanza, error);
    std::get<xmpp::Message>(*reply).bodies = message->bodies;  // for the world alone
    to_engine(std::move(*reply));
}

void World::pinged(const xmpp::Iq& ping) {
    pings_[ping.id] = handled_.size();
    xmpp::Iq result;
    result.from = ping.to;
    result.to = ping.from;
    result.id = ping.id;
    result.type = chance(30) ? xmpp::IqType::error : xmpp::IqType::result;  // a server without XEP-0199 answers too
    if (result.type == xmpp::IqType::error) result.error = xmpp::StanzaError{};
    to_engine(result);
}

void World::covered(std::size_t count) {
    for (; covered_ < count; ++covered_) {
        const auto& [at, is_error, name, copy] = handled_[covered_];
        is_error ? to_sip_.error_covered(name) : to_xmpp_.covered(name, copy);
    }
}

void World::to_engine(xmpp::Stanza stanza) {
    read_until_ = std::max(read_until_, now_) + delay(40);
    at(read_until_, [this, stanza = std::move(stanza), on = stream_] {
        if (on != stream_ || !engine_) return;
        if (const auto* message = std::get_if<xmpp::Message>(&stanza)) {
            note("stanza " + message->id);
            if (message->type == xmpp::MessageType::error)
                to_xmpp_.refusal_arrived(body(*message));
            else
                to_sip_.stanza_given(message->id);
        }
        if (const auto* iq = std::get_if<xmpp::Iq>(&stanza); iq && iq->id == last_ping_) covered(pings_.at(iq->id));
        feed(engine::StanzaIn{stanza, wall_clock()});
    });
}

}  // namespace stox::sim
