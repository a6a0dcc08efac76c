/* 95 % intervals of a mean over problems.
 *
 * A score is a mean over problems of one value each (share of right samples, pass@k, maj@k), and two different
 * questions can be asked about it: sampling   the same problems again, other samples: the value that endless sampling
 * of these problems would give problems   other problems of the same kind, and other samples: the value of the whole
 * kind. It needs two problems.
 *
 * Both are Wilson's interval for a share, with an effective number of observations in the place of n: mean (1 - mean) /
 * variance of the mean, as surveys do with clustered answers (Dean and Pagano, "Evaluating confidence interval methods
 * for binomial proportions in clustered surveys", J. Surv. Stat. Methodol. 3, 2015). It stays inside 0 and 1 and is
 * lopsided near them, where the percentile bootstrap is too short; and it is honest where every observation came out
 * alike and the variance is estimated as 0. tests/analyze/test_intervals.c simulates how often they
 * hold what they claim to hold.
 */
#ifndef RT_INTERVALS_H
#define RT_INTERVALS_H

#include <stdint.h>

typedef struct rt_interval {
    double low, high; /* 95 %; both NaN where the data cannot tell */
} rt_interval;

/* The 97.5 % point of the normal distribution, and of Student's t with that many degrees of freedom (at least 1). */
#define RT_NORMAL_QUANTILE 1.959963984540054
double rt_t_quantile(int64_t freedom);

/* Wilson's interval of a share `mean` of `observations` (any real number above 0) at `quantile` standard errors. */
rt_interval rt_wilson(double mean, double observations, double quantile);

/* Sampling interval from the variance of the mean over the samples of fixed problems. `observations` stands in where
 * the variance is 0: the samples altogether, or for pass@k and maj@k the disjoint groups of k that they make. NaN
 * for a variance of NaN. */
rt_interval rt_fixed_interval(double mean, double variance, double observations);

/* Problems interval of the mean of values [problems], each in 0 ... 1: the variance is that between problems, with
 * Student's t. Where all values are alike, nothing is known about how unlike problems can be, and each counts as one
 * observation. `most` bounds the effective observations (the samples altogether). NaN for fewer than two problems. */
rt_interval rt_cluster_interval(const double *values, int64_t problems, double most);

/* Problems interval of the mean of differences [problems]: Student's t. Where all are alike, the next problem may still
 * differ: the half width is then `bound`, the largest difference there can be (1 for shares), times Wilson's upper
 * limit of a share that was never seen. With a bound of INFINITY (none is known) such an interval has no width. */
rt_interval rt_difference_interval(const double *differences, int64_t problems, double bound);

#endif
