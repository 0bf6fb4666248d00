#pragma once
// The maddr parameter of Via, made into one that nobody knows.
//
// It says where responses shall go instead of back to where the request came from (RFC 3261 §18.2.2). nta looks it up with a call
// that blocks if it is a name, for requests that we refuse too; and it lets anybody aim our responses at anybody. Nothing but
// multicast needs it.

#include <span>

namespace stox::sip {

/// Changes the name of each such parameter in place, in the header section at the beginning of `octets`.
void disarm_via_maddr(std::span<char> octets);

}  // namespace stox::sip
