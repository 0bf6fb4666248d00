#pragma once
// MESSAGE requests of ours: at most one out-of-dialog transaction for each contact, the next ones in order behind it.
// (RFC 3428 §8, IM-12, CORE-77)

#include "plugin/engine/outbound.h"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stox::engine {

struct Outgoing {
    RequestId id;
    std::string line;  ///< of its contact, whatever spelling or device of theirs the request is for
    sip::Request request;
    xmpp::Message original;  ///< without its payload: what an error answers
    Trace trace;
    std::string peer;
};

class MessageQueue {
public:
    static constexpr std::size_t kQueuedPerTarget = 50;
    static constexpr std::size_t kInAll = 10'000;           ///< with those in progress
    static constexpr std::size_t kOctetsInAll = 64u << 20;  ///< of all that they hold

    /// Whether the next one to that target would have to wait.
    bool is_busy(const std::string& target) const { return targets_.contains(target); }

    enum class Admission { send, queued, full };
    /// `send`: the target was free and is now taken by this one, which front() returns.
    /// past_limits: a call for help is never too many.
    Admission add(Outgoing outgoing, bool past_limits = false);
    /// The one in progress for that target.
    const Outgoing& front(const std::string& target) const { return targets_.at(target).front(); }

    struct Finished {
        Outgoing done;
        std::optional<std::string> next_target;  ///< set when another one of the same target is to be sent now
    };
    /// That request is over. Null: not one of ours (any more).
    std::optional<Finished> finish(RequestId id);
    /// Everything, in order per target; `in_progress` tells those already sent.
    struct Abandoned {
        Outgoing outgoing;
        bool in_progress;
    };
    std::vector<Abandoned> abandon_all();

    std::size_t in_progress() const { return by_id_.size(); }
    std::size_t queued() const { return size_ - by_id_.size(); }

private:
    std::map<std::string, std::deque<Outgoing>> targets_;  ///< never empty; the front is in progress
    std::map<RequestId, std::string> by_id_;
    std::size_t size_ = 0;
    std::size_t octets_ = 0;
};

}  // namespace stox::engine
