#include "compute/ceilings.h"

#include <math.h>
#include <omp.h>
#include <string.h>
#include <unistd.h>

#include "compute/compute.h"
#include "core/mem.h"
#include "core/progress.h"

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

/* One thread's slices, begun when all threads are there. */
static void run_slices(void (*work)(int64_t), double operations, double seconds, double *best, double *mean) {
    int64_t slices = 0;
    double begun = rt_now(), last = begun;
    *best = 0;
    do {
        work(SLICE);
        const double at = rt_now(), rate = operations / (at - last);
        if (rate > *best) *best = rate;
        last = at;
        slices++;
    } while (last - begun < seconds);
    *mean = operations * (double)slices / (last - begun);
}

rt_fma_rate rt_measure_fma(int threads, double seconds) {
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
    rt_fma_rate rate = {0, INFINITY};
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

/* ---- reading ---- */

/* Every cache line once: an addition of each is far below what the processor could add. */
static float sum_of(const float *x, int64_t n) {
    enum { LANES = 32 };
    float lane[LANES] = {0}, total = 0;
    for (int64_t i = 0; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) lane[j] += x[i + j];
    for (int j = 0; j < LANES; j++) total += lane[j];
    return total;
}

void rt_read_floats(int threads, const float *x, int64_t n) {
    float total = 0;
#pragma omp parallel num_threads(threads) reduction(+ : total)
    {
        const int64_t part = n / threads;
        total += sum_of(x + part * omp_get_thread_num(), part);
    }
    sink = total;
}

/* Four times the last cache, within bounds: fresh memory costs up to a second a GiB. */
static size_t block_bytes(void) {
    enum { LEAST = 256 << 20, MOST = 1 << 30 };
    long cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
    cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    if (cache <= LEAST / 4) return LEAST;
    return cache >= MOST / 4 ? MOST : (size_t)cache * 4;
}

/* The best rate of a slice, of those that one thread reads one after the other. */
static double best_slice(const float *x, int64_t n) {
    enum { PASSES = 6, MOST_FLOATS = 1 << 20 };
    const int64_t slice = n < MOST_FLOATS ? n : MOST_FLOATS;
    double least = INFINITY, last = rt_now();
    for (int pass = 0; pass < PASSES; pass++) {
        for (int64_t at = 0; at + slice <= n; at += slice) {
            sink = sum_of(x + at, slice);
            const double now = rt_now();
            least = fmin(least, now - last);
            last = now;
        }
    }
    return (double)slice * sizeof *x / least;
}

/* As with the peak: each thread's best slice of some tenths of a millisecond, while the others read too. */
static retort_status measure_read(int threads, double *out, retort_error *err) {
    const size_t bytes = block_bytes();
    const int64_t part = (int64_t)(bytes / sizeof(float)) / threads;
    float *block = rt_untouched_alloc(bytes, 1);
    RT_CHECK(block != NULL, err, RETORT_ERR_MEMORY, "out of memory: measuring how fast memory is read takes %zu MiB",
             bytes >> 20);
    double total = 0;
#pragma omp parallel num_threads(threads) reduction(+ : total)
    {
        float *own = block + part * omp_get_thread_num();
        memset(own, 0,
               (size_t)part * sizeof *own); /* on a machine of several sockets it then lies near to the thread */
#pragma omp barrier
        total += best_slice(own, part);
    }
    rt_free(block);
    *out = total;
    return RETORT_OK;
}

retort_status rt_measure_ceilings(int threads, rt_ceilings *out, retort_error *err) {
    *out = (rt_ceilings){.cores = threads, .own_peak = true, .own_bandwidth = true};
    RT_TRY(measure_read(threads, &out->bandwidth, err));
    out->peak = rt_measure_fma(threads, 0.1).peak / threads;
    return RETORT_OK;
}

retort_status rt_ceilings_of(const retort_machine *machine, rt_ceilings *out, retort_error *err) {
    const retort_machine none = {0}, *m = machine != NULL ? machine : &none;
    RT_CHECK(m->cores >= 0 && m->cores <= 1000000, err, RETORT_ERR_USAGE, "%lld cores, must be between 1 and 1000000",
             (long long)m->cores);
    /* Written so that a NaN fails too. */
    RT_CHECK(m->peak_gflops >= 0 && m->peak_gflops <= 1e6, err, RETORT_ERR_USAGE,
             "a core of %g GFLOP/s, must be more than 0 and at most a million", m->peak_gflops);
    RT_CHECK(m->bandwidth_gbs >= 0 && m->bandwidth_gbs <= 1e6, err, RETORT_ERR_USAGE,
             "a bandwidth of %g GB/s, must be more than 0 and at most a million", m->bandwidth_gbs);
    RT_TRY(rt_compute_init(err));
    *out = (rt_ceilings){.cores = rt_compute_threads()};
    if (m->peak_gflops <= 0 || m->bandwidth_gbs <= 0) RT_TRY(rt_measure_ceilings(rt_compute_threads(), out, err));
    if (m->cores > 0) out->cores = (int)m->cores;
    if (m->peak_gflops > 0) out->peak = m->peak_gflops * 1e9;
    if (m->bandwidth_gbs > 0) out->bandwidth = m->bandwidth_gbs * 1e9;
    out->own_peak = m->peak_gflops <= 0;
    out->own_bandwidth = m->bandwidth_gbs <= 0;
    return RETORT_OK;
}
