#include "plugin/config/formats.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace stox::config {

namespace {

constexpr std::size_t kLongestNumber = 20;  ///< digits; E.164 has 15, carriers put codes of their own before them

constexpr std::size_t kLongestDialled = 32;  ///< digits, stars and hashes

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
    return out;
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c >= '0' && c <= '9'; });
}

bool is_number(std::string_view text) {
    return text.starts_with('+') && text.size() <= kLongestNumber + 1 && all_digits(text.substr(1));
}

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0)
        return fail(Code::malformed, "a port is 1 to 65535");
    return port;
}

/// A name that DNS can hold, and that nobody could take for a mistyped address.
bool is_host_name(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    const auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_'; };
    if (!std::ranges::all_of(name, allowed) || name.starts_with('.') || name.find("..") != name.npos) return false;
    return !all_digits(name.substr(name.rfind('.') == name.npos ? 0 : name.rfind('.') + 1));
}

/// "192.0.2.1", "proxy.example:5080", "[2001:db8::1]:5080" into `hop`.
Result<void> read_host_port(std::string_view text, NextHop& hop) {
    auto host = text;
    if (const auto colon = text.rfind(':'); colon != text.npos && (text.find(':') == colon || text[colon - 1] == ']')) {
        host = text.substr(0, colon);
        auto port = parse_port(text.substr(colon + 1));
        if (!port) return port.error();
        hop.port = port.value();
    }
    const bool bare_v6 = host.find(':') != host.npos && !host.starts_with('[');
    if (const auto address = Address::parse(host); address && !bare_v6) {
        hop.address = address.value();
        hop.host = address.value().to_string();
        return ok();
    }
    if (host.ends_with('.')) host.remove_suffix(1);
    if (!is_host_name(host))
        return fail(Code::malformed, "needs a host, such as sip:proxy.example, sip:192.0.2.1:5060 or sip:[2001:db8::1]");
    hop.host = lower(host);
    return ok();
}

Result<void> read_parameter(std::string_view text, NextHop& hop) {
    constexpr std::string_view kTransport = "transport=";
    const auto name = lower(text);
    if (name == "lr") return ok();  // what the operator copied from a route set; it says nothing here
    if (!name.starts_with(kTransport)) return fail(Code::malformed, "the only parameter is ;transport=udp, tcp or tls");
    const auto transport = parse_transport(text.substr(kTransport.size()));
    if (!transport) return fail(Code::malformed, "the transport is udp, tcp or tls");
    if (hop.sips && transport.value() == Transport::udp) return fail(Code::malformed, "sips is never UDP");
    hop.transport =
        hop.sips ? Transport::tls : transport.value();  // RFC 3261 §26.2.2: sips with transport=tcp means TLS over TCP
    return ok();
}

Result<Numbers> parse_numbers(std::string_view text) {
    if (text.ends_with('*') && is_number(text.substr(0, text.size() - 1)))
        return Numbers{std::string(text.substr(0, text.size() - 1)), {}, true};
    if (is_number(text)) return Numbers{std::string(text), std::string(text), false};
    const auto dash = text.find('-');
    if (dash != text.npos) {
        Numbers range{std::string(text.substr(0, dash)), std::string(text.substr(dash + 1)), false};
        if (is_number(range.first) && is_number(range.last) && range.first.size() == range.last.size() &&
            range.first <= range.last)
            return range;
    }
    return fail(Code::malformed,
                "numbers are +4420*, +442071234567, or +442071230000-+442071239999 with both ends of one length");
}

Result<std::string> printable(std::string_view text, std::string_view without, const char* otherwise) {
    if (text.empty() || text.size() > 256) return fail(Code::malformed, "needs 1 to 256 octets");
    for (const unsigned char c : text)
        if (c < 0x20 || c == 0x7f || without.find(static_cast<char>(c)) != without.npos) return fail(Code::malformed, otherwise);
    return std::string(text);
}

}  // namespace

Result<Listener> parse_listener(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos) return fail(Code::malformed, "write transport:address:port, such as udp:0.0.0.0:5060");
    const auto transport = parse_transport(text.substr(0, colon));
    if (!transport) return fail(Code::malformed, "the transport is udp, tcp or tls");
    const auto endpoint = Endpoint::parse(text.substr(colon + 1));
    if (!endpoint) return fail(Code::malformed, "write transport:address:port with a numeric address, such as udp:0.0.0.0:5060");
    return Listener{transport.value(), endpoint.value()};
}

Result<NextHop> parse_next_hop(std::string_view text) {
    NextHop hop;
    hop.uri = text;
    hop.sips = lower(text.substr(0, 5)) == "sips:";
    if (!hop.sips && lower(text.substr(0, 4)) != "sip:")
        return fail(Code::malformed, "write a SIP URI, such as sip:proxy.example or sip:192.0.2.1:5060;transport=tcp");
    text.remove_prefix(hop.sips ? 5 : 4);
    if (text.find('@') != text.npos) return fail(Code::malformed, "names a host and no user");
    if (text.find('?') != text.npos) return fail(Code::malformed, "takes no headers");
    auto semicolon = std::min(text.find(';'), text.size());
    if (auto read = read_host_port(text.substr(0, semicolon), hop); !read) return read.error();
    for (text.remove_prefix(semicolon); !text.empty(); text.remove_prefix(semicolon)) {
        text.remove_prefix(1);
        semicolon = std::min(text.find(';'), text.size());
        if (auto read = read_parameter(text.substr(0, semicolon), hop); !read) return read.error();
    }
    if (hop.sips) hop.transport = Transport::tls;
    return hop;
}

Result<std::string> parse_domain(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty() || text.size() > 1'023) return fail(Code::malformed, "a domain name has 1 to 1023 octets");
    for (const unsigned char c : text)
        if (c <= 0x20 || c == 0x7f || std::string_view("@/\\\"'<>&?#%,;*+").find(static_cast<char>(c)) != std::string_view::npos)
            return fail(Code::malformed, "that is no domain name");
    return lower(text);
}

Result<Identity> parse_identity(std::string_view text) {
    Identity identity;
    const auto at = text.rfind('@');
    const auto user = at == text.npos ? (text.starts_with('+') ? text : std::string_view()) : text.substr(0, at);
    if (at != text.npos || user.empty()) {
        auto domain = parse_domain(text.substr(at == text.npos ? 0 : at + 1));
        if (!domain) return fail(Code::malformed, "write a domain, user@domain, or numbers such as +4420*");
        identity.domain = std::move(domain).value();
    }
    if (at != text.npos && user.empty()) return fail(Code::malformed, "has no user before the @");
    if (user.starts_with('+')) {
        auto numbers = parse_numbers(user);
        if (!numbers) return numbers.error();
        identity.numbers = std::move(numbers).value();
    } else if (!user.empty()) {
        auto checked = printable(user, " <>\"*", "the user before the @ is a name as it stands, without patterns");
        if (!checked) return checked.error();
        identity.user = std::move(checked).value();
    }
    return identity;
}

Result<TargetRule> parse_target(std::string_view text) {
    if (text.starts_with('+')) {
        if (text.ends_with('*')) text.remove_suffix(1);
        if (!is_number(text)) return fail(Code::malformed, "a number prefix is + and digits, such as +44");
        return TargetRule{{}, std::string(text)};
    }
    auto domain = parse_domain(text);
    if (!domain) return fail(Code::malformed, "write a domain, or a number prefix such as +44");
    return TargetRule{std::move(domain).value(), {}};
}

Result<std::string> parse_dial_pattern(std::string_view text) {
    const auto digits = text.substr(0, text.size() - (text.ends_with('.') ? 1 : 0));
    const auto is_dialled = [](char c) { return std::string_view("0123456789*#x").find(c) != std::string_view::npos; };
    if (text.empty() || digits.size() > kLongestDialled || !std::ranges::all_of(digits, is_dialled))
        return fail(Code::malformed, "a pattern has digits, *, #, x for any digit, and perhaps a dot at its end: *21#, xxxx, 0.");
    return std::string(text);
}

Result<std::string> parse_emergency_number(std::string_view text) {
    if (!all_digits(text) || text.size() > kLongestNumber) return fail(Code::malformed, "an emergency number has digits alone");
    return std::string(text);
}

Result<std::string> parse_phone_context(std::string_view text) {
    if (text.starts_with('+')) {
        if (is_number(text)) return std::string(text);
        return fail(Code::malformed, "a prefix is a plus and digits");
    }
    return parse_domain(text);
}

Result<Endpoint> parse_dns_server(std::string_view text) {
    if (const auto endpoint = Endpoint::parse(text); endpoint && endpoint.value().port != 0) return endpoint;
    if (const auto address = Address::parse(text)) return Endpoint{address.value(), 53};
    return fail(Code::malformed, "write the address of a name server, such as 192.0.2.53 or [2001:db8::53]:5353");
}

Result<MetricsOptions> parse_metrics_listener(std::string_view text) {
    constexpr std::string_view kUnix = "unix:";
    MetricsOptions metrics;
    if (text.starts_with(kUnix)) {
        BOOST_OUTCOME_TRY(path, parse_file(text.substr(kUnix.size())));
        metrics.unix_path = std::move(path);
        return metrics;
    }
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) return fail(Code::malformed, "write an address and a port, such as 127.0.0.1:9516, or unix: and a whole path");
    metrics.endpoint = endpoint.value();
    return metrics;
}

Result<std::string> parse_file(std::string_view text) {
    if (!text.starts_with('/')) return fail(Code::malformed, "write the whole path of the file, from / on");
    if (text.size() > 4'095 || text.find('\0') != text.npos) return fail(Code::malformed, "that is no path");
    return std::string(text);
}

Result<std::string> parse_directory(std::string_view text) {
    if (!text.starts_with('/')) return fail(Code::malformed, "write the whole path of the directory, from / on");
    if (text.find_first_not_of('/') == text.npos) return fail(Code::malformed, "write a directory of its own");
    BOOST_OUTCOME_TRY(path, parse_file(text));
    while (path.ends_with('/')) path.pop_back();
    return path;
}

Result<std::string> parse_realm(std::string_view text) {
    return printable(text, "\"\\", "a realm has no quotes, backslashes or control characters");
}

Result<std::string> parse_login(std::string_view text) {
    return printable(text, "\"\\:", "a user name has no colon, quotes, backslashes or control characters");
}

Result<std::string> parse_language(std::string_view text) {
    const auto is_subtag = [](std::string_view subtag, bool first) {
        const auto fits = [first](unsigned char c) { return std::isalpha(c) || (!first && std::isdigit(c)); };
        return !subtag.empty() && subtag.size() <= 8 && std::ranges::all_of(subtag, fits);
    };
    bool good = text.size() <= 64, first = true;
    for (auto rest = text; good; first = false) {
        const auto dash = rest.find('-');
        good = is_subtag(rest.substr(0, dash), first);
        if (dash == rest.npos) break;
        rest.remove_prefix(dash + 1);
    }
    if (!good) return fail(Code::malformed, "write the tag of a language, such as en or de-AT");
    return std::string(text);
}

}  // namespace stox::config
