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
 * is asked for, and a run that was stopped goes on where it was. Replies may also come through batch files
 * (batch_requests, batch_results), or be traces that somebody else has made (import_traces).
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
    char *store; /* SQLite file that keeps every reply */
    char *
        batch_requests; /* NULL, or a file to write: the requests that have no reply yet, as OpenAI's batch API reads */
    char *batch_results; /* NULL, or a comma list of files that such an API wrote */
    char *import_traces; /* NULL, or a comma list of JSONL files of traces */
    char *against;       /* NULL, or a comma list of evaluation sets to look for among the problems */
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
    /* Of batch results and imported traces: taken; there already (or more than n of one problem); errors; of no problem
     * or question. */
    int64_t imported, imported_again, import_failed, import_unmatched;
    int64_t batch_written; /* requests in batch_requests */
    int64_t missing;       /* problems without a trace, where traces are imported */
    /* NULL, or compact JSON that the caller frees with free: {"contamination": what retort_contamination reports,
     * "failed": [{"file", "line", "id", "message"}], "unmatched": [{"file", "line", "id", "text"}]}; a list ends at
     * 100. */
    char *details;
} retort_teach_account;

/* Writes one trace a problem, in order, as JSONL: {"id","problem","response","teacher","verdict"}. Nothing is screened:
 * a trace that gave up stays in, with verdict "unparsed". With batch_requests, where replies are still missing and no
 * endpoint is given, only that file is written. account may be NULL; it is filled also where the call fails. */
RETORT_API retort_status retort_teach(const retort_teach_options *options, const retort_progress *progress,
                                      retort_teach_account *account, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
