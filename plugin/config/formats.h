#pragma once
// The text forms that option values have, read once: the validator asks whether, the loader takes what.

#include "mapping/core/result.h"
#include "plugin/config/options.h"

#include <string>
#include <string_view>

namespace stox::config {

/// "udp:0.0.0.0:5060"; udp, tcp or tls.
Result<Listener> parse_listener(std::string_view text);
/// "sip:192.0.2.1:5060;transport=tcp", "sips:proxy.example"; no user. `priority` and `weight` are left alone.
Result<NextHop> parse_next_hop(std::string_view text);
/// A domain name or address literal in lower case, without a trailing dot.
Result<std::string> parse_domain(std::string_view text);
/// "example.com", "alice@example.com", "+4420*", "+442071230000-+442071239999", "+4420*@example.com"
Result<Identity> parse_identity(std::string_view text);
/// "example.com" or "+44"
Result<TargetRule> parse_target(std::string_view text);
/// "*21#", "xxxx", "0."
Result<std::string> parse_dial_pattern(std::string_view text);
/// "112"
Result<std::string> parse_emergency_number(std::string_view text);
/// "example.com" or "+44"
Result<std::string> parse_phone_context(std::string_view text);
/// "192.0.2.53", "[2001:db8::53]:5353"; port 53 when absent.
Result<Endpoint> parse_dns_server(std::string_view text);
/// "127.0.0.1:9516", "[::1]:9516", "unix:/run/stox/metrics"; the two other fields are left alone.
Result<MetricsOptions> parse_metrics_listener(std::string_view text);
/// An absolute path.
Result<std::string> parse_file(std::string_view text);
/// An absolute path that is not the root's.
Result<std::string> parse_directory(std::string_view text);
/// Printable text that needs no escapes in a quoted-string.
Result<std::string> parse_realm(std::string_view text);
/// A user name of digest authentication: as a realm, without a colon.
Result<std::string> parse_login(std::string_view text);

/// A language tag of the shape of RFC 5646 §2.1, such as en or de-AT.
Result<std::string> parse_language(std::string_view text);

}  // namespace stox::config
