#include "plugin/host/abi/engine_run.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct stox_engine_thread {
    int (*run)(int in, int out); /* stox_worker_run of worker_abi.h */
    int channel;                 /* the worker's end */
    int end;                     /* the worker's duplicate of stox_running.end */
    int status;
    pthread_t id;
};

static void* run(void* argument) {
    struct stox_engine_thread* t = argument;
    t->status = t->run(t->channel, t->channel);
    const uint64_t one = 1;
    if (write(t->end, &one, sizeof one) < 0) return NULL; /* it cannot: an eventfd holds more than one */
    return NULL;
}

/* A signal that the server handles must never interrupt its handler's data on a thread of ours. */
static int start_masked(struct stox_engine_thread* t) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&t->id, NULL, run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void free_thread(struct stox_engine_thread* t) {
    if (t->channel >= 0) close(t->channel);
    if (t->end >= 0) close(t->end);
    free(t);
}

bool stox_thread_start(struct stox_running* r, const char* engine, char* err, size_t cap) {
    /* Never closed again: the library's threads and exit handlers may outlive any one worker. */
    void* library = dlopen(engine, RTLD_NOW | RTLD_LOCAL);
    void* symbol = library ? dlsym(library, "stox_worker_run") : NULL;
    if (!symbol) {
        const char* why = dlerror();
        snprintf(err, cap, "cannot load %s: %s", engine, why ? why : "no stox_worker_run in it");
        return false;
    }
    struct stox_engine_thread* t = calloc(1, sizeof *t);
    if (!t) {
        snprintf(err, cap, "no memory");
        return false;
    }
    memcpy(&t->run, &symbol, sizeof symbol);
    t->channel = -1;
    t->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int end = t->end < 0 ? -1 : fcntl(t->end, F_DUPFD_CLOEXEC, 3);
    int channel[2] = {-1, -1};
    if (end < 0 || !stox_channel(channel)) {
        snprintf(err, cap, "no descriptor for the worker: %s", strerror(errno));
        if (end >= 0) close(end);
        free_thread(t);
        return false;
    }
    t->channel = channel[1];
    *r = (struct stox_running){.channel = channel[0], .errors = -1, .end = end, .pid = getpid(), .thread = t};
    const int error = start_masked(t);
    if (error) {
        snprintf(err, cap, "cannot start a thread: %s", strerror(error));
        close(channel[0]);
        close(end);
        free_thread(t);
        return false;
    }
    return true;
}

void stox_reap_thread(struct stox_running* r, char* how, size_t cap) {
    pthread_join(r->thread->id, NULL);
    snprintf(how, cap, "returned status %d", r->thread->status);
    free_thread(r->thread);
    r->thread = NULL;
}

void stox_thread_abandon(struct stox_running* r) {
    pthread_detach(r->thread->id);
    r->thread = NULL;
}
