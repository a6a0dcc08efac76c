/* Traces told in another style, their steps unchanged: is it the style that teaches, or the strategy?
 *
 *     retort_rewrite_options options;
 *     retort_options_defaults(retort_rewrite_option_table, &options, &err);
 *     retort_options_set(retort_rewrite_option_table, &options, "input", "traces/flexible.jsonl", &err);
 *     retort_options_set(retort_rewrite_option_table, &options, "output", "traces/plain.jsonl", &err);
 *     retort_rewrite(&options, NULL, &account, &err);
 *
 * Two styles (docs/rewrite.md):
 *   plain      no marked token (the anthropomorphic and logical words of the lexicon) is left
 *   sprinkled  marked tokens are put in, at the rate of the traces in `match`
 *
 * The traces of the embedded world's teachers are rewritten exactly, by its grammar: plain takes the flexible
 * teacher's, sprinkled the rigid teacher's. With endpoint.base_url a model rewrites any text, by a prompt of ours whose
 * version is in every line.
 *
 * Nothing is believed: a rewritten trace must have the skeleton of its original (every number, operator, bracket and
 * LaTeX command in order, so the same equations and the same boxed answer) and must hold no marked token (plain) or
 * more than before (sprinkled). What does not is rejected: counted, listed with its reason, and not in the output.
 */
#ifndef RETORT_REWRITE_H
#define RETORT_REWRITE_H

#include "retort/endpoint.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum retort_rewrite_style { RETORT_REWRITE_PLAIN, RETORT_REWRITE_SPRINKLED } retort_rewrite_style;

typedef struct retort_rewrite_options {
    char *input;  /* traces: JSONL with response, completion, or messages whose last is the assistant's */
    char *output; /* the same lines with the text rewritten and a key "style" */
    int style;    /* retort_rewrite_style */
    char *match;  /* sprinkled: traces whose rate and mix of marked tokens is taken */
    int64_t seed; /* sprinkled: which words go where; an endpoint is sent it plus the try's number */
    retort_endpoint_options endpoint; /* base_url NULL: by the world's grammar */
    char *store;                      /* an endpoint's replies */
    int64_t tries, max_tokens;        /* replies to a trace until one is accepted; longest reply */
    double temperature;
} retort_rewrite_options;
extern RETORT_API const retort_option retort_rewrite_option_table[];

/* Marked tokens of a set of traces, in lexical tokens (docs/analysis.md). */
typedef struct retort_rewrite_rates {
    int64_t lexemes, anthropomorphic, logical;
} retort_rewrite_rates;

typedef struct retort_rewrite_account {
    int64_t traces, written, rejected;  /* traces = written + rejected */
    int64_t unchanged;                  /* of those written: had no marked token to begin with (plain) */
    retort_rewrite_rates before, after; /* of those written */
    retort_rewrite_rates matched;       /* sprinkled: of the reference */
    retort_endpoint_account endpoint;   /* over all tries */
    char prompt_version[100];           /* of an endpoint's prompt: name and SHA-256 */
    char reason[256];                   /* of the first rejection; "" if there was none */
} retort_rewrite_account;

/* Writes the output, whole or not at all. RETORT_ERR_STATE if every trace was rejected. account may be NULL. */
RETORT_API retort_status retort_rewrite(const retort_rewrite_options *options, const retort_progress *progress,
                                        retort_rewrite_account *account, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
