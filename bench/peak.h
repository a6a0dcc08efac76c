/* Fused multiply-adds in registers: the peak that matrix products are compared with, and the probe that tells whether
 * a sample had the machine to itself. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include <stdint.h>

/* Operations a second (2 a multiply-add) of the fastest and of the slowest of `threads` threads that compute side by
 * side for about `seconds`. A peak is each thread's best slice of a tenth of a millisecond: a neighbour that takes the
 * processor for a while does not lower a peak. `slowest` is over the whole time, and is what a neighbour does lower. */
typedef struct fma_rate {
    double peak;    /* of all threads together, from their best slices */
    double slowest; /* of the slowest thread, over all its time */
} fma_rate;
fma_rate measure_fma(int threads, double seconds);

#endif
