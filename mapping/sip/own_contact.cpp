#include "mapping/sip/own_contact.h"

#include "mapping/sip/header_values.h"

#include <algorithm>
#include <array>

namespace stox::sip {

namespace {

struct TransportRow {
    Transport transport;
    std::string_view name;
    std::uint16_t port;  ///< where nothing else is said   (RFC 3261 §19.1.2)
};

constexpr std::array kTransports{TransportRow{Transport::udp, "udp", 5060}, TransportRow{Transport::tcp, "tcp", 5060},
                                 TransportRow{Transport::tls, "tls", 5061}};

const TransportRow& row_of(Transport transport) { return *std::ranges::find(kTransports, transport, &TransportRow::transport); }

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
    });
}

std::string host_of(const OwnAddress& us) {
    const bool bare_v6 = us.host.find(':') != std::string::npos && !us.host.starts_with('[');
    return bare_v6 ? '[' + us.host + ']' : us.host;
}

}  // namespace

Result<NameAddr> own_contact(const OwnAddress& us, const std::string& token, bool gruu, bool secure) {
    if (!is_token(token)) return fail(Code::malformed, "token");
    std::string text = (secure ? "sips:" : "sip:") + token + '@' + host_of(us);
    if (us.port) text += ':' + std::to_string(*us.port);
    // With sips the transport says what TLS runs over, and it runs over TCP alone.   (RFC 3261 §26.2.2)
    text += ";transport=" + std::string(secure ? "tcp" : row_of(us.transport).name);
    if (gruu) text += ";gr";
    BOOST_OUTCOME_TRY(uri, Uri::parse(text));
    if (!same_token(uri.host, host_of(us))) return fail(Code::malformed, "no host");
    return NameAddr{{}, std::move(uri), {}};
}

std::string own_token(const OwnAddress& us, const Uri& target) {
    const bool sips = target.scheme == Scheme::sips;
    if ((!sips && target.scheme != Scheme::sip) || !is_token(target.user) || target.has_headers) return {};
    const auto named = Uri::parse("sip:" + host_of(us));
    if (!named || named.value().host != target.host) return {};
    const auto usual = row_of(us.transport).port;
    return target.port.value_or(sips ? 5061 : usual) == us.port.value_or(usual) ? target.user : std::string();
}

}  // namespace stox::sip
