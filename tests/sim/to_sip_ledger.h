#pragma once
// What the world outside knows about every message from XMPP to SIP, and what must hold of it.   (contract 1)
//
// A message is known by its stanza id. `disk`: the ids that a crash now would leave.

#include "plugin/engine/engine.h"

#include <map>
#include <set>
#include <string>

namespace stox::sim {

class ToSipLedger {
public:
    void stanza_given(const std::string& id);
    /// Its record could not be written: what a restart knows of its CSeq is old.
    void not_written(const std::string& id) { of(id).cseq_unknown = true; }

    void request_sent(engine::ClientTransaction transaction, const std::string& id, const sip::Request& request,
                      const std::set<std::string>& disk);
    struct End {
        int status = 0;
        bool untaken = false;           ///< whoever it went to surely has nothing of it, so that another one may get it
        bool may_have_arrived = false;  ///< so that a contact who shows copies once may get it once more
        bool shows_once = false;
    };
    void request_ended(engine::ClientTransaction transaction, const End& end);

    /// An error for its author goes onto the stream; it arrives; the engine has the answer to a ping behind it.
    void error_written(const std::string& id, const std::set<std::string>& disk);
    void error_arrived(const std::string& id) { messages_.at(id).told = true; }
    void error_covered(const std::string& id);

    void crashed(const std::set<std::string>& disk);
    /// A stop that took its time: what was delivered is not kept.
    void stopped(const std::set<std::string>& disk) const;
    /// Nothing is under way any more: every account must be closed.
    void close() const;

    std::size_t stanzas() const { return messages_.size(); }
    std::size_t copies() const { return copies_; }
    /// Read from the stream and gone with a crash before they were ours.
    std::size_t never_accepted() const;

private:
    struct Message {
        std::uint64_t order = 0;
        std::string call_id, from_tag;
        std::uint32_t cseq = 0;
        bool stored = false;  ///< ours
        bool may_be_sent = true;
        bool repeated = false;                          ///< by this life of the engine
        bool delivered = false, delivered_now = false;  ///< a final 2xx came; to this life
        bool bounced = false;                           ///< refused before it was ours
        bool told = false, error_covered = false, may_retell = true;
        bool cseq_must_rise = false, cseq_unknown = false;
        bool gone = false;
    };
    Message& of(const std::string& id) { return messages_.at(id); }

    std::map<std::string, Message> messages_;
    std::map<std::string, std::uint64_t> last_of_line_;
    std::map<engine::ClientTransaction, std::pair<std::string, std::string>> open_;  ///< id and line
    std::set<std::string> busy_;                                                     ///< lines with a transaction
    std::uint64_t order_ = 0;
    std::size_t copies_ = 0;
};

}  // namespace stox::sim
