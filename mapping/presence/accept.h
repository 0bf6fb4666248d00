#pragma once
// Which documents a subscriber takes.   (RFC 3261 §20.1, RFC 3856 §6.5)

#include "mapping/sip/message.h"

namespace stox::presence {

/// Whether a PIDF may be sent to who sent this SUBSCRIBE. The nearest range counts: the type itself, else application/*, else
/// */*; one with q=0 refuses. Without Accept PIDF is what is meant, and an empty Accept takes nothing.   (PRES-30, PRES-110)
bool accepts_pidf(const sip::Request& subscribe);

}  // namespace stox::presence
