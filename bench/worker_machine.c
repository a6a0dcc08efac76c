/* What the machine can do: multiply-adds in registers, and reading of memory. */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "compute/compute.h"
#include "core/mem.h"
#include "peak.h"
#include "worker.h"

void run_peak(const words *w) {
    stopwatch watch;
    char extra[128];
    start(&watch);
    const fma_rate rate = measure_fma((int)number(w, 1), 1e-3 * (double)number(w, 2));
    snprintf(extra, sizeof extra, ", \"peak\": %.6g, \"slowest\": %.6g", rate.peak, rate.slowest);
    answer(&watch, extra);
}

static volatile float sink; /* so that no sum can be left out */

/* Every cache line once: an addition of each is far below what the processor could add. */
static float sum_of(const float *x, int64_t n) {
    enum { LANES = 32 };
    float lane[LANES] = {0}, total = 0;
    for (int64_t i = 0; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) lane[j] += x[i + j];
    for (int j = 0; j < LANES; j++) total += lane[j];
    return total;
}

void run_read(const words *w) {
    static float *block;
    static int64_t floats;
    const int threads = (int)number(w, 1);
    const int64_t n = number(w, 2) << 18;
    if (n != floats) {
        rt_free(block);
        block = rt_aligned_alloc((size_t)n, sizeof *block);
        if (block == NULL) fail("out of memory");
        memset(block, 0, (size_t)n * sizeof *block);
        floats = n;
    }
    stopwatch watch;
    char extra[64];
    start(&watch);
    float total = 0;
#pragma omp parallel num_threads(threads) reduction(+ : total)
    {
        const int64_t part = n / threads, from = part * omp_get_thread_num();
        total += sum_of(block + from, part);
    }
    sink = total;
    snprintf(extra, sizeof extra, ", \"bytes\": %.0f", (double)(n / threads * threads) * sizeof(float));
    answer(&watch, extra);
}
