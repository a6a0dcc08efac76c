/* Row operations: the split over threads. Rows, columns or elements are shared out; no sum crosses threads. */
#include <string.h>

#include "compute/bf16.h"
#include "compute/kernels_rows.h"
#include "compute/parallel.h"
#include "core/exactmath.h"

/* Elements per unit of an elementwise split: a cache line, so that threads do not write to the same one. */
enum { UNIT = 16 };

void rt_bf16_decode(int64_t n, const uint16_t *x, float *out) {
    for (int64_t i = 0; i < n; i++) out[i] = rt_float_of_bf16(x[i]);
}

void rt_bf16_encode(int64_t n, const float *x, uint16_t *out) {
    for (int64_t i = 0; i < n; i++) out[i] = rt_bf16_of_float(x[i]);
}

void rt_bf16_round(int64_t n, float *x) {
#pragma omp parallel num_threads(rt_threads_for(n))
    {
        rt_range own = rt_my_share(n, UNIT);
        for (int64_t i = own.first; i < own.first + own.count; i++) x[i] = rt_float_of_bf16(rt_bf16_of_float(x[i]));
    }
}

void rt_bias_add(int64_t rows, int64_t n, const float *bias, float *y, int64_t ldy) {
#pragma omp parallel num_threads(rt_threads_for(rows *n))
    {
        rt_range own = rt_my_share(rows, 1);
        rt_kernels->rows->bias_add(own.count, n, bias, y + own.first * ldy, ldy);
    }
}

void rt_bias_grad(int64_t rows, int64_t n, const float *dy, int64_t ldy, float *dbias) {
#pragma omp parallel num_threads(rt_threads_for(rows *n))
    {
        rt_range own = rt_my_share(n, UNIT);
        rt_kernels->rows->column_sum(rows, own.count, dy + own.first, ldy, dbias + own.first);
    }
}

void rt_scale(int64_t n, float s, float *x) {
#pragma omp parallel num_threads(rt_threads_for(n))
    {
        rt_range own = rt_my_share(n, UNIT);
        for (int64_t i = own.first; i < own.first + own.count; i++) x[i] *= s;
    }
}

void rt_add(int64_t n, const float *x, float *y) {
#pragma omp parallel num_threads(rt_threads_for(n))
    {
        rt_range own = rt_my_share(n, UNIT);
        rt_kernels->rows->add(own.count, x + own.first, y + own.first);
    }
}

void rt_rmsnorm_forward(int64_t rows, int64_t d, const float *x, const float *w, float eps, float *y, float *rstd) {
#pragma omp parallel num_threads(rt_threads_for(rows *d))
    {
        rt_range own = rt_my_share(rows, 1);
        rt_kernels->rows->rmsnorm_forward(own.count, d, x + own.first * d, w, eps, y + own.first * d,
                                          rstd != NULL ? rstd + own.first : NULL);
    }
}

/* Two passes, so that dx may overwrite dy: columns for dw, then rows for dx. */
void rt_rmsnorm_backward(int64_t rows, int64_t d, const float *x, const float *w, const float *rstd, const float *dy,
                         float *dx, bool accumulate_dx, float *dw) {
#pragma omp parallel num_threads(rt_threads_for(2 * rows * d))
    {
        rt_range columns = rt_my_share(d, UNIT), own = rt_my_share(rows, 1);
        if (dw != NULL)
            rt_kernels->rows->rmsnorm_backward_w(rows, columns.count, d, x + columns.first, rstd, dy + columns.first,
                                                 dw + columns.first);
#pragma omp barrier
        int64_t at = own.first * d;
        rt_kernels->rows->rmsnorm_backward_x(own.count, d, x + at, w, rstd + own.first, dy + at, dx + at,
                                             accumulate_dx);
    }
}

void rt_rope(int64_t rows, int64_t heads, int64_t e, const int32_t *position, const float *table, bool inverse,
             float *x, int64_t ldx) {
#pragma omp parallel num_threads(rt_threads_for(rows *heads *e))
    {
        rt_range own = rt_my_share(rows, 1);
        rt_kernels->rows->rope(own.count, heads, e, position + own.first, table, inverse, x + own.first * ldx, ldx);
    }
}

void rt_rope_frequencies(int64_t e, double theta, float *frequency) {
    for (int64_t i = 0; i < e / 2; i++) frequency[i] = (float)(1.0 / rt_pow(theta, (double)(2 * i) / (double)e));
}

void rt_rope_table(int64_t positions, int64_t e, const float *frequency, float magnitude, float *table) {
    int64_t half = e / 2;
#pragma omp parallel for num_threads(rt_threads_for(positions *half * 64))
    for (int64_t t = 0; t < positions; t++) {
        for (int64_t i = 0; i < half; i++) {
            float angle = (float)t * frequency[i];
            table[t * e + i] = (float)rt_cos((double)angle) * magnitude;
            table[t * e + half + i] = (float)rt_sin((double)angle) * magnitude;
        }
    }
}

void rt_swiglu_forward(int64_t n, const float *gate, const float *up, float *h) {
#pragma omp parallel num_threads(rt_threads_for(4 * n))
    {
        rt_range own = rt_my_share(n, UNIT);
        int64_t at = own.first;
        rt_kernels->rows->swiglu_forward(own.count, gate + at, up + at, h + at);
    }
}

void rt_swiglu_backward(int64_t n, const float *gate, const float *up, const float *dh, float *dgate, float *dup) {
#pragma omp parallel num_threads(rt_threads_for(4 * n))
    {
        rt_range own = rt_my_share(n, UNIT);
        int64_t at = own.first;
        rt_kernels->rows->swiglu_backward(own.count, gate + at, up + at, dh + at, dgate + at, dup + at);
    }
}

void rt_embedding_forward(int64_t rows, int64_t d, const int32_t *ids, const float *table, float *x) {
#pragma omp parallel for num_threads(rt_threads_for(rows *d))
    for (int64_t t = 0; t < rows; t++) memcpy(x + t * d, table + ids[t] * d, (size_t)d * sizeof *x);
}

void rt_embedding_lookup(int64_t rows, int64_t d, const int32_t *ids, rt_matrix table, float *x) {
    if (table.f32 != NULL) {
        rt_embedding_forward(rows, d, ids, table.f32, x);
        return;
    }
#pragma omp parallel for num_threads(rt_threads_for(rows *d))
    for (int64_t t = 0; t < rows; t++) rt_matrix_decode(table, d, ids[t] * d, d, x + t * d);
}

/* Each thread owns the vocabulary entries of one residue class, so that a row of dtable has one writer. */
void rt_embedding_backward(int64_t rows, int64_t d, const int32_t *ids, const float *dx, float *dtable) {
#pragma omp parallel num_threads(rt_threads_for(rows *d))
    {
        int32_t threads = omp_get_num_threads(), own = omp_get_thread_num();
        for (int64_t t = 0; t < rows; t++)
            if (ids[t] % threads == own) rt_kernels->rows->add(d, dx + t * d, dtable + ids[t] * d);
    }
}
