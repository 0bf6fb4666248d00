#pragma once
// What the world outside knows about every message from SIP to XMPP, and what must hold of it.   (contract 1)
//
// A message is known by its text; its client may send the request again. `disk`: the texts that a crash now would leave.

#include "plugin/engine/engine.h"

#include <map>
#include <set>
#include <string>

namespace stox::sim {

class ToXmppLedger {
public:
    void request(std::uint64_t transaction, const std::string& text, const std::string& pair, const std::set<std::string>& disk);
    void answered(std::uint64_t transaction, int status, const std::set<std::string>& disk);
    /// Onto the stream.
    void written(const std::string& text, const std::string& id, const std::set<std::string>& disk);
    /// The server dealt with it: it is with its user, or an error is on the way.
    /// Returns which copy of it.
    std::uint64_t handled(const std::string& text, bool refused);
    void refusal_arrived(const std::string& text);
    /// The engine has the answer to a ping behind it.
    void covered(const std::string& text, std::uint64_t copy);
    /// A server that was killed had dealt with it, and lost it.
    void lost_by_server(const std::string& text);
    void crashed(const std::set<std::string>& disk);
    /// A stop that took its time: nothing that arrived may come again.
    void stopped(const std::set<std::string>& disk) const;
    /// Nothing is under way any more: every account must be closed.
    void close() const;

    /// As far as its client knows.
    bool is_accepted(const std::string& text) const {
        const auto message = messages_.find(text);
        return message != messages_.end() && message->second.accepted;
    }
    std::size_t requests() const { return transactions_.size(); }
    std::size_t copies() const { return copies_; }
    std::size_t lost_covered() const;
    /// Refused by the server although they had got 2xx.
    std::size_t refused_after_all() const;

private:
    struct Message {
        std::string pair, id;
        std::uint64_t order = 0;     ///< of the arrival that it was made of
        unsigned open = 0;           ///< requests without an answer
        bool turned_away = false;    ///< its last request was refused; what comes of it all the same has no place in the order
        std::uint64_t stale = 0;     ///< the order of the one that was refused and whose row was there still when it was sent again
        bool accepted = false;       ///< a request got 2xx
        bool restored = false;       ///< a restart found it: ours, whatever its client heard
        std::uint64_t arrived = 0;   ///< with the server: the order of the copy that did
        bool there = false;          ///< with its user
        bool refused = false;        ///< the last copy was
        bool refusal_known = false;  ///< to the engine, since it was written last
        bool covered = false;
        bool delivered_before = false;  ///< and its client, who did not hear so, has sent it again
        bool may_repeat = false;  ///< although it is covered: its row outlived a crash
    };
    Message& of(const std::string& text) { return messages_.at(text); }

    std::map<std::uint64_t, std::string> transactions_;  ///< the text
    std::set<std::uint64_t> answered_, abandoned_;
    std::map<std::string, Message> messages_;
    std::map<std::string, std::uint64_t> last_arrived_;  ///< by pair
    std::uint64_t order_ = 0;
    std::size_t copies_ = 0;
};

}  // namespace stox::sim
