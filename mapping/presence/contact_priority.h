#pragma once
// The priority of an XMPP resource (-128 to 127) and that of a PIDF contact (0 to 1 with three decimals).   (RFC 8048 §6.2)

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stox::presence {

/// Cut to three decimals, so that each has its own: 1 is "0.007", 127 is "1". nullopt: a negative one has none.   (PRES-57)
std::optional<std::string> to_contact_priority(std::int8_t priority);

/// The nearest one.   nullopt: no such number, which stands for nothing said   (RFC 3863 §4.1.5, PRES-78)
std::optional<std::int8_t> from_contact_priority(std::string_view text);

}  // namespace stox::presence
