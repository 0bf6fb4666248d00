#include "plugin/engine/stream_writer.h"

#include "mapping/xmpp/delay.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/log.h"
#include "plugin/engine/owed.h"

namespace stox::engine {

namespace {

/// Whom the ping goes to: the server, by a domain of its own; a gateway without XMPP domains asks itself through it.
const std::string& ping_target(const config::DomainOptions& options) {
    return options.xmpp_domains.empty() ? options.domain : options.xmpp_domains.front();
}

void ping_if_wanted(State& state, TimePoint now, Actions& out) {
    if (!state.barrier.wants_ping()) return;
    xmpp::Iq ping;
    ping.from = {{}, state.options.domain, {}};
    ping.to = {{}, ping_target(state.options), {}};
    ping.id = state.ids.wire_id();
    ping.payload = xml::Element(std::string(xmpp::ns::kPing), "ping");
    state.barrier.sent(ping.id, now);
    out.push_back(SendStanza{std::move(ping)});
}

void write(const config::DomainOptions& options, const InboxEntry& entry, Actions& out) {
    auto stanza = entry.row.stanza;
    if (entry.late) stanza.payload.push_back(xmpp::delay(options.domain, entry.row.accepted));
    out.push_back(SendStanza{std::move(stanza)});
}

}  // namespace

void write_stream(State& state, TimePoint now, Actions& out) {
    if (!state.stream_up) return;
    write_owed(state, out);
    while (state.barrier.has_room()) {
        const auto* entry = state.inbox.next();
        if (!entry) break;
        write(state.options, *entry, out);
        state.inbox.written(state.barrier.written(entry->octets));
    }
    ping_if_wanted(state, now, out);
}

void stream_up(State& state, TimePoint now, Actions& out) {
    state.stream_up = true;
    write_stream(state, now, out);
}

void stream_down(State& state, TimePoint now, Actions& out) {
    state.stream_up = false;
    state.told_silent = false;
    state.barrier.stream_lost();
    state.inbox.stream_lost();
    accept_due(state, std::nullopt, out);
    owed_stream_lost(state, now);
}

void barrier_answered(State& state, TimePoint now, Actions& out) {
    if (std::exchange(state.told_silent, false)) out.push_back(line(Level::info, {}, "the XMPP server answers again", {}));
    const auto position = state.barrier.answered();
    inbox_covered(state, position, now, out);
    for (auto& key : state.owed.covered(position)) state.commits.erase(Collection::outbox, std::move(key), now);
    write_stream(state, now, out);
}

void barrier_overdue(State& state, TimePoint now, Actions& out) {
    if (!std::exchange(state.told_silent, true))
        out.push_back(line(Level::warn, {}, "the XMPP server does not answer; what it was given is kept until it does",
                           {{"messages", std::to_string(state.inbox.size())}}));
    state.barrier.overdue();
    ping_if_wanted(state, now, out);
}

}  // namespace stox::engine
