#pragma once
// Responses that say nothing without the header that explains them.   (RFC 3261 §21.4; CORE-58)

#include <string_view>

namespace stox::sip {

/// The header that a response of that status must carry; empty: it needs none.
std::string_view mandatory_header(int status);

}  // namespace stox::sip
