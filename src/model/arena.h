/* One block of memory cut into pieces, each on its own cache line.
 *
 * The same function cuts twice: with base NULL it only measures (`used` is then the size to allocate), afterwards it
 * hands out the pieces. Sizes are checked before they are multiplied; `overflow` stays set once one was too large. */
#ifndef RT_MODEL_ARENA_H
#define RT_MODEL_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rt_carver {
    char *base;
    size_t used;
    bool overflow;
} rt_carver;

/* rows * cols elements of `size` bytes; NULL while measuring or after an overflow. */
void *rt_carve(rt_carver *at, int64_t rows, int64_t cols, size_t size);
float *rt_carve_floats(rt_carver *at, int64_t rows, int64_t cols);
int32_t *rt_carve_ints(rt_carver *at, int64_t count);

#endif
