/* Table of the optimiser kernels of one instruction set; optim.c splits the work and calls them. */
#ifndef RT_COMPUTE_KERNELS_OPTIM_H
#define RT_COMPUTE_KERNELS_OPTIM_H

#include "compute/kernels.h"

/* The scalars of an AdamW step, each computed in double and rounded once, as PyTorch does. */
typedef struct rt_adamw_scalars {
    float decay;        /* 1 - lr wd */
    float one_minus_b1; /* 1 - beta1 */
    float b2;           /* beta2 */
    float one_minus_b2; /* 1 - beta2 */
    float step;         /* -lr / (1 - beta1^t) */
    float root_bias2;   /* sqrt(1 - beta2^t) */
    float eps, grad_scale;
} rt_adamw_scalars;

/* Elements of one block of rt_sum_squares. */
enum { RT_SQUARES_BLOCK = 16384 };

struct rt_optim_kernels {
    void (*adamw)(int64_t n, float *p, const float *grad, float *m, float *v, const rt_adamw_scalars *args);
    /* One block: 16 lanes of doubles, then the tree of lanes(). */
    double (*sum_squares)(int64_t n, const float *x);
    bool (*has_nonfinite)(int64_t n, const float *x);
};

#endif
