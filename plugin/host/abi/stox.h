#ifndef STOX_H
#define STOX_H
/*
 * The C ABI of stox.so: how a chat server holds a worker.
 *
 * Pull model, no callbacks: wait until stox_fd() is readable, then call stox_next() until it returns 0. Lines either way
 * are the control protocol of docs/control-protocol.md, one JSON object each, without the newline. stox.so itself reads
 * none of them; it spawns the worker or connects to it, passes the lines, and starts the worker again when it ended.
 *
 * Every function may be called from any thread, but one handle is used by one thread at a time. None blocks (stox_close
 * waits at most timeout_ms), forks, changes directory, locale, signal handlers or masks of the calling process.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define STOX_ABI 1u

typedef struct stox stox;

/* STOX_ABI of the library; another value than the header's: do not use it. */
uint32_t stox_abi(void);
/* "0.1.0" */
const char* stox_version(void);

/*
 * Starts holding a worker.
 *   worker   absolute path of stoxd; NULL: isolation none, the engine runs inside this process
 *   engine   absolute path of libstox_engine.so, used only when worker is NULL
 *   err,cap  where to write why it failed, zero-terminated
 * Returns NULL on failure. The worker is restarted when it ends: after 0.1 s, doubling to 30 s; after 10 ends within 60 s it
 * stays down. Each start and end is an event made by stox.so itself:
 *   {"t":"worker","state":"started","pid":N}      now send engine-set and every domain-set again
 *   {"t":"worker","state":"ended","how":"killed by signal 11","restart_ms":100}   restart_ms -1: it stays down
 *   {"t":"log","level":"error","text":"..."}      a line the worker wrote to stderr
 */
stox* stox_open(const char* worker, const char* engine, char* err, size_t cap);
/*
 * Holds a worker that is a service of its own: connects to its control socket, and again, with the waits above but without
 * end, whenever the connection is lost or there is nobody yet. The same events; "started" means connected.
 *   control  absolute path of the socket
 * Returns NULL for a path that cannot be one.
 */
stox* stox_connect(const char* control, char* err, size_t cap);
/* Readable when an event waits. Poll it; never read from it. */
int stox_fd(stox*);
/* 0: none waits. > 0: length of the event put into buf. < 0: an event of -length octets waits, buf is too small. */
long stox_next(stox*, char* buf, size_t cap);
/* Sends one line to the worker. 0: taken. -1: no worker runs now (the line is dropped: send it after "started"), or it does
 * not read (over 8 MiB wait). */
int stox_command(stox*, const char* json, size_t n);
/* Ends the worker: it gets {"t":"stop"} and end of input, after timeout_ms SIGKILL. A service only loses the connection, once what
 * waits is written. Frees the handle. */
void stox_close(stox*, unsigned timeout_ms);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
