#include "net/address_scope.h"

#include <algorithm>
#include <bit>

namespace stox::net {

Family family(const Address& address) { return address.is_v4() ? Family::ipv4 : Family::ipv6; }

AddressScope scope(const Address& address) {
    const auto& octets = address.octets();
    if (is_loopback(address) || is_link_local(address)) return AddressScope::link_local;
    if (address.is_v4()) return AddressScope::global;
    if (is_multicast(address)) {
        const auto field = static_cast<std::uint8_t>(octets[1] & 0x0f);
        return field >= 14 ? AddressScope::global : static_cast<AddressScope>(field);
    }
    const bool site_local = octets[0] == 0xfe && (octets[1] & 0xc0) == 0xc0;  // fec0::/10, deprecated (RFC 3879)
    return site_local ? AddressScope::site_local : AddressScope::global;
}

bool is_multicast(const Address& address) {
    return address.is_v4() ? (address.octets()[0] & 0xf0) == 0xe0 : address.octets()[0] == 0xff;
}

bool is_loopback(const Address& address) {
    if (address.is_v4()) return address.octets()[0] == 127;
    std::array<std::uint8_t, 16> loopback{};
    loopback[15] = 1;
    return address.octets() == loopback;
}

bool is_unspecified(const Address& address) {
    return std::ranges::all_of(address.octets(), [](std::uint8_t octet) { return octet == 0; });
}

bool is_link_local(const Address& address) {
    const auto& octets = address.octets();
    if (address.is_v4()) return octets[0] == 169 && octets[1] == 254;
    return octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

std::array<std::uint8_t, 16> mapped_octets(const Address& address) {
    if (!address.is_v4()) return address.octets();
    std::array<std::uint8_t, 16> mapped{};
    mapped[10] = mapped[11] = 0xff;
    std::copy_n(address.octets().begin(), 4, mapped.begin() + 12);
    return mapped;
}

unsigned common_bits(const Address& one, const Address& other) {
    const auto left = mapped_octets(one), right = mapped_octets(other);
    for (unsigned i = 0; i < 16; ++i) {
        const auto differing = static_cast<std::uint8_t>(left[i] ^ right[i]);
        if (differing != 0) return 8 * i + static_cast<unsigned>(std::countl_zero(differing));
    }
    return 128;
}

}  // namespace stox::net
