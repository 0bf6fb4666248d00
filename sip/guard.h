#pragma once
// Judges every message before nta sees it: what could trip the library later is refused while it is still bytes.

struct msg_mclass_s;

namespace stox::sip {

/// A message class for NTATAG_MCLASS. A request that it does not acquit is answered 400 by nta, such a response is dropped.
/// One per process; it lives for ever.
msg_mclass_s const* guarded_messages();

}  // namespace stox::sip
