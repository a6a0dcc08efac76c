/* Coefficients of agreement against outside implementations, and where they are not defined. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/mem.h"
#include "core/random.h"
#include "judge/agreement.h"

enum { MEASURES = 7 };

typedef struct golden_case {
    const char *name;
    int units, raters;
    const double *ratings;
    double value[MEASURES]; /* in the order of rt_measure */
} golden_case;

#include "agreement_golden.h"

static void test_golden(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof GOLDEN / sizeof *GOLDEN; i++) {
        const golden_case *g = &GOLDEN[i];
        int32_t cluster[100];
        for (int u = 0; u < g->units; u++) cluster[u] = u;
        const rt_ratings ratings = {g->units, g->raters, g->units, g->ratings, cluster};
        for (int m = 0; m < MEASURES; m++) {
            rt_coefficient c;
            retort_error err;
            const retort_status st = rt_agreement(&ratings, (rt_measure)m, 1, &c, &err);
            if (m <= RT_KAPPA_QUADRATIC && g->raters != 2) {
                assert_int_equal(st, RETORT_ERR_USAGE);
                continue;
            }
            assert_int_equal(st, RETORT_OK);
            if (isnan(g->value[m]) != isnan(c.value) || fabs(g->value[m] - c.value) > 1e-12)
                fail_msg("%s, measure %d: %.17g, should be %.17g", g->name, m, c.value, g->value[m]);
            /* A coefficient that is not defined says why, and no other does. */
            assert_int_equal(isnan(c.value), c.why != NULL);
            if (!isnan(c.value)) assert_true(c.interval.low <= c.value + 1e-12 && c.interval.high >= c.value - 1e-12);
        }
    }
}

static void test_not_defined(void **state) {
    (void)state;
    static const double same[] = {1, 1, 1, 1, 1, 1}, apart[] = {1, NAN, NAN, 0};
    static const int32_t cluster[] = {0, 1, 2};
    rt_coefficient c;
    retort_error err;
    rt_ratings ratings = {3, 2, 3, same, cluster};
    assert_int_equal(rt_agreement(&ratings, RT_KAPPA, 1, &c, &err), RETORT_OK);
    assert_string_equal(c.why, "all ratings are the same");
    assert_true(c.agreement == 1 && c.units == 3);
    ratings = (rt_ratings){2, 2, 2, apart, cluster};
    assert_int_equal(rt_agreement(&ratings, RT_KAPPA, 1, &c, &err), RETORT_OK);
    assert_string_equal(c.why, "no response was rated by all");
    assert_int_equal(rt_agreement(&ratings, RT_ALPHA_NOMINAL, 1, &c, &err), RETORT_OK);
    assert_string_equal(c.why, "no response was rated twice");
    assert_true(isnan(c.agreement) && c.units == 0);
    ratings = (rt_ratings){0, 3, 0, same, cluster};
    assert_int_equal(rt_agreement(&ratings, RT_ALPHA_INTERVAL, 1, &c, &err), RETORT_OK);
    assert_non_null(c.why);
}

/* Rare labels: draws without any are left out and counted; with one problem there is no interval. */
static void test_draws(void **state) {
    (void)state;
    double values[60] = {0};
    int32_t cluster[30], one[30] = {0};
    for (int u = 0; u < 30; u++) cluster[u] = u;
    values[0] = values[1] = 1;
    rt_coefficient c;
    retort_error err;
    rt_ratings ratings = {30, 2, 30, values, cluster};
    assert_int_equal(rt_agreement(&ratings, RT_KAPPA, 5, &c, &err), RETORT_OK);
    assert_true(c.value == 1 && c.interval.low == 1 && c.interval.high == 1);
    assert_true(c.undefined > 0.30 && c.undefined < 0.43); /* (29/30)^30 = 0.362 */
    ratings = (rt_ratings){30, 2, 1, values, one};
    assert_int_equal(rt_agreement(&ratings, RT_KAPPA, 5, &c, &err), RETORT_OK);
    assert_true(c.value == 1 && isnan(c.interval.low) && isnan(c.interval.high));
}

/* Of many samples of which the true kappa is known, about 95 in 100 intervals hold it; problems of several responses
 * that are alike need the wider interval. */
static void test_coverage(void **state) {
    (void)state;
    enum { SAMPLES = 60, PROBLEMS = 80, EACH = 4, UNITS = PROBLEMS * EACH };
    double values[UNITS * 2], width[2] = {0};
    int32_t by_problem[UNITS], by_unit[UNITS];
    int held = 0;
    for (int s = 0; s < SAMPLES; s++) {
        rt_rng rng = rt_rng_make(77, (uint64_t)s);
        for (int u = 0; u < UNITS; u++) {
            by_problem[u] = u / EACH;
            by_unit[u] = u;
            if (u % EACH == 0) { /* responses to one problem share both ratings */
                values[2 * u] = rt_rng_double(&rng) < 0.5;
                values[2 * u + 1] = rt_rng_double(&rng) < 0.2 ? 1 - values[2 * u] : values[2 * u];
            } else {
                values[2 * u] = values[2 * u - 2];
                values[2 * u + 1] = values[2 * u - 1];
            }
        }
        for (int k = 0; k < 2; k++) {
            const rt_ratings ratings = {UNITS, 2, k == 0 ? PROBLEMS : UNITS, values, k == 0 ? by_problem : by_unit};
            rt_coefficient c;
            retort_error err;
            assert_int_equal(rt_agreement(&ratings, RT_KAPPA, (uint64_t)s, &c, &err), RETORT_OK);
            width[k] += c.interval.high - c.interval.low;
            if (k == 0) held += c.interval.low <= 0.6 && 0.6 <= c.interval.high;
        }
    }
    print_message("# %d of %d intervals hold the true value; clusters widen them %.2f times\n", held, (int)SAMPLES,
                  width[0] / width[1]);
    assert_in_range(held, 52, 60);
    assert_true(width[0] / width[1] > 1.7 && width[0] / width[1] < 2.3); /* sqrt(EACH) = 2 */
}

static void test_memory(void **state) {
    (void)state;
    const golden_case *g = &GOLDEN[0];
    int32_t cluster[12];
    for (int u = 0; u < g->units; u++) cluster[u] = u / 2;
    const rt_ratings ratings = {g->units, g->raters, 6, g->ratings, cluster};
    for (long fail = 0;; fail++) {
        rt_coefficient c;
        retort_error err;
        rt_fail_alloc(fail, false);
        const retort_status st = rt_agreement(&ratings, RT_ALPHA_ORDINAL, 1, &c, &err);
        const bool reached = rt_alloc_count() > fail;
        rt_fail_alloc(-1, false);
        if (!reached) {
            assert_int_equal(st, RETORT_OK);
            return;
        }
        assert_int_equal(st, RETORT_ERR_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),   cmocka_unit_test(test_not_defined), cmocka_unit_test(test_draws),
        cmocka_unit_test(test_coverage), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("agreement", tests, NULL, NULL);
}
