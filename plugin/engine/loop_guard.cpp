#include "plugin/engine/loop_guard.h"

#include "mapping/sip/header_values.h"
#include "mapping/xmpp/namespaces.h"

#include <algorithm>

namespace stox::engine {

namespace {

std::string request_key(const sip::Request& request) { return "c\n" + request.call_id + '\n' + request.from.tag; }
std::string stanza_key(const std::string& id) { return "s\n" + id; }
std::string thread_key(const std::string& thread) { return "t\n" + thread; }

xmpp::Jid bare(const xmpp::Jid& jid) { return {jid.local, jid.domain, {}}; }

/// The id that no server on the way changes.   (XEP-0359 §3)
const std::string* origin_id(const xmpp::Message& message) {
    for (const auto& element : message.payload)
        if (element.is(xmpp::ns::kStanzaIds, "origin-id")) return element.attribute("id");
    return nullptr;
}

std::optional<unsigned> least(std::optional<unsigned> a, std::optional<unsigned> b) { return a && b ? std::min(*a, *b) : a ? a : b; }

}  // namespace

xmpp::HopHeaders LoopGuard::left_of(const sip::Request& request) {
    xmpp::HopHeaders left{request.max_forwards > 0 ? std::min(request.max_forwards, kHops + 1) - 1 : 0, {}};
    if (const auto* breadth = request.header("Max-Breadth")) left.max_breadth = sip::read_number(*breadth);
    return left;
}

void LoopGuard::watch(const Actions& actions, TimePoint now) {
    for (const auto& action : actions) {
        if (const auto* sent = std::get_if<SendSip>(&action); sent && sent->request.method != "OPTIONS")
            remember(request_key(sent->request), {0, {}, {}}, now);
        const auto* stanza = std::get_if<SendStanza>(&action);
        const auto* message = stanza ? std::get_if<xmpp::Message>(&stanza->stanza) : nullptr;
        if (!message || message->type == xmpp::MessageType::error) continue;
        const Seen seen{0, bare(message->from), xmpp::read_hop_headers(message->payload)};
        if (!message->id.empty()) remember(stanza_key(message->id), seen, now);
        if (message->thread) remember(thread_key(*message->thread), seen, now);
    }
}

bool LoopGuard::is_ours(const sip::Request& request) const {
    return !request.from.tag.empty() && find(request_key(request)) != nullptr;
}

bool LoopGuard::is_ours(const xmpp::Message& message) const {
    const auto* origin = origin_id(message);
    return (!message.id.empty() && find(stanza_key(message.id))) || (origin && find(stanza_key(*origin)));
}

xmpp::HopHeaders LoopGuard::left_of(const xmpp::Message& message) const {
    auto left = xmpp::read_hop_headers(message.payload);
    // A reply to its author begins anew; to anybody else the message goes on.
    const auto* seen = message.thread ? find(thread_key(*message.thread)) : nullptr;
    if (seen && seen->author != bare(message.to)) {
        left.max_forwards = least(left.max_forwards, seen->left.max_forwards);
        left.max_breadth = least(left.max_breadth, seen->left.max_breadth);
    }
    left.max_forwards = least(left.max_forwards, kHops);
    return left;
}

void LoopGuard::remember(std::string key, Seen seen, TimePoint now) {
    while (!order_.empty() && (order_.front().at + kMemory <= now || order_.size() >= kCapacity)) forget_oldest();
    if (key.size() > kLongestKey) return;
    seen.number = ++last_number_;
    const auto number = seen.number;
    order_.push_back({now, &seen_.insert_or_assign(std::move(key), std::move(seen)).first->first, number});
}

void LoopGuard::forget_oldest() {
    const auto known = seen_.find(*order_.front().key);
    if (known->second.number == order_.front().number) seen_.erase(known);
    order_.pop_front();
}

const LoopGuard::Seen* LoopGuard::find(const std::string& key) const {
    const auto known = seen_.find(key);
    return known == seen_.end() ? nullptr : &known->second;
}

}  // namespace stox::engine
