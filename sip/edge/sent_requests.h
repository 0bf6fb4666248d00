#pragma once
// The requests that left by UDP a moment ago: what the network says of a datagram is believed only if it quotes one of them.
// Anybody can send an ICMP error in the network's name, but not with the branch of a request that he has not seen.   (RFC 5927
// §4)

#include "mapping/core/endpoint.h"

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace stox::sip {

class SentRequests {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// datagram  its first part at least, up to kQuoted octets
    void sent(const stox::Endpoint& to, std::string_view datagram, Time now);
    /// quoted  what an ICMP error gave back of a datagram to `to`. Fewer octets than kQuoted, unless it was no longer, prove
    ///         nothing: most of the network quotes 500 and more, and where it does not, the transaction's timer decides.
    bool quotes_one(const stox::Endpoint& to, std::string_view quoted, Time now) const;

    static constexpr std::size_t kQuoted = 384;
    static constexpr std::size_t kRemembered = 4'096;
    /// 64*T1: later nobody waits for it.
    static constexpr std::chrono::seconds kLived{32};

private:
    struct Sent {
        stox::Endpoint to;
        Time at;
        std::string start;  ///< up to kQuoted octets
    };

    std::unordered_map<std::string, Sent> by_name_;  ///< method and branch
    std::deque<const std::string*> order_;           ///< of by_name_, the oldest first
};

}  // namespace stox::sip
