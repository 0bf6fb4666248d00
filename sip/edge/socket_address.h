#pragma once
// Our endpoint as the kernel wants it, and back.

#include "mapping/core/endpoint.h"

#include <sys/socket.h>

#include <vector>

struct iovec;

namespace stox::sip {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    SocketAddress() = default;
    explicit SocketAddress(const stox::Endpoint& endpoint);
    /// An IPv4-mapped address becomes the IPv4 one. A family other than IP gives 0.0.0.0:0.
    stox::Endpoint endpoint() const;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

int family_of(const Address& address);
/// 0.0.0.0 and ::
bool is_any(const Address& address);

/// The address of ours that the kernel would send from; nothing when it knows no way there.
Address source_for(const stox::Endpoint& target);

/// Those of all interfaces. Empty: the kernel does not say.
std::vector<Address> interface_addresses();

}  // namespace stox::sip
