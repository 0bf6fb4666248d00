#pragma once
// Holds MESSAGE requests whose stanza is on the stream until the server has surely taken it.
//
// XEP-0114 acknowledges nothing. An IQ ping sent after a stanza is answered after the server dealt with that stanza, so its
// answer is the proof, and an error stanza that came before it is the stanza's fate. One ping is outstanding and covers all
// that was written before it; what is written meanwhile waits for the next one.

#include "plugin/engine/engine.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::engine {

struct Held {
    ServerTransaction transaction;
    std::string stanza_id;
    xmpp::Jid to;  ///< of the stanza: only from there an error can be its fate
    Trace trace;
    std::string peer;
    std::string request_key{};  ///< of MergedRequests
    std::string method = "MESSAGE";
    config::PeerKind kind = config::PeerKind::proxy;
    bool covered = false;  ///< by the outstanding ping
};

class Barrier {
public:
    void hold(Held held) { held_.push_back(std::move(held)); }

    /// Whether a ping has to go out now; then its id is what `sent` gets.
    bool wants_ping() const { return !ping_ && !held_.empty(); }
    void sent(std::string ping_id, TimePoint deadline);
    bool is_answer(std::string_view iq_id) const { return ping_ && *ping_ == iq_id; }
    std::optional<TimePoint> deadline() const { return ping_ ? std::optional(deadline_) : std::nullopt; }

    /// The ping was answered, or its time is over: what it covered, in order; it is held no longer.
    std::vector<Held> release_covered();
    /// The stream is gone: everything, in order.
    std::vector<Held> release_all();
    /// The held request whose stanza has that id and went to that account; it is held no longer.
    std::optional<Held> take(std::string_view stanza_id, const xmpp::Jid& from);
    std::size_t size() const { return held_.size(); }
    /// Of those, the ones from that peer.
    std::size_t held_from(std::string_view peer) const;

private:
    std::deque<Held> held_;
    std::optional<std::string> ping_;
    TimePoint deadline_{};
};

}  // namespace stox::engine
