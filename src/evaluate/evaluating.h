/* One call of retort_eval. */
#ifndef RT_EVALUATE_EVALUATING_H
#define RT_EVALUATE_EVALUATING_H

#include "evaluate/benchmarks.h"
#include "evaluate/remote.h"
#include "retort/evaluate.h"

/* What one call holds. */
typedef struct rt_evaluating {
    const retort_eval_options *options;
    const retort_progress *progress;
    const json_t *replayed; /* manifest, or NULL */
    rt_benchmarks benchmarks;
    rt_round *rounds;    /* [benchmarks] */
    char **paths;        /* [benchmarks] of the responses; NULL: not kept */
    rt_earlier *earlier; /* [benchmarks] */
    rt_ban_list bans;
    int64_t *budgets;
    char *close;
    rt_evaluation what;
    rt_ask_account account;
    json_t *manifest, *notes;
} rt_evaluating;

/* result.c: what retort_eval returns, once the rounds are run; it goes into the store too where there is one. */
retort_status rt_eval_result(const rt_evaluating *evaluating, char **json, retort_error *err);

#endif
