#include "analyze/intervals.h"

#include <math.h>

static const rt_interval UNKNOWN = {NAN, NAN};
/* A variance that is nothing but rounding. */
static const double TINY = 1e-24;

/* P(|T| <= t) for a whole number of degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4). */
static double central_mass(double t, int64_t freedom) {
    const double v = (double)freedom, sine = t / sqrt(v + t * t), cosine2 = v / (v + t * t);
    double term = freedom % 2 == 0 ? 1 : sqrt(cosine2), sum = freedom == 1 ? 0 : term;
    for (int64_t i = freedom % 2 == 0 ? 2 : 3; i < freedom; i += 2) {
        term *= cosine2 * (double)(i - 1) / (double)i;
        sum += term;
    }
    if (freedom % 2 == 0) return sine * sum;
    return (atan(t / sqrt(v)) + sine * sum) * 2 / acos(-1);
}

double rt_t_quantile(int64_t freedom) {
    if (freedom > 1000) { /* Cornish and Fisher's expansion (26.7.5); the terms left out are below 1e-9 */
        const double x = RT_NORMAL_QUANTILE, v = (double)freedom;
        return x + x * (x * x + 1) / (4 * v) + x * (5 * pow(x, 4) + 16 * x * x + 3) / (96 * v * v);
    }
    double low = RT_NORMAL_QUANTILE, high = 13;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (central_mass(middle, freedom) < 0.95) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

rt_interval rt_wilson(double mean, double observations, double quantile) {
    const double z2 = quantile * quantile / observations, centre = (mean + z2 / 2) / (1 + z2);
    const double half = sqrt(mean * (1 - mean) * z2 + z2 * z2 / 4) / (1 + z2);
    /* At the ends the limit is the mean itself; rounding must not say otherwise. */
    return (rt_interval){mean <= 0 ? 0 : fmax(0, centre - half), mean >= 1 ? 1 : fmin(1, centre + half)};
}

rt_interval rt_fixed_interval(double mean, double variance, double observations) {
    if (isnan(variance)) return UNKNOWN;
    const double effective = variance > TINY ? mean * (1 - mean) / variance : observations;
    return rt_wilson(mean, effective, RT_NORMAL_QUANTILE);
}

/* Unbiased variance of the mean of values that are exchangeable. */
static double variance_of_mean(const double *values, int64_t count, double *mean) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += values[i];
    *mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) squares += (values[i] - *mean) * (values[i] - *mean);
    return squares / (double)(count - 1) / (double)count;
}

rt_interval rt_cluster_interval(const double *values, int64_t problems, double most) {
    double mean;
    if (problems < 2) return UNKNOWN;
    const double variance = variance_of_mean(values, problems, &mean);
    mean = fmin(1, fmax(0, mean));
    const double effective = variance > TINY ? fmin(most, mean * (1 - mean) / variance) : (double)problems;
    return rt_wilson(mean, effective, rt_t_quantile(problems - 1));
}

rt_interval rt_difference_interval(const double *differences, int64_t problems, double bound) {
    double mean;
    if (problems < 2) return UNKNOWN;
    const double variance = variance_of_mean(differences, problems, &mean), t = rt_t_quantile(problems - 1);
    const double unseen = isinf(bound) ? 0 : bound * t * t / ((double)problems + t * t);
    const double half = variance > TINY ? t * sqrt(variance) : unseen;
    return (rt_interval){fmax(-bound, mean - half), fmin(bound, mean + half)};
}
