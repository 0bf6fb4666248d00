#pragma once
// The address that the other side of a dialog sends to from then on: ours, whatever the user behind the gateway is called.
// (RFC 3261 §8.1.1.8, RFC 6665 §4.5.1; CORE-45, CORE-46)

#include "mapping/core/endpoint.h"
#include "mapping/sip/message.h"

#include <optional>
#include <string>

namespace stox::sip {

/// Where we are reached: the listener that the dialog's messages leave from, or the name or address that stands before it.
struct OwnAddress {
    std::string host;  ///< a name, or an address; IPv6 with or without brackets
    std::optional<std::uint16_t> port;
    Transport transport = Transport::udp;
};

/// sip:token@host:port;transport=...: no address of record stands in it, for it is not our server that those are routed to.
/// gruu     with `gr`, as a notifier's must be: the token is then good for requests outside the dialog as well
/// secure   the dialog was begun with sips (RFC 3261 §12.1.1)
/// errors   malformed: no host, or a token that is none
Result<NameAddr> own_contact(const OwnAddress& us, const std::string& token, bool gruu, bool secure = false);

/// The token of a Request-URI that is such a Contact of ours; empty: it is none.
std::string own_token(const OwnAddress& us, const Uri& target);

}  // namespace stox::sip
