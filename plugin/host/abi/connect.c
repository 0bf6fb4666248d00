#include "plugin/host/abi/engine_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool stox_control_address(struct sockaddr_un* address, const char* path, char* err, size_t cap) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (path[0] != '/' || strlen(path) >= sizeof address->sun_path) {
        snprintf(err, cap, "the control socket needs an absolute path of at most %zu octets", sizeof address->sun_path - 1);
        return false;
    }
    memcpy(address->sun_path, path, strlen(path));
    return true;
}

/* Whoever made the socket listen. */
static pid_t other_end(int channel) {
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    return getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

bool stox_connect_running(struct stox_running* r, const char* path, char* err, size_t cap) {
    struct sockaddr_un address;
    if (!stox_control_address(&address, path, err, cap)) return false;
    /* A unix socket connects at once or not at all. */
    const int channel = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (channel >= 0 && connect(channel, (struct sockaddr*)&address, sizeof address) == 0) {
        const int end = fcntl(channel, F_DUPFD_CLOEXEC, 3);
        if (end >= 0) {
            *r = (struct stox_running){
                .channel = channel, .errors = -1, .end = end, .pid = other_end(channel), .thread = NULL, .connected = true};
            return true;
        }
    }
    snprintf(err, cap, "cannot be reached on %s: %s", path, strerror(errno));
    if (channel >= 0) close(channel);
    return false;
}
