#include "plugin/engine/owed.h"

#include "plugin/engine/log.h"
#include "plugin/engine/row_size.h"
#include "plugin/engine/stream_writer.h"

namespace stox::engine {

namespace {

Log failure_line(const xmpp::Message& original, const xmpp::StanzaError& why, Trace trace, const std::string& peer) {
    const auto status = why.sip_status ? std::to_string(*why.sip_status) : std::string();
    return line(Level::info, trace, "message",
                {{"direction", "x2s"},
                 {"from", original.from.to_string()},
                 {"to", original.to.to_string()},
                 {"error", std::string(to_string(why.condition))},
                 {"status", status},  // what the condition does not tell: that an identity was not believed, say   (CORE-S424)
                 {"reason", why.text.value_or("")}},
                peer);
}

void write_down(State& state, OwedError& owed, TimePoint now) {
    if (std::exchange(owed.written_down, true)) return;
    state.owed.resize(owed, size_of(owed.row).row);
    state.commits.update({Collection::outbox, owed.key, owed.row}, now);
}

}  // namespace

void bounce(const xmpp::Message& original, xmpp::StanzaError why, Trace trace, const std::string& peer, Actions& out) {
    out.push_back(failure_line(original, why, trace, peer));
    if (auto reply = xmpp::make_error(original, std::move(why))) out.push_back(SendStanza{std::move(*reply)});
}

void owe(State& state, Outgoing failed, xmpp::StanzaError why, TimePoint now, Actions& out) {
    if (failed.what != Outgoing::What::composing)
        out.push_back(failure_line(failed.row.stanza, why, failed.row.trace, failed.peer));
    if (failed.what != Outgoing::What::message) {  // nobody wrote it
        if (!failed.key.empty()) state.commits.erase(Collection::outbox, std::move(failed.key), now);
        return;
    }
    OwedError owed{std::move(failed.key), std::move(failed.row)};
    owed.row.owed = std::move(why);
    owed.emergency = failed.emergency;
    owed.octets = failed.octets;
    state.owed.add(std::move(owed));
    if (!state.stream_up) write_down(state, state.owed.all().back(), now);
    write_stream(state, now, out);
}

void write_owed(State& state, Actions& out) {
    while (state.barrier.has_room()) {
        const auto* owed = state.owed.next();
        if (!owed) return;
        // Only what an error may answer was accepted.
        out.push_back(SendStanza{*xmpp::make_error(owed->row.stanza, *owed->row.owed)});
        state.owed.written(state.barrier.written(size_of(owed->row).stanza));
    }
}

void owed_stream_lost(State& state, TimePoint now) {
    state.owed.stream_lost();
    for (auto& owed : state.owed.all()) write_down(state, owed, now);
}

}  // namespace stox::engine
