#pragma once
// Text that came from SIP in whatever charset, as UTF-8 that XML can hold.

#include "mapping/core/result.h"

#include <string>
#include <string_view>

namespace stox {

/// `octets` in `charset` (an IANA name, any case) as UTF-8. What XML 1.0 forbids becomes U+FFFD, so that the reader of the
/// text sees that something stood there; line ends become LF.   (CORE-75)
/// errors  unsupported: a charset we do not know; malformed: octets that are not of that charset
Result<std::string> to_utf8(std::string_view octets, std::string_view charset);

/// The same where no charset is named: UTF-8, else windows-1252, which takes any octet.   (IM-51)
std::string to_utf8(std::string_view octets);

}  // namespace stox
