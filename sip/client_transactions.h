#pragma once
// Requests of ours until nothing more can come for them. Inside sip/ only.

#include "sip/expiry.h"
#include "sip/numbered.h"
#include "sip/source_counts.h"
#include "sip/stack.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace stox::sip {

class ClientTransactions {
public:
    explicit ClientTransactions(Stack& stack);

    /// errors  unavailable: out of memory
    Result<void> open();
    ClientTransaction start(const Request& request, const NextHop& next_hop, ClientHandlers handlers);
    void cancel(ClientTransaction transaction, std::vector<Header> headers);
    void acknowledge(const Request& ack, const NextHop& next_hop);
    /// Between two turns of the library's loop: what its callbacks put aside.
    void after_step();

private:
    struct Ack {
        Request request;
        NextHop next_hop;
        std::string branch;
        unsigned sent = 0;
    };
    /// A 2xx to an INVITE: one for each To tag, since a proxy may have forked it.   (RFC 3261 §13.2.2.4)
    struct Acceptance {
        std::string to_tag;
        std::optional<Ack> ack{};
    };
    /// By UDP to where only a message has told us to send, and no final response yet.
    struct Unanswered {
        Address address;   ///< where it was sent
        std::string name;  ///< whom it is for, who named that address
    };
    struct Client {
        std::shared_ptr<const ClientHandlers> handlers;
        Outgoing transaction{};                  ///< null: nta has no more part in it
        bool has_way = false;                    ///< it was given to nta together with where to send it
        std::shared_ptr<const bool> delivers{};  ///< of its connection
        std::uint64_t sent_before = 0;           ///< what Transports had sent when it began
        bool has_left = false;                   ///< the network took it when it began
        std::chrono::steady_clock::time_point began{};
        bool is_invite = false;
        bool answered = false;                             ///< by a final response, or by us in its stead
        std::optional<std::vector<Header>> cancel_with{};  ///< cancelled by its owner before it could be
        std::string call_id{}, from_tag{}, branch{};
        std::uint32_t cseq = 0;
        std::vector<Acceptance> acceptances{};
        std::optional<Unanswered> unanswered{};  ///< if it counts as that
    };
    using Clients = std::unordered_map<std::uint64_t, Client>;

    static int on_response(nta_outgoing_magic_t* magic, nta_outgoing_t* raw, const sip_t* message) noexcept;
    static int on_stray(nta_outgoing_magic_t* magic, nta_outgoing_t*, const sip_t* message) noexcept;
    void responded(std::uint64_t number, nta_outgoing_t* raw, const sip_t* message);
    void stray(const sip_t& message);
    void accepted(std::uint64_t number, Response response);
    void answered(std::uint64_t number, Outcome outcome);
    void end(std::uint64_t number);
    bool has_room(const Unanswered& one) const;
    void count(const Unanswered& one);
    void uncount(const Unanswered& one);
    Outcome::Local failure_of(const Client& client) const;
    void send_cancel(Client& client);
    void send_ack(Ack& ack);
    Acceptance* acceptance(std::uint64_t number, const std::string& to_tag);
    nta_outgoing_t* write(const Request& request, const NextHop& next_hop, std::uint64_t number, const char* ack_branch);

    Stack& stack_;
    Clients clients_;
    /// The INVITEs among them, by Call-ID and CSeq: several, when one was sent to another next hop as well.
    std::unordered_multimap<std::string, std::uint64_t> invites_;
    Expiry over_;
    SourceCounts unanswered_;
    std::unordered_map<std::string, std::size_t> unanswered_of_name_;
    Outgoing stray_;  ///< nta's name for responses that belong to none of its transactions
    // Nothing is freed or sent inside a callback of nta's; it waits here until its loop has turned.
    std::vector<Outgoing> finished_;
    std::vector<std::uint64_t> cancel_later_;
    std::vector<std::pair<std::uint64_t, std::string>> acknowledge_later_;  ///< number and To tag
    // Last, so that it is the first to go: no callback finds an owner that is half gone.
    Numbered<ClientTransactions> numbers_;
};

}  // namespace stox::sip
