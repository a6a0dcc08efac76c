#include "model/arena.h"

#include "core/mem.h"

enum { LINE = 64 };

void *rt_carve(rt_carver *at, int64_t rows, int64_t cols, size_t size) {
    size_t count, bytes, end;
    if (rows < 0 || cols < 0 || rt_mul_overflow((size_t)rows, (size_t)cols, &count) ||
        rt_mul_overflow(count, size, &bytes) || __builtin_add_overflow(at->used, bytes, &end) || end > SIZE_MAX / 2) {
        at->overflow = true;
        return NULL;
    }
    void *piece = at->base != NULL ? at->base + at->used : NULL;
    at->used = (end + LINE - 1) / LINE * LINE;
    return piece;
}

float *rt_carve_floats(rt_carver *at, int64_t rows, int64_t cols) {
    return rt_carve(at, rows, cols, sizeof(float));
}

int32_t *rt_carve_ints(rt_carver *at, int64_t count) {
    return rt_carve(at, count, 1, sizeof(int32_t));
}
