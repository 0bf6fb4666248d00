#include "plugin/engine/rerouting.h"

#include "mapping/im/body.h"
#include "plugin/engine/destination.h"
#include "plugin/engine/outbox.h"
#include "plugin/engine/owed.h"
#include "plugin/engine/peers.h"
#include "plugin/engine/reports.h"

#include <set>

namespace stox::engine {

namespace {

using What = Outgoing::What;

/// Where it goes now, or why it cannot.
std::variant<Destination, xmpp::StanzaError> new_way(const State& state, const Outgoing& outgoing) {
    if (outgoing.what != What::report) return destination(state, outgoing.row.stanza.to);
    if (const auto* peer = select_peer(state.options, outgoing.request.to.uri)) return Destination{outgoing.request.uri, peer, {}};
    return xmpp::StanzaError{};  // which nobody hears
}

void redirect(State& state, Outgoing& outgoing, Destination way, TimePoint now) {
    outgoing.peer = way.peer->name;
    if (outgoing.what == What::report) return;
    outgoing.request.uri = outgoing.request.to.uri = std::move(way.uri);
    if (way.peer->cpim != config::CpimUse::never) return;
    auto plain = im::as_plain_text(outgoing.request);
    if (!plain) return;
    await_no_imdn(state, outgoing, now);
    outgoing.receipt_by_200 = outgoing.asked.positive_delivery;
    outgoing.request = std::move(*plain);
}

}  // namespace

void find_new_ways(State& state, TimePoint now, Actions& out) {
    if (state.leaving) return;
    std::vector<RequestId> astray;
    for (const auto* outgoing : state.messages.all())
        if (!state.options.find_peer(outgoing->peer) && !state.outbound.has_left(outgoing->id)) astray.push_back(outgoing->id);
    std::set<std::string> lines;
    for (const auto id : astray) {
        auto& outgoing = *state.messages.find(id);
        lines.insert(outgoing.line);
        state.outbound.cancel(id);
        state.messages.put_back(id);
        auto way = new_way(state, outgoing);
        if (auto* found = std::get_if<Destination>(&way)) {
            redirect(state, outgoing, std::move(*found), now);
            continue;
        }
        auto failed = state.messages.remove(id);
        await_no_imdn(state, failed, now);
        owe(state, std::move(failed), std::get<xmpp::StanzaError>(std::move(way)), now, out);
    }
    for (const auto& line : lines) send_next(state, line, now, out);
}

}  // namespace stox::engine
