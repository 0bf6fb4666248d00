#pragma once
// Messages that come back to us, and how far those may still go that went through us.   (CORE-68, CORE-69, CORE-70)
//
// What we carry has ids of our own making, on both sides. A request with the Call-ID and tag of one of ours, or a stanza with
// the id of one of ours, is that message on its way round: it ends here. What a user of ours sends on from a conversation is
// another message, and has the hops that the first one had left; so a ring of gateways and forwarders comes to its end.
//
// Of what is remembered only keyed hashes are kept: every message is looked up twice among tens of thousands.

#include "mapping/core/keyed_hash.h"
#include "mapping/sip/message.h"
#include "mapping/xmpp/hop_headers.h"
#include "plugin/engine/turn.h"

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace stox::engine {

class LoopGuard {
public:
    static constexpr std::chrono::minutes kMemory{5};
    static constexpr std::size_t kCapacity = 50'000;  ///< ids of messages; the oldest is forgotten first
    static constexpr std::size_t kDialogs = 50'000;   ///< dialogs, apart: what is told in them never ends
    static constexpr unsigned kHops = 70;             ///< of a request that begins here (RFC 3261 §8.1.1.6)

    /// key   random, of this guard alone
    explicit LoopGuard(const KeyedHash::Key& key) : hash_(key) {}

    /// What a stanza carries of the request that it was made from: one hop less.
    static xmpp::HopHeaders left_of(const sip::Request& request);

    /// Remembers what leaves.
    void watch(const Actions& actions, TimePoint now);

    /// A request of ours has come back.
    bool is_ours(const sip::Request& request) const;
    /// A stanza of ours has come back.
    bool is_ours(const xmpp::Message& message) const;
    /// The hops that the request made from this stanza has: what is left of those of the message it sends on, else kHops. What
    /// the stanza itself says can only make it fewer.
    xmpp::HopHeaders left_of(const xmpp::Message& message) const;

    std::size_t size() const { return messages_.size() + dialogs_.size(); }

private:
    struct Seen {
        std::uint64_t number = 0;  ///< of its newest place in order_
        std::uint64_t author = 0;  ///< of a stanza: the hash of their bare address
        xmpp::HopHeaders left{};
    };
    struct Arrival {
        TimePoint at;
        std::uint64_t key;
        std::uint64_t number;
    };
    struct AsItIs {
        std::size_t operator()(std::uint64_t hash) const { return hash; }
    };
    class Memory {
    public:
        explicit Memory(std::size_t capacity) : capacity_(capacity) {}
        void remember(std::uint64_t key, Seen seen, TimePoint now);
        const Seen* find(std::uint64_t key) const;
        std::size_t size() const { return seen_.size(); }

    private:
        void forget_oldest();

        std::size_t capacity_;
        std::unordered_map<std::uint64_t, Seen, AsItIs> seen_{};
        std::deque<Arrival> order_{};
        std::uint64_t last_number_ = 0;
    };

    std::uint64_t key_of(const sip::Request& request) const;
    std::uint64_t key_of_stanza(const std::string& id) const;
    std::uint64_t key_of_thread(const std::string& thread) const;
    std::uint64_t author(const xmpp::Jid& jid) const;

    KeyedHash hash_;
    Memory messages_{kCapacity}, dialogs_{kDialogs};
};

}  // namespace stox::engine
