#pragma once
// What the outside world knows about every message, and what must hold of it.   (contract 1)

#include "plugin/engine/engine.h"

#include <map>
#include <set>
#include <stdexcept>
#include <string>

namespace stox::sim {

/// An invariant is broken; the text says which and of what.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Ledger {
public:
    // SIP to XMPP, by the number of the transaction; a message is known by the text of its body
    void sip_request(std::uint64_t transaction, const std::string& text);
    void sip_answered(std::uint64_t transaction, int status);
    void server_read(const std::string& text, const std::string& stanza_id);
    void server_refused(const std::string& text);  ///< its error is on the way, before the answer to any later ping

    // XMPP to SIP, by stanza id
    void stanza_given(const std::string& id);
    void request_sent(engine::ClientTransaction transaction, const std::string& id, const std::string& target);
    /// untaken: whoever it went to surely has nothing of it, so that another one may get it
    void request_ended(engine::ClientTransaction transaction, int status, bool untaken);
    void author_told(const std::string& id);

    /// Nothing is under way any more: every account must be closed.
    void close(const engine::Engine::Pending& pending) const;

    std::size_t requests() const { return incoming_.size(); }
    std::size_t stanzas() const { return outgoing_.size(); }

private:
    struct Incoming {
        std::string text;
        int answered = 0;
        int status = 0;
    };
    struct Outgoing {
        std::uint64_t order = 0;
        bool may_be_sent = true;
        int final_status = 0;
        int errors = 0;
    };

    std::map<std::uint64_t, Incoming> incoming_;
    std::map<std::string, std::string> read_;  ///< id of the stanza
    std::set<std::string> refused_;
    std::set<std::string> may_come_again_;     ///< whose request got no success
    std::map<std::string, Outgoing> outgoing_;
    std::uint64_t order_ = 0;
    std::map<std::string, std::uint64_t> last_of_target_;
    std::map<engine::ClientTransaction, std::pair<std::string, std::string>> open_;  ///< id and target
    std::set<std::string> busy_;                                                     ///< targets with a transaction
};

}  // namespace stox::sim
