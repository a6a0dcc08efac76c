/* Table of the row kernels of one instruction set; rows.c splits the work over threads and calls them. The functions
 * are those of compute.h without the rt_ prefix; columns are split by passing pointers to the first of `n` columns. */
#ifndef RT_COMPUTE_KERNELS_ROWS_H
#define RT_COMPUTE_KERNELS_ROWS_H

#include "compute/kernels.h"

struct rt_rows_kernels {
    void (*add)(int64_t n, const float *x, float *y);
    /* y[t][j] += bias[j]. */
    void (*bias_add)(int64_t rows, int64_t n, const float *bias, float *y, int64_t ldy);
    /* dbias[j] += dy[t][j], t ascending. */
    void (*column_sum)(int64_t rows, int64_t n, const float *dy, int64_t ldy, float *dbias);
    void (*rmsnorm_forward)(int64_t rows, int64_t d, const float *x, const float *w, float eps, float *y, float *rstd);
    void (*rmsnorm_backward_x)(int64_t rows, int64_t d, const float *x, const float *w, const float *rstd,
                               const float *dy, float *dx, bool accumulate);
    /* dw[j] for n columns of rows that lie d apart. */
    void (*rmsnorm_backward_w)(int64_t rows, int64_t n, int64_t d, const float *x, const float *rstd, const float *dy,
                               float *dw);
    void (*rope)(int64_t rows, int64_t heads, int64_t e, const int32_t *position, const float *table, bool inverse,
                 float *x, int64_t ldx);
    void (*swiglu_forward)(int64_t n, const float *gate, const float *up, float *h);
    void (*swiglu_backward)(int64_t n, const float *gate, const float *up, const float *dh, float *dgate, float *dup);
};

#endif
