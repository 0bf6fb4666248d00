#pragma once
// Whose processes may hold a worker that is a service of its own.

#include <sys/types.h>

#include <optional>
#include <vector>

namespace stox::host {

/// What the kernel says of the other end of a unix socket.
struct SocketPeer {
    uid_t user = 0;
    std::vector<gid_t> groups;  ///< the one it runs with and the further ones
    pid_t process = 0;
};

/// Nothing: it cannot be told.
std::optional<SocketPeer> peer_of(int connection);

/// Root and the worker's own user may always.
struct ServiceAccess {
    std::vector<uid_t> users;
    std::vector<gid_t> groups;

    bool allows(const SocketPeer& peer) const;
};

}  // namespace stox::host
