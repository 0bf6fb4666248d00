#ifndef STOX_ENGINE_RUN_H
#define STOX_ENGINE_RUN_H
/* The ways to a worker: a process that we start, a thread of this process, or a service that runs by itself. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stox_engine_thread;

struct stox_running {
    int channel;                       /* lines both ways; ours, non-blocking, close-on-exec */
    int errors;                        /* what the worker writes to standard error; -1 for a thread */
    int end;                           /* readable when it ended */
    pid_t pid;                         /* of the process; ours for a thread */
    struct stox_engine_thread* thread; /* NULL for a process */
    bool connected;                    /* to a service: not ours to end */
};

struct sockaddr_un;

/* All return false and write why into err. */
bool stox_spawn(struct stox_running*, const char* worker, char* err, size_t cap);
bool stox_thread_start(struct stox_running*, const char* engine, char* err, size_t cap);
bool stox_connect_running(struct stox_running*, const char* control, char* err, size_t cap);
bool stox_control_address(struct sockaddr_un*, const char* control, char* err, size_t cap);

/*
 * After `end` became readable: collects it and writes how it ended ("exited with status 1", "killed by signal 11"). Only then
 * is nothing of the worker left.
 */
void stox_reap_process(struct stox_running*, char* how, size_t cap);
void stox_reap_thread(struct stox_running*, char* how, size_t cap);
/* A thread that does not stop cannot be ended: it keeps what it uses, and nobody waits for it. */
void stox_thread_abandon(struct stox_running*);

/* A socket pair, both ends above the standard descriptors and close-on-exec; [0] non-blocking. */
bool stox_channel(int ends[2]);
#endif
