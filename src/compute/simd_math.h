/* The functions of mathf.h on sixteen lanes: the same operations in the same order, so the same bits. */
#ifndef RT_COMPUTE_SIMD_MATH_H
#define RT_COMPUTE_SIMD_MATH_H

#include "compute/simd.h"

RT_INLINE rt_v16 rt_v16_exp(rt_v16 x) {
    rt_v16 c = rt_v16_min(rt_v16_set(RT_EXP_HIGHEST), rt_v16_max(rt_v16_set(RT_EXP_LOWEST), x));
    rt_v16 n = rt_v16_rint(rt_v16_mul(c, rt_v16_set(RT_LOG2_E)));
    rt_v16 r = rt_v16_fnma(n, rt_v16_set(RT_LN2_HIGH), c);
    r = rt_v16_fnma(n, rt_v16_set(RT_LN2_LOW), r);
    rt_v16 q = rt_v16_fma(rt_v16_set(RT_EXP_C4), r, rt_v16_set(RT_EXP_C3));
    q = rt_v16_fma(q, r, rt_v16_set(RT_EXP_C2));
    q = rt_v16_fma(q, r, rt_v16_set(RT_EXP_C1));
    q = rt_v16_fma(q, r, rt_v16_set(RT_EXP_C0));
    rt_v16 y = rt_v16_add(rt_v16_fma(rt_v16_mul(r, r), q, r), rt_v16_set(1.0f));
    return rt_v16_scale(y, n);
}

RT_INLINE rt_v16 rt_v16_negate(rt_v16 x) {
    return rt_v16_mul(x, rt_v16_set(-1.0f));
}

RT_INLINE rt_v16 rt_v16_sigmoid(rt_v16 x) {
    rt_v16 one = rt_v16_set(1.0f);
    return rt_v16_div(one, rt_v16_add(one, rt_v16_exp(rt_v16_negate(x))));
}

RT_INLINE rt_v16 rt_v16_silu(rt_v16 x) {
    return rt_v16_div(x, rt_v16_add(rt_v16_set(1.0f), rt_v16_exp(rt_v16_negate(x))));
}

#endif
