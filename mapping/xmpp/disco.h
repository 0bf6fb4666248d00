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
    std::string node{};  ///< what was asked about; may be empty

    friend bool operator==(const DiscoInfo&, const DiscoInfo&) = default;
};

struct DiscoItem {
    std::string jid, node, name;  ///< node and name may be empty

    friend bool operator==(const DiscoItem&, const DiscoItem&) = default;
};

struct DiscoItems {
    std::string node;  ///< whose items; may be empty
    std::vector<DiscoItem> items;
};

/// `<query xmlns='http://jabber.org/protocol/disco#info'/>` with everything in the order given.   (XEP-0030 §3.1)
xml::Element encode(const DiscoInfo& info);
/// The same of disco#items.   (XEP-0030 §4.1)
xml::Element encode(const DiscoItems& items);

}  // namespace stox::xmpp
