#pragma once
// Where packets come from and go to, as values: address, prefix, port, transport. No socket here.

#include "mapping/core/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace stox {

/// An IPv4 or IPv6 address without zone. An IPv4-mapped IPv6 address is the IPv4 address, so that no policy is passed by
/// writing one for the other.
class Address {
public:
    Address() = default;  ///< 0.0.0.0
    static Address v4(std::array<std::uint8_t, 4> octets);
    static Address v6(std::array<std::uint8_t, 16> octets);
    /// Numeric text only, IPv6 with or without brackets; never a look-up.
    static Result<Address> parse(std::string_view text);

    bool is_v4() const { return v4_; }
    /// 4 or 16 octets in network order; the rest of the array is zero.
    const std::array<std::uint8_t, 16>& octets() const { return octets_; }
    /// RFC 5952; IPv6 without brackets.
    std::string to_string() const;
    friend auto operator<=>(const Address&, const Address&) = default;

private:
    bool v4_ = true;
    std::array<std::uint8_t, 16> octets_{};
};

/// A set of addresses that share their first `length` bits.
struct Prefix {
    Address address;
    unsigned length = 0;

    /// "192.0.2.0/24", "2001:db8::/32", or one address alone. Bits after the length must be zero.
    static Result<Prefix> parse(std::string_view text);
    bool contains(const Address& candidate) const;
    std::string to_string() const;
    friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

enum class Transport : std::uint8_t { udp, tcp, tls };

/// "udp", "tcp", "tls".
std::string_view to_string(Transport transport);
/// Case-insensitive, as SIP writes it.
Result<Transport> parse_transport(std::string_view text);

struct Endpoint {
    Address address;
    std::uint16_t port = 0;

    /// "192.0.2.1:5060" or "[2001:db8::1]:5060".
    static Result<Endpoint> parse(std::string_view text);
    std::string to_string() const;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace stox
