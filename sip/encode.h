#pragma once
// Values as the header text that nta takes. Whatever a value holds, it stays inside its header.

#include "mapping/core/result.h"
#include "mapping/sip/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

/// RFC 3261 §25.1 `token`.
bool is_token(std::string_view text);
/// Control characters (a line break would begin another header) become spaces.
constexpr char printable(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c; }
std::string header_value(std::string_view value);
/// `"Display" <sip:user@host>;tag=x;expires=60`
std::string name_addr_value(const NameAddr& address);
/// Those of one header field, joined by commas.
std::string name_addr_list(const std::vector<NameAddr>& addresses);
/// `lower` in any case.
bool is_named(std::string_view name, std::string_view lower);
/// A token that has no field of its own and is none of nta's.
bool is_header_of_callers(std::string_view name);
/// "Name: value\r\n" for each. Left out: a name that is no token, and headers that have a field of their own or are nta's.
std::string header_lines(const std::vector<Header>& headers);
/// Whether each can be written as Contact or Route so that the peer reads these very values: a sip or sips URI with a host and
/// no ?headers, parameters whose value is a token, a host or a whole quoted string.
bool are_writable(const std::vector<NameAddr>& addresses);
/// Whether the start line, From, To, Call-ID, CSeq, Contact and Route can be written so that the peer reads these very values.
/// errors  malformed: the detail names the field
Result<void> check_writable(const Request& request);

}  // namespace stox::sip
