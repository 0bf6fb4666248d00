/*
 * The NIFs of mod_stox_nif.erl. BEAM polls the handle's descriptor (enif_select); its owner, one process, drains it with next/1.
 * The enif functions are weak: Lua, which loads the same file, has none of them.
 */
#include "plugin/host/abi/stox.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#include <erl_nif.h>
#pragma GCC diagnostic pop

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#pragma weak enif_alloc_resource
#pragma weak enif_release_resource
#pragma weak enif_make_resource
#pragma weak enif_get_resource
#pragma weak enif_open_resource_type_x
#pragma weak enif_monitor_process
#pragma weak enif_self
#pragma weak enif_select
#pragma weak enif_inspect_binary
#pragma weak enif_inspect_iolist_as_binary
#pragma weak enif_make_new_binary
#pragma weak enif_make_atom
#pragma weak enif_make_badarg
#pragma weak enif_make_tuple
#pragma weak enif_get_uint
#pragma weak enif_is_identical

struct held {
    pthread_mutex_t lock; /* the owner's end may come while it calls */
    stox* handle;         /* NULL once closed */
    int polled;           /* duplicate of stox_fd for enif_select: closed by its stop callback, not by stox_close */
    char* buffer;
    size_t capacity;
};

static ErlNifResourceType* held_type;

/* Takes the handle out, so that it is closed once and outside the lock. */
static stox* take_out(struct held* h) {
    pthread_mutex_lock(&h->lock);
    stox* handle = h->handle;
    h->handle = NULL;
    pthread_mutex_unlock(&h->lock);
    return handle;
}

static void stop_polling(ErlNifEnv* env, struct held* h) {
    const int fd = h->polled;
    h->polled = -1;
    if (fd >= 0) enif_select(env, fd, ERL_NIF_SELECT_STOP, h, NULL, enif_make_atom(env, "undefined"));
}

static void on_stop(ErlNifEnv* env, void* object, ErlNifEvent fd, int is_direct_call) {
    (void)env;
    (void)object;
    (void)is_direct_call;
    close(fd);
}

static void on_free(ErlNifEnv* env, void* object) {
    (void)env;
    struct held* h = object;
    stox_close(h->handle, 0);
    if (h->polled >= 0) close(h->polled);
    free(h->buffer);
    pthread_mutex_destroy(&h->lock);
}

/* The owner is gone without close/2. */
static void on_owner_down(ErlNifEnv* env, void* object, ErlNifPid* pid, ErlNifMonitor* monitor) {
    (void)pid;
    (void)monitor;
    struct held* h = object;
    stox* handle = take_out(h);
    if (!handle) return;
    stop_polling(env, h);
    stox_close(handle, 0);
}

static int load(ErlNifEnv* env, void** private, ERL_NIF_TERM info) {
    (void)private;
    (void)info;
    ErlNifResourceTypeInit init = {.dtor = on_free, .stop = on_stop, .down = on_owner_down, .members = 3, .dyncall = NULL};
    held_type = enif_open_resource_type_x(env, "stox", &init, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER, NULL);
    return held_type ? 0 : 1;
}

static int upgrade(ErlNifEnv* env, void** private, void** before, ERL_NIF_TERM info) {
    (void)before;
    return load(env, private, info);
}

static ERL_NIF_TERM atom(ErlNifEnv* env, const char* name) { return enif_make_atom(env, name); }

static ERL_NIF_TERM binary(ErlNifEnv* env, const char* octets, size_t n) {
    ERL_NIF_TERM term;
    memcpy(enif_make_new_binary(env, n, &term), octets, n);
    return term;
}

/* A path of the caller's, zero-terminated; "" for the atom undefined. false: something else */
static int get_path(ErlNifEnv* env, ERL_NIF_TERM term, char* path, size_t cap) {
    ErlNifBinary octets;
    path[0] = 0;
    if (enif_is_identical(term, atom(env, "undefined"))) return 1;
    if (!enif_inspect_binary(env, term, &octets) || octets.size >= cap || memchr(octets.data, 0, octets.size)) return 0;
    memcpy(path, octets.data, octets.size);
    path[octets.size] = 0;
    return 1;
}

/* why  what to say when there is no handle */
static ERL_NIF_TERM hold(ErlNifEnv* env, stox* handle, const char* why) {
    if (!handle) return enif_make_tuple(env, 2, atom(env, "error"), binary(env, why, strlen(why)));

    struct held* h = enif_alloc_resource(held_type, sizeof *h);
    *h = (struct held){.handle = handle, .polled = fcntl(stox_fd(handle), F_DUPFD_CLOEXEC, 3)};
    pthread_mutex_init(&h->lock, NULL);
    ErlNifPid owner;
    if (enif_self(env, &owner)) enif_monitor_process(env, h, &owner, NULL);
    const ERL_NIF_TERM term = enif_make_resource(env, h);
    enif_release_resource(h); /* the term keeps it */
    return enif_make_tuple(env, 2, atom(env, "ok"), term);
}

/* open(Worker | undefined, Engine | undefined) -> {ok, Handle} | {error, Why} */
static ERL_NIF_TERM open_nif(ErlNifEnv* env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    char worker[4096], engine[4096], why[512] = "";
    if (!get_path(env, argv[0], worker, sizeof worker) || !get_path(env, argv[1], engine, sizeof engine))
        return enif_make_badarg(env);
    return hold(env, stox_open(worker[0] ? worker : NULL, engine[0] ? engine : NULL, why, sizeof why), why);
}

/* connect(Control) -> {ok, Handle} | {error, Why} */
static ERL_NIF_TERM connect_nif(ErlNifEnv* env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    char control[4096], why[512] = "";
    if (!get_path(env, argv[0], control, sizeof control)) return enif_make_badarg(env);
    return hold(env, stox_connect(control, why, sizeof why), why);
}

/* select(Handle, Ref) -> ok: the caller gets {select, Handle, Ref, ready_input} once, when an event waits */
static ERL_NIF_TERM select_nif(ErlNifEnv* env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    void* object;
    if (!enif_get_resource(env, argv[0], held_type, &object)) return enif_make_badarg(env);
    struct held* h = object;
    pthread_mutex_lock(&h->lock);
    const int ok = h->handle && h->polled >= 0 && enif_select(env, h->polled, ERL_NIF_SELECT_READ, h, NULL, argv[1]) >= 0;
    pthread_mutex_unlock(&h->lock);
    return atom(env, ok ? "ok" : "closed");
}

static long next_event(struct held* h) {
    const long n = stox_next(h->handle, h->buffer, h->capacity);
    if (n >= 0) return n;
    char* larger = realloc(h->buffer, (size_t)-n);
    if (!larger) return 0;
    h->buffer = larger;
    h->capacity = (size_t)-n;
    return stox_next(h->handle, h->buffer, h->capacity);
}

/* next(Handle) -> {ok, Line} | none | closed */
static ERL_NIF_TERM next_nif(ErlNifEnv* env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    void* object;
    if (!enif_get_resource(env, argv[0], held_type, &object)) return enif_make_badarg(env);
    struct held* h = object;
    ERL_NIF_TERM result = atom(env, "closed");
    pthread_mutex_lock(&h->lock);
    if (h->handle) {
        const long n = next_event(h);
        result = n > 0 ? enif_make_tuple(env, 2, atom(env, "ok"), binary(env, h->buffer, (size_t)n)) : atom(env, "none");
    }
    pthread_mutex_unlock(&h->lock);
    return result;
}

/* command(Handle, Line) -> boolean */
static ERL_NIF_TERM command_nif(ErlNifEnv* env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    void* object;
    ErlNifBinary line;
    if (!enif_get_resource(env, argv[0], held_type, &object) || !enif_inspect_iolist_as_binary(env, argv[1], &line))
        return enif_make_badarg(env);
    struct held* h = object;
    pthread_mutex_lock(&h->lock);
    const int taken = h->handle && stox_command(h->handle, (const char*)line.data, line.size) == 0;
    pthread_mutex_unlock(&h->lock);
    return atom(env, taken ? "true" : "false");
}

/* close(Handle, TimeoutMs) -> ok */
static ERL_NIF_TERM close_nif(ErlNifEnv* env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    void* object;
    unsigned timeout_ms;
    if (!enif_get_resource(env, argv[0], held_type, &object) || !enif_get_uint(env, argv[1], &timeout_ms))
        return enif_make_badarg(env);
    struct held* h = object;
    stox* handle = take_out(h);
    if (handle) {
        stop_polling(env, h);
        stox_close(handle, timeout_ms);
    }
    return atom(env, "ok");
}

static ErlNifFunc functions[] = {{"open", 2, open_nif, ERL_NIF_DIRTY_JOB_IO_BOUND},
                                 {"connect", 1, connect_nif, ERL_NIF_DIRTY_JOB_IO_BOUND},
                                 {"select", 2, select_nif, 0},
                                 {"next", 1, next_nif, 0},
                                 {"command", 2, command_nif, 0},
                                 {"close", 2, close_nif, ERL_NIF_DIRTY_JOB_IO_BOUND}};

ERL_NIF_INIT(mod_stox_nif, functions, load, NULL, upgrade, NULL)
