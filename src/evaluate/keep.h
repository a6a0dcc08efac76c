/* An evaluation in the run store: manifest, problems, responses of a local model, scores of both graders, figures. */
#ifndef RT_EVALUATE_KEEP_H
#define RT_EVALUATE_KEEP_H

#include "evaluate/benchmarks.h"
#include "evaluate/evaluate.h"

typedef struct rt_keeping {
    const char *store; /* the file */
    const char *model;
    const json_t *manifest;
    const rt_benchmarks *benchmarks;
    const rt_round *rounds;      /* [benchmarks] */
    const json_t *const *scores; /* [benchmarks] what eval prints of each */
} rt_keeping;

/* Replies of an endpoint are there already; they get their scores where a round knows their keys. Responses of a local
 * model are put under the hash of what made them (files, prompts, sampling, problem, sample), so that the same run
 * twice is there once. Metrics are called BENCHMARK/avg@n, BENCHMARK/pass@k, BENCHMARK/maj@k and
 * BENCHMARK/budget-N/avg@n, with the method "problems" or "sampling" (two rows), and BENCHMARK/stop_rate and so on
 * without one. */
retort_status rt_eval_keep(const rt_keeping *keeping, retort_error *err);

#endif
