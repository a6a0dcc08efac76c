/* Table of the softmax kernels of one instruction set, over one row of n logits; head.c calls them. */
#ifndef RT_COMPUTE_KERNELS_HEAD_H
#define RT_COMPUTE_KERNELS_HEAD_H

#include "compute/kernels.h"

struct rt_head_kernels {
    float (*logsumexp)(int64_t n, const float *x, float inv_temperature);
    void (*softmax)(int64_t n, const float *x, float inv_temperature, float lse, float *p);
    float (*entropy)(int64_t n, const float *x, float inv_temperature, float lse);
    /* x_j <- (coefficient * ((j == target) - softmax_j)) * inv_temperature. */
    void (*gradient)(int64_t n, float *x, int64_t target, float coefficient, float inv_temperature, float lse);
};

#endif
