/* Matrices in any format, row by row. */
#include <string.h>

#include "compute/kernels_int8.h"
#include "core/mem.h"

rt_matrix rt_matrix_row(rt_matrix w, int64_t row, int64_t columns) {
    switch (rt_matrix_format(w)) {
    case RT_FORMAT_F32: return (rt_matrix){.f32 = w.f32 + row * columns};
    case RT_FORMAT_BF16: return (rt_matrix){.bf16 = w.bf16 + row * columns};
    default: return (rt_matrix){.int8 = w.int8 + row * columns, .scale = w.scale + row * rt_int8_groups(columns)};
    }
}

void rt_matrix_copy(rt_matrix to, int64_t first, rt_matrix from, int64_t rows, int64_t columns) {
    const rt_matrix at = rt_matrix_row(to, first, columns);
    const size_t count = (size_t)(rows * columns), scales = (size_t)(rows * rt_int8_groups(columns));
    if (at.f32 != NULL) memcpy(at.f32, from.f32, count * sizeof *at.f32);
    if (at.bf16 != NULL) memcpy(at.bf16, from.bf16, count * sizeof *at.bf16);
    if (at.int8 != NULL) memcpy(at.int8, from.int8, count);
    if (at.scale != NULL) memcpy(at.scale, from.scale, scales * sizeof *at.scale);
}

void rt_matrix_give_back(rt_matrix w, int64_t rows, int64_t columns) {
    const size_t count = (size_t)(rows * columns);
    switch (rt_matrix_format(w)) {
    case RT_FORMAT_F32: rt_give_back(w.f32, count * sizeof *w.f32); break;
    case RT_FORMAT_BF16: rt_give_back(w.bf16, count * sizeof *w.bf16); break;
    default:
        rt_give_back(w.int8, count);
        rt_give_back(w.scale, (size_t)(rows * rt_int8_groups(columns)) * sizeof *w.scale);
    }
}

/* The part of a row that a run of elements begins with. */
static int64_t within_row(int64_t columns, int64_t first, int64_t n) {
    const int64_t left = columns - first % columns;
    return n < left ? n : left;
}

void rt_matrix_decode(rt_matrix w, int64_t columns, int64_t first, int64_t n, float *out) {
    const rt_format format = rt_matrix_format(w);
    if (format == RT_FORMAT_F32) memcpy(out, w.f32 + first, (size_t)n * sizeof *out);
    if (format == RT_FORMAT_BF16) rt_bf16_decode(n, w.bf16 + first, out);
    if (format != RT_FORMAT_INT8) return;
    for (int64_t done = 0; done < n;) {
        const rt_matrix row = rt_matrix_row(w, (first + done) / columns, columns);
        const int64_t count = within_row(columns, first + done, n - done);
        rt_kernels->int8->decode((first + done) % columns, count, row.int8, row.scale, out + done);
        done += count;
    }
}

void rt_matrix_encode(rt_matrix w, int64_t columns, int64_t first, int64_t n, const float *x) {
    const rt_format format = rt_matrix_format(w);
    if (format == RT_FORMAT_F32) memcpy(w.f32 + first, x, (size_t)n * sizeof *x);
    if (format == RT_FORMAT_BF16) rt_bf16_encode(n, x, w.bf16 + first);
    if (format != RT_FORMAT_INT8) return;
    for (int64_t done = 0; done < n;) {
        const rt_matrix row = rt_matrix_row(w, (first + done) / columns, columns);
        const int64_t column = (first + done) % columns, count = within_row(columns, first + done, n - done);
        rt_kernels->int8->encode(count, x + done, row.int8 + column, row.scale + column / RT_INT8_GROUP);
        done += count;
    }
}
