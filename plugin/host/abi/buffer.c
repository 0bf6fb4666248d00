#include "plugin/host/abi/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP = 1 << 16 }; /* an empty buffer larger than this gives its memory back */

static bool reserve(struct stox_buffer* b, size_t n) {
    const size_t size = stox_buffer_size(b);
    if (b->capacity - b->end >= n) return true;
    if (b->begin > 0) {
        memmove(b->data, b->data + b->begin, size);
        b->begin = 0;
        b->end = size;
        if (b->capacity - b->end >= n) return true;
    }
    size_t wanted = b->capacity ? b->capacity * 2 : 4096;
    if (wanted < size + n) wanted = size + n;
    char* data = realloc(b->data, wanted);
    if (!data) return false;
    b->data = data;
    b->capacity = wanted;
    return true;
}

bool stox_buffer_append(struct stox_buffer* b, const void* octets, size_t n) {
    if (n == 0) return true;
    if (!reserve(b, n)) return false;
    memcpy(b->data + b->end, octets, n);
    b->end += n;
    return true;
}

void stox_buffer_consume(struct stox_buffer* b, size_t n) {
    b->begin += n;
    if (b->begin < b->end) return;
    b->begin = b->end = 0;
    if (b->capacity > KEEP) stox_buffer_clear(b);
}

void stox_buffer_clear(struct stox_buffer* b) {
    free(b->data);
    memset(b, 0, sizeof *b);
}

/* Octets of the UTF-8 sequence at text, 0 if it is none (RFC 3629 section 4, which shuts out overlong forms and surrogates). */
static size_t utf8_length(const unsigned char* text, size_t n) {
    const unsigned char c = text[0];
    if (c < 0x80) return 1;
    const size_t length = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (length == 0 || length > n) return 0;
    for (size_t i = 1; i < length; ++i)
        if ((text[i] & 0xc0) != 0x80) return 0;
    const unsigned char second = text[1];
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
        (c == 0xf4 && second > 0x8f))
        return 0;
    return length;
}

bool stox_buffer_append_json(struct stox_buffer* b, const char* text, size_t n) {
    for (size_t i = 0; i < n;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t length = utf8_length((const unsigned char*)text + i, n - i);
        char escaped[8];
        bool ok;
        if (length == 0) {
            ok = stox_buffer_append(b, "?", 1);
        } else if (c < 0x20 || c == 0x7f) {
            const int written = snprintf(escaped, sizeof escaped, "\\u%04x", c);
            ok = stox_buffer_append(b, escaped, (size_t)written);
        } else if (c == '"' || c == '\\') {
            escaped[0] = '\\';
            escaped[1] = (char)c;
            ok = stox_buffer_append(b, escaped, 2);
        } else {
            ok = stox_buffer_append(b, text + i, length);
        }
        if (!ok) return false;
        i += length ? length : 1;
    }
    return true;
}
