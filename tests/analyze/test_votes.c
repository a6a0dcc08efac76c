/* maj@k against every subset of the samples, its variance against samples left out one by one, and how answers are
 * grouped. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/votes.h"
#include "core/random.h"
#include "retort/verify.h"

enum { MOST = 11, SILENT = -1, RIGHT = 0 };

/* What the samples of `set` score: labels[i] is the class of sample i. */
static double scored(const int *labels, int n, unsigned set) {
    int votes[MOST + 1] = {0}, top = 0, tied = 0;
    for (int i = 0; i < n; i++)
        if ((set >> i & 1) != 0 && labels[i] != SILENT) votes[labels[i]]++;
    for (int c = 0; c <= MOST; c++)
        if (votes[c] > top) top = votes[c];
    for (int c = 0; c <= MOST; c++) tied += votes[c] == top;
    return top > 0 && votes[RIGHT] == top ? 1.0 / tied : 0;
}

static double by_enumeration(const int *labels, int n, int k, int without) {
    double sum = 0;
    int sets = 0;
    for (unsigned set = 0; set < 1u << n; set++) {
        if (__builtin_popcount(set) != k || (without >= 0 && (set >> without & 1) != 0)) continue;
        sum += scored(labels, n, set);
        sets++;
    }
    return sum / sets;
}

static rt_ballot ballot_of(const int *labels, int n, int64_t wrong[MOST + 1]) {
    rt_ballot ballot = {.samples = n, .wrong = wrong, .classes = MOST};
    memset(wrong, 0, (MOST + 1) * sizeof *wrong);
    for (int i = 0; i < n; i++) {
        if (labels[i] == SILENT) {
            ballot.silent++;
        } else if (labels[i] == RIGHT) {
            ballot.right++;
        } else {
            wrong[labels[i] - 1]++;
        }
    }
    return ballot;
}

static void majority_equals_enumeration(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 60; trial++) {
        rt_rng rng = rt_rng_make(1, trial);
        int labels[MOST];
        const int n = 1 + (int)rt_rng_below(&rng, MOST), kinds = 1 + (int)rt_rng_below(&rng, 5);
        for (int i = 0; i < n; i++) labels[i] = (int)rt_rng_below(&rng, (uint32_t)kinds + 1) - 1;
        int64_t wrong[MOST + 1];
        const rt_ballot ballot = ballot_of(labels, n, wrong);
        for (int k = 1; k <= n; k++)
            assert_true(fabs(rt_majority_at_k(&ballot, k) - by_enumeration(labels, n, k, -1)) < 1e-12);
    }
}

static void variance_equals_the_jackknife(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 20; trial++) {
        rt_rng rng = rt_rng_make(2, trial);
        int labels[9];
        for (int i = 0; i < 9; i++) labels[i] = (int)rt_rng_below(&rng, 5) - 1;
        int64_t wrong[MOST + 1];
        const rt_ballot ballot = ballot_of(labels, 9, wrong);
        for (int k = 1; k < 9; k++) {
            double left[9], mean = 0, squares = 0;
            for (int i = 0; i < 9; i++) mean += (left[i] = by_enumeration(labels, 9, k, i)) / 9;
            for (int i = 0; i < 9; i++) squares += (left[i] - mean) * (left[i] - mean) * 8 / 9;
            assert_true(fabs(rt_majority_variance(&ballot, k) - squares) < 1e-12);
        }
        assert_true(isnan(rt_majority_variance(&ballot, 9)));
    }
}

/* 64 votes of 4,096 samples: far from enumeration, but the ends are known. */
static void large_ballots_stay_finite(void **state) {
    (void)state;
    int64_t wrong[] = {2048};
    rt_ballot half = {.samples = 4096, .right = 2048, .wrong = wrong, .classes = 1};
    assert_true(fabs(rt_majority_at_k(&half, 64) - 0.5) < 1e-12);
    wrong[0] = 0;
    half.silent = 2048;
    assert_true(fabs(rt_majority_at_k(&half, 64) - 1) < 1e-12); /* whoever votes votes right; all silent: 1e-20 */
    half = (rt_ballot){.samples = 4096, .wrong = wrong, .silent = 4096};
    assert_true(rt_majority_at_k(&half, 64) == 0);
}

static rt_vote vote_of(const char *text, rt_verdict verdict) {
    return (rt_vote){text, strlen(text), verdict};
}

static void answers_are_grouped_by_meaning(void **state) {
    (void)state;
    const rt_vote votes[] = {
        vote_of("\\boxed{\\frac{1}{2}}", RT_WRONG),
        vote_of("the answer is 0.5", RT_WRONG),
        vote_of("\\boxed{4}", RT_RIGHT),
        vote_of("\\boxed{2+2}", RT_RIGHT),
        vote_of("\\boxed{x^2-1}", RT_WRONG),
        vote_of("\\boxed{(x-1)(x+1)}", RT_WRONG),
        vote_of("no idea", RT_UNPARSED),
        vote_of("\\boxed{2^{2^{2^{99}}}}", RT_OVER_BUDGET),
        vote_of("\\boxed{2^{2^{2^{99}}}}", RT_OVER_BUDGET),
        vote_of("\\boxed{1} and \\boxed{2}", RT_WRONG),
        vote_of("\\boxed{1, 2}", RT_WRONG),
        vote_of("So \\boxed{1/2}.", RT_WRONG),
    };
    rt_ballot ballot;
    assert_int_equal(rt_ballot_count(votes, sizeof votes / sizeof votes[0], &ballot, NULL), RETORT_OK);
    assert_int_equal(ballot.samples, 12);
    assert_int_equal(ballot.right, 2);
    assert_int_equal(ballot.silent, 1);
    assert_int_equal(ballot.classes, 4);
    const int64_t expected[] = {3, 2, 2, 2};
    assert_memory_equal(ballot.wrong, expected, sizeof expected);
    rt_ballot_free(&ballot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(majority_equals_enumeration),
        cmocka_unit_test(variance_equals_the_jackknife),
        cmocka_unit_test(large_ballots_stay_finite),
        cmocka_unit_test(answers_are_grouped_by_meaning),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    retort_verify_thread_end();
    return failed;
}
