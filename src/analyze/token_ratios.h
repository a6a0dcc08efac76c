/* The figures of a group of responses as ratios over its problems. */
#ifndef RT_TOKEN_RATIOS_H
#define RT_TOKEN_RATIOS_H

#include "analyze/count_table.h"
#include "analyze/ratios.h"

/* Ratio numbers, for E entries and C categories. */
typedef struct rt_token_figures {
    int32_t entries, categories;
} rt_token_figures;

typedef enum rt_category_figure {
    RT_FIGURE_PER_1000,     /* places per 1,000 words */
    RT_FIGURE_PER_RESPONSE, /* places a response */
    RT_FIGURE_SHARE,        /* share of responses with at least one */
    RT_FIGURE_FIRST,        /* places in the first words of responses that have so many */
    RT_FIGURE_PER_TOKENS,   /* places per 1,000 model tokens */
    RT_FIGURE_CORRECT,      /* within problems: rate per 1,000 words of right responses minus that of wrong ones */
    RT_FIGURE_DECILE,       /* places per 1,000 words of a decile; this and the nine behind it */
    RT_CATEGORY_FIGURES = RT_FIGURE_DECILE + RT_DECILES
} rt_category_figure;

static inline int64_t rt_entry_ratio(const rt_token_figures *f, int32_t entry, bool per_response) {
    (void)f;
    return 2 * (int64_t)entry + per_response;
}
static inline int64_t rt_category_ratio(const rt_token_figures *f, int32_t category, int figure) {
    return 2 * (int64_t)f->entries + (int64_t)category * RT_CATEGORY_FIGURES + figure;
}

/* Row p is problem p of the group. */
retort_status rt_token_ratios(const rt_count_table *table, const rt_token_group *group, rt_ratios *out,
                              retort_error *err);

/* Problems with right and with wrong responses, and how many responses these have. */
retort_status rt_token_mixed(const rt_token_group *group, int64_t *problems, int64_t *responses, retort_error *err);

#endif
