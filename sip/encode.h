#pragma once
// Values as the header text that nta takes. Whatever a value holds, it stays inside its header.

#include "mapping/sip/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

/// Control characters (a line break would begin another header) become spaces.
std::string header_value(std::string_view value);
/// `"Display" <sip:user@host>;tag=x`
std::string name_addr_value(const NameAddr& address);
/// "Name: value\r\n" for each; a name that is no token is left out.
std::string header_lines(const std::vector<Header>& headers);

}  // namespace stox::sip
