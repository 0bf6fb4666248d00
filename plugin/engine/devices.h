#pragma once
// The devices of SIP contacts as resources. A public GRUU is a resource as it stands; a device without one gets a resource of our
// making, the same each time, that means something in this table alone.   (CORE-40, CORE-43)

#include "mapping/core/ids.h"
#include "mapping/sip/message.h"
#include "mapping/xmpp/jid.h"
#include "plugin/engine/lru_map.h"

#include <optional>
#include <string>
#include <vector>

namespace stox::engine {

class Devices {
public:
    static constexpr std::size_t kMost = 10'000;       ///< contacts of a domain; the one longest unseen is forgotten
    static constexpr std::size_t kOfOneContact = 16;   ///< then the oldest makes room
    static constexpr std::size_t kLongest_octets = 1'024;  ///< of a resource or of what tells a device; longer ones have no resource

    /// That contact was seen with this GRUU.
    void saw_gruu(const xmpp::Jid& full);
    /// The resource of the device behind a Contact that is no GRUU of that contact: told by +sip.instance, else by the URI.
    /// Empty: too long to be remembered.
    std::string resource_of(const xmpp::Jid& contact, const sip::NameAddr& device, IdGenerator& ids);
    bool is_gruu(const xmpp::Jid& full) const;
    /// The Contact that stands behind a resource of our making; nothing: it is none, or is forgotten.
    std::optional<sip::Uri> behind(const xmpp::Jid& full) const;
    void clear() { contacts_.clear(); }

private:
    struct Device {
        std::string resource;
        std::string key;              ///< of one without GRUU
        std::optional<sip::Uri> uri;  ///< its Contact; none: the resource is a GRUU
    };
    const Device* find(const xmpp::Jid& full) const;
    static Device& add(std::vector<Device>& devices, Device device);

    LruMap<std::vector<Device>> contacts_{kMost};  ///< by bare JID, the oldest device first
};

}  // namespace stox::engine
