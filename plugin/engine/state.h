#pragma once
// What an Engine holds; the parts of it (sip_requests, page_messages, services) work on this.

#include "plugin/engine/authentication.h"
#include "plugin/engine/barrier.h"
#include "plugin/engine/devices.h"
#include "plugin/engine/engine.h"
#include "plugin/engine/loop_guard.h"
#include "plugin/engine/merged_requests.h"
#include "plugin/engine/message_queue.h"
#include "plugin/engine/next_hops.h"
#include "plugin/engine/odd_names.h"
#include "plugin/engine/outbound.h"
#include "plugin/engine/seen_spellings.h"
#include "plugin/engine/token_bucket.h"
#include "plugin/engine/turn.h"
#include "plugin/engine/user_rates.h"

#include <map>
#include <string>

namespace stox::engine {

/// How much one peer asks for.
struct PeerRate {
    TokenBucket bucket;
    std::optional<TimePoint> told;  ///< the operator, that it asks for too much
    std::uint64_t refused = 0;      ///< since then
};

struct State {
    config::DomainOptions options;
    IdGenerator ids;
    bool stream_up = false;
    Barrier barrier;
    MessageQueue messages;
    MergedRequests merged;
    NextHops hops;
    Outbound outbound;
    Secrets secrets;
    Authentication authentication;
    SeenSpellings spellings{};
    Devices devices{};
    std::map<std::string, PeerRate> rates;  ///< of the peers with limits.per_second
    LoopGuard loops;
    UserRates user_rates;
    OddNames odd_names;
    std::uint64_t last_number = 0;

    RequestId next_request() { return RequestId{++last_number}; }
    /// Whether that peer has as many messages on their way as it may.
    bool is_full(const config::Peer& peer) const {
        const std::size_t limit = peer.limits.transactions;
        return limit != 0 && outbound.in_progress(peer.name) + barrier.held_from(peer.name) >= limit;
    }
    Turn turn(TimePoint now, Actions& out) { return {now, ids, last_number, out}; }
};

}  // namespace stox::engine
