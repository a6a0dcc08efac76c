/* Teachers: from problems to the traces that a student learns from. See docs/world.md, docs/teach.md.
 *
 *     retort_teach_options teach;
 *     retort_options_defaults(retort_teach_option_table, &teach, &err);
 *     retort_options_set(retort_teach_option_table, &teach, "problems", "problems.jsonl", &err);
 *     retort_options_set(retort_teach_option_table, &teach, "output", "traces.jsonl", &err);
 *     retort_teach(&teach, NULL, &account, &err);
 *
 * The embedded world's teachers are pure functions of the options: the same seed gives the same bytes on every machine.
 * With base_url the teacher is a model elsewhere (docs/teach.md): every reply is durable in the store before the next
 * is asked for, and a run that was stopped goes on where it was.
 */
#ifndef RETORT_TEACH_H
#define RETORT_TEACH_H

#include "retort/endpoint.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_teach_options {
    char *problems; /* JSONL, as retort_data writes it */
    char *output;
    int teacher; /* flexible|rigid|terse */
    int64_t seed, budget;
    int64_t max_examples; /* 0: all */
    /* A teacher elsewhere, where endpoint.base_url is given: an OpenAI-compatible API. */
    retort_endpoint_options endpoint;
    char *store;         /* SQLite file that keeps every reply */
    char *system_prompt; /* NULL: none */
    char *instruction;   /* goes round each problem, with {problem}; NULL: the problem alone */
    int64_t n, max_tokens;
    double temperature, top_p;
    int keep;  /* all|correct */
    int think; /* tags|drop|only */
} retort_teach_options;
extern RETORT_API const retort_option retort_teach_option_table[];

/* What the teacher wrote. */
typedef struct retort_teach_account {
    int64_t traces, right, wrong, unparsed; /* traces = right + wrong + unparsed */
    int64_t characters;
    int64_t left_out;                 /* not kept */
    retort_endpoint_account endpoint; /* zero for the world's teachers */
} retort_teach_account;

/* Writes one trace a problem, in order, as JSONL: {"id","problem","response","teacher","verdict"}. Nothing is screened:
 * a trace that gave up stays in, with verdict "unparsed". account may be NULL. */
RETORT_API retort_status retort_teach(const retort_teach_options *options, const retort_progress *progress,
                                      retort_teach_account *account, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
