/* Statistics of scores: pass@k with its intervals, rates, paired tests. All resampling is seeded Philox, so figures
 * repeat exactly. */
#ifndef RT_STATS_H
#define RT_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "analyze/intervals.h"
#include "core/error.h"

/* Samples of one problem: n drawn, correct right. The table of these is the primary artefact of an evaluation. */
typedef struct rt_tally {
    int64_t n, correct;
} rt_tally;

/* Unbiased pass@k of one problem, 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374). Needs 1 <= k <= n. */
double rt_pass_at_k(int64_t n, int64_t correct, int64_t k);

/* Mean over problems of correct / n. */
double rt_average(const rt_tally *tallies, int64_t problems);

/* Mean over problems of pass@k, and its two intervals (intervals.h). pass@1 is the average of right samples. The
 * variance over the sampling is the jackknife's over each problem's samples, which for k = 1 is p (1 - p) / (n - 1); a
 * problem with no more than k samples has none, and the sampling interval is NaN. Every problem needs at least k
 * samples. Errors: RETORT_ERR_MEMORY. */
typedef struct rt_score {
    double mean;
    rt_interval sampling, problems;
} rt_score;
retort_status rt_pass_score(const rt_tally *tallies, int64_t problems, int64_t k, rt_score *out, retort_error *err);

/* The same from values [problems] and their variances over the sampling. `samples`: of all problems together; `groups`:
 * the disjoint groups of k that these make. */
rt_score rt_score_of(const double *values, const double *variances, int64_t problems, double samples, double groups);

/* Statistic of a resampled set of problems: index[i] names the problem drawn i-th. */
typedef double (*rt_statistic)(const void *context, const int32_t *index, int64_t count);

/* Percentile bootstrap over problems (each keeps its samples, so the interval covers both the choice of problems and
 * the sampling). A draw whose statistic is NaN is left out; *out is NaN where none is left. RETORT_ERR_MEMORY only. */
retort_status rt_bootstrap(rt_statistic statistic, const void *context, int64_t problems, int64_t draws, uint64_t seed,
                           rt_interval *out, retort_error *err);

/* A rate pooled over problems: scale * (sum of numerators) / (sum of denominators); 0 if nothing is below the line. The
 * two arrays may lie inside an array of structs of doubles: entry i stands at [i * stride]. */
typedef struct rt_rate {
    const double *numerators, *denominators;
    size_t stride;
    double scale;
} rt_rate;
retort_status rt_rate_interval(const rt_rate *rate, int64_t problems, uint64_t seed, rt_interval *out,
                               retort_error *err);

/* Paired comparison of a against b over the same problems: mean of the differences, its interval over the choice of
 * problems (rt_difference_interval), and the two-sided p of a sign-flip permutation test ((1 + as extreme) / (1 +
 * draws)). `bound`: the largest difference of a problem that there can be, 1 for shares; INFINITY where it is not
 * known. */
typedef struct rt_paired {
    double difference, p;
    rt_interval interval;
    int64_t problems;
} rt_paired;
retort_status rt_paired_test(const double *a, const double *b, int64_t problems, double bound, uint64_t seed,
                             rt_paired *out, retort_error *err);

enum { RT_RESAMPLES = 10000 };

#endif
