#pragma once
// Service discovery (XEP-0030) as values.

#include "mapping/xml/element.h"

#include <string>
#include <vector>

namespace stox::xmpp {

struct DiscoIdentity {
    std::string category, type;
    std::string name;  ///< may be empty
    std::string lang;  ///< of the name; may be empty

    friend bool operator==(const DiscoIdentity&, const DiscoIdentity&) = default;
};

struct DiscoInfo {
    std::vector<DiscoIdentity> identities;
    std::vector<std::string> features;

    friend bool operator==(const DiscoInfo&, const DiscoInfo&) = default;
};

/// `<query xmlns='http://jabber.org/protocol/disco#info'/>` with everything in the order given.   (XEP-0030 §3.1)
xml::Element encode(const DiscoInfo& info);

}  // namespace stox::xmpp
