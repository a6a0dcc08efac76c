/* Behaviours of responses, by judges: exactly (the embedded world), by rules, by language models, by people; and how
 * far they agree. docs/behaviors.md explains all of it.
 *
 *     retort_behaviors_options options;
 *     retort_options_defaults(retort_behaviors_option_table, &options, &err);
 *     retort_options_set(retort_behaviors_option_table, &options, "responses", "a.jsonl,b.jsonl", &err);
 *     char *json;
 *     retort_behaviors(&options, NULL, &json, &err);     // by rules; by a model too where base_url is set
 *     ...
 *     retort_free(json);                                  // retort/analyze.h
 */
#ifndef RETORT_JUDGE_H
#define RETORT_JUDGE_H

#include "retort/endpoint.h"
#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_behaviors_options {
    char *responses; /* comma list of JSONL files: problem_id, text or response, and where known model, sample */
    char *problems;  /* JSONL; NULL: the responses' own `world` tells which belong to the embedded world */
    char *behaviors; /* YAML of what is looked for; NULL: what ships */
    char *judges;    /* comma list of exact and rules; NULL: both, the exact one where the problems are the world's */
    char *output;    /* JSONL of judgements; NULL: not written */
    int64_t seed;    /* of the bootstrap */
    retort_endpoint_options endpoint; /* a language model as a judge, where base_url is set; model: a comma list */
    char *store;                      /* run store that keeps its replies and judgements */
    char *prompt;                     /* file of a prompt of one's own; NULL: what ships */
    int64_t votes, max_tokens, segment, overlap;
    double temperature, top_p;
} retort_behaviors_options;
extern RETORT_API const retort_option retort_behaviors_option_table[];

/* Judges every response and gives, as JSON text for retort_free:
 * "behaviors": the list judged and its SHA-256; "models": per model the responses, how many were truncated, "counts"
 * (what the world's grammar tells exactly, docs/world.md; only where all responses are the world's), and "judges": per
 * judge the votes that could be read, "unparsed" and "refused", and per behaviour the mean per response, the share of
 * responses with at least one and the rate per 1,000 words, each with n and a bootstrap interval over problems;
 * "agreement": between judges, and between votes. With a language model also "endpoint": what was asked and what it
 * cost.
 *
 * A reply that cannot be read is "unparsed" and in no mean. Errors: RETORT_ERR_USAGE, RETORT_ERR_FORMAT and
 * RETORT_ERR_NOT_FOUND name file and line; those of an endpoint are as of retort_teach. */
RETORT_API retort_status retort_behaviors(const retort_behaviors_options *options, const retort_progress *progress,
                                          char **json, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
