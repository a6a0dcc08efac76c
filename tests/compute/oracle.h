/* The definitions of compute.h as plain scalar loops: no SIMD, no threads, no tiles, no blocks. The kernels must agree
 * with them in every bit. Functions have the signatures of compute.h, without scratch. */
#ifndef RT_TESTS_COMPUTE_ORACLE_H
#define RT_TESTS_COMPUTE_ORACLE_H

#include "compute/compute.h"

float oracle_lanes(int64_t n, const float *a, const float *b); /* 16 partial fma chains of a_j b_j, then the tree */

void oracle_bias_add(int64_t rows, int64_t n, const float *bias, float *y, int64_t ldy);
void oracle_bias_grad(int64_t rows, int64_t n, const float *dy, int64_t ldy, float *dbias);
void oracle_rmsnorm_forward(int64_t rows, int64_t d, const float *x, const float *w, float eps, float *y, float *rstd);
void oracle_rmsnorm_backward(int64_t rows, int64_t d, const float *x, const float *w, const float *rstd,
                             const float *dy, float *dx, bool accumulate_dx, float *dw);
void oracle_rope(int64_t rows, int64_t heads, int64_t e, const int32_t *position, const float *table, bool inverse,
                 float *x, int64_t ldx);
void oracle_swiglu_forward(int64_t n, const float *gate, const float *up, float *h);
void oracle_swiglu_backward(int64_t n, const float *gate, const float *up, const float *dh, float *dgate, float *dup);
void oracle_embedding_backward(int64_t rows, int64_t d, const int32_t *ids, const float *dx, float *dtable);

/* One query against `keys` keys (rows ldk apart): scratch p holds `keys` floats. Returns lse. */
float oracle_attend(int64_t low, int64_t keys, int64_t e, float scale, const float *q, const float *k, int64_t ldk,
                    const float *v, int64_t ldv, float *out, float *p);
void oracle_attention_forward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                              float scale, const float *q, const float *k, const float *v, float *out, float *lse);
void oracle_attention_backward(int64_t docs, const int32_t *doc_start, int64_t h, int64_t g, int64_t e, int64_t window,
                               float scale, const float *q, const float *k, const float *v, const float *out,
                               const float *lse, const float *dout, float *dq, float *dk, float *dv);

float oracle_logsumexp(int64_t n, const float *x, float inv_temperature);
float oracle_entropy(int64_t n, const float *x, float inv_temperature, float lse);
/* As rt_head with the whole batch as one chunk; scratch is not used. */
void oracle_head(const rt_head_args *args);

void oracle_adamw(int64_t n, float *p, const float *grad, float *m, float *v, const rt_adamw_args *args);
double oracle_sum_squares(int64_t n, const float *x);

#endif
