/*
 * The module "stox" of Lua, 5.1 to 5.4:
 *   stox.version, stox.abi
 *   handle = stox.open(worker or nil, engine or nil)      nil, why on failure
 *   handle = stox.connect(control)                        the same, for a worker that is a service
 *   handle:fd()   handle:next() -> line or nil   handle:command(line) -> true or false   handle:close([timeout_ms])
 *
 * The interpreter's functions are declared here and weak: BEAM, which loads the same file, has none of them.
 */
#include "plugin/host/abi/stox.h"

#include <stdlib.h>

typedef struct lua_State lua_State;
#define WEAK __attribute__((weak, visibility("default")))
extern WEAK void* lua_newuserdatauv(lua_State*, size_t, int); /* 5.4 */
extern WEAK void* lua_newuserdata(lua_State*, size_t);        /* before */
extern WEAK void lua_pushnil(lua_State*);
extern WEAK void lua_pushboolean(lua_State*, int);
extern WEAK void lua_pushinteger(lua_State*, ptrdiff_t);
extern WEAK const char* lua_pushstring(lua_State*, const char*);
extern WEAK const char* lua_pushlstring(lua_State*, const char*, size_t);
extern WEAK void lua_pushvalue(lua_State*, int);
extern WEAK void lua_pushcclosure(lua_State*, int (*)(lua_State*), int);
extern WEAK void lua_createtable(lua_State*, int, int);
extern WEAK void lua_setfield(lua_State*, int, const char*);
extern WEAK int lua_setmetatable(lua_State*, int);
extern WEAK int luaL_newmetatable(lua_State*, const char*);
extern WEAK void* luaL_checkudata(lua_State*, int, const char*);
extern WEAK const char* luaL_checklstring(lua_State*, int, size_t*);
extern WEAK const char* luaL_optlstring(lua_State*, int, const char*, size_t*);
extern WEAK ptrdiff_t luaL_optinteger(lua_State*, int, ptrdiff_t);
extern WEAK int luaL_error(lua_State*, const char*, ...);

static const char kType[] = "stox.handle";

struct held {
    stox* handle; /* NULL once closed */
    char* buffer;
    size_t capacity;
};

static struct held* held(lua_State* L) {
    struct held* h = luaL_checkudata(L, 1, kType);
    if (!h->handle) luaL_error(L, "the stox handle is closed");
    return h;
}

/* control, or worker and engine, of which one may be missing */
static int hold(lua_State* L, const char* control, const char* worker, const char* engine) {
    const size_t size = sizeof(struct held);
    struct held* h = lua_newuserdatauv ? lua_newuserdatauv(L, size, 0) : lua_newuserdata(L, size);
    *h = (struct held){0};
    luaL_newmetatable(L, kType);
    lua_setmetatable(L, -2);
    char why[512] = "";
    h->handle = control ? stox_connect(control, why, sizeof why) : stox_open(worker, engine, why, sizeof why);
    if (h->handle) return 1;
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static int open_handle(lua_State* L) {
    return hold(L, NULL, luaL_optlstring(L, 1, NULL, NULL), luaL_optlstring(L, 2, NULL, NULL));
}

static int connect_handle(lua_State* L) { return hold(L, luaL_checklstring(L, 1, NULL), NULL, NULL); }

static int get_fd(lua_State* L) {
    lua_pushinteger(L, stox_fd(held(L)->handle));
    return 1;
}

static int next_event(lua_State* L) {
    struct held* h = held(L);
    long n = stox_next(h->handle, h->buffer, h->capacity);
    if (n < 0) {
        char* larger = realloc(h->buffer, (size_t)-n);
        if (!larger) return luaL_error(L, "no memory for an event");
        h->buffer = larger;
        h->capacity = (size_t)-n;
        n = stox_next(h->handle, h->buffer, h->capacity);
    }
    if (n <= 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, h->buffer, (size_t)n);
    return 1;
}

static int command(lua_State* L) {
    struct held* h = held(L);
    size_t n = 0;
    const char* line = luaL_checklstring(L, 2, &n);
    lua_pushboolean(L, stox_command(h->handle, line, n) == 0);
    return 1;
}

static int end_handle(struct held* h, unsigned timeout_ms) {
    stox* handle = h->handle;
    h->handle = NULL;
    free(h->buffer);
    h->buffer = NULL;
    h->capacity = 0;
    stox_close(handle, timeout_ms);
    return 0;
}

static int close_handle(lua_State* L) {
    const ptrdiff_t timeout_ms = luaL_optinteger(L, 2, 1000);
    return end_handle(luaL_checkudata(L, 1, kType), timeout_ms < 0 ? 0 : (unsigned)timeout_ms);
}

static int collect(lua_State* L) { return end_handle(luaL_checkudata(L, 1, kType), 1000); }

static void set_function(lua_State* L, const char* name, int (*function)(lua_State*)) {
    lua_pushcclosure(L, function, 0);
    lua_setfield(L, -2, name);
}

__attribute__((visibility("default"))) int luaopen_stox(lua_State* L);
int luaopen_stox(lua_State* L) {
    lua_createtable(L, 0, 3);
    set_function(L, "open", open_handle);
    set_function(L, "connect", connect_handle);
    lua_pushstring(L, stox_version());
    lua_setfield(L, -2, "version");
    lua_pushinteger(L, (ptrdiff_t)stox_abi());
    lua_setfield(L, -2, "abi");

    luaL_newmetatable(L, kType);
    set_function(L, "fd", get_fd);
    set_function(L, "next", next_event);
    set_function(L, "command", command);
    set_function(L, "close", close_handle);
    set_function(L, "__gc", collect);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_setfield(L, -2, "handle");
    return 1;
}
