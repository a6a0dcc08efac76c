/* The figures of the token analysis as JSON; docs/tokens.md explains each. */
#ifndef RT_TOKEN_REPORT_H
#define RT_TOKEN_REPORT_H

#include "analyze/token_ratios.h"

typedef struct rt_token_settings {
    const rt_token_rules *rules;
    int64_t resamples, top;
    uint64_t seed;
} rt_token_settings;

/* One group: what was read, left out and counted, rates of categories and entries with intervals, profiles, and the
 * difference between right and wrong responses. */
retort_status rt_token_group_json(const rt_token_settings *settings, const rt_count_table *table, int64_t group,
                                  json_t **out, retort_error *err);

/* Group a against group b, on the problems that both have if these are at least RT_PAIRED_PROBLEMS, else as two
 * independent samples of problems. p-values are not adjusted yet. */
enum { RT_PAIRED_PROBLEMS = 10 };
retort_status rt_token_pair_json(const rt_token_settings *settings, const rt_count_table *table, int64_t a, int64_t b,
                                 json_t **out, retort_error *err);

/* Adds to all comparisons what remains when their number is allowed for: "p_holm" to categories (Holm 1979, over all
 * categories and pairs) and "q" to entries (Benjamini and Hochberg 1995, over all entries and pairs). */
retort_status rt_token_adjust(json_t *comparisons, retort_error *err);

#endif
