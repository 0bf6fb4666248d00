#pragma once
// Judges every message before nta sees it: what could trip the library later is refused while it is still bytes.

#include <cstdint>
#include <string>

struct msg_mclass_s;

namespace stox::sip {

/// A message class for NTATAG_MCLASS. A request that it does not acquit is answered 400 by nta, such a response is dropped.
/// One per process; it lives for ever.
msg_mclass_s const* guarded_messages();

/// Drops every ACK of that INVITE from now on. For one whose final response could not be sent: nta means to try again, and ends
/// the process when an ACK comes first. The last 8,192 are remembered.
void drop_acks_of(std::string call_id, std::uint32_t cseq);

}  // namespace stox::sip
