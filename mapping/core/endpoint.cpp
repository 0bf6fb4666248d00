#include "mapping/core/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace stox {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291 §2.5.5.2
constexpr unsigned kMappedBits = 96;

/// Decimal digits only, no sign, at most `max`.
std::optional<unsigned> number(std::string_view text, unsigned max) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
    return value;
}

bool bit(const std::array<std::uint8_t, 16>& octets, unsigned index) { return (octets[index / 8] >> (7 - index % 8) & 1) != 0; }

}  // namespace

Address Address::v4(std::array<std::uint8_t, 4> octets) {
    Address address;
    std::ranges::copy(octets, address.octets_.begin());
    return address;
}

Address Address::v6(std::array<std::uint8_t, 16> octets) {
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), octets.begin()))
        return v4({octets[12], octets[13], octets[14], octets[15]});
    Address address;
    address.v4_ = false;
    address.octets_ = octets;
    return address;
}

Result<Address> Address::parse(std::string_view text) {
    const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
    if (bracketed) text = text.substr(1, text.size() - 2);
    if (text.find('\0') != std::string_view::npos) return fail(Code::malformed, "NUL in an address");
    const std::string terminated(text);
    std::array<std::uint8_t, 4> four;
    if (!bracketed && inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return v4(four);
    std::array<std::uint8_t, 16> sixteen;
    if (inet_pton(AF_INET6, terminated.c_str(), sixteen.data()) == 1) return v6(sixteen);
    return fail(Code::malformed, "no IP address");
}

std::string Address::to_string() const {
    char text[INET6_ADDRSTRLEN];
    if (v4_) {  // of each request that comes several times: without printf
        auto* end = text;
        for (std::size_t i = 0; i < 4; ++i) {
            if (i > 0) *end++ = '.';
            end = std::to_chars(end, std::end(text), static_cast<unsigned>(octets_[i])).ptr;
        }
        return {text, end};
    }
    return inet_ntop(AF_INET6, octets_.data(), text, sizeof text);
}

Result<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    auto address = Address::parse(text.substr(0, slash));
    if (!address) return address.error();
    Prefix prefix{address.value(), address.value().is_v4() ? 32U : 128U};
    if (slash != std::string_view::npos) {
        // An IPv4-mapped address is kept as IPv4; its length counts the 96 bits in front of it.
        const unsigned hidden = prefix.address.is_v4() && text.find(':') != std::string_view::npos ? kMappedBits : 0;
        const auto length = number(text.substr(slash + 1), prefix.length + hidden);
        if (!length || *length < hidden) return fail(Code::malformed, "no prefix length");
        prefix.length = *length - hidden;
    }
    for (unsigned i = prefix.length; i < 128; ++i)
        if (bit(prefix.address.octets(), i)) return fail(Code::malformed, "bits set after the prefix length");
    return prefix;
}

bool Prefix::contains(const Address& candidate) const {
    if (candidate.is_v4() != address.is_v4()) return false;
    for (unsigned i = 0; i < length; ++i)
        if (bit(candidate.octets(), i) != bit(address.octets(), i)) return false;
    return true;
}

std::string Prefix::to_string() const { return address.to_string() + '/' + std::to_string(length); }

std::string_view to_string(Transport transport) {
    switch (transport) {
        case Transport::udp:
            return "udp";
        case Transport::tcp:
            return "tcp";
        case Transport::tls:
            return "tls";
    }
    return {};
}

Result<Transport> parse_transport(std::string_view text) {
    const auto is = [text](std::string_view name) {
        return std::ranges::equal(text, name, [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a + 32 == b); });
    };
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls})
        if (is(to_string(transport))) return transport;
    return fail(Code::unsupported, "no transport of ours");
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return fail(Code::malformed, "no port");
    const auto host = text.substr(0, colon);
    // Without brackets nobody knows where an IPv6 address ends.
    if (host.find(':') != std::string_view::npos && host.front() != '[') return fail(Code::malformed, "IPv6 without brackets");
    const auto address = Address::parse(host);
    if (!address) return address.error();
    const auto port = number(text.substr(colon + 1), 65535);
    if (!port) return fail(Code::malformed, "no port");
    return Endpoint{address.value(), static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::to_string() const {
    const auto host = address.to_string();
    return (address.is_v4() ? host : '[' + host + ']') + ':' + std::to_string(port);
}

}  // namespace stox
