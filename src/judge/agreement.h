/* How far raters agree beyond chance. Raters are judges, votes of one judge, or people; units are responses.
 *
 * Sources: Cohen 1960 (kappa) and 1968 (weights); Fleiss 1971; Krippendorff, "Computing Krippendorff's
 * Alpha-Reliability" (2011), with its ordinal and interval differences. tests/judge/golden holds values of outside
 * implementations.
 */
#ifndef RT_JUDGE_AGREEMENT_H
#define RT_JUDGE_AGREEMENT_H

#include "analyze/stats.h"

typedef struct rt_ratings {
    int64_t units, raters, clusters;
    const double *values;   /* [units][raters]; NaN: this rater did not rate this unit */
    const int32_t *cluster; /* [units], 0 .. clusters - 1: units that are drawn together (responses to one problem) */
} rt_ratings;

typedef enum rt_measure {
    RT_KAPPA,           /* Cohen's, two raters, of units that both rated */
    RT_KAPPA_LINEAR,    /* the same with disagreements weighted by their distance */
    RT_KAPPA_QUADRATIC, /* ... and by its square */
    RT_FLEISS,          /* Fleiss' kappa, of units that all raters rated */
    RT_ALPHA_NOMINAL,   /* Krippendorff's alpha, of units with at least two ratings */
    RT_ALPHA_ORDINAL,
    RT_ALPHA_INTERVAL
} rt_measure;

typedef struct rt_coefficient {
    double value;         /* NaN where it is not defined: `why` says so, and is NULL elsewhere */
    const char *why;      /* static text: "all ratings are the same", ... */
    double agreement;     /* share of pairs of ratings of one unit that are equal; NaN without any */
    rt_interval interval; /* 95 %, bootstrap over clusters; NaN where there are too few, or most draws are undefined */
    double undefined;     /* share of the draws in which the coefficient is not defined; they are left out */
    int64_t units, clusters;
} rt_coefficient;

enum { RT_AGREEMENT_DRAWS = 2000, RT_MOST_VALUES = 1024 };

/* A coefficient is not defined where chance alone would agree fully: all ratings are the same. Neither 0 nor 1 would be
 * true then. More than RT_MOST_VALUES different values are not defined either. RETORT_ERR_USAGE: a kappa of Cohen's for
 * other than two raters. */
retort_status rt_agreement(const rt_ratings *ratings, rt_measure measure, uint64_t seed, rt_coefficient *out,
                           retort_error *err);

#endif
