#include "plugin/host/service_access.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace stox::host {

namespace {

std::vector<gid_t> groups_of(int connection) {
    socklen_t length = 0;
    // The first call says how many there are.   (socket(7), SO_PEERGROUPS)
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, nullptr, &length) == 0 || errno != ERANGE) return {};
    std::vector<gid_t> groups(length / sizeof(gid_t));
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) != 0) return {};
    return groups;
}

}  // namespace

std::optional<SocketPeer> peer_of(int connection) {
    ucred credentials = {};
    socklen_t length = sizeof credentials;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return std::nullopt;
    SocketPeer peer{credentials.uid, groups_of(connection), credentials.pid};
    peer.groups.push_back(credentials.gid);
    return peer;
}

bool ServiceAccess::allows(const SocketPeer& peer) const {
    if (peer.user == 0 || peer.user == ::geteuid()) return true;
    return std::ranges::find(users, peer.user) != users.end() || std::ranges::find_first_of(groups, peer.groups) != groups.end();
}

}  // namespace stox::host
