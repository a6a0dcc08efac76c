/* Evaluations of a model behind an OpenAI-compatible API (src/ask). */
#ifndef RT_EVALUATE_REMOTE_H
#define RT_EVALUATE_REMOTE_H

#include "ask/ask.h"
#include "evaluate/evaluate.h"

typedef struct rt_remote {
    const retort_endpoint_options *endpoint;
    const char *store;        /* SQLite file that keeps every reply; a run that was stopped goes on from it */
    const char *template_dir; /* completions: folder whose chat template renders the prompts; NULL: they are asked as
                               * they are, the instruction around them */
    double temperature, top_p, min_p; /* as they are to be sent; min_p 0: it is not sent, as top_k */
    int64_t top_k;
} rt_remote;

/* Asks for all rounds and grades what came. The seed of a request is made of the run's, the problem's id and the
 * sample's number. What never came is counted in the rounds' `missing`, whose records are then fewer, and the call
 * fails with RETORT_ERR_IO behind everything else; the rounds are filled all the same. With the endpoint's dry_run
 * nothing is asked and only *account filled. Going on (round->begun) and budgets need the API's completions form. */
retort_status rt_evaluate_remote(const rt_evaluation *what, const rt_remote *remote, rt_round *rounds, int64_t count,
                                 const rt_before *before, const retort_progress *progress, rt_ask_account *account,
                                 retort_error *err);

#endif
