#include "plugin/host/abi/engine_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

/* The dup2 calls of the child must not overwrite what they still need. */
static int above_standard(int fd) {
    if (fd < 0 || fd > 2) return fd;
    const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    const int error = errno;
    close(fd);
    errno = error;
    return moved;
}

static bool above_standard_pair(int ends[2]) {
    ends[0] = above_standard(ends[0]);
    ends[1] = above_standard(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return true;
    const int error = errno;
    if (ends[0] >= 0) close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    errno = error;
    return false;
}

bool stox_channel(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 && above_standard_pair(ends);
}

/*
 * The chat server's signal mask and handlers are not the worker's, nor are its descriptors. A group of its own: a Ctrl-C
 * for the server reaches the worker as the end of its input, in order.
 */
static int spawn_with(pid_t* pid, const char* worker, int channel, int errors) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&files);
        return error;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

    if (!error) error = posix_spawn_file_actions_adddup2(&files, channel, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(&files, channel, 1);
    if (!error) error = posix_spawn_file_actions_adddup2(&files, errors, 2);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&files, 3);
    char* const arguments[] = {(char*)worker, NULL};
    if (!error) error = posix_spawn(pid, worker, &files, &attributes, arguments, environ);

    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

bool stox_spawn(struct stox_running* r, const char* worker, char* err, size_t cap) {
    int channel[2], errors[2];
    if (!stox_channel(channel)) {
        snprintf(err, cap, "no socket pair for the worker: %s", strerror(errno));
        return false;
    }
    if (pipe2(errors, O_CLOEXEC) != 0 || !above_standard_pair(errors)) {
        snprintf(err, cap, "no pipe for the worker: %s", strerror(errno));
        close(channel[0]);
        close(channel[1]);
        return false;
    }
    pid_t pid = -1;
    const int error = spawn_with(&pid, worker, channel[1], errors[1]);
    close(channel[1]);
    close(errors[1]);
    int end = error ? -1 : pidfd_open(pid, 0);
    if (end < 0) {
        snprintf(err, cap, "cannot start %s: %s", worker, strerror(error ? error : errno));
        if (!error) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        close(channel[0]);
        close(errors[0]);
        return false;
    }
    *r = (struct stox_running){.channel = channel[0], .errors = errors[0], .end = end, .pid = pid, .thread = NULL};
    return true;
}

void stox_reap_process(struct stox_running* r, char* how, size_t cap) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do result = waitid(P_PIDFD, (id_t)r->end, &info, WEXITED);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        snprintf(how, cap, "ended"); /* BEAM ignores SIGCHLD: the kernel collected it, and kept no status */
    else if (info.si_code == CLD_EXITED)
        snprintf(how, cap, "exited with status %d", info.si_status);
    else
        snprintf(how, cap, "killed by signal %d", info.si_status);
}
