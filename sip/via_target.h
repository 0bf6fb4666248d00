#pragma once
// The parameters of Via that send a response elsewhere than back to where the request came from, made into ones that nobody
// knows.
//
// maddr (RFC 3261 §18.2.2) is for multicast alone. received is added by whoever receives (§18.2.1); nta takes away one that a
// stranger wrote, but of two the second stays. nta sends what it answers by itself, refusals of what is no SIP, to the place
// they name: looked up by a call that blocks if that is a name, and anybody's for anybody to be sent at.

#include <span>

namespace stox::sip {

/// Changes the name of each such parameter in place, in the header section at the beginning of `octets`: maddr in every Via;
/// received in the topmost value, since those below are the way back; in every Via where no blank line ends the section, for
/// that is refused and nothing more.
void disarm_via(std::span<char> octets);

}  // namespace stox::sip
