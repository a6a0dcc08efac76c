/* Softmax over a row of logits. */
#include "compute/kernels_head.h"
#include "compute/simd_math.h"

static float logsumexp(int64_t n, const float *x, float inv_temperature) {
    rt_v16 scale = rt_v16_set(inv_temperature), most = rt_v16_set(-INFINITY), sum = rt_v16_set(0.0f);
    int64_t j = 0, tail = n % RT_LANES;
    for (; j + RT_LANES <= n; j += RT_LANES) most = rt_v16_max(rt_v16_mul(rt_v16_load(x + j), scale), most);
    if (tail > 0) {
        rt_v16 y = rt_v16_mul(rt_v16_load_part(x + j, tail), scale);
        most = rt_v16_max(rt_v16_keep(y, tail, -INFINITY), most);
    }
    float m = rt_v16_highest(most);
    rt_v16 offset = rt_v16_set(m);
    for (j = 0; j + RT_LANES <= n; j += RT_LANES) {
        rt_v16 y = rt_v16_mul(rt_v16_load(x + j), scale);
        sum = rt_v16_add(sum, rt_v16_exp(rt_v16_sub(y, offset)));
    }
    if (tail > 0) {
        rt_v16 y = rt_v16_mul(rt_v16_load_part(x + j, tail), scale);
        sum = rt_v16_add(sum, rt_v16_keep(rt_v16_exp(rt_v16_sub(y, offset)), tail, 0.0f));
    }
    return m + rt_logf(rt_v16_sum(sum));
}

static void softmax(int64_t n, const float *x, float inv_temperature, float lse, float *p) {
    rt_v16 scale = rt_v16_set(inv_temperature), offset = rt_v16_set(lse);
    for (int64_t j = 0; j < n; j += RT_LANES) {
        rt_v16 logp = rt_v16_sub(rt_v16_mul(rt_v16_load_upto(x + j, n - j), scale), offset);
        rt_v16_store_upto(p + j, n - j, rt_v16_exp(logp));
    }
}

/* -log p is clamped where p is 0 anyway, so that a logit of -inf adds 0 and not 0 * inf. */
#define MOST_SURPRISE 200.0f

RT_INLINE rt_v16 entropy_terms(rt_v16 x, int64_t lanes, rt_v16 scale, rt_v16 lse, rt_v16 sum) {
    rt_v16 logp = rt_v16_sub(rt_v16_mul(x, scale), lse), p = rt_v16_exp(logp);
    if (lanes < RT_LANES) p = rt_v16_keep(p, lanes, 0.0f);
    return rt_v16_fma(p, rt_v16_min(rt_v16_set(MOST_SURPRISE), rt_v16_negate(logp)), sum);
}

static float entropy(int64_t n, const float *x, float inv_temperature, float lse) {
    rt_v16 scale = rt_v16_set(inv_temperature), offset = rt_v16_set(lse), sum = rt_v16_set(0.0f);
    int64_t j = 0;
    for (; j + RT_LANES <= n; j += RT_LANES) sum = entropy_terms(rt_v16_load(x + j), RT_LANES, scale, offset, sum);
    if (j < n) sum = entropy_terms(rt_v16_load_part(x + j, n - j), n - j, scale, offset, sum);
    return rt_v16_sum(sum);
}

static void gradient(int64_t n, float *x, int64_t target, float coefficient, float inv_temperature, float lse) {
    rt_v16 scale = rt_v16_set(inv_temperature), offset = rt_v16_set(lse), zero = rt_v16_set(0.0f);
    rt_v16 factor = rt_v16_set(coefficient);
    float p_target = rt_expf(x[target] * inv_temperature - lse);
    for (int64_t j = 0; j < n; j += RT_LANES) {
        rt_v16 logp = rt_v16_sub(rt_v16_mul(rt_v16_load_upto(x + j, n - j), scale), offset);
        rt_v16 g = rt_v16_mul(factor, rt_v16_sub(zero, rt_v16_exp(logp)));
        rt_v16_store_upto(x + j, n - j, rt_v16_mul(g, scale));
    }
    x[target] = coefficient * (1.0f - p_target) * inv_temperature;
}

const struct rt_head_kernels RT_KERNEL_TABLE(head) = {
    .logsumexp = logsumexp, .softmax = softmax, .entropy = entropy, .gradient = gradient};
