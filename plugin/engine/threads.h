#pragma once
// Conversations of XMPP as Call-IDs of SIP.   (RFC 7572 §4, IM-05, IM-06)
//
// Each MESSAGE outside a dialog is a request of its own: two with one Call-ID, From tag and CSeq are one request that came by two
// ways, and the second is refused (RFC 3261 §8.2.2.2). So a Call-ID is either fresh for each, or comes with its tag and a CSeq
// that only rises.

#include "mapping/core/ids.h"
#include "mapping/xmpp/stanza.h"
#include "plugin/engine/lru_map.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace stox::engine {

class Threads {
public:
    static constexpr std::size_t kRemembered = 10'000;  ///< of each kind; the one longest unused is forgotten first
    static constexpr std::size_t kLongest = 1'024;      ///< octets; a longer thread is not remembered
    /// What one message may use up by its second tries: credentials, another form.
    static constexpr std::uint32_t kStep = 8;

    struct Ids {
        std::string call_id, from_tag;
        std::uint32_t cseq = 1;
    };
    /// unique   each message has a Call-ID of its own
    Ids next(const xmpp::Message& message, bool unique, IdGenerator& ids);

    /// The thread of ours that a request with this Call-ID belongs to, if it is between the same two.
    std::optional<std::string> thread_of(const std::string& call_id, const xmpp::Jid& user, const xmpp::Jid& contact) const;

private:
    /// The thread of one pair.
    struct Conversation {
        xmpp::Jid user, contact;
        std::string thread;
    };

    LruMap<Ids> running_{kRemembered};  ///< of threads whose messages share a Call-ID
    LruMap<Conversation> by_call_id_{kRemembered};
};

}  // namespace stox::engine
