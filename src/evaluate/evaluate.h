/* Evaluations: responses to benchmarks are sampled from a model here, or asked for at an endpoint, and graded. */
#ifndef RT_EVALUATE_H
#define RT_EVALUATE_H

#include "analyze/responses.h"
#include "core/plan.h"
#include "evaluate/earlier.h"

/* Longest response where nothing else is said, and R1's own setting (DeepSeek-R1's model card: temperature 0.6, top_p
 * 0.95, 32,768 tokens). */
enum { RT_EVAL_MOST_TOKENS = 32768 };

/* How a model is asked. */
typedef struct rt_evaluation {
    rt_model_source model;
    const char *name;
    const rt_problems *problems; /* these three of a single benchmark, for rt_evaluate */
    int64_t n;
    const char *path;
    rt_grader grader;         /* whose verdicts count */
    int64_t batch;            /* responses at once; 0: up to 256, as half of the free memory allows */
    const char *memory_limit; /* NULL: what the machine has free */
    rt_sampling sampling;     /* without bans; max_new_tokens 0: RT_EVAL_MOST_TOKENS, or what the context leaves */
    const rt_ban_list *bans;  /* NULL: none */
    rt_prompting_settings prompting;
    const int64_t *budgets; /* [num_budgets] ascending: thinking tokens (budget.h) */
    int32_t num_budgets;
    const char *close;     /* what closes a thought and asks for the answer */
    int64_t answer_tokens; /* that an answer may have behind it */
    const char *stage;     /* for progress */
} rt_evaluation;

/* One budget of thinking tokens on one benchmark. */
typedef struct rt_budgeted {
    int64_t tokens, closed; /* the budget; responses whose thought was closed by it */
    rt_response_set set;
} rt_budgeted;

/* One benchmark of an evaluation: what is asked, and what came of it. Free with rt_round_free. */
typedef struct rt_round {
    const char *benchmark; /* a name for the lines, or NULL */
    const rt_problems *problems;
    int64_t n;
    const char *path;        /* JSONL of the responses, atomic; NULL: not kept */
    const rt_earlier *begun; /* the responses of a shorter run, which go on; NULL: none */
    char prompts[65];        /* SHA-256 of the rendered prompts */
    int64_t max_new_tokens;  /* that responses could have */
    rt_response_set set;
    int64_t extended;       /* responses that went on */
    int64_t missing;        /* an endpoint's replies that never came */
    int64_t without_tokens; /* replies whose length the endpoint did not tell */
    rt_budgeted *budgeted;  /* [num_budgets] */
    char (*keys)[65];       /* [problems * n] of an endpoint's replies in the store; NULL: none, or made of pieces */
    double flops;
} rt_round;
void rt_round_free(rt_round *round, int32_t num_budgets);

/* Called when prompts are rendered and the plan stands, before weights are read: a failure ends the evaluation. */
typedef struct rt_before {
    retort_status (*call)(void *context, const rt_round *rounds, int64_t count, retort_error *err);
    void *context;
} rt_before;

/* Samples all rounds from one model directory. *note (may be NULL) gets a sentence where the batch was lowered for want
 * of memory, else "". `before` may be NULL.
 * RETORT_ERR_USAGE with the table of memory as detail: it does not fit. */
retort_status rt_evaluate_local(const rt_evaluation *what, rt_round *rounds, int64_t count, const rt_before *before,
                                const retort_progress *progress, char note[200], retort_error *err);
/* The plan of that: FLOPs and seconds as well as memory, measured here and predicted for the machine (NULL: this one).
 */
retort_status rt_evaluate_plan(const rt_evaluation *what, const retort_machine *machine, rt_round *rounds,
                               int64_t count, rt_plan *plan, char note[200], retort_error *err);

/* A single benchmark: samples n responses of every problem, grades them, and writes them to `path`. flops (may be NULL)
 * gets the cost. */
retort_status rt_evaluate(const rt_evaluation *what, const retort_progress *progress, rt_response_set *out,
                          double *flops, retort_error *err);

#endif
