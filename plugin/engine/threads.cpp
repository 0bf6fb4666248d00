#include "plugin/engine/threads.h"

#include "mapping/page_message.h"

#include <utility>

namespace stox::engine {

Threads::Ids Threads::next(const xmpp::Message& message, bool unique, IdGenerator& ids) {
    Ids fresh{ids.wire_id(), ids.wire_id(), 1};
    if (!message.thread || message.thread->empty() || message.thread->size() > kLongest) return fresh;
    Conversation conversation{message.from.bare(), message.to.bare(), *message.thread};
    if (unique) {
        remember(fresh.call_id, std::move(conversation));
        return fresh;
    }
    if (const auto known = running_.find(conversation); known != running_.end()) {
        known->second.cseq += kStep;
        return known->second;
    }
    // A Call-ID that a third party knows already stays theirs: the pair's tag keeps the two apart.
    if (is_call_id(*message.thread)) fresh.call_id = *message.thread;
    running_.emplace(conversation, fresh);
    remember(fresh.call_id, std::move(conversation));
    return fresh;
}

std::optional<std::string> Threads::thread_of(const std::string& call_id, const xmpp::Jid& user, const xmpp::Jid& contact) const {
    const auto known = by_call_id_.find(call_id);
    if (known == by_call_id_.end()) return std::nullopt;
    const auto& [of_user, of_contact, thread] = known->second;
    if (of_user != user.bare() || of_contact != contact.bare()) return std::nullopt;
    return thread;
}

void Threads::remember(const std::string& call_id, Conversation conversation) {
    if (by_call_id_.insert_or_assign(call_id, std::move(conversation)).second) order_.push_back(call_id);
    if (order_.size() <= kRemembered) return;
    const auto oldest = by_call_id_.extract(order_.front());
    order_.pop_front();
    running_.erase(oldest.mapped());
}

}  // namespace stox::engine
