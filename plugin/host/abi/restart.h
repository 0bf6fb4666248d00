#ifndef STOX_RESTART_H
#define STOX_RESTART_H
/* When an ended worker is started again: a pure function of the times it lived. */
#include <stdint.h>

enum { STOX_RESTART_ENDS = 10 };

struct stox_restart {
    unsigned first_ms; /* the first wait; it doubles up to 30 s */
    unsigned next_ms;
    uint64_t ended_ms[STOX_RESTART_ENDS]; /* a ring of the last ends */
    unsigned ends;
};

/* Clears what is known. */
void stox_restart_init(struct stox_restart*, unsigned first_ms);
/*
 * Records an end. started_ms and now_ms are of one monotonic clock. Returns how many milliseconds to wait, or -1 when ten
 * ends came within 60 s: the worker stays down.
 */
long stox_restart_after_end(struct stox_restart*, uint64_t started_ms, uint64_t now_ms);
/* The same waits before a service is tried again, which others start: without end. */
long stox_restart_after_loss(struct stox_restart*, uint64_t started_ms, uint64_t now_ms);
#endif
