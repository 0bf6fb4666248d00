#include "plugin/host/abi/engine_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* Whoever made the socket listen gets the secrets of our components: the user whose directory it stands in, root, or ourselves. */
static bool is_worker(const struct ucred* peer, const char* path) {
    char directory[sizeof(struct sockaddr_un)];
    const char* slash = strrchr(path, '/');
    const size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(directory, path, length);
    directory[length] = 0;
    struct stat about;
    return peer->uid == 0 || peer->uid == geteuid() || (stat(directory, &about) == 0 && about.st_uid == peer->uid);
}

bool stox_connect_running(struct stox_running* r, const char* path, char* err, size_t cap) {
    struct sockaddr_un address;
    if (!stox_control_address(&address, path, err, cap)) return false;
    /* A unix socket connects at once or not at all. */
    const int channel = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (channel >= 0 && connect(channel, (struct sockaddr*)&address, sizeof address) == 0) {
        struct ucred peer = {0};
        socklen_t length = sizeof peer;
        if (getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || !is_worker(&peer, path)) {
            snprintf(err, cap, "%s is held by user %u, who is not the owner of its directory: that is no worker", path, (unsigned)peer.uid);
            close(channel);
            return false;
        }
        const int end = fcntl(channel, F_DUPFD_CLOEXEC, 3);
        if (end >= 0) {
            *r = (struct stox_running){
                .channel = channel, .errors = -1, .end = end, .pid = peer.pid, .thread = NULL, .connected = true};
            return true;
        }
    }
    snprintf(err, cap, "cannot be reached on %s: %s", path, strerror(errno));
    if (channel >= 0) close(channel);
    return false;
}
