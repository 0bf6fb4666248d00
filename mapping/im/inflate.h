#pragma once
// Content-Encoding: deflate, which linphone puts on its delivery notifications.

#include "mapping/core/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace stox::im {

/// The octets behind a zlib stream (RFC 1950).
/// errors  malformed: no such stream, or one that is cut off or has something behind it; too_large: more than `limit` octets
Result<std::string> inflate(std::string_view compressed, std::size_t limit);

}  // namespace stox::im
