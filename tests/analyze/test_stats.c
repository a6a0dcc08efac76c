/* Statistics against slow, independent computations: enumeration for pass@k and for the sign-flip test, and samples
 * left out one by one for the variance of pass@k. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/stats.h"

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

static void a_sampling_interval_needs_more_than_k_samples(void **state) {
    (void)state;
    const rt_tally tallies[] = {{2, 1}, {2, 0}, {3, 3}};
    rt_score score;
    assert_int_equal(rt_pass_score(tallies, 3, 2, &score, NULL), RETORT_OK);
    assert_true(isnan(score.sampling.low) && isnan(score.sampling.high));
    assert_true(!isnan(score.problems.low));
    assert_int_equal(rt_pass_score(tallies, 3, 1, &score, NULL), RETORT_OK);
    assert_true(!isnan(score.sampling.low));
}

/* Half width of the sampling interval against the variance that leaving out each sample gives. */
static void sampling_interval_is_the_jackknifes(void **state) {
    (void)state;
    for (int64_t n = 2; n <= 12; n++)
        for (int64_t c = 1; c < n; c++)
            for (int64_t k = 1; k < n; k++) {
                double mean = 0, squares = 0;
                for (int64_t i = 0; i < n; i++) mean += rt_pass_at_k(n - 1, i < c ? c - 1 : c, k) / (double)n;
                for (int64_t i = 0; i < n; i++) {
                    double away = rt_pass_at_k(n - 1, i < c ? c - 1 : c, k) - mean;
                    squares += away * away * (double)(n - 1) / (double)n;
                }
                const rt_tally tally = {n, c};
                rt_score score;
                assert_int_equal(rt_pass_score(&tally, 1, k, &score, NULL), RETORT_OK);
                const rt_interval expected = rt_fixed_interval(mean, squares, (double)(n / k));
                assert_true(fabs(score.sampling.low - expected.low) < 1e-9);
                assert_true(fabs(score.sampling.high - expected.high) < 1e-9);
                assert_true(fabs(score.mean - mean) < 1e-12); /* the mean of the values left is the value itself */
                if (k == 1) assert_true(fabs(squares - mean * (1 - mean) / (double)(n - 1)) < 1e-12);
            }
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
    assert_int_equal(rt_paired_test(a, b, 10, 1, 3, &paired, NULL), RETORT_OK);
    assert_true(fabs(paired.difference - 0.15) < 1e-12);
    assert_true(fabs(paired.p - sign_flip_by_enumeration(difference, 10)) < 0.01);
    assert_true(paired.interval.low < 0.15 && 0.15 < paired.interval.high);
}

static void equal_arms_differ_by_nothing(void **state) {
    (void)state;
    const double a[] = {0.1, 0.5, 0.9};
    rt_paired paired;
    assert_int_equal(rt_paired_test(a, a, 3, 1, 3, &paired, NULL), RETORT_OK);
    assert_true(paired.p == 1 && paired.difference == 0);
}

static double first_at(const void *context, const int32_t *index, int64_t count) {
    (void)count;
    return ((const double *)context)[index[0]];
}

static void resampling_repeats(void **state) {
    (void)state;
    const double values[] = {0.25, 0.75, 0.5, 1};
    rt_interval first, second;
    assert_int_equal(rt_bootstrap(first_at, values, 4, 500, 5, &first, NULL), RETORT_OK);
    assert_int_equal(rt_bootstrap(first_at, values, 4, 500, 5, &second, NULL), RETORT_OK);
    assert_memory_equal(&first, &second, sizeof first);
    assert_true(first.low == 0.25 && first.high == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pass_at_k_equals_enumeration),
        cmocka_unit_test(average_is_over_problems),
        cmocka_unit_test(a_sampling_interval_needs_more_than_k_samples),
        cmocka_unit_test(sampling_interval_is_the_jackknifes),
        cmocka_unit_test(paired_test_equals_enumeration),
        cmocka_unit_test(equal_arms_differ_by_nothing),
        cmocka_unit_test(resampling_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
