/*
 * Holds one worker: starts it (or connects to one that is a service), passes lines, sees it end, starts it again. No thread: everything happens in stox_next and
 * stox_command, and the epoll descriptor tells when. Events are read from the worker only when the caller has taken all
 * before, so what a slow caller leaves waits in the worker, which bounds it.
 */
#include "plugin/host/abi/buffer.h"
#include "plugin/host/abi/engine_run.h"
#include "plugin/host/abi/restart.h"
#include "plugin/host/abi/stox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef STOX_RESTART_FIRST_MS
#define STOX_RESTART_FIRST_MS 100
#endif

enum { MAX_LINE = 1 << 20, MAX_STDERR_LINE = 4096, MAX_WAITING = 8 << 20, READ_AT_ONCE = 1 << 16 };
static const struct stox_running kNone = {.channel = -1, .errors = -1, .end = -1, .pid = -1, .thread = NULL, .connected = false};

struct lines { /* octets of a stream, until their newline came */
    struct stox_buffer partial;
    size_t max;
    bool skipping; /* the rest of a line that was too long */
};

struct stox {
    char *worker, *engine, *control; /* one of them */
    struct stox_running running;
    struct stox_restart restart;
    uint64_t started_ms;
    int epoll, timer;
    int waiting;  /* an eventfd: set while events is not empty */
    bool told;    /* it is set */
    bool writing; /* the channel is watched for writability */
    struct stox_buffer to_worker;
    struct stox_buffer events; /* each with its newline */
    struct lines output, errors;
};

uint32_t stox_abi(void) { return STOX_ABI; }
const char* stox_version(void) { return STOX_VERSION; }

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool runs(const stox* s) { return s->running.end >= 0; }

/* --- events of our own ------------------------------------------------------------------------------------------- */

static void add_event(stox* s, const char* json) {
    if (stox_buffer_append(&s->events, json, strlen(json))) stox_buffer_append(&s->events, "\n", 1);
}

static void add_log(stox* s, const char* text, size_t n) {
    struct stox_buffer line = {0};
    static const char kBefore[] = "{\"t\":\"log\",\"level\":\"error\",\"text\":\"", kAfter[] = "\"}\n";
    if (stox_buffer_append(&line, kBefore, sizeof kBefore - 1) && stox_buffer_append_json(&line, text, n) &&
        stox_buffer_append(&line, kAfter, sizeof kAfter - 1))
        stox_buffer_append(&s->events, stox_buffer_front(&line), stox_buffer_size(&line));
    stox_buffer_clear(&line);
}

static void add_event_line(stox* s, const char* line, size_t n) {
    if (n > 0 && stox_buffer_append(&s->events, line, n)) stox_buffer_append(&s->events, "\n", 1);
}

/* --- starting and ending ----------------------------------------------------------------------------------------- */

static void watch(stox* s, int operation, int fd, uint32_t for_what) {
    if (fd < 0) return;
    struct epoll_event event = {.events = for_what, .data.fd = fd};
    epoll_ctl(s->epoll, operation, fd, &event);
}

static void unwatch_and_close(stox* s, int* fd) {
    if (*fd < 0) return;
    watch(s, EPOLL_CTL_DEL, *fd, 0);
    close(*fd);
    *fd = -1;
}

static void arm(stox* s, long wait_ms) {
    const struct itimerspec when = {.it_value = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000}};
    timerfd_settime(s->timer, 0, &when, NULL);
}

/* how  what ended it, as the event says it */
static void after_end(stox* s, const char* how) {
    const long wait_ms = s->control ? stox_restart_after_loss(&s->restart, s->started_ms, now_ms())
                                    : stox_restart_after_end(&s->restart, s->started_ms, now_ms());
    struct stox_buffer event = {0};
    char tail[48];
    const int n = snprintf(tail, sizeof tail, "\",\"restart_ms\":%ld}\n", wait_ms);
    static const char kBefore[] = "{\"t\":\"worker\",\"state\":\"ended\",\"how\":\"";
    if (stox_buffer_append(&event, kBefore, sizeof kBefore - 1) && stox_buffer_append_json(&event, how, strlen(how)) &&
        stox_buffer_append(&event, tail, (size_t)n))
        stox_buffer_append(&s->events, stox_buffer_front(&event), stox_buffer_size(&event));
    stox_buffer_clear(&event);
    if (wait_ms >= 0) arm(s, wait_ms);
}

static bool run_one(stox* s, char* err, size_t cap) {
    if (s->control) return stox_connect_running(&s->running, s->control, err, cap);
    if (s->worker) return stox_spawn(&s->running, s->worker, err, cap);
    return stox_thread_start(&s->running, s->engine, err, cap);
}

static bool start(stox* s, char* err, size_t cap) {
    s->started_ms = now_ms();
    if (!run_one(s, err, cap)) return false;
    watch(s, EPOLL_CTL_ADD, s->running.channel, EPOLLIN);
    watch(s, EPOLL_CTL_ADD, s->running.errors, EPOLLIN);
    watch(s, EPOLL_CTL_ADD, s->running.end, s->running.connected ? EPOLLRDHUP : EPOLLIN);
    s->writing = false;
    char event[80];
    snprintf(event, sizeof event, "{\"t\":\"worker\",\"state\":\"started\",\"pid\":%ld}", (long)s->running.pid);
    add_event(s, event);
    return true;
}

static void start_again(stox* s) {
    char why[512] = "";
    if (!start(s, why, sizeof why)) after_end(s, why);
}

static void forget_lines(struct lines* l) {
    stox_buffer_clear(&l->partial);
    l->skipping = false;
}

static void close_running(stox* s) {
    unwatch_and_close(s, &s->running.channel);
    unwatch_and_close(s, &s->running.errors);
    unwatch_and_close(s, &s->running.end);
    s->running = kNone;
    stox_buffer_clear(&s->to_worker);
    forget_lines(&s->output);
    forget_lines(&s->errors);
}

static void reap(stox* s, char* how, size_t cap) {
    if (s->running.connected)
        snprintf(how, cap, "closed the connection");
    else if (s->running.thread)
        stox_reap_thread(&s->running, how, cap);
    else
        stox_reap_process(&s->running, how, cap);
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static void end_line(stox* s, struct lines* l) {
    const char* line = stox_buffer_front(&l->partial);
    const size_t n = stox_buffer_size(&l->partial);
    if (l == &s->errors) {
        if (n > 0) add_log(s, line, n);
    } else if (!l->skipping) {
        add_event_line(s, line, n);
    } else {
        static const char kText[] = "the worker sent a line over 1 MiB; it was dropped";
        add_log(s, kText, sizeof kText - 1);
    }
    stox_buffer_consume(&l->partial, n);
    l->skipping = false;
}

static void take(stox* s, struct lines* l, const char* octets, size_t n) {
    while (n > 0) {
        const char* newline = memchr(octets, '\n', n);
        const size_t part = newline ? (size_t)(newline - octets) : n;
        const size_t room = l->max - stox_buffer_size(&l->partial);
        if (part > room || l->skipping) l->skipping = true;
        if (!(l->skipping && l == &s->output)) stox_buffer_append(&l->partial, octets, part < room ? part : room);
        if (newline) end_line(s, l);
        octets += newline ? part + 1 : part;
        n -= newline ? part + 1 : part;
    }
}

/* Reads once. false: nothing more comes now (or ever: then the descriptor is closed). */
static bool read_lines(stox* s, int* fd, struct lines* l) {
    if (*fd < 0) return false;
    char octets[READ_AT_ONCE];
    const ssize_t n = read(*fd, octets, sizeof octets);
    if (n > 0) {
        take(s, l, octets, (size_t)n);
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (fd == &s->running.errors)
        unwatch_and_close(s, fd);
    else
        watch(s, EPOLL_CTL_DEL, *fd, 0); /* its end is told by running.end */
    return false;
}

static void flush(stox* s) {
    while (stox_buffer_size(&s->to_worker) > 0 && s->running.channel >= 0) {
        const ssize_t n =
            send(s->running.channel, stox_buffer_front(&s->to_worker), stox_buffer_size(&s->to_worker), MSG_NOSIGNAL);
        if (n > 0) {
            stox_buffer_consume(&s->to_worker, (size_t)n);
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        stox_buffer_clear(&s->to_worker); /* it closed its input; that it ends is told by running.end */
        return;
    }
    const bool wanted = stox_buffer_size(&s->to_worker) > 0;
    if (wanted == s->writing) return;
    s->writing = wanted;
    watch(s, EPOLL_CTL_MOD, s->running.channel, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* What it wrote before it ended still counts, but not without bound: another process may hold its standard error. */
static void on_end(stox* s) {
    for (int i = 0; i < 64 && read_lines(s, &s->running.channel, &s->output); ++i) {
    }
    for (int i = 0; i < 64 && read_lines(s, &s->running.errors, &s->errors); ++i) {
    }
    if (stox_buffer_size(&s->errors.partial) > 0) end_line(s, &s->errors);
    char how[128];
    reap(s, how, sizeof how);
    close_running(s);
    after_end(s, how);
}

static void on_timer(stox* s) {
    uint64_t times;
    if (read(s->timer, &times, sizeof times) > 0 && !runs(s)) start_again(s);
}

static void progress(stox* s) {
    struct epoll_event ready[4];
    const int n = epoll_wait(s->epoll, ready, 4, 0);
    bool ended = false;
    for (int i = 0; i < n; ++i) {
        const int fd = ready[i].data.fd;
        if (fd == s->timer) {
            on_timer(s);
        } else if (fd == s->running.end) {
            ended = true;
        } else if (fd == s->running.channel) {
            if (ready[i].events & EPOLLOUT) flush(s);
            if (ready[i].events & ~(uint32_t)EPOLLOUT) read_lines(s, &s->running.channel, &s->output);
        } else if (fd == s->running.errors) {
            read_lines(s, &s->running.errors, &s->errors);
        }
    }
    if (ended) on_end(s);
}

static void tell(stox* s) {
    const bool waits = stox_buffer_size(&s->events) > 0;
    if (waits == s->told) return;
    uint64_t value = 1;
    if ((waits ? write(s->waiting, &value, sizeof value) : read(s->waiting, &value, sizeof value)) > 0) s->told = waits;
}

/* --- the ABI ----------------------------------------------------------------------------------------------------- */

static void free_handle(stox* s) {
    if (s->timer >= 0) close(s->timer);
    if (s->waiting >= 0) close(s->waiting);
    if (s->epoll >= 0) close(s->epoll);
    stox_buffer_clear(&s->to_worker);
    stox_buffer_clear(&s->events);
    forget_lines(&s->output);
    forget_lines(&s->errors);
    free(s->worker);
    free(s->engine);
    free(s->control);
    free(s);
}

static stox* new_handle(char* err, size_t cap) {
    stox* s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(err, cap, "no memory");
        return NULL;
    }
    s->running = kNone;
    s->output.max = MAX_LINE;
    s->errors.max = MAX_STDERR_LINE;
    stox_restart_init(&s->restart, STOX_RESTART_FIRST_MS);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->waiting = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->epoll < 0 || s->timer < 0 || s->waiting < 0) {
        snprintf(err, cap, "cannot hold a worker: %s", strerror(errno));
        free_handle(s);
        return NULL;
    }
    watch(s, EPOLL_CTL_ADD, s->timer, EPOLLIN);
    watch(s, EPOLL_CTL_ADD, s->waiting, EPOLLIN);
    return s;
}

static bool copy_path(char** to, const char* path, char* err, size_t cap) {
    *to = strdup(path);
    if (!*to) snprintf(err, cap, "no memory");
    return *to;
}

stox* stox_open(const char* worker, const char* engine, char* err, size_t cap) {
    const char* program = worker ? worker : engine;
    if (!program || program[0] != '/') {
        snprintf(err, cap, "%s needs an absolute path", worker ? "the worker" : "the engine library");
        return NULL;
    }
    stox* s = new_handle(err, cap);
    if (!s) return NULL;
    if (copy_path(worker ? &s->worker : &s->engine, program, err, cap) && start(s, err, cap)) {
        tell(s);
        return s;
    }
    free_handle(s);
    return NULL;
}

stox* stox_connect(const char* control, char* err, size_t cap) {
    struct sockaddr_un address;
    if (!stox_control_address(&address, control, err, cap)) return NULL;
    stox* s = new_handle(err, cap);
    if (!s) return NULL;
    if (!copy_path(&s->control, control, err, cap)) {
        free_handle(s);
        return NULL;
    }
    start_again(s); /* the service may come later than the server */
    tell(s);
    return s;
}

int stox_fd(stox* s) { return s->epoll; }

long stox_next(stox* s, char* buf, size_t cap) {
    if (stox_buffer_size(&s->events) == 0) progress(s);
    const size_t waiting = stox_buffer_size(&s->events);
    tell(s);
    if (waiting == 0) return 0;
    const char* event = stox_buffer_front(&s->events);
    const char* newline = memchr(event, '\n', waiting);
    const size_t n = (size_t)(newline - event);
    if (n > cap) return -(long)n;
    memcpy(buf, event, n);
    stox_buffer_consume(&s->events, n + 1);
    tell(s);
    return (long)n;
}

int stox_command(stox* s, const char* json, size_t n) {
    if (!runs(s) || stox_buffer_size(&s->to_worker) + n + 1 > MAX_WAITING || memchr(json, '\n', n)) return -1;
    if (!stox_buffer_append(&s->to_worker, json, n)) return -1;
    stox_buffer_append(&s->to_worker, "\n", 1);
    flush(s);
    return 0;
}

/* Its input ends after what waits; its output is read, or it could not go on. */
static bool wait_for_end(stox* s, unsigned timeout_ms) {
    const uint64_t until = now_ms() + timeout_ms;
    bool shut = false;
    for (;;) {
        flush(s);
        if (!shut && stox_buffer_size(&s->to_worker) == 0) shut = shutdown(s->running.channel, SHUT_WR) == 0;
        struct pollfd fds[] = {{.fd = s->running.end, .events = POLLIN},
                               {.fd = s->running.channel, .events = shut ? POLLIN : POLLIN | POLLOUT},
                               {.fd = s->running.errors, .events = POLLIN}};
        const uint64_t now = now_ms();
        if (poll(fds, 3, now < until ? (int)(until - now) : 0) > 0 && fds[0].revents) return true;
        if (now >= until) return false;
        if (fds[1].revents & (POLLIN | POLLHUP) && !read_lines(s, &s->running.channel, &s->output)) poll(fds, 1, 10);
        if (fds[2].revents) read_lines(s, &s->running.errors, &s->errors);
        stox_buffer_clear(&s->events);
    }
}

/* A service goes on: what waits for it is written, if it reads. */
static void say_goodbye(stox* s, unsigned timeout_ms) {
    const uint64_t until = now_ms() + timeout_ms;
    for (;;) {
        flush(s);
        const uint64_t now = now_ms();
        if (stox_buffer_size(&s->to_worker) == 0 || now >= until) break;
        struct pollfd writable = {.fd = s->running.channel, .events = POLLOUT};
        poll(&writable, 1, (int)(until - now));
    }
    close_running(s);
}

void stox_close(stox* s, unsigned timeout_ms) {
    if (!s) return;
    if (s->running.connected) {
        say_goodbye(s, timeout_ms);
    } else if (runs(s)) {
        static const char kStop[] = "{\"t\":\"stop\"}";
        stox_command(s, kStop, sizeof kStop - 1);
        const bool ended = wait_for_end(s, timeout_ms);
        char how[128];
        if (!ended && s->running.thread) {
            stox_thread_abandon(&s->running);
        } else {
            if (!ended) pidfd_send_signal(s->running.end, SIGKILL, NULL, 0);
            reap(s, how, sizeof how);
        }
        close_running(s);
    }
    free_handle(s);
}
