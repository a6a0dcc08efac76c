/* Table of the int8 kernels of one instruction set; matrix.c, operand.c and packed.c call them.
 *
 * Packed int8: panels of RT_PANEL columns (kernels_gemm.h). A panel is one run of bytes, a block for each group of
 * RT_INT8_GROUP positions of k: RT_PANEL scales, then [up to RT_INT8_GROUP][RT_PANEL] int8. Columns past n have scale
 * 0.
 */
#ifndef RT_COMPUTE_KERNELS_INT8_H
#define RT_COMPUTE_KERNELS_INT8_H

#include "compute/kernels_gemm.h"

enum { RT_INT8_SCALE_BYTES = RT_PANEL * (int)sizeof(float) };

/* Where position p of a panel lies, p = k: the size of a panel. */
static inline int64_t rt_int8_panel_at(int64_t p) {
    return rt_int8_groups(p) * RT_INT8_SCALE_BYTES + p * RT_PANEL;
}

struct rt_int8_kernels {
    /* c[i][j] for rows <= rows_max rows of a, all n columns and all k of the panels; continues the chains in c if
     * accumulate. Scales and int8 become floats in registers. */
    int rows_max;
    void (*tile_row)(int rows, int64_t n, int64_t k, const float *a, int64_t lda, const unsigned char *panels, float *c,
                     int64_t ldc, bool accumulate);
    /* Positions p .. p + k - 1 of `count` panels, panel_bytes apart, as panels of float. */
    void (*widen_panels)(int64_t count, int64_t p, int64_t k, const unsigned char *panels, int64_t panel_bytes,
                         float *out, int64_t panel_stride);
    /* Elements first .. first + n - 1 of a row as floats. */
    void (*decode)(int64_t first, int64_t n, const int8_t *q, const float *scale, float *out);
    /* A run of a row that begins with a group. */
    void (*encode)(int64_t n, const float *x, int8_t *q, float *scale);
    /* One panel of `width` rows of k. */
    void (*pack)(int64_t width, int64_t k, const int8_t *q, const float *scale, unsigned char *panel);
};

#endif
