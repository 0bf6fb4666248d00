#pragma once
// Values as the header text that nta takes. Whatever a value holds, it stays inside its header.

#include "mapping/core/result.h"
#include "mapping/sip/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

/// Control characters (a line break would begin another header) become spaces.
std::string header_value(std::string_view value);
/// `"Display" <sip:user@host>;tag=x`
std::string name_addr_value(const NameAddr& address);
/// "Name: value\r\n" for each. Left out: a name that is no token, and headers that have a field of their own or are nta's.
std::string header_lines(const std::vector<Header>& headers);
/// Whether the start line, From, To, Call-ID and CSeq can be written so that the peer reads these very values.
/// errors  malformed: the detail names the field
Result<void> check_writable(const Request& request);

}  // namespace stox::sip
