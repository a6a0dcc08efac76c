/* Speed of the matrix products beside the fused multiply-add peak of this machine.
 *
 *   bench_gemm [avx2|avx512|scalar] [training|large|decode]
 *
 * Peak: independent fused multiply-adds in registers on every thread at once, the best slice of a tenth of a
 * millisecond that each thread had before any shape was measured, or since: a peak that a neighbour had lowered would
 * flatter. Shapes: the linear layers of a model of width 192 (F 512, q 192, kv 64, V 1024), one large layer, and
 * decoding with packed weights. Each figure is the median of 9 runs of at least 10 ms after a second of warm-up; the
 * best of the 9 stands beside it, because on a shared machine the median also measures the neighbours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compute/ceilings.h"
#include "compute/compute.h"
#include "core/mem.h"

enum { RUNS = 9 };
static const double run_seconds = 0.010;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- products ------------------------------------------------------------------------------------------------- */

typedef enum form { NT, NN, TN, PACKED } form;
static const char *const form_names[] = {"nt", "nn", "tn", "packed"};

typedef struct shape {
    form f;
    int64_t m, n, k;
} shape;

static float *a, *b, *c;
static rt_packed packed;
static double peak[2];

static void once(const shape *s) {
    switch (s->f) {
    case NT: rt_matmul_nt(s->m, s->n, s->k, a, s->k, b, s->k, c, s->n, false); break;
    case NN: rt_matmul_nn(s->m, s->n, s->k, a, s->k, b, s->n, c, s->n, false); break;
    case TN: rt_matmul_tn(s->m, s->n, s->k, a, s->m, b, s->n, c, s->n, true); break;
    case PACKED: rt_matmul_packed(s->m, a, s->k, &packed, c, s->n); break;
    }
}

static void raise_peak(int threads, double seconds) {
    const double now_peak = rt_measure_fma(threads, seconds).peak;
    if (now_peak > peak[threads - 1]) peak[threads - 1] = now_peak;
}

static void measure(const shape *s, int threads, double *median, double *best) {
    rt_compute_set_threads(threads);
    raise_peak(threads, 0.005);
    double start = now();
    int64_t repeats = 0;
    do {
        once(s);
        repeats++;
    } while (now() - start < run_seconds);
    double seconds[RUNS];
    for (int run = 0; run < RUNS; run++) {
        start = now();
        for (int64_t i = 0; i < repeats; i++) once(s);
        seconds[run] = (now() - start) / (double)repeats;
    }
    qsort(seconds, RUNS, sizeof(double), ascending);
    *median = seconds[RUNS / 2];
    *best = seconds[0];
}

static void report(const shape *s) {
    double operations = 2.0 * (double)s->m * (double)s->n * (double)s->k;
    if (s->f == PACKED && rt_pack_weight(s->n, s->k, b, s->k, &packed, NULL) != RETORT_OK) return;
    printf("%-6s %5lld %5lld %5lld", form_names[s->f], (long long)s->m, (long long)s->n, (long long)s->k);
    for (int threads = 1; threads <= 2; threads++) {
        double median, best;
        measure(s, threads, &median, &best);
        printf(" | %9.1f us %6.1f GF/s %3.0f %% (best %3.0f %%)", median * 1e6, operations / median * 1e-9,
               100 * operations / median / peak[threads - 1], 100 * operations / best / peak[threads - 1]);
        if (s->f == PACKED && threads == 2)
            printf(" %5.1f GB/s of weights", (double)s->n * (double)s->k * 4e-9 / median);
    }
    printf("\n");
    fflush(stdout);
    rt_packed_release(&packed);
}

/* One linear layer of `in` to `out` features over T tokens: forward, input gradient, weight gradient. */
static void report_layer(int64_t tokens, int64_t in, int64_t out) {
    report(&(shape){NT, tokens, out, in});
    report(&(shape){NN, tokens, in, out});
    report(&(shape){TN, out, in, tokens});
}

static void bench_training(void) {
    static const int64_t layers[][2] = {{192, 192}, {192, 64}, {192, 512}, {512, 192}, {192, 1024}};
    for (int64_t tokens = 2048; tokens <= 4096; tokens *= 2)
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) report_layer(tokens, layers[i][0], layers[i][1]);
    report(&(shape){TN, 192, 512, 8192});
    report(&(shape){TN, 64, 192, 8192});
}

static void bench_large(void) {
    report_layer(2048, 896, 4864);
    report_layer(2048, 4864, 896);
    report_layer(2048, 896, 896);
}

static void bench_decode(void) {
    static const int64_t layers[][2] = {{192, 64}, {192, 192}, {192, 512}, {512, 192}, {192, 1024}, {896, 4864}};
    static const int64_t rows[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
            report(&(shape){PACKED, rows[r], layers[i][1], layers[i][0]});
}

static float *operand(size_t n) {
    float *x = rt_aligned_alloc(n, sizeof(float));
    if (x == NULL) {
        fprintf(stderr, "bench_gemm: out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < n; i++) x[i] = (float)((i * 2654435761U) % 2000) * 1e-3f - 1.0f;
    return x;
}

int main(int argc, char **argv) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) {
        fprintf(stderr, "bench_gemm: %s\n", err.message);
        return 1;
    }
    const char *only = "";
    for (int i = 1; i < argc; i++) {
        bool is_isa = false;
        for (int isa = RT_ISA_SCALAR; isa <= RT_ISA_AVX512; isa++) {
            if (strcmp(argv[i], rt_isa_name((rt_isa)isa)) != 0) continue;
            is_isa = true;
            if (rt_compute_use_isa((rt_isa)isa, &err) != RETORT_OK) {
                fprintf(stderr, "bench_gemm: %s\n", err.message);
                return 1;
            }
        }
        if (!is_isa) only = argv[i];
    }
    a = operand((size_t)2048 * 4864);
    b = operand((size_t)4864 * 2048);
    c = operand((size_t)2048 * 4864);
    (void)rt_measure_fma(2, 1.0);
    for (int threads = 1; threads <= 2; threads++) raise_peak(threads, 0.3);
    printf("%s, peak %.1f GFLOP/s on 1 thread, %.1f on 2\n", rt_isa_name(rt_compute_isa()), peak[0] * 1e-9,
           peak[1] * 1e-9);
    printf("form       m     n     k | 1 thread                                  | 2 threads\n");
    if (*only == '\0' || strcmp(only, "training") == 0) bench_training();
    if (*only == '\0' || strcmp(only, "large") == 0) bench_large();
    if (*only == '\0' || strcmp(only, "decode") == 0) bench_decode();
    rt_free(a);
    rt_free(b);
    rt_free(c);
    return 0;
}
