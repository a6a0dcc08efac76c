#include "model/dtype.h"

#include <string.h>

#include "compute/bf16.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little-endian and is copied as it is");

static const struct {
    const char *name, *torch_name;
    size_t size;
} formats[] = {
    [RT_DTYPE_F32] = {"F32", "float32", 4},
    [RT_DTYPE_BF16] = {"BF16", "bfloat16", 2},
    [RT_DTYPE_F16] = {"F16", "float16", 2},
    [RT_DTYPE_INT8] = {"INT8", "int8", 1}, /* in memory only: no file's tensor has this name */
};

const char *rt_dtype_name(rt_dtype dtype) {
    return formats[dtype].name;
}

const char *rt_dtype_torch_name(rt_dtype dtype) {
    return formats[dtype].torch_name;
}

size_t rt_dtype_size(rt_dtype dtype) {
    return formats[dtype].size;
}

bool rt_dtype_from_name(const char *name, rt_dtype *out) {
    for (size_t i = 0; i <= RT_DTYPE_F16; i++) {
        if (strcmp(name, formats[i].name) != 0) continue;
        *out = (rt_dtype)i;
        return true;
    }
    return false;
}

static float float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of_f16(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000U) << 16, exponent = (half >> 10) & 31U, mantissa = half & 0x3ffU;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000U | mantissa << 13);
    if (exponent == 0) { /* zero and subnormals: mantissa * 2^-24 */
        float magnitude = (float)mantissa * 0x1p-24F;
        return float_of_bits(sign | bits_of_float(magnitude));
    }
    return float_of_bits(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
}

static uint16_t f16_of_float(float x) {
    const uint32_t bits = bits_of_float(x), magnitude = bits & 0x7fffffffU, sign = bits >> 16 & 0x8000U;
    if (magnitude > 0x7f800000U) return (uint16_t)(sign | 0x7e00U);
    if (magnitude >= 0x47800000U) return (uint16_t)(sign | 0x7c00U); /* 65536 and above */
    if (magnitude >= 0x38800000U) {                                  /* 2^-14 and above: normal in F16 */
        const uint32_t rebiased = magnitude - ((127U - 15U) << 23);
        return (uint16_t)(sign | (rebiased + 0xfffU + (rebiased >> 13 & 1U)) >> 13);
    }
    if (magnitude < 0x33000000U) return (uint16_t)sign; /* below 2^-25, half of the smallest subnormal */
    const uint32_t shift = 126U - (magnitude >> 23);    /* to units of 2^-24 */
    const uint32_t significand = (magnitude & 0x7fffffU) | 0x800000U;
    const uint32_t kept = significand >> shift, dropped = significand & ((1U << shift) - 1U), half = 1U << (shift - 1U);
    const uint32_t up = dropped > half || (dropped == half && (kept & 1U) != 0) ? 1U : 0U;
    return (uint16_t)(sign | (kept + up));
}

void rt_dtype_decode(rt_dtype dtype, const void *bytes, int64_t count, float *out) {
    if (count == 0) return;
    if (dtype == RT_DTYPE_F32) {
        memcpy(out, bytes, (size_t)count * sizeof *out);
        return;
    }
    const unsigned char *at = bytes;
    for (int64_t i = 0; i < count; i++, at += 2) {
        uint16_t half;
        memcpy(&half, at, sizeof half);
        out[i] = dtype == RT_DTYPE_BF16 ? rt_float_of_bf16(half) : float_of_f16(half);
    }
}

void rt_dtype_encode(rt_dtype dtype, const float *x, int64_t count, void *bytes) {
    if (count == 0) return;
    if (dtype == RT_DTYPE_F32) {
        memcpy(bytes, x, (size_t)count * sizeof *x);
        return;
    }
    unsigned char *at = bytes;
    for (int64_t i = 0; i < count; i++, at += 2) {
        uint16_t half = dtype == RT_DTYPE_BF16 ? rt_bf16_of_float(x[i]) : f16_of_float(x[i]);
        memcpy(at, &half, sizeof half);
    }
}

int64_t rt_find_nonfinite(const float *x, int64_t count) {
    return rt_dtype_find_nonfinite(RT_DTYPE_F32, x, count);
}

/* A value is finite when its exponent bits are not all set. */
static bool is_nonfinite(rt_dtype dtype, const unsigned char *value) {
    if (dtype == RT_DTYPE_F32) {
        uint32_t bits;
        memcpy(&bits, value, sizeof bits);
        return (bits & 0x7f800000U) == 0x7f800000U;
    }
    const uint16_t exponent = dtype == RT_DTYPE_BF16 ? 0x7f80 : 0x7c00;
    uint16_t bits;
    memcpy(&bits, value, sizeof bits);
    return (bits & exponent) == exponent;
}

/* Without a way out in its middle, which the compiler turns into vectors. */
static bool any_nonfinite_half(const unsigned char *at, int64_t count, uint16_t exponent) {
    int bad = 0;
    for (int64_t i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, at + 2 * i, sizeof bits);
        bad |= (bits & exponent) == exponent;
    }
    return bad != 0;
}

static bool any_nonfinite(rt_dtype dtype, const unsigned char *at, int64_t count) {
    if (dtype != RT_DTYPE_F32) return any_nonfinite_half(at, count, dtype == RT_DTYPE_BF16 ? 0x7f80 : 0x7c00);
    int bad = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, at + 4 * i, sizeof bits);
        bad |= (bits & 0x7f800000U) == 0x7f800000U;
    }
    return bad != 0;
}

int64_t rt_dtype_find_nonfinite(rt_dtype dtype, const void *bytes, int64_t count) {
    enum { BLOCK = 4096 };
    const unsigned char *at = bytes;
    const size_t size = rt_dtype_size(dtype);
    for (int64_t first = 0; first < count; first += BLOCK) {
        const int64_t end = count - first < BLOCK ? count : first + BLOCK;
        if (!any_nonfinite(dtype, at + (size_t)first * size, end - first)) continue;
        for (int64_t i = first; i < end; i++)
            if (is_nonfinite(dtype, at + (size_t)i * size)) return i;
    }
    return -1;
}
