#include "mapping/error_table.h"
#include "mapping/page_message.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/destination.h"
#include "plugin/engine/log.h"
#include "plugin/engine/page_messages.h"

#include <algorithm>
#include <cctype>

namespace stox::engine {

namespace {

xmpp::StanzaError error(xmpp::ErrorType type, xmpp::Condition condition, std::string text) {
    xmpp::StanzaError made;
    made.type = type;
    made.condition = condition;
    if (!text.empty()) made.text = std::move(text);
    return made;
}

void bounce(Actions& out, const xmpp::Message& original, xmpp::StanzaError why, Trace trace, std::string peer = {}) {
    out.push_back(line(Level::info, trace, "message",
                       {{"direction", "x2s"},
                        {"from", original.from.to_string()},
                        {"to", original.to.to_string()},
                        {"error", std::string(to_string(why.condition))},
                        {"reason", why.text.value_or("")}},
                       std::move(peer)));
    if (auto reply = xmpp::make_error(original, std::move(why))) out.push_back(SendStanza{std::move(*reply)});
}

bool has_payload(const xmpp::Message& message, std::string_view ns) {
    return std::ranges::any_of(message.payload, [&](const xml::Element& element) { return element.ns == ns; });
}

/// End-to-end encrypted content that SIP cannot carry: its author hears so, whatever fallback text stands beside it.   (IM-27)
bool is_encrypted(const xmpp::Message& message) {
    return has_payload(message, xmpp::ns::kOmemo) || has_payload(message, xmpp::ns::kOmemo2) ||
           has_payload(message, xmpp::ns::kOpenPgp) || has_payload(message, xmpp::ns::kLegacyOpenPgp);
}

/// The original as an error needs it: addresses, id and type, not the content.
xmpp::Message envelope(const xmpp::Message& in) {
    xmpp::Message kept;
    kept.from = in.from;
    kept.to = in.to;
    kept.id = in.id;
    kept.type = in.type;
    kept.lang = in.lang;
    return kept;
}

/// xmpp:local@domain; what is not unreserved stands as %XX.   (RFC 5122 §2.2)
std::string xmpp_uri(const xmpp::Jid& jid) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string uri = "xmpp:";
    for (const char c : jid.local) {
        const auto octet = static_cast<unsigned char>(c);
        if (std::isalnum(octet) || std::string_view("-._~").find(c) != std::string_view::npos)
            uri += c;
        else
            (uri += '%', uri += kHex[octet >> 4], uri += kHex[octet & 15]);
    }
    return uri + '@' + jid.domain;
}

/// The first Contact of a 3xx that has a form on the XMPP side, as <gone/> and <redirect/> carry it.   (CORE-S301)
std::string new_address(const config::DomainOptions& options, const sip::Response& response) {
    for (const auto& contact : response.contacts)
        if (const auto jid = contact_jid(options, contact.uri)) return xmpp_uri(jid.value());
    return {};
}

/// A failure of ours as the response that stands for it.   (RFC 3261 §8.1.3.1, CORE-55)
xmpp::StanzaError local(int status, std::string text) {
    auto why = to_stanza_error(status, {}, {}, false);
    why.text = std::move(text);
    return why;
}

/// What the author of a message hears when it was not delivered.
xmpp::StanzaError undelivered(const config::DomainOptions& options, const Outcome& outcome) {
    using xmpp::Condition, xmpp::ErrorType;
    switch (outcome.kind) {
        case Outcome::Kind::answered:
            break;
        // A request that left and was not answered may have arrived all the same; its author decides whether to repeat it.
        case Outcome::Kind::timeout:
            return local(408, "No answer from the SIP side; the message may have been delivered.");
        case Outcome::Kind::transport:
            return local(408, "The connection to the SIP side was lost; the message may have been delivered.");
        case Outcome::Kind::unsent:
            return local(503, "The SIP side cannot be reached.");
        case Outcome::Kind::down:
            return error(ErrorType::wait, Condition::remote_server_timeout,
                         "The SIP side cannot be reached: " + outcome.why + '.');
        case Outcome::Kind::nowhere:
            return error(ErrorType::cancel, Condition::remote_server_not_found, "The SIP side was not found.");
        case Outcome::Kind::too_large:
            return error(ErrorType::modify, Condition::policy_violation, outcome.why);
    }
    const auto& response = outcome.response;
    return to_stanza_error(response.status, response.reason, new_address(options, response),
                           response.header("Retry-After") != nullptr);
}

/// The front of that target's queue goes out.
std::optional<Outcome> send(State& state, const std::string& target, TimePoint now, Actions& out) {
    const auto& front = state.messages.front(target);
    return state.outbound.start(front.id, front.request, front.peer, state.hops, state.turn(now, out));
}

}  // namespace

void deliver_to_sip(State& state, const xmpp::Message& in, Trace trace, TimePoint now, Actions& out) {
    using xmpp::Condition, xmpp::ErrorType;
    const auto& options = state.options;
    if (in.type == xmpp::MessageType::groupchat)
        return bounce(out, in, error(ErrorType::modify, Condition::not_acceptable, "not a room"), trace);
    if (is_encrypted(in))
        return bounce(out, in,
                      error(ErrorType::modify, Condition::not_acceptable,
                            "This contact is reached over SIP, where encrypted messages cannot be read. Switch encryption off."),
                      trace);
    auto way = destination(state, in.to);
    if (auto* why = std::get_if<xmpp::StanzaError>(&way)) return bounce(out, in, std::move(*why), trace);
    const auto& [target, peer, key, emergency] = std::get<Destination>(way);
    const auto from = user_uri(options, in.from);
    if (!from) return bounce(out, in, error(ErrorType::cancel, Condition::not_acceptable, "your address has no SIP form"), trace);

    PageMessageOptions how;
    how.call_id = state.ids.wire_id();
    how.from_tag = state.ids.wire_id();
    auto request = to_sip_message(in, from.value(), target, how);
    if (!request) return;  // nothing in it that a page-mode message carries: a chat state, a marker, an empty body
    const auto left = state.loops.left_of(in);
    if (left.max_forwards == 0u)
        return bounce(out, in, error(ErrorType::modify, Condition::not_acceptable, "This message was sent on too often."), trace);
    request.value().max_forwards = left.max_forwards.value_or(LoopGuard::kHops);
    if (left.max_breadth) request.value().headers.push_back({"Max-Breadth", std::to_string(*left.max_breadth)});
    if (wire_size(request.value()) > Outbound::kMaxRequest)
        return bounce(out, in, error(ErrorType::modify, Condition::policy_violation, "too long for any way of delivery"), trace,
                      peer->name);
    const auto full = [&] {
        bounce(out, in, error(ErrorType::wait, Condition::resource_constraint, "too many messages wait for this contact"), trace,
               peer->name);
    };
    if (!emergency && !state.messages.is_busy(key) && state.is_full(*peer)) return full();
    switch (state.messages.add({state.next_request(), key, std::move(request).value(), envelope(in), trace, peer->name}, emergency)) {
        case MessageQueue::Admission::send:
            if (auto outcome = send(state, key, now, out)) message_over(state, std::move(*outcome), now, out);
            return;
        case MessageQueue::Admission::queued:
            return;
        case MessageQueue::Admission::full:
            return full();
    }
}

void message_over(State& state, Outcome first, TimePoint now, Actions& out) {
    // What follows in the line may be over at once as well.
    for (std::optional<Outcome> outcome = std::move(first); outcome;) {
        const auto finished = state.messages.finish(outcome->request);
        if (!finished) return;
        const auto& done = finished->done;
        const bool delivered =
            outcome->kind == Outcome::Kind::answered && outcome->response.status >= 200 && outcome->response.status < 300;
        if (delivered)
            out.push_back(line(Level::debug, done.trace, "message", {{"direction", "x2s"}, {"state", "delivered"}}, done.peer));
        else
            bounce(out, done.original, undelivered(state.options, *outcome), done.trace, done.peer);
        outcome = finished->next_target ? send(state, *finished->next_target, now, out) : std::nullopt;
    }
}

void abandon_messages(State& state, Actions& out) {
    using xmpp::Condition, xmpp::ErrorType;
    for (auto& [outgoing, in_progress] : state.messages.abandon_all()) {
        auto why = in_progress && state.outbound.has_left(outgoing.id)
                       ? error(ErrorType::wait, Condition::remote_server_timeout,
                               "The gateway stops before the SIP side answered; the message may have been delivered.")
                       : error(ErrorType::wait, Condition::recipient_unavailable, "The gateway stops; the message was not sent.");
        bounce(out, outgoing.original, std::move(why), outgoing.trace, outgoing.peer);
    }
    state.outbound.clear();
}

}  // namespace stox::engine
