/* The intervals: Student's quantiles against a table, the ends, and by simulation how often each interval holds the
 * quantity that it claims to hold: 2,000 evaluations of every shape and difficulty, with a fixed seed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyze/stats.h"
#include "analyze/votes.h"
#include "core/random.h"

static void students_quantiles(void **state) {
    (void)state;
    static const struct {
        int64_t freedom;
        double quantile;
    } TABLE[] = {{1, 12.706204736174694},    {2, 4.302652729749462},     {3, 3.1824463052837078},
                 {4, 2.7764451051977934},    {9, 2.262157162798205},     {29, 2.045229642132703},
                 {39, 2.022690920036761},    {199, 1.9719565442517533},  {499, 1.9647293909876886},
                 {1000, 1.9623390808264083}, {1001, 1.9623367052808798}, {100000, 1.9599877075346095}};
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++)
        assert_true(fabs(rt_t_quantile(TABLE[i].freedom) - TABLE[i].quantile) < 1e-8);
}

static void nothing_right_is_no_certainty(void **state) {
    (void)state;
    rt_tally none[30], all[30];
    for (int i = 0; i < 30; i++) {
        none[i] = (rt_tally){64, 0};
        all[i] = (rt_tally){64, 64};
    }
    rt_score low, high;
    assert_int_equal(rt_pass_score(none, 30, 1, &low, NULL), RETORT_OK);
    assert_int_equal(rt_pass_score(all, 30, 1, &high, NULL), RETORT_OK);
    /* Wilson's limit for 0 of 1,920 samples, and for 0 of 30 problems with Student's t. */
    const double z2 = RT_NORMAL_QUANTILE * RT_NORMAL_QUANTILE, t2 = rt_t_quantile(29) * rt_t_quantile(29);
    assert_true(low.sampling.low == 0 && fabs(low.sampling.high - z2 / (1920 + z2)) < 1e-12);
    assert_true(low.problems.low == 0 && fabs(low.problems.high - t2 / (30 + t2)) < 1e-12);
    assert_true(high.sampling.high == 1 && fabs(high.sampling.low - (1 - low.sampling.high)) < 1e-12);
    assert_true(high.problems.high == 1 && fabs(high.problems.low - (1 - low.problems.high)) < 1e-12);
    /* 8 samples make one group for pass@8. */
    assert_int_equal(rt_pass_score(none, 30, 8, &low, NULL), RETORT_OK);
    assert_true(fabs(low.sampling.high - z2 / (240 + z2)) < 1e-12);
}

static void one_problem_says_nothing_of_others(void **state) {
    (void)state;
    const rt_tally one = {64, 32};
    rt_score score;
    assert_int_equal(rt_pass_score(&one, 1, 1, &score, NULL), RETORT_OK);
    assert_true(isnan(score.problems.low) && !isnan(score.sampling.low));
    const double same[] = {0.25, 0.25, 0.25, 0.25, 0.25};
    rt_interval interval = rt_difference_interval(same, 5, 1);
    assert_true(interval.low < 0 && interval.high > 0.5 && interval.high <= 1);
    assert_true(isnan(rt_difference_interval(same, 1, 1).low));
    interval = rt_difference_interval(same, 5, INFINITY);
    assert_true(interval.low == 0.25 && interval.high == 0.25);
}

/* ---- coverage ---- */

enum { TRIALS = 2000, MOST_PROBLEMS = 500 };

typedef enum difficulty { EASY, HARD, MIXED, EVEN, DIFFICULTIES } difficulty;
static const char *const NAMES[] = {"easy", "hard", "mixed", "even"};
static const double MEANS[] = {0.8, 0.125, 0.5, 0.3};

/* Probability of a right answer to a problem of the kind. */
static double draw_rate(difficulty kind, rt_rng *rng) {
    const double u = rt_rng_double(rng);
    switch (kind) {
    case EASY: return sqrt(sqrt(u)); /* Beta(4, 1) */
    case HARD: return pow(u, 7);     /* Beta(1/7, 1): most problems are hopeless */
    case MIXED: return rt_rng_u32(rng) % 2 == 0 ? pow(u, 4) : 1 - pow(u, 4);
    default: return 0.3; /* all alike */
    }
}

static void check_share(const char *what, const char *kind, int64_t problems, int64_t n, int hits, double lowest) {
    const double share = (double)hits / TRIALS;
    printf("# %-8s %-5s %3d x %2d: %.1f %%\n", what, kind, (int)problems, (int)n, 100 * share);
    if (share >= lowest && share <= 0.97) return;
    fail_msg("%s interval of %s, %d x %d holds its quantity in %.1f %%", what, kind, (int)problems, (int)n,
             100 * share);
}

static double pass_of(double rate, int64_t k) {
    return 1 - pow(1 - rate, (double)k);
}

static void simulate(int64_t problems, int64_t n, difficulty kind, int64_t k) {
    int sampling = 0, other = 0;
    double whole = 0;
    for (int i = 0; i < 200000; i++) { /* the kind's own pass@k */
        rt_rng rng = rt_rng_make(11, (uint64_t)i);
        whole += pass_of(draw_rate(kind, &rng), k) / 200000;
    }
    if (k == 1) whole = MEANS[kind];
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        rt_rng rng = rt_rng_make(7, trial);
        rt_tally tallies[MOST_PROBLEMS];
        double fixed = 0;
        for (int64_t p = 0; p < problems; p++) {
            const double rate = draw_rate(kind, &rng);
            fixed += pass_of(rate, k) / (double)problems;
            tallies[p] = (rt_tally){n, 0};
            for (int64_t s = 0; s < n; s++) tallies[p].correct += rt_rng_double(&rng) < rate;
        }
        rt_score score;
        assert_int_equal(rt_pass_score(tallies, problems, k, &score, NULL), RETORT_OK);
        sampling += score.sampling.low <= fixed && fixed <= score.sampling.high;
        other += score.problems.low <= whole && whole <= score.problems.high;
        if (n == k) assert_true(isnan(score.sampling.low));
    }
    if (n > k) check_share("sampling", NAMES[kind], problems, n, sampling, 0.93);
    check_share("problems", NAMES[kind], problems, n, other, 0.93);
}

static void averages_are_covered(void **state) {
    (void)state;
    for (difficulty kind = EASY; kind < DIFFICULTIES; kind++) {
        simulate(30, 64, kind, 1);
        simulate(200, 4, kind, 1);
        simulate(500, 1, kind, 1);
    }
}

static void pass_at_8_is_covered(void **state) {
    (void)state;
    for (difficulty kind = EASY; kind < DIFFICULTIES; kind++) simulate(30, 64, kind, 8);
}

/* One problem's ballot: the right answer with its rate, two wrong ones and silence share the rest. */
static rt_ballot draw_ballot(double rate, int64_t n, rt_rng *rng, int64_t wrong[2]) {
    rt_ballot ballot = {.samples = n, .wrong = wrong, .classes = 2};
    wrong[0] = wrong[1] = 0;
    for (int64_t s = 0; s < n; s++) {
        const double u = rt_rng_double(rng), rest = (u - rate) / (1 - rate);
        if (u < rate) {
            ballot.right++;
        } else if (rest < 0.9) {
            wrong[rest < 0.6 ? 0 : 1]++;
        } else {
            ballot.silent++;
        }
    }
    return ballot;
}

static void majorities_are_covered(void **state) {
    (void)state;
    enum { PROBLEMS = 30, N = 64, K = 8, LEVELS = 40, MANY = 4000 };
    /* Problems of 40 rates; the true maj@8 of each from very many samples. */
    static double rates[LEVELS], truth[LEVELS];
    double whole = 0;
    for (int i = 0; i < LEVELS; i++) {
        rt_rng rng = rt_rng_make(3, (uint64_t)i);
        int64_t wrong[2];
        rates[i] = draw_rate(MIXED, &rng);
        for (int j = 0; j < MANY / N; j++) {
            const rt_ballot ballot = draw_ballot(rates[i], N, &rng, wrong);
            truth[i] += rt_majority_at_k(&ballot, K) / (MANY / N);
        }
        whole += truth[i] / LEVELS;
    }
    int sampling = 0, other = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        rt_rng rng = rt_rng_make(5, trial);
        double values[PROBLEMS], variances[PROBLEMS], fixed = 0;
        for (int p = 0; p < PROBLEMS; p++) {
            const uint32_t level = rt_rng_below(&rng, LEVELS);
            int64_t wrong[2];
            const rt_ballot ballot = draw_ballot(rates[level], N, &rng, wrong);
            values[p] = rt_majority_at_k(&ballot, K);
            variances[p] = rt_majority_variance(&ballot, K);
            fixed += truth[level] / PROBLEMS;
        }
        const rt_score score = rt_score_of(values, variances, PROBLEMS, PROBLEMS * N, PROBLEMS * (N / K));
        sampling += score.sampling.low <= fixed && fixed <= score.sampling.high;
        other += score.problems.low <= whole && whole <= score.problems.high;
    }
    check_share("sampling", "maj@8", PROBLEMS, N, sampling, 0.93);
    check_share("problems", "maj@8", PROBLEMS, N, other, 0.93);
}

static void differences_are_covered(void **state) {
    (void)state;
    enum { PROBLEMS = 30, N = 4 };
    int hits = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        rt_rng rng = rt_rng_make(9, trial);
        double differences[PROBLEMS];
        for (int p = 0; p < PROBLEMS; p++) {
            const double a = draw_rate(MIXED, &rng), b = a / 2; /* half as good: a difference of 0.25 */
            int right = 0;
            for (int s = 0; s < N; s++) right += rt_rng_double(&rng) < a;
            for (int s = 0; s < N; s++) right -= rt_rng_double(&rng) < b;
            differences[p] = (double)right / N;
        }
        const rt_interval interval = rt_difference_interval(differences, PROBLEMS, 1);
        hits += interval.low <= 0.25 && 0.25 <= interval.high;
    }
    check_share("paired", "mixed", PROBLEMS, N, hits, 0.93);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(students_quantiles),
        cmocka_unit_test(nothing_right_is_no_certainty),
        cmocka_unit_test(one_problem_says_nothing_of_others),
        cmocka_unit_test(averages_are_covered),
        cmocka_unit_test(pass_at_8_is_covered),
        cmocka_unit_test(majorities_are_covered),
        cmocka_unit_test(differences_are_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
