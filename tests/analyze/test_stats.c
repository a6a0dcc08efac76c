/* Statistics against slow, independent computations: enumeration for pass@k and for the sign-flip test, simulation for
 * the coverage of the intervals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/stats.h"
#include "core/random.h"

/* Share of the k-subsets of n samples that hold at least one of the first c. */
static double pass_by_enumeration(int n, int c, int k) {
    int hit = 0, all = 0;
    for (unsigned set = 0; set < 1u << n; set++) {
        if (__builtin_popcount(set) != k) continue;
        all++;
        hit += (set & ((1u << c) - 1)) != 0;
    }
    return (double)hit / all;
}

static void pass_at_k_equals_enumeration(void **state) {
    (void)state;
    for (int n = 1; n <= 12; n++)
        for (int c = 0; c <= n; c++)
            for (int k = 1; k <= n; k++)
                assert_true(fabs(rt_pass_at_k(n, c, k) - pass_by_enumeration(n, c, k)) < 1e-12);
}

static void average_is_over_problems(void **state) {
    (void)state;
    const rt_tally tallies[] = {{4, 1}, {2, 2}, {10, 0}};
    assert_true(fabs(rt_average(tallies, 3) - (0.25 + 1 + 0) / 3) < 1e-15);
}

static void sampling_interval_is_undefined_for_one_sample(void **state) {
    (void)state;
    const rt_tally tallies[] = {{1, 1}, {1, 0}};
    assert_true(isnan(rt_sampling_interval(tallies, 2).low));
}

/* 95 % intervals must hold the true mean in about 95 % of simulated evaluations. */
static void intervals_cover(void **state) {
    (void)state;
    enum { PROBLEMS = 40, SAMPLES = 16, TRIALS = 400, DRAWS = 1000 };
    int sampling_hits = 0, bootstrap_hits = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        rt_rng rng = rt_rng_make(7, trial);
        rt_tally tallies[PROBLEMS];
        double fixed_truth = 0;
        for (int p = 0; p < PROBLEMS; p++) {
            double rate = rt_rng_double(&rng); /* problems are uniform in difficulty: the population mean is 0.5 */
            fixed_truth += rate / PROBLEMS;
            tallies[p] = (rt_tally){SAMPLES, 0};
            for (int s = 0; s < SAMPLES; s++) tallies[p].correct += rt_rng_double(&rng) < rate;
        }
        rt_interval sampling = rt_sampling_interval(tallies, PROBLEMS), bootstrap;
        sampling_hits += sampling.low <= fixed_truth && fixed_truth <= sampling.high;
        assert_int_equal(rt_pass_interval(tallies, PROBLEMS, 1, trial, &bootstrap, NULL), RETORT_OK);
        bootstrap_hits += bootstrap.low <= 0.5 && 0.5 <= bootstrap.high;
    }
    assert_in_range(sampling_hits, (int)(0.92 * TRIALS), (int)(0.98 * TRIALS));
    assert_in_range(bootstrap_hits, (int)(0.90 * TRIALS), (int)(0.98 * TRIALS));
}

/* Two-sided p over all 2^n sign patterns. */
static double sign_flip_by_enumeration(const double *difference, int n) {
    double observed = 0;
    for (int i = 0; i < n; i++) observed += difference[i];
    int extreme = 0;
    for (unsigned set = 0; set < 1u << n; set++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += (set >> i & 1) ? difference[i] : -difference[i];
        extreme += fabs(sum) >= fabs(observed) - 1e-9;
    }
    return (double)extreme / (1u << n);
}

static void paired_test_equals_enumeration(void **state) {
    (void)state;
    const double a[] = {0.9, 0.8, 0.4, 0.7, 0.6, 1.0, 0.2, 0.5, 0.6, 0.9};
    const double b[] = {0.5, 0.7, 0.5, 0.6, 0.4, 0.6, 0.3, 0.5, 0.2, 0.8};
    double difference[10];
    for (int i = 0; i < 10; i++) difference[i] = a[i] - b[i];
    rt_paired paired;
    assert_int_equal(rt_paired_test(a, b, 10, 3, &paired, NULL), RETORT_OK);
    assert_true(fabs(paired.difference - 0.15) < 1e-12);
    assert_true(fabs(paired.p - sign_flip_by_enumeration(difference, 10)) < 0.01);
    assert_true(paired.interval.low < 0.15 && 0.15 < paired.interval.high);
}

static void equal_arms_differ_by_nothing(void **state) {
    (void)state;
    const double a[] = {0.1, 0.5, 0.9};
    rt_paired paired;
    assert_int_equal(rt_paired_test(a, a, 3, 3, &paired, NULL), RETORT_OK);
    assert_true(paired.p == 1 && paired.difference == 0);
}

static void resampling_repeats(void **state) {
    (void)state;
    const rt_tally tallies[] = {{4, 1}, {4, 3}, {4, 2}, {4, 4}};
    rt_interval first, second;
    assert_int_equal(rt_pass_interval(tallies, 4, 2, 5, &first, NULL), RETORT_OK);
    assert_int_equal(rt_pass_interval(tallies, 4, 2, 5, &second, NULL), RETORT_OK);
    assert_memory_equal(&first, &second, sizeof first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pass_at_k_equals_enumeration),
        cmocka_unit_test(average_is_over_problems),
        cmocka_unit_test(sampling_interval_is_undefined_for_one_sample),
        cmocka_unit_test(intervals_cover),
        cmocka_unit_test(paired_test_equals_enumeration),
        cmocka_unit_test(equal_arms_differ_by_nothing),
        cmocka_unit_test(resampling_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
