/* AdamW and the reductions over gradients. */
#include "compute/kernels_optim.h"
#include "compute/simd.h"

/* m is moved towards g by one fma, as torch's lerp does: m + (1 - b1) (g - m). */
static void adamw(int64_t n, float *p, const float *grad, float *m, float *v, const rt_adamw_scalars *args) {
    rt_v16 decay = rt_v16_set(args->decay), scale = rt_v16_set(args->grad_scale), eps = rt_v16_set(args->eps);
    rt_v16 c1 = rt_v16_set(args->one_minus_b1), b2 = rt_v16_set(args->b2), c2 = rt_v16_set(args->one_minus_b2);
    rt_v16 step = rt_v16_set(args->step), root = rt_v16_set(args->root_bias2);
    for (int64_t i = 0; i < n; i += RT_LANES) {
        int64_t left = n - i;
        rt_v16 g = rt_v16_mul(rt_v16_load_upto(grad + i, left), scale);
        rt_v16 first = rt_v16_load_upto(m + i, left), second = rt_v16_load_upto(v + i, left);
        first = rt_v16_fma(c1, rt_v16_sub(g, first), first);
        second = rt_v16_fma(rt_v16_mul(c2, g), g, rt_v16_mul(b2, second));
        rt_v16 denominator = rt_v16_add(rt_v16_div(rt_v16_sqrt(second), root), eps);
        rt_v16 value = rt_v16_mul(rt_v16_load_upto(p + i, left), decay);
        rt_v16_store_upto(p + i, left, rt_v16_add(value, rt_v16_mul(step, rt_v16_div(first, denominator))));
        rt_v16_store_upto(m + i, left, first);
        rt_v16_store_upto(v + i, left, second);
    }
}

/* The square of a float is exact in double, so each step rounds once whether or not it is fused. */
static double sum_squares(int64_t n, const float *x) {
    double lane[RT_LANES] = {0};
    int64_t i = 0;
    for (; i + RT_LANES <= n; i += RT_LANES)
        for (int j = 0; j < RT_LANES; j++) lane[j] += (double)x[i + j] * (double)x[i + j];
    for (int j = 0; i + j < n; j++) lane[j] += (double)x[i + j] * (double)x[i + j];
    for (int width = RT_LANES / 2; width > 0; width /= 2)
        for (int j = 0; j < width; j++) lane[j] += lane[j + width];
    return lane[0];
}

/* An exponent field of ones, that is magnitude bits of at least those of infinity. */
static bool has_nonfinite(int64_t n, const float *x) {
    uint32_t highest = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7FFFFFFFu;
        highest = bits > highest ? bits : highest;
    }
    return highest >= 0x7F800000u;
}

const struct rt_optim_kernels RT_KERNEL_TABLE(optim) = {
    .adamw = adamw, .sum_squares = sum_squares, .has_nonfinite = has_nonfinite};
