#pragma once
// What an Engine holds; the parts of it (sip_requests, page_messages, services) work on this.

#include "plugin/engine/barrier.h"
#include "plugin/engine/engine.h"
#include "plugin/engine/merged_requests.h"
#include "plugin/engine/message_queue.h"

#include <vector>

namespace stox::engine {

using Actions = std::vector<Action>;

struct State {
    config::DomainOptions options;
    IdGenerator ids;
    bool stream_up = false;
    Barrier barrier;
    MessageQueue messages;
    MergedRequests merged;
    std::uint64_t last_transaction = 0;

    ClientTransaction next_transaction() { return ClientTransaction{++last_transaction}; }
};

}  // namespace stox::engine
