#pragma once
// How far a message may still travel, as it stands in a stanza.   (XEP-0131; CORE-68, CORE-70)

#include "mapping/xml/element.h"

#include <optional>
#include <vector>

namespace stox::xmpp {

struct HopHeaders {
    std::optional<unsigned> max_forwards;  ///< hops that are left
    std::optional<unsigned> max_breadth;   ///< branches that are left (RFC 5393 §5.3)

    friend bool operator==(const HopHeaders&, const HopHeaders&) = default;
};

/// `<headers xmlns='http://jabber.org/protocol/shim'/>` with those that are set.
xml::Element encode(const HopHeaders& headers);
/// Of a stanza's payload; several of one name: the least. What is no number up to 255 does not count.
HopHeaders read_hop_headers(const std::vector<xml::Element>& payload);

}  // namespace stox::xmpp
