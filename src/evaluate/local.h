/* Inside of rt_evaluate_local: what its files share. */
#ifndef RT_EVALUATE_LOCAL_H
#define RT_EVALUATE_LOCAL_H

#include "evaluate/evaluate.h"
#include "evaluate/memory.h"
#include "evaluate/record.h"
#include "model/lora.h"
#include "sample/continue.h"

/* What one evaluation holds while it runs. */
typedef struct rt_local {
    const rt_evaluation *what;
    rt_round *rounds;
    int64_t num_rounds;
    const retort_progress *progress;
    rt_model model;
    rt_lora_config lora; /* r 0: no adapter */
    rt_tokenizer *tokenizer;
    rt_decoder *decoder;
    rt_bans *bans;
    rt_sampling sampling;
    rt_ids close;        /* what closes a thought */
    rt_ids **ids;        /* [rounds][problems] */
    rt_prompt **prompts; /* [rounds][problems] */
    int64_t longest;     /* prompt */
    rt_plan plan;
    rt_sampling_size size;
    int64_t capacity, responses;
} rt_local;

/* The responses of a round as they come, and the file they go to (its stream NULL: none). */
typedef struct rt_taking {
    rt_local *local;
    rt_round *round;
    rt_atomic_file file;
} rt_taking;

/* One finished response: graded, recorded and written. tokens: those that were sampled. */
retort_status rt_local_take(rt_taking *taking, rt_response_set *set, int64_t problem, int64_t sample,
                            const rt_response *response, int64_t tokens, retort_error *err);
/* begun's tokens and those behind them as one response without log-probabilities; rt_free its ids. */
retort_status rt_local_join(const rt_begun *begun, const rt_response *rest, rt_response *out, retort_error *err);

/* local_budget.c: the responses of round r at every budget. */
retort_status rt_local_budgets(rt_local *local, int64_t r, const rt_response *responses, retort_error *err);
/* local_extend.c: round r from the responses that it begins with. */
retort_status rt_local_extend(rt_taking *taking, int64_t r, retort_error *err);

#endif
