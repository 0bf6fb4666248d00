#include "plugin/config/formats.h"

#include <algorithm>
#include <cctype>

namespace stox::config {

namespace {

constexpr std::uint16_t kSipPort = 5060;

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
    return out;
}

Result<Transport> parse_plain_transport(std::string_view text) {
    const auto transport = parse_transport(text);
    if (!transport) return fail(Code::malformed, "the transport is udp or tcp");
    if (transport.value() == Transport::tls) return fail(Code::unsupported, "tls is not offered by this version; use tcp or udp");
    return transport;
}

/// "192.0.2.1", "192.0.2.1:5080", "[2001:db8::1]:5080"
Result<Endpoint> parse_host_port(std::string_view text) {
    if (const auto with_port = Endpoint::parse(text); with_port && with_port.value().port != 0) return with_port;
    const bool bare_v6 = text.find(':') != text.npos && !text.starts_with('[');
    if (const auto address = Address::parse(text); address && !bare_v6) return Endpoint{address.value(), kSipPort};
    return fail(Code::malformed, "needs a numeric address, such as sip:192.0.2.1:5060 or sip:[2001:db8::1]");
}

}  // namespace

Result<Listener> parse_listener(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos) return fail(Code::malformed, "write transport:address:port, such as udp:0.0.0.0:5060");
    const auto transport = parse_plain_transport(text.substr(0, colon));
    if (!transport) return transport.error();
    const auto endpoint = Endpoint::parse(text.substr(colon + 1));
    if (!endpoint) return fail(Code::malformed, "write transport:address:port with a numeric address, such as udp:0.0.0.0:5060");
    return Listener{transport.value(), endpoint.value()};
}

Result<NextHop> parse_next_hop(std::string_view text) {
    if (lower(text.substr(0, 5)) == "sips:") return fail(Code::unsupported, "tls is not offered by this version; use tcp or udp");
    if (lower(text.substr(0, 4)) != "sip:")
        return fail(Code::malformed, "write a SIP URI, such as sip:192.0.2.1:5060;transport=tcp");
    text.remove_prefix(4);
    NextHop hop;
    const auto semicolon = text.find(';');
    if (semicolon != text.npos) {
        constexpr std::string_view kTransport = "transport=";
        const auto parameter = text.substr(semicolon + 1);
        if (!lower(parameter).starts_with(kTransport))
            return fail(Code::malformed, "the only parameter is ;transport=udp or ;transport=tcp");
        const auto transport = parse_plain_transport(parameter.substr(kTransport.size()));
        if (!transport) return transport.error();
        hop.transport = transport.value();
    }
    const auto endpoint = parse_host_port(text.substr(0, semicolon));
    if (!endpoint) return endpoint.error();
    hop.endpoint = endpoint.value();
    return hop;
}

Result<std::string> parse_domain(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty() || text.size() > 1'023) return fail(Code::malformed, "a domain name has 1 to 1023 octets");
    for (const unsigned char c : text)
        if (c <= 0x20 || c == 0x7f || std::string_view("@/\\\"'<>&?#%,;").find(static_cast<char>(c)) != std::string_view::npos)
            return fail(Code::malformed, "that is no domain name");
    return lower(text);
}

}  // namespace stox::config
