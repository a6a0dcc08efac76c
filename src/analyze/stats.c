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

rt_interval rt_sampling_interval(const rt_tally *tallies, int64_t problems) {
    double variance = 0;
    for (int64_t i = 0; i < problems; i++) {
        if (tallies[i].n < 2) return (rt_interval){NAN, NAN};
        double p = (double)tallies[i].correct / (double)tallies[i].n;
        variance += p * (1 - p) / (double)(tallies[i].n - 1);
    }
    double mean = rt_average(tallies, problems), half = 1.959963984540054 * sqrt(variance) / (double)problems;
    return (rt_interval){fmax(0, mean - half), fmin(1, mean + half)};
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
    retort_status st = RETORT_OK;
    if (values == NULL || index == NULL) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: bootstrap of %lld problems", (long long)problems);
    } else {
        for (int64_t d = 0; d < draws; d++) {
            rt_rng rng = rt_rng_make(seed, (uint64_t)d);
            for (int64_t i = 0; i < problems; i++) index[i] = (int32_t)rt_rng_below(&rng, (uint32_t)problems);
            values[d] = statistic(context, index, problems);
        }
        qsort(values, (size_t)draws, sizeof *values, compare_doubles);
        *out = (rt_interval){quantile(values, draws, 0.025), quantile(values, draws, 0.975)};
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

static double mean_at(const void *context, const int32_t *index, int64_t count) {
    const double *values = context;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += values[index[i]];
    return sum / (double)count;
}

retort_status rt_pass_interval(const rt_tally *tallies, int64_t problems, int64_t k, uint64_t seed, rt_interval *out,
                               retort_error *err) {
    double *values = rt_malloc_array((size_t)problems, sizeof *values);
    RT_CHECK(values != NULL, err, RETORT_ERR_MEMORY, "out of memory: pass@k of %lld problems", (long long)problems);
    for (int64_t i = 0; i < problems; i++) values[i] = rt_pass_at_k(tallies[i].n, tallies[i].correct, k);
    retort_status st = rt_bootstrap(mean_at, values, problems, RT_RESAMPLES, seed, out, err);
    rt_free(values);
    return st;
}

retort_status rt_paired_test(const double *a, const double *b, int64_t problems, uint64_t seed, rt_paired *out,
                             retort_error *err) {
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
    retort_status st = rt_bootstrap(mean_at, difference, problems, RT_RESAMPLES, seed + 1, &out->interval, err);
    rt_free(difference);
    return st;
}
