#pragma once
// Requests that came: answered by number, INVITEs watched until their ACK or CANCEL. Inside sip/ only.

#include "sip/expiry.h"
#include "sip/numbered.h"
#include "sip/stack.h"

#include <unordered_map>
#include <vector>

namespace stox::sip {

class ServerTransactions {
public:
    ServerTransactions(Stack& stack, Endpoint::Events events);

    /// Makes the default leg of the stack.
    /// errors  unavailable: out of memory
    Result<void> open();
    void respond(std::uint64_t transaction, const Response& response);
    /// Between two turns of the library's loop: what its callbacks put aside.
    void after_step();

private:
    struct Server {
        Incoming transaction;
        bool is_invite = false;
        bool reliable_only = false;  ///< the INVITE requires 100rel
        bool answered = false;       ///< a 2xx to an INVITE has left, its ACK is awaited
    };
    using Servers = std::unordered_map<std::uint64_t, Server>;

    static int on_request(nta_leg_magic_t* magic, nta_leg_t*, nta_incoming_t* raw, const sip_t* message) noexcept;
    static int on_ack_or_cancel(nta_incoming_magic_t* magic, nta_incoming_t*, const sip_t* message) noexcept;
    int receive(nta_incoming_t* raw, const sip_t& message);
    void acknowledged(std::uint64_t number, const sip_t& message);
    void cancelled(std::uint64_t number);
    void unacknowledged(std::uint64_t number);
    void write(nta_incoming_t* transaction, const Response& response);
    void finish(Servers::iterator found);

    Stack& stack_;
    Endpoint::Events events_;
    Servers servers_;
    std::size_t waiting_ = 0;  ///< of servers_: those whose final answer is ours to give
    Expiry unacknowledged_;
    // Nothing is freed or answered inside a callback of nta's; it waits here until its loop has turned.
    std::vector<std::pair<Incoming, Response>> answer_later_;
    std::vector<Incoming> finished_;
    // Last, so that it is the first to go: no callback finds an owner that is half gone.
    Numbered<ServerTransactions> numbers_;
};

}  // namespace stox::sip
