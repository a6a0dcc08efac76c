/* rt_v16: sixteen float lanes, so that a kernel is written once for every instruction set.
 *
 *   RT_KERNEL_LEVEL 0   float[16] and fmaf (any processor)
 *   RT_KERNEL_LEVEL 1   two __m256         (AVX2 + FMA)
 *   RT_KERNEL_LEVEL 2   one __m512         (AVX-512 F, DQ, VL, BW)
 *
 * Every operation is the IEEE operation lane by lane, so the three levels agree in every bit. rt_v16_max and rt_v16_min
 * are a > b ? a : b and a < b ? a : b (the second operand when one is NaN). For kernel_*.c files only.
 */
#ifndef RT_COMPUTE_SIMD_H
#define RT_COMPUTE_SIMD_H

#include <math.h>
#include <stdint.h>

#include "compute/bf16.h"
#include "compute/mathf.h"

#define RT_INLINE static inline __attribute__((always_inline, unused))

enum { RT_LANES = 16 };

#if RT_KERNEL_LEVEL == 2
#include <immintrin.h>

typedef __m512 rt_v16;

RT_INLINE rt_v16 rt_v16_set(float x) {
    return _mm512_set1_ps(x);
}
RT_INLINE rt_v16 rt_v16_load(const float *p) {
    return _mm512_loadu_ps(p);
}
RT_INLINE rt_v16 rt_v16_load_half(const uint16_t *p) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
/* Sixteen int8 as floats; and back, where every lane is an integer from -128 to 127. */
RT_INLINE rt_v16 rt_v16_load_int8(const int8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}
RT_INLINE void rt_v16_store_int8(int8_t *p, rt_v16 x) {
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}
RT_INLINE void rt_v16_store(float *p, rt_v16 x) {
    _mm512_storeu_ps(p, x);
}
RT_INLINE __mmask16 rt_v16_mask(int64_t n) {
    return (__mmask16)((1u << n) - 1u);
}
/* Lanes 0 .. n-1 from memory, the others 0; 0 <= n <= 16. */
RT_INLINE rt_v16 rt_v16_load_part(const float *p, int64_t n) {
    return _mm512_maskz_loadu_ps(rt_v16_mask(n), p);
}
RT_INLINE void rt_v16_store_part(float *p, int64_t n, rt_v16 x) {
    _mm512_mask_storeu_ps(p, rt_v16_mask(n), x);
}
/* Lanes 0 .. n-1 of x, the others `fill`. */
RT_INLINE rt_v16 rt_v16_keep(rt_v16 x, int64_t n, float fill) {
    return _mm512_mask_mov_ps(_mm512_set1_ps(fill), rt_v16_mask(n), x);
}
RT_INLINE rt_v16 rt_v16_add(rt_v16 a, rt_v16 b) {
    return _mm512_add_ps(a, b);
}
RT_INLINE rt_v16 rt_v16_sub(rt_v16 a, rt_v16 b) {
    return _mm512_sub_ps(a, b);
}
RT_INLINE rt_v16 rt_v16_mul(rt_v16 a, rt_v16 b) {
    return _mm512_mul_ps(a, b);
}
RT_INLINE rt_v16 rt_v16_div(rt_v16 a, rt_v16 b) {
    return _mm512_div_ps(a, b);
}
RT_INLINE rt_v16 rt_v16_sqrt(rt_v16 a) {
    return _mm512_sqrt_ps(a);
}
/* a b + c and c - a b, one rounding. */
RT_INLINE rt_v16 rt_v16_fma(rt_v16 a, rt_v16 b, rt_v16 c) {
    return _mm512_fmadd_ps(a, b, c);
}
RT_INLINE rt_v16 rt_v16_fnma(rt_v16 a, rt_v16 b, rt_v16 c) {
    return _mm512_fnmadd_ps(a, b, c);
}
RT_INLINE rt_v16 rt_v16_max(rt_v16 a, rt_v16 b) {
    return _mm512_max_ps(a, b);
}
RT_INLINE rt_v16 rt_v16_min(rt_v16 a, rt_v16 b) {
    return _mm512_min_ps(a, b);
}
RT_INLINE rt_v16 rt_v16_rint(rt_v16 a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* y 2^n in two factors; n holds integers. */
RT_INLINE rt_v16 rt_v16_scale(rt_v16 y, rt_v16 n) {
    __m512i i = _mm512_cvtps_epi32(n), half = _mm512_srai_epi32(i, 1), bias = _mm512_set1_epi32(127);
    __m512i a = _mm512_slli_epi32(_mm512_add_epi32(half, bias), 23);
    __m512i b = _mm512_slli_epi32(_mm512_add_epi32(_mm512_sub_epi32(i, half), bias), 23);
    return _mm512_mul_ps(_mm512_mul_ps(y, _mm512_castsi512_ps(a)), _mm512_castsi512_ps(b));
}
RT_INLINE __m256 rt_v16_low(rt_v16 x) {
    return _mm512_castps512_ps256(x);
}
RT_INLINE __m256 rt_v16_high(rt_v16 x) {
    return _mm512_extractf32x8_ps(x, 1);
}

#elif RT_KERNEL_LEVEL == 1
#include <immintrin.h>

typedef struct rt_v16 {
    __m256 low, high;
} rt_v16;

#define RT_V16_MAP1(f, a)       ((rt_v16){f((a).low), f((a).high)})
#define RT_V16_MAP2(f, a, b)    ((rt_v16){f((a).low, (b).low), f((a).high, (b).high)})
#define RT_V16_MAP3(f, a, b, c) ((rt_v16){f((a).low, (b).low, (c).low), f((a).high, (b).high, (c).high)})

/* Sixteen lanes on, sixteen off: the mask of n lanes starts at 16 - n. */
static const int32_t rt_v16_masks[2 * RT_LANES] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

RT_INLINE __m256i rt_v16_mask(int64_t n, int half) {
    return _mm256_loadu_si256((const __m256i *)(const void *)(rt_v16_masks + RT_LANES - n + 8 * half));
}
RT_INLINE rt_v16 rt_v16_set(float x) {
    return (rt_v16){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
RT_INLINE rt_v16 rt_v16_load(const float *p) {
    return (rt_v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
RT_INLINE __m256 rt_v8_load_half(const uint16_t *p) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
RT_INLINE rt_v16 rt_v16_load_half(const uint16_t *p) {
    return (rt_v16){rt_v8_load_half(p), rt_v8_load_half(p + 8)};
}
RT_INLINE __m256 rt_v8_load_int8(const int8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}
RT_INLINE rt_v16 rt_v16_load_int8(const int8_t *p) {
    return (rt_v16){rt_v8_load_int8(p), rt_v8_load_int8(p + 8)};
}
RT_INLINE void rt_v16_store_int8(int8_t *p, rt_v16 x) {
    __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(x.low), _mm256_cvtps_epi32(x.high));
    words = _mm256_permute4x64_epi64(words, 0xd8); /* packing goes by halves of 128 bits */
    __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128((__m128i *)(void *)p, bytes);
}
RT_INLINE void rt_v16_store(float *p, rt_v16 x) {
    _mm256_storeu_ps(p, x.low);
    _mm256_storeu_ps(p + 8, x.high);
}
RT_INLINE rt_v16 rt_v16_load_part(const float *p, int64_t n) {
    return (rt_v16){_mm256_maskload_ps(p, rt_v16_mask(n, 0)), _mm256_maskload_ps(p + 8, rt_v16_mask(n, 1))};
}
RT_INLINE void rt_v16_store_part(float *p, int64_t n, rt_v16 x) {
    _mm256_maskstore_ps(p, rt_v16_mask(n, 0), x.low);
    _mm256_maskstore_ps(p + 8, rt_v16_mask(n, 1), x.high);
}
RT_INLINE rt_v16 rt_v16_keep(rt_v16 x, int64_t n, float fill) {
    __m256 f = _mm256_set1_ps(fill);
    return (rt_v16){_mm256_blendv_ps(f, x.low, _mm256_castsi256_ps(rt_v16_mask(n, 0))),
                    _mm256_blendv_ps(f, x.high, _mm256_castsi256_ps(rt_v16_mask(n, 1)))};
}
RT_INLINE rt_v16 rt_v16_add(rt_v16 a, rt_v16 b) {
    return RT_V16_MAP2(_mm256_add_ps, a, b);
}
RT_INLINE rt_v16 rt_v16_sub(rt_v16 a, rt_v16 b) {
    return RT_V16_MAP2(_mm256_sub_ps, a, b);
}
RT_INLINE rt_v16 rt_v16_mul(rt_v16 a, rt_v16 b) {
    return RT_V16_MAP2(_mm256_mul_ps, a, b);
}
RT_INLINE rt_v16 rt_v16_div(rt_v16 a, rt_v16 b) {
    return RT_V16_MAP2(_mm256_div_ps, a, b);
}
RT_INLINE rt_v16 rt_v16_sqrt(rt_v16 a) {
    return RT_V16_MAP1(_mm256_sqrt_ps, a);
}
RT_INLINE rt_v16 rt_v16_fma(rt_v16 a, rt_v16 b, rt_v16 c) {
    return RT_V16_MAP3(_mm256_fmadd_ps, a, b, c);
}
RT_INLINE rt_v16 rt_v16_fnma(rt_v16 a, rt_v16 b, rt_v16 c) {
    return RT_V16_MAP3(_mm256_fnmadd_ps, a, b, c);
}
RT_INLINE rt_v16 rt_v16_max(rt_v16 a, rt_v16 b) {
    return RT_V16_MAP2(_mm256_max_ps, a, b);
}
RT_INLINE rt_v16 rt_v16_min(rt_v16 a, rt_v16 b) {
    return RT_V16_MAP2(_mm256_min_ps, a, b);
}
RT_INLINE __m256 rt_v8_rint(__m256 a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
RT_INLINE rt_v16 rt_v16_rint(rt_v16 a) {
    return RT_V16_MAP1(rt_v8_rint, a);
}
RT_INLINE __m256 rt_v8_scale(__m256 y, __m256 n) {
    __m256i i = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(i, 1), bias = _mm256_set1_epi32(127);
    __m256i a = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    __m256i b = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(i, half), bias), 23);
    return _mm256_mul_ps(_mm256_mul_ps(y, _mm256_castsi256_ps(a)), _mm256_castsi256_ps(b));
}
RT_INLINE rt_v16 rt_v16_scale(rt_v16 y, rt_v16 n) {
    return RT_V16_MAP2(rt_v8_scale, y, n);
}
RT_INLINE __m256 rt_v16_low(rt_v16 x) {
    return x.low;
}
RT_INLINE __m256 rt_v16_high(rt_v16 x) {
    return x.high;
}

#else

typedef struct rt_v16 {
    float x[RT_LANES];
} rt_v16;

#define RT_V16_EACH(expression)                                                                                        \
    rt_v16 y;                                                                                                          \
    for (int i = 0; i < RT_LANES; i++) y.x[i] = (expression);                                                          \
    return y

RT_INLINE rt_v16 rt_v16_set(float x) {
    RT_V16_EACH(x);
}
RT_INLINE rt_v16 rt_v16_load(const float *p) {
    RT_V16_EACH(p[i]);
}
RT_INLINE rt_v16 rt_v16_load_half(const uint16_t *p) {
    RT_V16_EACH(rt_float_of_bf16(p[i]));
}
RT_INLINE rt_v16 rt_v16_load_int8(const int8_t *p) {
    RT_V16_EACH((float)p[i]);
}
RT_INLINE void rt_v16_store_int8(int8_t *p, rt_v16 x) {
    for (int i = 0; i < RT_LANES; i++) p[i] = (int8_t)x.x[i];
}
RT_INLINE void rt_v16_store(float *p, rt_v16 x) {
    for (int i = 0; i < RT_LANES; i++) p[i] = x.x[i];
}
RT_INLINE rt_v16 rt_v16_load_part(const float *p, int64_t n) {
    RT_V16_EACH(i < n ? p[i] : 0.0f);
}
RT_INLINE void rt_v16_store_part(float *p, int64_t n, rt_v16 x) {
    for (int i = 0; i < n; i++) p[i] = x.x[i];
}
RT_INLINE rt_v16 rt_v16_keep(rt_v16 x, int64_t n, float fill) {
    RT_V16_EACH(i < n ? x.x[i] : fill);
}
RT_INLINE rt_v16 rt_v16_add(rt_v16 a, rt_v16 b) {
    RT_V16_EACH(a.x[i] + b.x[i]);
}
RT_INLINE rt_v16 rt_v16_sub(rt_v16 a, rt_v16 b) {
    RT_V16_EACH(a.x[i] - b.x[i]);
}
RT_INLINE rt_v16 rt_v16_mul(rt_v16 a, rt_v16 b) {
    RT_V16_EACH(a.x[i] * b.x[i]);
}
RT_INLINE rt_v16 rt_v16_div(rt_v16 a, rt_v16 b) {
    RT_V16_EACH(a.x[i] / b.x[i]);
}
RT_INLINE rt_v16 rt_v16_sqrt(rt_v16 a) {
    RT_V16_EACH(sqrtf(a.x[i]));
}
RT_INLINE rt_v16 rt_v16_fma(rt_v16 a, rt_v16 b, rt_v16 c) {
    RT_V16_EACH(fmaf(a.x[i], b.x[i], c.x[i]));
}
RT_INLINE rt_v16 rt_v16_fnma(rt_v16 a, rt_v16 b, rt_v16 c) {
    RT_V16_EACH(fmaf(-a.x[i], b.x[i], c.x[i]));
}
RT_INLINE rt_v16 rt_v16_max(rt_v16 a, rt_v16 b) {
    RT_V16_EACH(a.x[i] > b.x[i] ? a.x[i] : b.x[i]);
}
RT_INLINE rt_v16 rt_v16_min(rt_v16 a, rt_v16 b) {
    RT_V16_EACH(a.x[i] < b.x[i] ? a.x[i] : b.x[i]);
}
RT_INLINE rt_v16 rt_v16_rint(rt_v16 a) {
    RT_V16_EACH(rintf(a.x[i]));
}
RT_INLINE float rt_v1_scale(float y, float n) {
    int32_t i = n == n ? (int32_t)n : INT_MIN, half = i >> 1;
    return y * rt_power_of_two(half) * rt_power_of_two(i - half);
}
RT_INLINE rt_v16 rt_v16_scale(rt_v16 y0, rt_v16 n) {
    RT_V16_EACH(rt_v1_scale(y0.x[i], n.x[i]));
}

#endif

/* The tree of compute.h's lanes(): (s0..s7)+(s8..s15), (0..3)+(4..7), (0,1)+(2,3), 0+1; and the same for max. */
#if RT_KERNEL_LEVEL > 0
RT_INLINE float rt_v16_sum(rt_v16 x) {
    __m256 a = _mm256_add_ps(rt_v16_low(x), rt_v16_high(x));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
RT_INLINE float rt_v16_highest(rt_v16 x) {
    __m256 a = _mm256_max_ps(rt_v16_low(x), rt_v16_high(x));
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}
#else
RT_INLINE float rt_v16_sum(rt_v16 x) {
    for (int width = RT_LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) x.x[i] += x.x[i + width];
    return x.x[0];
}
RT_INLINE float rt_v16_highest(rt_v16 x) {
    for (int width = RT_LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) x.x[i] = x.x[i] > x.x[i + width] ? x.x[i] : x.x[i + width];
    return x.x[0];
}
#endif

/* Lanes 0 .. n-1 from bfloat16, the others 0; 0 <= n <= 16. */
RT_INLINE rt_v16 rt_v16_load_half_part(const uint16_t *p, int64_t n) {
    uint16_t lane[RT_LANES] = {0};
    for (int64_t i = 0; i < n; i++) lane[i] = p[i];
    return rt_v16_load_half(lane);
}

/* Loads or stores 16 lanes, or the n that are left of a row: for loops `for (j = 0; j < n; j += 16)`. */
RT_INLINE rt_v16 rt_v16_load_upto(const float *p, int64_t left) {
    return left >= RT_LANES ? rt_v16_load(p) : rt_v16_load_part(p, left);
}
RT_INLINE void rt_v16_store_upto(float *p, int64_t left, rt_v16 x) {
    if (left >= RT_LANES)
        rt_v16_store(p, x);
    else
        rt_v16_store_part(p, left, x);
}

#endif
