#pragma once
// How each contact was last spelled by SIP. A JID has one case and no difference between `;` and `%3B`; a SIP user has both, so
// whoever writes back spells it as it was seen.   (CORE-27, CORE-28)

#include "mapping/sip/uri.h"
#include "mapping/xmpp/jid.h"
#include "plugin/engine/lru_map.h"

#include <string>

namespace stox::engine {

class SeenSpellings {
public:
    static constexpr std::size_t kMost = 10'000;        ///< contacts of a domain; the one longest unseen is forgotten
    static constexpr std::size_t kLongest_octets = 1'024;  ///< of a contact and its user; longer ones are not remembered

    /// seen       whom SIP named, and is allowed to: the contact is its JID
    /// otherwise  what that JID becomes without this memory
    void remember(const xmpp::Jid& contact, const sip::Uri& seen, const sip::Uri& otherwise);
    /// `uri` spelled as that contact was last seen.
    void restore(const xmpp::Jid& contact, sip::Uri& uri) const;
    void clear() { users_.clear(); }
    std::size_t size() const { return users_.size(); }

private:
    LruMap<std::string> users_{kMost};  ///< by bare JID; only where they differ from what the JID becomes by itself
};

}  // namespace stox::engine
