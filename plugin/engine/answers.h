#pragma once
// What holds of every response of ours, whoever made it.

#include "mapping/sip/message.h"

namespace stox::engine {

/// A status whose mandatory header is missing becomes one that needs none: 403 for 401 and 407, else 400.   (CORE-58)
void complete(sip::Response& response);

}  // namespace stox::engine
