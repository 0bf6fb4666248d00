#pragma once
// Requests that came: answered by number, INVITEs watched until their ACK or CANCEL. Inside sip/ only.

#include "sip/expiry.h"
#include "sip/numbered.h"
#include "sip/overload.h"
#include "sip/source_counts.h"
#include "sip/stack.h"

#include <memory>
#include <unordered_map>
#include <vector>

namespace stox::sip {

class ServerTransactions {
public:
    ServerTransactions(Stack& stack, Endpoint::Events events);

    /// For the agent: every request that belongs to no transaction comes here.
    static int on_message(nta_agent_magic_t* magic, nta_agent_t*, msg_t* raw, sip_t* message) noexcept;
    nta_agent_magic_t* agent_magic() const { return Numbered<ServerTransactions>::magic<nta_agent_magic_t>(numbers_.base()); }

    void respond(std::uint64_t transaction, const Response& response);
    /// Adds what is counted here.
    void count(Counters& counters) const;
    /// Between two turns of the library's loop: what its callbacks put aside.
    void after_step();

private:
    struct Server {
        Incoming transaction;
        bool is_invite = false;
        bool reliable_only = false;  ///< the INVITE requires 100rel
        std::size_t octets = 0;      ///< of memory, roughly
        bool repeats = false;        ///< over UDP: nta keeps it for repetitions of the request
        bool answered = false;       ///< a 2xx to an INVITE has left, its ACK is awaited
        Address source{};
    };
    /// A request that nta does not know yet. What is refused while it is being told of costs no transaction.
    struct Held {
        Message message;
        Port port;
        Address source;
        std::unique_ptr<IncomingRequest> request{};  ///< until it is told; by pointer, for it is long to move
    };
    using Servers = std::unordered_map<std::uint64_t, Server>;

    static int on_ack_or_cancel(nta_incoming_magic_t* magic, nta_incoming_t*, const sip_t* message) noexcept;
    void receive(Message message);
    bool has_room(const Held& held);
    void tell(std::uint64_t number);
    Servers::iterator keep(std::uint64_t number);
    void acknowledged(std::uint64_t number, const sip_t& message);
    void cancelled(std::uint64_t number);
    void unacknowledged(std::uint64_t number);
    void write(nta_incoming_t* transaction, const Response& response);
    void refuse(Held held, const Response& response);
    void finish(Servers::iterator found);
    void forget(Servers::iterator found);

    Stack& stack_;
    Endpoint::Events events_;
    std::unordered_map<std::uint64_t, Held> held_;
    Servers servers_;
    std::size_t waiting_ = 0;  ///< of held_ and servers_: those whose final answer is ours to give
    std::size_t octets_ = 0;   ///< of all that nta keeps
    std::uint64_t told_ = 0;   ///< since the start
    Overload overload_;
    SourceCounts open_acks_;
    Expiry unacknowledged_;
    Expiry repeating_;  ///< by octets: answered, and kept for repetitions
    // Nothing is freed or answered inside a callback of nta's; it waits here until its loop has turned.
    std::vector<std::pair<Held, Response>> refuse_later_;
    std::vector<Incoming> finished_;
    // Last, so that it is the first to go: no callback finds an owner that is half gone.
    Numbered<ServerTransactions> numbers_;
};

}  // namespace stox::sip
