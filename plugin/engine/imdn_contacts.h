#pragma once
// Contacts on the SIP side that have shown that they understand IMDN (RFC 5438): a message that comes to them twice with one
// imdn.Message-ID is shown once.

#include "mapping/xmpp/jid.h"

#include <cstddef>
#include <deque>
#include <set>
#include <string>

namespace stox::engine {

class ImdnContacts {
public:
    static constexpr std::size_t kRemembered = 10'000;  ///< the first one learnt is forgotten first

    void learn(const xmpp::Jid& contact) {
        auto name = name_of(contact);
        if (!known_.insert(name).second) return;
        order_.push_back(std::move(name));
        if (order_.size() <= kRemembered) return;
        known_.erase(order_.front());
        order_.pop_front();
    }
    bool understands(const xmpp::Jid& contact) const { return known_.contains(name_of(contact)); }

private:
    static std::string name_of(const xmpp::Jid& contact) { return contact.local + '@' + contact.domain; }

    std::set<std::string> known_;
    std::deque<std::string> order_;
};

}  // namespace stox::engine
