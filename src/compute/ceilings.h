/* What this machine computes and reads at most: the two ceilings that every time is held against. The benchmark's
 * figures and the plans of runs (model/cost.h) take them from here.
 */
#ifndef RT_CEILINGS_H
#define RT_CEILINGS_H

#include <stddef.h>
#include <stdint.h>

#include "core/machine.h"

/* Operations a second (2 a multiply-add in float32, in registers, with the widest vectors that the kernels use) of the
 * fastest and of the slowest of `threads` threads that compute side by side for about `seconds`. A peak is each
 * thread's best slice of a tenth of a millisecond: a neighbour that takes the processor for a while does not lower a
 * peak. `slowest` is over the whole time, and is what a neighbour does lower. Call rt_compute_init before. */
typedef struct rt_fma_rate {
    double peak;    /* of all threads together, from their best slices */
    double slowest; /* of the slowest thread, over all its time */
} rt_fma_rate;
rt_fma_rate rt_measure_fma(int threads, double seconds);

/* Reads n / threads floats on each thread, every cache line once, each of consecutive ones. */
void rt_read_floats(int threads, const float *x, int64_t n);

/* Both ceilings of `threads` threads, in some three tenths of a second: the peak as above, and the best of a few reads
 * of a block that no cache holds. RETORT_ERR_MEMORY. */
retort_status rt_measure_ceilings(int threads, rt_ceilings *out, retort_error *err);

/* The ceilings of that machine, NULL for this one; what it leaves open is measured here, with the threads that are set.
 * Cores that are not told are those threads. RETORT_ERR_USAGE for numbers that no machine has. */
retort_status rt_ceilings_of(const retort_machine *machine, rt_ceilings *out, retort_error *err);

#endif
