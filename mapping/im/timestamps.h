#pragma once
// Time stamps as messages carry them: RFC 3339 (CPIM, IMDN, XEP-0082) and the Date header of SIP. For people to read and for
// Expires, never for timers.

#include "mapping/core/utc_time.h"

#include <optional>
#include <string>
#include <string_view>

namespace stox::im {

/// "2026-04-04T12:16:49.5-05:00"; years 1970 to 9999. A leap second is the second before.   (RFC 3339 §5.6)
std::optional<UtcTime> read_time(std::string_view text);
/// "2026-04-04T17:16:49Z", whole seconds.
std::string write_time(UtcTime time);
/// "2026-04-04T17:16:49.250Z", with milliseconds.
std::string write_precise_time(UtcTime time);
/// "Sat, 13 Nov 2010 23:29:00 GMT"; the day of the week is not looked at.   (RFC 3261 §20.17)
std::optional<UtcTime> read_sip_date(std::string_view text);

}  // namespace stox::im
