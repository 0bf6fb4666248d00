#include "sip/edge/socket_address.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace stox::sip {

SocketAddress::SocketAddress(const stox::Endpoint& endpoint) {
    const auto& octets = endpoint.address.octets();
    if (endpoint.address.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        std::copy_n(octets.begin(), 4, reinterpret_cast<std::uint8_t*>(&v4.sin_addr));
        size = sizeof v4;
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.port);
        std::copy_n(octets.begin(), 16, reinterpret_cast<std::uint8_t*>(&v6.sin6_addr));
        size = sizeof v6;
    }
}

stox::Endpoint SocketAddress::endpoint() const {
    stox::Endpoint made;
    if (storage.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
        std::array<std::uint8_t, 16> octets;
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr), 16, octets.begin());
        made = {Address::v6(octets), ntohs(v6.sin6_port)};
    } else if (storage.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        std::array<std::uint8_t, 4> octets;
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), 4, octets.begin());
        made = {Address::v4(octets), ntohs(v4.sin_port)};
    }
    return made;
}

int family_of(const Address& address) { return address.is_v4() ? AF_INET : AF_INET6; }

bool is_any(const Address& address) {
    return std::ranges::all_of(address.octets(), [](std::uint8_t octet) { return octet == 0; });
}

Address source_for(const stox::Endpoint& target) {
    const int probe = ::socket(family_of(target.address), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return {};
    const SocketAddress to(target);
    SocketAddress from;
    const bool known = ::connect(probe, to.get(), to.size) == 0 && ::getsockname(probe, from.get(), &from.size) == 0;
    ::close(probe);
    return known ? from.endpoint().address : Address();
}

std::vector<Address> interface_addresses() {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return {};
    std::vector<Address> addresses;
    for (const auto* one = first; one; one = one->ifa_next) {
        const int family = one->ifa_addr ? one->ifa_addr->sa_family : AF_UNSPEC;
        if (family != AF_INET && family != AF_INET6) continue;
        SocketAddress address;
        std::memcpy(address.get(), one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        addresses.push_back(address.endpoint().address);
    }
    ::freeifaddrs(first);
    return addresses;
}

}  // namespace stox::sip
