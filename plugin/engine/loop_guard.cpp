#include "plugin/engine/loop_guard.h"

#include "mapping/sip/header_values.h"
#include "mapping/xmpp/namespaces.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// Texts of different kinds never meet. The separator stands in none of them.
std::string join(std::string_view kind, std::string_view one, std::string_view other = {}) {
    std::string text;
    text.reserve(kind.size() + one.size() + other.size() + 1);
    text.append(kind).append(one).append(1, '\n').append(other);
    return text;
}

/// The id that no server on the way changes.   (XEP-0359 §3)
const std::string* origin_id(const xmpp::Message& message) {
    for (const auto& element : message.payload)
        if (element.is(xmpp::ns::kStanzaIds, "origin-id")) return element.attribute("id");
    return nullptr;
}

std::optional<unsigned> least(std::optional<unsigned> a, std::optional<unsigned> b) {
    return a && b ? std::min(*a, *b) : a ? a : b;
}

}  // namespace

xmpp::HopHeaders LoopGuard::left_of(const sip::Request& request) {
    xmpp::HopHeaders left{request.max_forwards > 0 ? std::min(request.max_forwards, kHops + 1) - 1 : 0, {}};
    if (const auto* breadth = request.header("Max-Breadth")) left.max_breadth = sip::read_number(*breadth);
    return left;
}

std::uint64_t LoopGuard::key_of(const sip::Request& request) const { return hash_(join("c", request.call_id, request.from.tag)); }
std::uint64_t LoopGuard::key_of_stanza(const std::string& id) const { return hash_(join("s", id)); }
std::uint64_t LoopGuard::key_of_thread(const std::string& thread) const { return hash_(join("t", thread)); }
std::uint64_t LoopGuard::author(const xmpp::Jid& jid) const { return hash_(join("a", jid.local, jid.domain)); }

void LoopGuard::watch(const Actions& actions, TimePoint now) {
    for (const auto& action : actions) {
        if (const auto* sent = std::get_if<SendSip>(&action); sent && sent->request.method != "OPTIONS")
            (sent->request.method == "MESSAGE" ? messages_ : dialogs_).remember(key_of(sent->request), {}, now);
        const auto* stanza = std::get_if<SendStanza>(&action);
        const auto* message = stanza ? std::get_if<xmpp::Message>(&stanza->stanza) : nullptr;
        if (!message || message->type == xmpp::MessageType::error) continue;
        const Seen seen{0, author(message->from), xmpp::read_hop_headers(message->payload)};
        if (!message->id.empty()) messages_.remember(key_of_stanza(message->id), seen, now);
        if (message->thread) messages_.remember(key_of_thread(*message->thread), seen, now);
    }
}

bool LoopGuard::is_ours(const sip::Request& request) const {
    if (request.from.tag.empty()) return false;
    const auto key = key_of(request);
    return messages_.find(key) || dialogs_.find(key);
}

bool LoopGuard::is_ours(const xmpp::Message& message) const {
    const auto* origin = origin_id(message);
    return (!message.id.empty() && messages_.find(key_of_stanza(message.id))) || (origin && messages_.find(key_of_stanza(*origin)));
}

xmpp::HopHeaders LoopGuard::left_of(const xmpp::Message& message) const {
    auto left = xmpp::read_hop_headers(message.payload);
    // A reply to its author begins anew; to anybody else the message goes on.
    const auto* seen = message.thread ? messages_.find(key_of_thread(*message.thread)) : nullptr;
    if (seen && seen->author != author(message.to)) {
        left.max_forwards = least(left.max_forwards, seen->left.max_forwards);
        left.max_breadth = least(left.max_breadth, seen->left.max_breadth);
    }
    left.max_forwards = least(left.max_forwards, kHops);
    return left;
}

void LoopGuard::Memory::remember(std::uint64_t key, Seen seen, TimePoint now) {
    while (!order_.empty() && (order_.front().at + kMemory <= now || order_.size() >= capacity_)) forget_oldest();
    seen.number = ++last_number_;
    seen_.insert_or_assign(key, seen);
    order_.push_back({now, key, seen.number});
}

void LoopGuard::Memory::forget_oldest() {
    const auto known = seen_.find(order_.front().key);
    if (known->second.number == order_.front().number) seen_.erase(known);
    order_.pop_front();
}

const LoopGuard::Seen* LoopGuard::Memory::find(std::uint64_t key) const {
    const auto known = seen_.find(key);
    return known == seen_.end() ? nullptr : &known->second;
}

}  // namespace stox::engine
