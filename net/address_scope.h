#pragma once
// What an address says about itself: its family, how far it reaches, what it has in common with another.

#include "mapping/core/endpoint.h"

#include <array>
#include <cstdint>

namespace stox::net {

enum class Family : std::uint8_t { ipv4, ipv6 };

Family family(const Address& address);

/// Numbers as in the scope field of an IPv6 multicast address; smaller reaches less far.   (RFC 4291 §2.7, RFC 6724 §3.1)
enum class AddressScope : std::uint8_t { interface_local = 1, link_local = 2, admin_local = 4, site_local = 5, organisation_local = 8, global = 14 };

/// Private IPv4 addresses and unique local IPv6 ones are global here; loopback and 169.254/16 are link-local.   (RFC 6724 §3.1, §3.2)
AddressScope scope(const Address& address);

bool is_multicast(const Address& address);
bool is_loopback(const Address& address);
bool is_unspecified(const Address& address);
/// 169.254/16 and fe80::/10.
bool is_link_local(const Address& address);

/// IPv4 as ::ffff:a.b.c.d.
std::array<std::uint8_t, 16> mapped_octets(const Address& address);
/// How many of the first bits are the same, 0 to 128; IPv4 as mapped.
unsigned common_bits(const Address& one, const Address& other);

}  // namespace stox::net
