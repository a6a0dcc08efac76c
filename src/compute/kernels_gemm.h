/* Table of the matrix product kernels of one instruction set; gemm.c drives them.
 *
 * Packed B: panels of RT_PANEL columns, the same for every instruction set. Panel p holds columns 16p .. 16p+15 as
 * [k][16], columns past n are 0; panels lie panel_stride floats apart.
 */
#ifndef RT_COMPUTE_KERNELS_GEMM_H
#define RT_COMPUTE_KERNELS_GEMM_H

#include "compute/kernels.h"

enum { RT_PANEL = 16 };

/* Rows of A: element (i, k) is at a[i * stride + k] (packed false), or at a[k * stride + i] (packed true: rows
 * interleaved by rt_gemm_kernels.pack_a, stride = rows_max). */
typedef struct rt_gemm_a {
    const float *data;
    int64_t stride;
    bool packed;
} rt_gemm_a;

struct rt_gemm_kernels {
    int rows_max; /* rows of the tallest tile */
    int panels;   /* panels of the tile of rows_max rows */
    /* c[i][j] for rows <= rows_max rows and all n columns; continues the chains in c if accumulate. */
    void (*tile_row)(int rows, int64_t n, int64_t k, const rt_gemm_a *a, const float *b, int64_t panel_stride, float *c,
                     int64_t ldc, bool accumulate);
    /* Panels of b [k][n]. */
    void (*pack_b)(int64_t n, int64_t k, const float *b, int64_t ldb, float *out, int64_t panel_stride);
    /* Panels of w [n][k], that is of its transpose. */
    void (*pack_bt)(int64_t n, int64_t k, const float *w, int64_t ldw, float *out, int64_t panel_stride);
    /* The same from bfloat16: in panels of bfloat16 (rows of A not packed), or into panels of float.
     */
    void (*tile_row_half)(int rows, int64_t n, int64_t k, const rt_gemm_a *a, const uint16_t *b, int64_t panel_stride,
                          float *c, int64_t ldc, bool accumulate);
    void (*pack_b_half)(int64_t n, int64_t k, const uint16_t *b, int64_t ldb, float *out, int64_t panel_stride);
    void (*pack_bt_half)(int64_t n, int64_t k, const uint16_t *w, int64_t ldw, float *out, int64_t panel_stride);
    /* k rows of `panels` panels of bfloat16, in_stride apart, as panels of float. */
    void (*widen_panels)(int64_t panels, int64_t k, const uint16_t *in, int64_t in_stride, float *out,
                         int64_t panel_stride);
    /* a [k][m] as blocks of rows_max rows, each as [k][rows_max], block_stride floats apart. */
    void (*pack_a)(int64_t m, int64_t k, const float *a, int64_t lda, float *out, int64_t block_stride);
};

#endif
