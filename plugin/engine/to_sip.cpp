#include "mapping/error_table.h"
#include "mapping/page_message.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/log.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/peers.h"

#include <algorithm>
#include <cctype>

namespace stox::engine {

namespace {

/// RFC 3428 §8: over a transport without congestion control a request may not be larger.   (IM-10)
constexpr std::size_t kMaxUdpRequest = 1'300;
/// What a peer need not take over a stream: as much as we take ourselves.
constexpr std::size_t kMaxRequest = 65'536;

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

/// Octets on the wire: the fields, the names and separators around them, and the Via that the endpoint adds.
std::size_t wire_size(const sip::Request& request) {
    constexpr std::size_t kVia = 120, kNames = 160;
    std::size_t size = kVia + kNames + request.method.size() + 2 * request.to.uri.to_string().size() +
                       request.from.uri.to_string().size() + request.from.display_name.size() + request.to.display_name.size() +
                       request.from.tag.size() + request.call_id.size() + request.content_type.size() + request.body.size();
    for (const auto& header : request.headers) size += header.name.size() + header.value.size() + 4;
    return size;
}

/// The original as an error needs it: addresses, id and type, not the content.
xmpp::Message envelope(const xmpp::Message& in) {
    xmpp::Message kept;
    kept.from = in.from;
    kept.to = in.to;
    kept.id = in.id;
    kept.type = in.type;
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

void send(const Outgoing& outgoing, Actions& out) {
    out.push_back(SendSip{outgoing.transaction, outgoing.request, outgoing.next_hop});
}

}  // namespace

void deliver_to_sip(State& state, const xmpp::Message& in, Trace trace, Actions& out) {
    using xmpp::Condition, xmpp::ErrorType;
    const auto& options = state.options;
    if (in.type == xmpp::MessageType::groupchat)
        return bounce(out, in, error(ErrorType::modify, Condition::not_acceptable, "not a room"), trace);
    if (is_encrypted(in))
        return bounce(out, in,
                      error(ErrorType::modify, Condition::not_acceptable,
                            "This contact is reached over SIP, where encrypted messages cannot be read. Switch encryption off."),
                      trace);
    const auto target = contact_uri(options, in.to);
    if (!target) return bounce(out, in, error(ErrorType::cancel, Condition::item_not_found, "no such SIP address"), trace);
    const auto from = user_uri(options, in.from);
    if (!from) return bounce(out, in, error(ErrorType::cancel, Condition::not_acceptable, "your address has no SIP form"), trace);
    const auto* peer = select_next_hop(options, target.value().host);
    if (!peer)
        return bounce(out, in, error(ErrorType::cancel, Condition::remote_server_not_found, "no way to this SIP domain"), trace);

    PageMessageOptions how;
    how.call_id = state.ids.wire_id();
    how.from_tag = state.ids.wire_id();
    auto request = to_sip_message(in, from.value(), target.value(), how);
    if (!request) return;  // nothing in it that a page-mode message carries: a chat state, a marker, an empty body
    if (wire_size(request.value()) > (peer->next_hop->transport == Transport::udp ? kMaxUdpRequest : kMaxRequest))
        return bounce(out, in, error(ErrorType::modify, Condition::policy_violation, "too long for this way of delivery"), trace,
                      peer->name);

    Outgoing outgoing{state.next_transaction(), std::move(request).value(), *peer->next_hop, envelope(in), trace, peer->name};
    const std::string key = outgoing.request.uri.to_string();
    switch (state.messages.add(std::move(outgoing))) {
        case MessageQueue::Admission::send:
            return send(state.messages.front(key), out);
        case MessageQueue::Admission::queued:
            return;
        case MessageQueue::Admission::full:
            return bounce(out, in,
                          error(ErrorType::wait, Condition::resource_constraint, "too many messages wait for this contact"),
                          trace, peer->name);
    }
}

void message_response(State& state, const SipResponseIn& in, Actions& out) {
    if (in.response.status < 200) return;
    auto finished = state.messages.finish(in.transaction);
    if (!finished) return;
    const auto& done = finished->done;
    if (in.response.status >= 300) {
        const auto* retry_after = in.response.header("Retry-After");
        auto why = to_stanza_error(in.response.status, in.response.reason, new_address(state.options, in.response),
                                   retry_after != nullptr);
        // A request that left and was not answered may have arrived all the same; its author decides whether to repeat it.
        if (in.local == LocalFailure::timeout) why.text = "No answer from the SIP side; the message may have been delivered.";
        if (in.local == LocalFailure::transport) why.text = "The SIP side cannot be reached.";
        bounce(out, done.original, std::move(why), done.trace, done.peer);
    } else {
        out.push_back(line(Level::debug, done.trace, "message", {{"direction", "x2s"}, {"state", "delivered"}}, done.peer));
    }
    if (finished->next_target) send(state.messages.front(*finished->next_target), out);
}

void abandon_messages(State& state, Actions& out) {
    using xmpp::Condition, xmpp::ErrorType;
    for (auto& [outgoing, in_progress] : state.messages.abandon_all()) {
        auto why = in_progress
                       ? error(ErrorType::wait, Condition::remote_server_timeout,
                               "The gateway stops before the SIP side answered; the message may have been delivered.")
                       : error(ErrorType::wait, Condition::recipient_unavailable, "The gateway stops; the message was not sent.");
        bounce(out, outgoing.original, std::move(why), outgoing.trace, outgoing.peer);
    }
}

}  // namespace stox::engine
