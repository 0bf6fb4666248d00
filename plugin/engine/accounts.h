#pragma once
// Who we are to each peer: the logins with which their challenges are answered, and what each of them has asked for so far.
// (RFC 3261 §22.2, §22.3)
//
// Credentials are for what goes to next hops of that peer, or over a connection that the peer itself has opened, and nowhere
// else: whoever sends sees to it. In a dialog it may go to a Contact, which is anywhere and asks with any nonce it likes.

#include "plugin/engine/secrets.h"
#include "plugin/engine/turn.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stox::engine {

class Accounts {
public:
    /// By peer; what was negotiated before is forgotten.
    void configure(std::map<std::string, sip::digest::Login> logins);

    bool has(const std::string& peer) const { return accounts_.contains(peer); }
    /// Whether its login is for realms that the operator named, and for no other.
    bool is_bound(const std::string& peer) const;
    /// Octets that the credentials for that peer take in a request, reckoned rather too many; before it has asked, what is usual.
    std::size_t octets(const std::string& peer) const;
    /// What a request to that peer carries before it is challenged: the credentials that the peer asked for before.
    std::vector<sip::Header> authorize(const std::string& peer, const sip::Request& request, sip::digest::Attempt& attempt,
                                       const Turn& turn);
    /// With what it is sent again, under a new CSeq. Nothing: the challenge is the outcome, and the operator was told why.
    /// Only for what was asked where credentials may go.
    std::optional<std::vector<sip::Header>> answer(const std::string& peer, const sip::Request& request,
                                                   const sip::Response& challenge, sip::digest::Attempt& attempt,
                                                   const Turn& turn);
    /// The same for a request inside a dialog, which a phone behind the peer may have challenged: what it asks for goes into this
    /// one request, and into nothing else that the peer is sent.
    std::optional<std::vector<sip::Header>> answer_once(const std::string& peer, const sip::Request& request,
                                                        const sip::Response& challenge, sip::digest::Attempt& attempt,
                                                        const Turn& turn);
    /// A challenge of that peer, or in its name, is not answered: the operator is told, once, what to set.
    void not_answered(const std::string& peer, const std::string& what_to_set, const Turn& turn);
    /// That peer has taken a request: the next refusal is news.
    void accepted(const std::string& peer);

private:
    struct Account {
        sip::digest::Login login;
        sip::digest::Session session;
        bool told = false;  ///< the operator, that it is refused
    };
    std::map<std::string, Account> accounts_;
    std::set<std::pair<std::string, std::string>> told_;  ///< peers, and what the operator was told of them
};

}  // namespace stox::engine
