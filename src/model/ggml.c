#include "model/ggml.h"

#include <math.h>
#include <string.h>

#include "model/dtype.h"

enum { SMALL = 32, SUPER = 256, K_SCALES = 12 };

static float half_at(const uint8_t *bytes) {
    float x;
    rt_dtype_decode(RT_DTYPE_F16, bytes, 1, &x);
    return x;
}

/* ---- blocks of 32 ---- */

/* Element j < 16 is the low half of byte j, element 16 + j the high half. */
static int nibble(const uint8_t *qs, int j) {
    return j < SMALL / 2 ? qs[j] & 15 : qs[j - SMALL / 2] >> 4;
}

static int fifth_bit(const uint8_t *qh, int j) {
    return (qh[j / 8] >> (j % 8) & 1) << 4;
}

static void decode_q4_0(const uint8_t *b, float *y) {
    const float d = half_at(b);
    for (int j = 0; j < SMALL; j++) y[j] = (float)(nibble(b + 2, j) - 8) * d;
}

static void decode_q4_1(const uint8_t *b, float *y) {
    const float d = half_at(b), m = half_at(b + 2);
    for (int j = 0; j < SMALL; j++) y[j] = (float)nibble(b + 4, j) * d + m;
}

static void decode_q5_0(const uint8_t *b, float *y) {
    const float d = half_at(b);
    for (int j = 0; j < SMALL; j++) y[j] = (float)((nibble(b + 6, j) | fifth_bit(b + 2, j)) - 16) * d;
}

static void decode_q5_1(const uint8_t *b, float *y) {
    const float d = half_at(b), m = half_at(b + 2);
    for (int j = 0; j < SMALL; j++) y[j] = (float)(nibble(b + 8, j) | fifth_bit(b + 4, j)) * d + m;
}

static void decode_q8_0(const uint8_t *b, float *y) {
    const float d = half_at(b);
    for (int j = 0; j < SMALL; j++) y[j] = (float)(int8_t)b[2 + j] * d;
}

/* ---- blocks of 256 ---- */

/* Scale and minimum, 6 bits each, of group j: the first four groups lie in the low bits of bytes 0-3 and 4-7; the last
 * four have their low 4 bits in bytes 8-11 and their high 2 in the top of those. */
static void k_scale(const uint8_t *scales, int j, int *scale, int *minimum) {
    if (j < 4) {
        *scale = scales[j] & 63;
        *minimum = scales[j + 4] & 63;
    } else {
        *scale = (scales[j + 4] & 15) | (scales[j - 4] >> 6) << 4;
        *minimum = scales[j + 4] >> 4 | (scales[j] >> 6) << 4;
    }
}

/* Groups 2i and 2i + 1 share the 32 bytes i of qs: its low and its high halves. */
static void decode_k(const uint8_t *b, const uint8_t *qh, const uint8_t *qs, float *y) {
    const float d = half_at(b), dmin = half_at(b + 2);
    for (int j = 0; j < SUPER / 32; j++) {
        int scale, minimum;
        k_scale(b + 4, j, &scale, &minimum);
        const float ds = d * (float)scale, ms = dmin * (float)minimum;
        for (int l = 0; l < 32; l++) {
            const int low = qs[32 * (j / 2) + l] >> (j % 2 * 4) & 15;
            const int high = qh != NULL ? (qh[l] >> j & 1) << 4 : 0;
            y[32 * j + l] = ds * (float)(low + high) - ms;
        }
    }
}

static void decode_q4_k(const uint8_t *b, float *y) {
    decode_k(b, NULL, b + 4 + K_SCALES, y);
}

static void decode_q5_k(const uint8_t *b, float *y) {
    decode_k(b, b + 4 + K_SCALES, b + 4 + K_SCALES + SUPER / 8, y);
}

/* Two halves of 128: element 32 k + l has its low 4 bits in byte l (k even) or 32 + l (k odd) of ql, its high 2 bits at
 * place k of byte l of qh; sixteen elements share a signed scale. */
static void decode_q6_k(const uint8_t *b, float *y) {
    const uint8_t *ql = b, *qh = b + SUPER / 2, *scales = qh + SUPER / 4;
    const float d = half_at(scales + SUPER / 16);
    for (int i = 0; i < SUPER; i++) {
        const int half = i / 128, k = i % 128 / 32, l = i % 32;
        const int low = ql[64 * half + 32 * (k % 2) + l] >> (k / 2 * 4) & 15;
        const int high = qh[32 * half + l] >> (2 * k) & 3;
        y[i] = d * (float)(int8_t)scales[i / 16] * (float)((low | high << 4) - 32);
    }
}

/* ---- by type ---- */

static void (*decoder_of(uint32_t type))(const uint8_t *, float *) {
    switch (type) {
    case RT_GGML_Q4_0: return decode_q4_0;
    case RT_GGML_Q4_1: return decode_q4_1;
    case RT_GGML_Q5_0: return decode_q5_0;
    case RT_GGML_Q5_1: return decode_q5_1;
    case RT_GGML_Q8_0: return decode_q8_0;
    case RT_GGML_Q4_K: return decode_q4_k;
    case RT_GGML_Q5_K: return decode_q5_k;
    case RT_GGML_Q6_K: return decode_q6_k;
    default: return NULL;
    }
}

static bool plain_type(uint32_t type, rt_dtype *out) {
    *out = type == RT_GGML_F16 ? RT_DTYPE_F16 : type == RT_GGML_BF16 ? RT_DTYPE_BF16 : RT_DTYPE_F32;
    return type == RT_GGML_F32 || type == RT_GGML_F16 || type == RT_GGML_BF16;
}

bool rt_ggml_decodes(uint32_t type) {
    rt_dtype dtype;
    return plain_type(type, &dtype) || decoder_of(type) != NULL;
}

void rt_ggml_decode(uint32_t type, const void *bytes, int64_t count, float *out) {
    rt_dtype dtype;
    if (plain_type(type, &dtype)) {
        rt_dtype_decode(dtype, bytes, count, out);
        return;
    }
    void (*decode)(const uint8_t *, float *) = decoder_of(type);
    const rt_ggml_format *format = rt_ggml_format_of(type);
    const uint8_t *at = bytes;
    const int64_t blocks = count / (int64_t)format->block;
    for (int64_t i = 0; i < blocks; i++) decode(at + (size_t)i * format->block_size, out + i * (int64_t)format->block);
}

/* Rounds half away from zero, exactly: ggml's roundf. */
static int8_t round_away(float x) {
    const float whole = truncf(x);
    const float rest = x - whole; /* exact */
    return (int8_t)(whole + (rest >= 0.5F ? 1.0F : rest <= -0.5F ? -1.0F : 0.0F));
}

static void encode_q8_0(const float *x, uint8_t *b) {
    float largest = 0;
    for (int j = 0; j < SMALL; j++) largest = fabsf(x[j]) > largest ? fabsf(x[j]) : largest;
    const float d = largest / 127.0F;
    /* Below 2^-128 the inverse is infinite and ggml's result undefined; the scale is 0 in F16, so any numbers do. */
    const float inverse = d >= 0x1p-127F ? 1.0F / d : 0.0F;
    rt_dtype_encode(RT_DTYPE_F16, &d, 1, b);
    for (int j = 0; j < SMALL; j++) b[2 + j] = (uint8_t)round_away(x[j] * inverse);
}

void rt_ggml_encode(uint32_t type, const float *x, int64_t count, void *bytes) {
    rt_dtype dtype;
    if (plain_type(type, &dtype)) {
        rt_dtype_encode(dtype, x, count, bytes);
        return;
    }
    uint8_t *at = bytes;
    for (int64_t i = 0; i < count; i += SMALL, at += SMALL + 2) encode_q8_0(x + i, at);
}
