/* Splitting work over threads. Nothing here can change a bit: every result is computed whole by one thread. */
#ifndef RT_COMPUTE_PARALLEL_H
#define RT_COMPUTE_PARALLEL_H

#include <omp.h>

#include "compute/compute.h"

/* Elementary operations below which a parallel region costs more than it saves. */
enum { RT_PARALLEL_WORK = 1 << 15 };

/* Threads for a region of `work` elementary operations; 1 inside another region. */
static inline int rt_threads_for(int64_t work) {
    if (work < RT_PARALLEL_WORK || omp_in_parallel()) return 1;
    int64_t useful = work / (RT_PARALLEL_WORK / 2);
    int threads = rt_compute_threads();
    return useful < threads ? (int)useful : threads;
}

/* A run of `count` items from `first`. */
typedef struct rt_range {
    int64_t first, count;
} rt_range;

/* The share of one thread of `n` items: whole units of `unit` items but for the last. */
static inline rt_range rt_share(int64_t n, int64_t unit, int thread, int threads) {
    int64_t units = n / unit + (n % unit != 0);
    int64_t first = units * thread / threads * unit, last = units * (thread + 1) / threads * unit;
    if (last > n) last = n;
    return (rt_range){first, last - first};
}

static inline rt_range rt_my_share(int64_t n, int64_t unit) {
    return rt_share(n, unit, omp_get_thread_num(), omp_get_num_threads());
}

#endif
