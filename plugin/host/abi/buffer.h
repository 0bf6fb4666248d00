#ifndef STOX_BUFFER_H
#define STOX_BUFFER_H
/* Octets that wait: appended at the end, consumed from the front. */
#include <stdbool.h>
#include <stddef.h>

struct stox_buffer {
    char* data;
    size_t begin, end, capacity;
};

static inline size_t stox_buffer_size(const struct stox_buffer* b) { return b->end - b->begin; }
static inline const char* stox_buffer_front(const struct stox_buffer* b) { return b->data + b->begin; }

/* false: no memory; nothing was appended */
bool stox_buffer_append(struct stox_buffer*, const void* octets, size_t n);
void stox_buffer_consume(struct stox_buffer*, size_t n);
/* Frees the memory; the buffer is empty and can be used again. */
void stox_buffer_clear(struct stox_buffer*);
/*
 * Appends text as the inside of a JSON string: quotes, backslashes and control characters escaped, octets that are no
 * UTF-8 as '?'.
 */
bool stox_buffer_append_json(struct stox_buffer*, const char* text, size_t n);
#endif
