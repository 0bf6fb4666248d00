#include "plugin/host/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace stox::host {

namespace {

constexpr int kBacklog = 32, kFirstHandedOver = 3;

bool is_socket(const char* path) {
    struct stat there = {};
    return ::lstat(path, &there) == 0 && S_ISSOCK(there.st_mode);
}

/// False: the path is too long for one.
bool fill(sockaddr_un& address, const std::string& path) {
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return true;
}

/// False: somebody listens there. What a worker that is gone has left is removed; a file that is no socket is nobody's to remove.
bool clear_way(const sockaddr_un& address) {
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return true;
    const int error = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    ::close(probe);
    if (error == ECONNREFUSED && is_socket(address.sun_path)) ::unlink(address.sun_path);
    return error != 0 && error != EAGAIN;  // the latter: so many wait that one more cannot
}

long number(const char* variable) {
    const char* text = std::getenv(variable);
    return text ? std::strtol(text, nullptr, 10) : 0;
}

}  // namespace

Result<int> listen_on(const std::string& path, unsigned mode) {
    sockaddr_un address = {};
    if (!fill(address, path)) return fail(Code::unavailable, "the path " + path + " is too long for a socket");
    if (!clear_way(address)) return fail(Code::unavailable, "another worker listens on " + path);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // The mode of the socket becomes that of the file, so that it is never open to anybody else.
    const bool opened = descriptor >= 0 && ::fchmod(descriptor, mode) == 0 &&
                        ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                        ::chmod(path.c_str(), mode) == 0 && ::listen(descriptor, kBacklog) == 0;
    if (opened) return descriptor;
    const std::string why = std::strerror(errno);
    if (descriptor >= 0) ::close(descriptor);
    return fail(Code::unavailable, path + ": " + why);
}

int who_listens(const std::string& path) {
    sockaddr_un address = {};
    const int probe = fill(address, path) ? ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (probe < 0) return 0;
    const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ucred peer = {};
    socklen_t length = sizeof peer;
    const bool told = connected && ::getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0;
    ::close(probe);
    return told ? peer.pid : 0;
}

int handed_over() {
    if (number("LISTEN_PID") != ::getpid() || number("LISTEN_FDS") < 1) return -1;
    ::fcntl(kFirstHandedOver, F_SETFD, FD_CLOEXEC);
    // Again, so that who connects learns our process id and not that of systemd.
    return ::listen(kFirstHandedOver, kBacklog) == 0 ? kFirstHandedOver : -1;
}

}  // namespace stox::host
