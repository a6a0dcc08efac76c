/* Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11).
 *
 * A draw is a pure function of (key, counter), so a response does not depend on what else is in the batch, a resumed
 * run needs no generator state beyond its position, and threads need no locks.
 */
#ifndef RT_CORE_RANDOM_H
#define RT_CORE_RANDOM_H

#include <stdint.h>

/* The raw block function: out[4] from a 128-bit counter and a 64-bit key. */
void rt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Uniform in [0, 1) with 24 bits, from (seed, stream, index). */
float rt_uniform_at(uint64_t seed, uint64_t stream, uint64_t index);

/* A sequential generator for data generation: same numbers on every machine. */
typedef struct rt_rng {
    uint64_t seed, stream, index;
} rt_rng;

rt_rng rt_rng_make(uint64_t seed, uint64_t stream);
uint32_t rt_rng_u32(rt_rng *rng);
/* Uniform in 0 .. bound - 1 without modulo bias; bound > 0. */
uint32_t rt_rng_below(rt_rng *rng, uint32_t bound);
/* Uniform in [0, 1) with 53 bits. */
double rt_rng_double(rt_rng *rng);
/* Standard normal by the polar method on rt_rng_double; uses only +, *, / and sqrt and our own log. */
double rt_rng_normal(rt_rng *rng);

#endif
