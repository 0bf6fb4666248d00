#include "plugin/engine/threads.h"

#include "mapping/page_message.h"

namespace stox::engine {

Threads::Ids Threads::next(const xmpp::Message& message, bool unique, IdGenerator& ids) {
    Ids fresh{ids.wire_id(), ids.wire_id(), 1};
    if (!message.thread || message.thread->empty() || message.thread->size() > kLongest) return fresh;
    const Conversation conversation{message.from.bare(), message.to.bare(), *message.thread};
    if (unique) {
        by_call_id_[fresh.call_id] = conversation;
        return fresh;
    }
    // A JID holds no line feed.
    const auto pair = conversation.user.to_string() + '\n' + conversation.contact.to_string() + '\n' + conversation.thread;
    if (running_.find(pair)) {
        auto& running = running_[pair];
        running.cseq += kStep;
        by_call_id_[running.call_id] = conversation;
        return running;
    }
    // A Call-ID that a third party knows already stays theirs: the pair's tag keeps the two apart.
    if (is_call_id(*message.thread)) fresh.call_id = *message.thread;
    running_[pair] = fresh;
    by_call_id_[fresh.call_id] = conversation;
    return fresh;
}

std::optional<std::string> Threads::thread_of(const std::string& call_id, const xmpp::Jid& user, const xmpp::Jid& contact) const {
    const auto* known = by_call_id_.find(call_id);
    if (!known || known->user != user.bare() || known->contact != contact.bare()) return std::nullopt;
    return known->thread;
}

}  // namespace stox::engine
