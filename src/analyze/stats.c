#include "analyze/stats.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/random.h"

double rt_pass_at_k(int64_t n, int64_t correct, int64_t k) {
    if (n - correct < k) return 1;
    double none = 1; /* probability that k draws without replacement miss every correct sample */
    for (int64_t i = 0; i < k; i++) none *= (double)(n - correct - i) / (double)(n - i);
    return 1 - none;
}

double rt_average(const rt_tally *tallies, int64_t problems) {
    double sum = 0;
    for (int64_t i = 0; i < problems; i++) sum += (double)tallies[i].correct / (double)tallies[i].n;
    return problems > 0 ? sum / (double)problems : NAN;
}

/* Jackknife: (n - 1) / n times the squared deviations of the n values with one sample left out. */
static double pass_variance(rt_tally tally, int64_t k) {
    if (tally.n <= k) return NAN;
    const double n = (double)tally.n, right = (double)tally.correct, wrong = n - right;
    const double less = tally.correct > 0 ? rt_pass_at_k(tally.n - 1, tally.correct - 1, k) : 0;
    const double more = tally.correct < tally.n ? rt_pass_at_k(tally.n - 1, tally.correct, k) : 0;
    return (n - 1) / n * (right * wrong / n) * (more - less) * (more - less);
}

rt_score rt_score_of(const double *values, const double *variances, int64_t problems, double samples, double groups) {
    double sum = 0, variance = 0;
    for (int64_t i = 0; i < problems; i++) {
        sum += values[i];
        variance += variances[i];
    }
    const double count = (double)problems, mean = fmin(1, fmax(0, sum / count));
    return (rt_score){mean, rt_fixed_interval(mean, variance / (count * count), groups),
                      rt_cluster_interval(values, problems, samples)};
}

retort_status rt_pass_score(const rt_tally *tallies, int64_t problems, int64_t k, rt_score *out, retort_error *err) {
    double *values = rt_malloc_array((size_t)problems, sizeof *values), samples = 0, groups = 0;
    double *variances = rt_malloc_array((size_t)problems, sizeof *variances);
    retort_status st = RETORT_OK;
    if (values != NULL && variances != NULL) {
        for (int64_t i = 0; i < problems; i++) {
            values[i] = rt_pass_at_k(tallies[i].n, tallies[i].correct, k);
            variances[i] = pass_variance(tallies[i], k);
            samples += (double)tallies[i].n;
            groups += floor((double)tallies[i].n / (double)k);
        }
        *out = rt_score_of(values, variances, problems, samples, groups);
    } else {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: pass@k of %lld problems", (long long)problems);
    }
    rt_free(values);
    rt_free(variances);
    return st;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
static double quantile(const double *sorted, int64_t count, double q) {
    double at = q * (double)(count - 1);
    int64_t low = (int64_t)floor(at);
    int64_t high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

retort_status rt_bootstrap(rt_statistic statistic, const void *context, int64_t problems, int64_t draws, uint64_t seed,
                           rt_interval *out, retort_error *err) {
    *out = (rt_interval){NAN, NAN};
    if (problems == 0 || draws == 0) return RETORT_OK;
    double *values = rt_malloc_array((size_t)draws, sizeof *values);
    int32_t *index = rt_malloc_array((size_t)problems, sizeof *index);
    int64_t defined = 0;
    retort_status st = RETORT_OK;
    if (values == NULL || index == NULL) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: bootstrap of %lld problems", (long long)problems);
    } else {
        for (int64_t d = 0; d < draws; d++) {
            rt_rng rng = rt_rng_make(seed, (uint64_t)d);
            for (int64_t i = 0; i < problems; i++) index[i] = (int32_t)rt_rng_below(&rng, (uint32_t)problems);
            values[defined] = statistic(context, index, problems);
            defined += !isnan(values[defined]);
        }
        if (defined > 1) qsort(values, (size_t)defined, sizeof *values, compare_doubles);
        if (defined > 0) *out = (rt_interval){quantile(values, defined, 0.025), quantile(values, defined, 0.975)};
    }
    rt_free(values);
    rt_free(index);
    return st;
}

static double pooled_at(const void *context, const int32_t *index, int64_t count) {
    const rt_rate *rate = context;
    double above = 0, below = 0;
    for (int64_t i = 0; i < count; i++) {
        above += rate->numerators[(size_t)index[i] * rate->stride];
        below += rate->denominators[(size_t)index[i] * rate->stride];
    }
    return below > 0 ? rate->scale * above / below : 0;
}

retort_status rt_rate_interval(const rt_rate *rate, int64_t problems, uint64_t seed, rt_interval *out,
                               retort_error *err) {
    return rt_bootstrap(pooled_at, rate, problems, RT_RESAMPLES, seed, out, err);
}

retort_status rt_paired_test(const double *a, const double *b, int64_t problems, double bound, uint64_t seed,
                             rt_paired *out, retort_error *err) {
    *out = (rt_paired){NAN, NAN, {NAN, NAN}, problems};
    if (problems == 0) return RETORT_OK;
    double *difference = rt_malloc_array((size_t)problems, sizeof *difference);
    RT_CHECK(difference != NULL, err, RETORT_ERR_MEMORY, "out of memory: paired test of %lld problems",
             (long long)problems);
    double sum = 0;
    for (int64_t i = 0; i < problems; i++) sum += difference[i] = a[i] - b[i];
    int64_t extreme = 0;
    for (int64_t d = 0; d < RT_RESAMPLES; d++) {
        rt_rng rng = rt_rng_make(seed, (uint64_t)d);
        double flipped = 0;
        uint32_t bits = 0;
        for (int64_t i = 0; i < problems; i++) {
            if (i % 32 == 0) bits = rt_rng_u32(&rng);
            flipped += (bits & 1) ? difference[i] : -difference[i];
            bits >>= 1;
        }
        /* The slack keeps ties (sums equal but for rounding) on the extreme side, so p is never too small. */
        if (fabs(flipped) >= fabs(sum) - 1e-9) extreme++;
    }
    out->difference = sum / (double)problems;
    out->p = (double)(1 + extreme) / (double)(1 + RT_RESAMPLES);
    out->interval = rt_difference_interval(difference, problems, bound);
    rt_free(difference);
    return RETORT_OK;
}
