/* Strings numbered by first appearance: models, benchmarks, problems, words of the search index. */
#ifndef RT_STRINGS_H
#define RT_STRINGS_H

#include <stdint.h>

#include "core/mem.h"

/* Zero-initialise. Keys are bytes, so that a key may be put together of numbers and text. */
typedef struct rt_strings {
    char **items; /* owned, NUL-terminated behind their length */
    uint32_t *lengths;
    int32_t count, capacity;
    int32_t *slots; /* open addressing; -1: free; a power of two, at most half full */
    size_t num_slots;
} rt_strings;

/* The number of a string, a new one if it is new. */
retort_status rt_strings_add(rt_strings *names, const char *bytes, size_t length, int32_t *out, retort_error *err);
/* -1: not there. */
int32_t rt_strings_find(const rt_strings *names, const char *bytes, size_t length);
void rt_strings_free(rt_strings *names);

#endif
