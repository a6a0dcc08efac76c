/* bfloat16: the upper half of a float's bits. Every value is a float, so decoding is exact; encoding rounds to nearest,
 * ties to even, subnormals included, as PyTorch does. */
#ifndef RT_COMPUTE_BF16_H
#define RT_COMPUTE_BF16_H

#include <stdint.h>
#include <string.h>

static inline float rt_float_of_bf16(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Adding half of the dropped unit, less one where the kept part is even, and letting the carry run into the exponent
 * is round-to-nearest-even for every finite value; a carry out of the largest exponent is the infinity it should be. */
static inline uint16_t rt_bf16_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
    return (uint16_t)((bits & 0x7fffffffU) > 0x7f800000U ? bits >> 16 | 0x40U : rounded); /* a NaN stays one */
}

#endif
