#include "plugin/engine/seen_spellings.h"

namespace stox::engine {

void SeenSpellings::remember(const xmpp::Jid& contact, const sip::Uri& seen, const sip::Uri& otherwise) {
    const auto key = contact.bare().to_string();
    const auto user = sip::canonical_user(seen.user);
    if (user == otherwise.user || key.size() + user.size() > kLongest_octets)
        users_.erase(key);
    else
        users_[key] = user;
}

void SeenSpellings::restore(const xmpp::Jid& contact, sip::Uri& uri) const {
    if (const auto* user = users_.find(contact.bare().to_string())) uri.user = *user;
}

}  // namespace stox::engine
