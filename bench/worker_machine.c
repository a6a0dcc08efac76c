/* What the machine can do: multiply-adds in registers, and reading of memory. */
#include <stdio.h>
#include <string.h>

#include "compute/ceilings.h"
#include "core/mem.h"
#include "worker.h"

void run_peak(const words *w) {
    stopwatch watch;
    char extra[128];
    start(&watch);
    const rt_fma_rate rate = rt_measure_fma((int)number(w, 1), 1e-3 * (double)number(w, 2));
    snprintf(extra, sizeof extra, ", \"peak\": %.6g, \"slowest\": %.6g", rate.peak, rate.slowest);
    answer(&watch, extra);
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
    rt_read_floats(threads, block, n);
    snprintf(extra, sizeof extra, ", \"bytes\": %.0f", (double)(n / threads * threads) * sizeof(float));
    answer(&watch, extra);
}
