#include "plugin/engine/chat_states.h"

#include "mapping/page_message.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/destination.h"
#include "plugin/engine/outbox.h"

namespace stox::engine {

namespace {

/// How long a state of ours holds. It is not repeated: clients of XMPP say it once, and long silence is an end.
constexpr std::uint32_t kRefresh_s = im::kDefaultRefresh_s;

void show(State& state, const Composing::Pair& pair, im::ChatState chat_state, Actions& out) {
    if (!state.stream_up) return;
    xmpp::Message message;
    message.from = pair.contact;
    message.to = pair.user;
    message.id = state.ids.wire_id();
    message.type = xmpp::MessageType::chat;
    message.payload.push_back(im::chat_state(chat_state));
    out.push_back(SendStanza{std::move(message)});
}

}  // namespace

void take_composing(State& state, const im::IsComposing& status, const Composing::Pair& pair, TimePoint now, Actions& out) {
    state.formats.learn(pair.contact, Habit::sends_composing, now);
    const bool was = state.composing.end(pair);
    if (status.active && state.composing.begin(pair, now + std::chrono::seconds(status.refresh_s))) {
        if (!was) show(state, pair, im::ChatState::composing, out);
    } else if (was) {
        show(state, pair, im::ChatState::paused, out);
    }
}

void composing_lapsed(State& state, TimePoint now, Actions& out) {
    for (const auto& pair : state.composing.take_lapsed(now)) show(state, pair, im::ChatState::paused, out);
}

void message_ends_composing(State& state, xmpp::Message& message) {
    if (message.type != xmpp::MessageType::chat) return;
    if (state.composing.end({message.from, message.to})) message.payload.push_back(im::chat_state(im::ChatState::active));
}

void send_chat_state(State& state, const xmpp::Message& in, im::ChatState chat_state, TimePoint now, Actions& out) {
    const bool heard =
        state.formats.has(in.to, Habit::sends_composing, now) && !state.formats.has(in.to, Habit::refuses_composing, now);
    if (!state.options.chat_states || !heard || in.type != xmpp::MessageType::chat || state.leaving) return;
    const Composing::Pair pair{in.to.bare(), in.from.bare()};
    const bool active = chat_state == im::ChatState::composing;
    state.writing.take_lapsed(now);
    // Idle ends what was active, and says nothing by itself.   (RFC 3994 §3.2)
    if (!active && !state.writing.holds(pair)) return;
    const auto way = destination(state, in.to);
    const auto* place = std::get_if<Destination>(&way);
    const auto from = user_uri(state.options, in.from);
    if (!place || !from || state.is_full(*place->peer)) return;
    Outgoing outgoing;
    outgoing.line = place->line;
    if (state.messages.is_busy(outgoing.line)) return;  // what is behind a message comes too late
    PageMessageOptions how;
    how.call_id = state.ids.wire_id();
    how.from_tag = state.ids.wire_id();
    outgoing.id = state.next_request();
    outgoing.request = to_is_composing_message({active, kRefresh_s}, from.value(), place->uri, how);
    outgoing.row.stanza = envelope(in);
    outgoing.peer = place->peer->name;
    outgoing.stored = true;
    outgoing.what = Outgoing::What::composing;
    outgoing.octets = held_octets(outgoing);
    if (state.messages.is_full(outgoing, state.owed.kept())) return;
    state.writing.end(pair);
    if (active) state.writing.begin(pair, now + std::chrono::seconds(kRefresh_s));
    const auto line = outgoing.line;
    state.messages.add(std::move(outgoing));
    send_next(state, line, now, out);
}

}  // namespace stox::engine
