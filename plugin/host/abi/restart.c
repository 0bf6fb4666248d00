#include "plugin/host/abi/restart.h"

#include <string.h>

enum { LIMIT_MS = 30000, WINDOW_MS = 60000, STEADY_MS = 5000 };

void stox_restart_init(struct stox_restart* r, unsigned first_ms) {
    memset(r, 0, sizeof *r);
    r->first_ms = r->next_ms = first_ms;
}

static long next_wait(struct stox_restart* r) {
    const unsigned wait = r->next_ms;
    r->next_ms = wait > LIMIT_MS / 2 ? LIMIT_MS : wait * 2;
    return (long)wait;
}

long stox_restart_after_end(struct stox_restart* r, uint64_t started_ms, uint64_t now_ms) {
    if (now_ms - started_ms >= WINDOW_MS) stox_restart_init(r, r->first_ms); /* it had recovered */
    r->ended_ms[r->ends % STOX_RESTART_ENDS] = now_ms;
    ++r->ends;
    if (r->ends >= STOX_RESTART_ENDS && now_ms - r->ended_ms[r->ends % STOX_RESTART_ENDS] <= WINDOW_MS) return -1;
    return next_wait(r);
}

long stox_restart_after_loss(struct stox_restart* r, uint64_t started_ms, uint64_t now_ms) {
    if (now_ms - started_ms >= STEADY_MS) stox_restart_init(r, r->first_ms); /* nobody ends a service as soon as it began */
    return next_wait(r);
}
