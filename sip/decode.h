#pragma once
// A message as nta parsed it, copied into values: nothing of the library leaves sip/.

#include "mapping/core/result.h"
#include "mapping/sip/message.h"

struct sip_s;

namespace stox::sip {

/// Into an empty one, for a request is long to move; after an error it is good for nothing.
/// errors  unsupported: a Request-URI of a scheme we do not know (416); malformed: an address that cannot be read (400)
Result<void> decode_request(const sip_s& message, Request& request);
Response decode_response(const sip_s& message);

}  // namespace stox::sip
