/* Shared by the kernel tests: cmocka's includes, seeded data, exact comparison, every instruction set and thread
 * count. */
#ifndef RT_TESTS_COMPUTE_HARNESS_H
#define RT_TESTS_COMPUTE_HARNESS_H

/* cmocka wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "compute/compute.h"
#include "core/random.h"

/* Runs check(context) on every instruction set of this processor with 1, 2 and 3 threads. */
static inline void each_setting(void (*check)(void *context), void *context) {
    retort_error err;
    assert_int_equal(rt_compute_init(&err), RETORT_OK);
    for (int isa = RT_ISA_SCALAR; isa <= RT_ISA_AVX512; isa++) {
        if (rt_compute_use_isa((rt_isa)isa, &err) != RETORT_OK) continue;
        for (int threads = 1; threads <= 3; threads++) {
            rt_compute_set_threads(threads);
            check(context);
        }
    }
}

static inline float *floats(int64_t n) {
    float *x = calloc(n > 0 ? (size_t)n : 1, sizeof *x); /* exactly n, for the address sanitizer */
    assert_non_null(x);
    return x;
}

/* Normal numbers of a seed. */
static inline float *normals(int64_t n, uint64_t seed, double deviation) {
    rt_rng rng = rt_rng_make(seed, 0);
    float *x = floats(n);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(deviation * rt_rng_normal(&rng));
    return x;
}

static inline float *copy_of(const float *x, int64_t n) {
    float *y = floats(n);
    memcpy(y, x, (size_t)n * sizeof *x);
    return y;
}

/* Every bit, with the first difference named. */
static inline void same_bits(const float *actual, const float *expected, int64_t n, const char *what) {
    if (memcmp(actual, expected, (size_t)n * sizeof *actual) == 0) return;
    for (int64_t i = 0; i < n; i++)
        if (memcmp(actual + i, expected + i, sizeof *actual) != 0)
            fail_msg("%s[%lld of %lld]: %a, expected %a (%s, %d threads)", what, (long long)i, (long long)n,
                     (double)actual[i], (double)expected[i], rt_isa_name(rt_compute_isa()), rt_compute_threads());
}

/* |actual - expected| <= tolerance * (1 + largest |expected|). */
static inline void close_to(const float *actual, const double *expected, int64_t n, double tolerance,
                            const char *what) {
    double largest = 1;
    for (int64_t i = 0; i < n; i++)
        if (expected[i] > largest || -expected[i] > largest) largest = expected[i] > 0 ? expected[i] : -expected[i];
    for (int64_t i = 0; i < n; i++) {
        double difference = (double)actual[i] - expected[i];
        if (!(difference <= tolerance * largest && -difference <= tolerance * largest))
            fail_msg("%s[%lld of %lld]: %.9g, expected %.9g", what, (long long)i, (long long)n, (double)actual[i],
                     expected[i]);
    }
}

#endif
