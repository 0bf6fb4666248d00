#include "mapping/error_table.h"
#include "mapping/page_message.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/log.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/sender.h"
#include "plugin/engine/sip_checks.h"

namespace stox::engine {

namespace {

using std::chrono::seconds;

constexpr seconds kBarrierTimeout{10};
constexpr std::size_t kMaxHeld = 1'024;
constexpr unsigned kRetryNoStream_s = 10;
constexpr unsigned kRetryBusy_s = 2;

/// Whom the ping goes to: the server, by a domain of its own; a gateway without XMPP domains asks itself through it.
const std::string& ping_target(const config::DomainOptions& options) {
    return options.xmpp_domains.empty() ? options.domain : options.xmpp_domains.front();
}

void ping_if_wanted(State& state, TimePoint now, Actions& out) {
    if (!state.stream_up || !state.barrier.wants_ping()) return;
    xmpp::Iq ping;
    ping.from = {{}, state.options.domain, {}};
    ping.to = {{}, ping_target(state.options), {}};
    ping.id = state.ids.wire_id();
    ping.payload = xml::Element(std::string(xmpp::ns::kPing), "ping");
    state.barrier.sent(ping.id, now + kBarrierTimeout);
    out.push_back(SendStanza{std::move(ping)});
}

void respond(Actions& out, ServerTransaction transaction, sip::Response response) {
    out.push_back(RespondSip{transaction, std::move(response)});
}

void refuse(State& state, Actions& out, const SipRequestIn& in, Trace trace, const config::Peer& peer, sip::Response response,
            std::string why) {
    state.merged.refused(MergedRequests::key(in.request));
    out.push_back(line(Level::info, trace, "message",
                       {{"direction", "s2x"},
                        {"from", in.request.from.uri.to_string()},
                        {"to", in.request.uri.to_string()},
                        {"status", std::to_string(response.status)},
                        {"reason", std::move(why)}},
                       peer.name));
    respond(out, in.transaction, std::move(response));
}

sip::Response status(int code) {
    sip::Response response;
    response.status = code;
    return response;
}

/// The other end of a request that was held.
void not_accepted(State& state, Actions& out, const Held& held, sip::Response response) {
    state.merged.refused(held.request_key);
    respond(out, held.transaction, std::move(response));
}

/// Why a body could not become a message, as SIP says it.
sip::Response body_refused(const Error& error) {
    switch (error.code) {
        case Code::too_large:
            return status(413);
        case Code::unsupported:
            return unsupported_media();
        default:
            return status(400);
    }
}

}  // namespace

void deliver_to_xmpp(State& state, const SipRequestIn& in, const config::Peer& peer, const Author& author, Trace trace,
                     TimePoint now, Actions& out) {
    const auto& options = state.options;
    auto key = MergedRequests::key(in.request);
    auto id = state.merged.first(key, state.ids.wire_id(), now);
    if (!id) return respond(out, in.transaction, status(482));
    const auto to = user_jid(options, in.request.uri);
    if (!to)
        return refuse(state, out, in, trace, peer, status(to.error().code == Code::too_large ? 414 : 404), to.error().detail);
    const auto from = sender_jid(state, author, in.request, trace, out);
    if (!from)
        return refuse(state, out, in, trace, peer, status(from.error().code == Code::incomplete ? 484 : 404),
                      from.error().detail);
    if (const auto* encoding = in.request.header("Content-Encoding"); encoding && *encoding != "identity")
        return refuse(state, out, in, trace, peer, unsupported_media(), "content encoding");

    PageMessageOptions how;
    how.id = std::move(*id);
    how.pager_as_chat = options.pager_as_chat;
    auto message = to_xmpp_message(in.request, from.value(), to.value(), how);
    if (!message) return refuse(state, out, in, trace, peer, body_refused(message.error()), message.error().detail);

    message.value().payload.push_back(xmpp::encode(LoopGuard::left_of(in.request)));

    if (!state.stream_up)
        return refuse(state, out, in, trace, peer, try_later(peer.kind, kRetryNoStream_s), "no component stream");
    if (state.is_full(peer))
        return refuse(state, out, in, trace, peer, try_later(peer.kind, kRetryBusy_s), "limits.transactions");
    if (state.barrier.size() >= kMaxHeld)
        return refuse(state, out, in, trace, peer, try_later(peer.kind, kRetryBusy_s), "too many unconfirmed");

    Held held{in.transaction, message.value().id, to.value(), trace, peer.name};
    held.kind = peer.kind;
    held.request_key = std::move(key);
    out.push_back(SendStanza{std::move(message).value()});
    state.barrier.hold(std::move(held));
    state.odd_names.look_at(from.value(), out);
    ping_if_wanted(state, now, out);
}

void barrier_answered(State& state, TimePoint now, Actions& out) {
    for (auto& held : state.barrier.release_covered()) {
        respond(out, held.transaction, status(state.options.message_accept_code));
        out.push_back(line(Level::debug, held.trace, "message", {{"direction", "s2x"}, {"state", "delivered"}}, held.peer));
    }
    ping_if_wanted(state, now, out);
}

void barrier_overdue(State& state, TimePoint now, Actions& out) {
    const auto covered = state.barrier.release_covered();
    out.push_back(line(Level::warn, {}, "the XMPP server does not answer; messages from SIP are refused until it does",
                       {{"refused", std::to_string(covered.size())}}));
    for (const auto& held : covered) not_accepted(state, out, held, try_later(held.kind, kRetryNoStream_s));
    ping_if_wanted(state, now, out);
}

void message_failed(State& state, const xmpp::Message& error, Actions& out) {
    const auto reason = error.error.value_or(xmpp::StanzaError{});
    const auto held = state.barrier.take(error.id, error.from);
    if (!held) {
        out.push_back(line(Level::info, {}, "message",
                           {{"direction", "s2x"},
                            {"to", error.from.to_string()},
                            {"error", std::string(to_string(reason.condition))},
                            {"state", "failed after it was accepted"}}));
        return;
    }
    const auto failure = to_sip_failure(reason, {!held->to.is_bare(), state.options.allow_6xx, held->method,
                                                 state.options.service_unavailable_code == 480});
    auto response = status(failure.status);
    if (!failure.contact.empty()) response.headers.push_back({"Contact", '<' + failure.contact + '>'});
    if (failure.retry_after) response.headers.push_back({"Retry-After", std::to_string(kRetryNoStream_s)});
    if (failure.status == 405) response.headers.push_back({"Allow", "OPTIONS"});
    out.push_back(line(Level::info, held->trace, "message",
                       {{"direction", "s2x"},
                        {"to", error.from.to_string()},
                        {"error", std::string(to_string(reason.condition))},
                        {"status", std::to_string(failure.status)}},
                       held->peer));
    not_accepted(state, out, *held, std::move(response));
}

void refuse_held(State& state, std::string_view why, Actions& out) {
    for (const auto& held : state.barrier.release_all()) {
        out.push_back(line(Level::info, held.trace, "message",
                           {{"direction", "s2x"}, {"state", "refused"}, {"reason", std::string(why)}}, held.peer));
        not_accepted(state, out, held, try_later(held.kind, kRetryNoStream_s));
    }
}

}  // namespace stox::engine
