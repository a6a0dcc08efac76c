/* Many ratios of sums over the same problems, and their cluster bootstrap.
 *
 * Every figure of the token analysis is a ratio: matches by words, matches by responses, responses with a match by
 * responses, ... Drawing the problems again gives all of them at once, and keeps how they hang together.
 */
#ifndef RT_RATIOS_H
#define RT_RATIOS_H

#include <stdbool.h>
#include <stdint.h>

#include "analyze/intervals.h"
#include "core/error.h"

typedef struct rt_ratio {
    int32_t above, below; /* columns */
    double scale;
} rt_ratio;

typedef struct rt_ratio_cell {
    int32_t column;
    double value;
} rt_ratio_cell;

/* Rows are problems, and hold what is not zero. Zero-initialise; fill row by row. */
typedef struct rt_ratios {
    int32_t columns;
    rt_ratio *ratios;
    int64_t num_ratios, ratio_capacity;
    rt_ratio_cell *cells;
    int64_t num_cells, cell_capacity;
    int64_t *starts; /* [problems + 1] */
    int64_t problems, start_capacity;
} rt_ratios;

void rt_ratios_free(rt_ratios *table);
/* Adds a ratio; they are numbered from 0. */
retort_status rt_ratios_define(rt_ratios *table, int32_t above, int32_t below, double scale, retort_error *err);
/* Adds to the row in work, and closes it. */
retort_status rt_ratios_cell(rt_ratios *table, int32_t column, double value, retort_error *err);
retort_status rt_ratios_end_row(rt_ratios *table, retort_error *err);

/* Values of all ratios over `rows` [count] (NULL: all rows, count ignored); NaN where nothing is below the line. */
retort_status rt_ratios_value(const rt_ratios *table, const int32_t *rows, int64_t count, double *out,
                              retort_error *err);

/* Values [ratio * draws + d] over rows drawn with replacement from `rows` (NULL: all); draw d depends on (seed, d)
 * alone, so two tables with the same rows' order and seed are drawn alike. */
retort_status rt_ratios_bootstrap(const rt_ratios *table, const int32_t *rows, int64_t count, int64_t draws,
                                  uint64_t seed, double *values, retort_error *err);

/* So many draws, up to `wanted`, that the bootstrap of the table stays within seconds. */
int64_t rt_ratios_draws(const rt_ratios *table, int64_t wanted);

/* 95 % interval from drawn values, which it puts into another order: percentiles, moved out for few problems as
 * Student's t is wider than the normal distribution ("expanded percentile", Hesterberg 2015, arXiv 1411.5279, section
 * 5). Draws that are NaN are left out; with fewer than two problems both ends are NaN. */
rt_interval rt_drawn_interval(double *values, int64_t draws, int64_t problems);

/* Permutation tests of "a and b do not differ", two-sided, for every ratio: p[r] = (1 + draws at least as extreme) / (1
 * + draws). paired: rows_a and rows_b [count] are the same problems on either side, and each problem's two rows change
 * sides with probability 1/2. Otherwise all rows of both tables are dealt out anew, as many to a as it has (rows_a,
 * rows_b and count are ignored). NaN where a side has no value. Both are exact for any number of problems, apart from
 * the number of draws. */
retort_status rt_ratios_permutation(const rt_ratios *a, const rt_ratios *b, const int32_t *rows_a,
                                    const int32_t *rows_b, int64_t count, bool paired, int64_t draws, uint64_t seed,
                                    double *p, retort_error *err);

/* The same for one ratio of one table whose cells above the line are themselves differences: each problem's sign is
 * turned with probability 1/2. */
double rt_ratios_sign_flip(const rt_ratios *table, int64_t ratio, int64_t draws, uint64_t seed);

#endif
