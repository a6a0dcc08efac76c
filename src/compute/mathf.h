/* Elementary float functions with the same bits everywhere: correctly rounded operations in a fixed order.
 *
 * exp x = 2^n e^r with n = rint(x log2 e), r = x - n ln 2 in two steps (Cody and Waite), and a polynomial for e^r. The
 * scalar forms here and the 16-lane forms in simd_math.h evaluate the same expression. Error below 1 ulp for every
 * float (tests/compute/test_mathf.c sweeps them).
 */
#ifndef RT_COMPUTE_MATHF_H
#define RT_COMPUTE_MATHF_H

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Below the lower bound exp rounds to 0, above the upper one to infinity; inside them n fits an exponent split in two
 * halves. */
#define RT_EXP_LOWEST  -104.0f
#define RT_EXP_HIGHEST 89.0f
#define RT_LOG2_E      0x1.715476p0f
/* ln 2 = 355/512 + low: n * 355/512 is exact. */
#define RT_LN2_HIGH 0x1.63p-1f
#define RT_LN2_LOW  -0x1.bd0106p-13f
/* e^r = 1 + (r + r^2 (C0 + C1 r + ... + C4 r^4)): minimax in the relative error of e^r over |r| <= ln2 / 2, 3.1e-9. */
#define RT_EXP_C0 0x1.fffffcp-2f
#define RT_EXP_C1 0x1.555492p-3f
#define RT_EXP_C2 0x1.5558f2p-5f
#define RT_EXP_C3 0x1.123a2p-7f
#define RT_EXP_C4 0x1.6a23cep-10f

static inline float rt_float_of_bits(int32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for -126 <= n <= 127; other n wrap, as the integer lanes of simd_math.h do. */
static inline float rt_power_of_two(int32_t n) {
    return rt_float_of_bits((int32_t)(((uint32_t)n + 127u) << 23));
}

static inline float rt_expf(float x) {
    float low = RT_EXP_LOWEST > x ? RT_EXP_LOWEST : x; /* NaN stays, as in maxps and minps */
    float c = RT_EXP_HIGHEST < low ? RT_EXP_HIGHEST : low;
    float n = rintf(c * RT_LOG2_E);
    float r = fmaf(-n, RT_LN2_HIGH, c);
    r = fmaf(-n, RT_LN2_LOW, r);
    float q = fmaf(RT_EXP_C4, r, RT_EXP_C3);
    q = fmaf(q, r, RT_EXP_C2);
    q = fmaf(q, r, RT_EXP_C1);
    q = fmaf(q, r, RT_EXP_C0);
    float y = fmaf(r * r, q, r) + 1.0f;
    /* Two factors, so that subnormal results round once and 2^128 is reached. */
    int32_t i = n == n ? (int32_t)n : INT_MIN, half = i >> 1;
    return y * rt_power_of_two(half) * rt_power_of_two(i - half);
}

/* log x = e ln 2 + 2 atanh(t), t = (m - 1) / (m + 1), x = 2^e m with m in [sqrt 1/2, sqrt 2): |t| < 0.172, and the
 * series to t^13 leaves 2e-12, so the double result rounds as the exact one would but for about one float in 10^4. It
 * is evaluated here and not by rt_log so that kernels have their fused multiply-adds inline. */
static inline float rt_logf(float x) {
    if (!(x > 0.0f)) return x == 0.0f ? -INFINITY : NAN;
    if (x == INFINITY) return x;
    double wide = (double)x; /* subnormal floats are normal doubles */
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    /* Mantissas above sqrt 2 count to the next power: the offset carries into the exponent for them. */
    uint64_t carried = bits + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu);
    double e = (double)((int64_t)(carried >> 52) - 1023), m;
    bits = (carried & 0xFFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu;
    memcpy(&m, &bits, sizeof m);
    double t = (m - 1) / (m + 1), z = t * t, p = 1.0 / 13;
    p = fma(p, z, 1.0 / 11);
    p = fma(p, z, 1.0 / 9);
    p = fma(p, z, 1.0 / 7);
    p = fma(p, z, 1.0 / 5);
    p = fma(p, z, 1.0 / 3);
    p = fma(p, z, 1.0);
    return (float)fma(e, 0.69314718055994530942, 2 * t * p);
}

static inline float rt_sigmoidf(float x) {
    return 1.0f / (1.0f + rt_expf(-x));
}

static inline float rt_siluf(float x) {
    return x / (1.0f + rt_expf(-x));
}

#endif
