#include "peak.h"

#include <math.h>
#include <omp.h>
#include <string.h>
#include <time.h>

#include "compute/compute.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { CHAINS = 12, SLICE = 40000 };

static volatile float sink;

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#ifdef __x86_64__
#define PEAK(name, isa, vec, set1, fmadd)                                                                              \
    __attribute__((target(isa))) static void name(int64_t rounds) {                                                    \
        vec x = set1(1.0f), y = set1(0.0f), acc[CHAINS];                                                               \
        UNROLL for (int j = 0; j < CHAINS; j++) acc[j] = set1((float)j);                                               \
        for (int64_t i = 0; i < rounds; i++) {                                                                         \
            UNROLL for (int j = 0; j < CHAINS; j++) {                                                                  \
                acc[j] = fmadd(acc[j], x, y);                                                                          \
                __asm__ volatile("" : "+v"(acc[j])); /* keeps the compiler from folding the chain */                   \
            }                                                                                                          \
        }                                                                                                              \
        vec total = y;                                                                                                 \
        UNROLL for (int j = 0; j < CHAINS; j++) total = fmadd(acc[j], x, total);                                       \
        float first;                                                                                                   \
        memcpy(&first, &total, sizeof first);                                                                          \
        sink = first;                                                                                                  \
    }
PEAK(peak_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps)
PEAK(peak_avx512, "avx512f,fma", __m512, _mm512_set1_ps, _mm512_fmadd_ps)
#endif

static void peak_scalar(int64_t rounds) {
    float acc[CHAINS] = {0};
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < CHAINS; j++) acc[j] = fmaf(acc[j], 0.5f, 1.0f);
    float total = 0.0f;
    for (int j = 0; j < CHAINS; j++) total += acc[j];
    sink = total;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One thread's slices, begun when all threads are there. */
static void run_slices(void (*work)(int64_t), double operations, double seconds, double *best, double *mean) {
    int64_t slices = 0;
    double begun = now(), last = begun;
    *best = 0;
    do {
        work(SLICE);
        const double at = now(), rate = operations / (at - last);
        if (rate > *best) *best = rate;
        last = at;
        slices++;
    } while (last - begun < seconds);
    *mean = operations * (double)slices / (last - begun);
}

fma_rate measure_fma(int threads, double seconds) {
    void (*work)(int64_t) = peak_scalar;
    double lanes = 1;
#ifdef __x86_64__
    if (rt_compute_isa() == RT_ISA_AVX2) {
        work = peak_avx2;
        lanes = 8;
    } else if (rt_compute_isa() == RT_ISA_AVX512) {
        work = peak_avx512;
        lanes = 16;
    }
#endif
    const double operations = 2.0 * lanes * CHAINS * SLICE;
    fma_rate rate = {0, INFINITY};
#pragma omp parallel num_threads(threads)
    {
        double best, mean;
#pragma omp barrier
        run_slices(work, operations, seconds, &best, &mean);
#pragma omp critical
        {
            rate.peak += best;
            rate.slowest = fmin(rate.slowest, mean);
        }
    }
    return rate;
}
