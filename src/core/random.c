#include "core/random.h"

#include <math.h>

#include "core/exactmath.h"

void rt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0;
        c1 = (uint32_t)p1;
        c2 = n2;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void block_at(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4]) {
    uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    rt_philox(counter, key, out);
}

float rt_uniform_at(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t out[4];
    block_at(seed, stream, index, out);
    return (float)(out[0] >> 8) * 0x1p-24f;
}

rt_rng rt_rng_make(uint64_t seed, uint64_t stream) {
    return (rt_rng){seed, stream, 0};
}

uint32_t rt_rng_u32(rt_rng *rng) {
    uint32_t out[4];
    block_at(rng->seed, rng->stream, rng->index >> 2, out);
    return out[rng->index++ & 3];
}

uint32_t rt_rng_below(rt_rng *rng, uint32_t bound) {
    /* Rejects the low remainder so that every value has the same number of preimages. */
    uint32_t threshold = (0u - bound) % bound;
    for (;;) {
        uint32_t r = rt_rng_u32(rng);
        if (r >= threshold) return r % bound;
    }
}

double rt_rng_double(rt_rng *rng) {
    uint64_t high = rt_rng_u32(rng) >> 5, low = rt_rng_u32(rng) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double rt_rng_normal(rt_rng *rng) {
    for (;;) {
        double u = 2 * rt_rng_double(rng) - 1, v = 2 * rt_rng_double(rng) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1) return u * sqrt(-2 * rt_log(s) / s);
    }
}
