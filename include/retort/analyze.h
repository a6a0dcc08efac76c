/* Evaluation and analysis: scores, token statistics and behaviours of responses.
 *
 * All three work on responses as JSONL, one object a response:
 *   {"problem_id", "sample", "model", "text", "tokens", "finish_reason", "verdict"}
 * and on problems as JSONL (`retort data`). They return their result as JSON text that the caller frees with
 * retort_free; the command prints it with --json, or a table made of it.
 */
#ifndef RETORT_ANALYZE_H
#define RETORT_ANALYZE_H

#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Frees a string that the library returned; NULL is allowed. */
RETORT_API void retort_free(char *text);

typedef struct retort_eval_options {
    char *model;    /* Hugging Face directory */
    char *adapter;  /* PEFT folder of an adapter of that model, NULL: none */
    int dtype;      /* auto|f32|bf16: how the weights are held */
    char *problems; /* JSONL of problems, or NULL to take `count` problems of the world's `split` */
    char *split;
    int64_t count, problems_seed;
    char *output;                      /* responses JSONL; NULL: not kept */
    char *system_prompt, *instruction; /* how the model is asked; the instruction has {problem} in it */
    int64_t n, seed, max_new_tokens, batch, threads, top_k;
    double temperature, top_p, min_p;
    char *ban_list; /* categories or a file of words, comma list */
} retort_eval_options;
extern RETORT_API const retort_option retort_eval_option_table[];

/* Samples n responses a problem, grades them, and gives the score object of report.json: avg, both intervals, pass_at,
 * stop / length / unparsed rates, mean length, accuracy on completed responses. */
RETORT_API retort_status retort_eval(const retort_eval_options *options, const retort_progress *progress, char **json,
                                     retort_error *err);

typedef struct retort_tokens_options {
    char
        *responses; /* comma list of JSONL files; the model's name in each line, else the file's name, tells the arms */
    int64_t seed, top;
} retort_tokens_options;
extern RETORT_API const retort_option retort_tokens_option_table[];

/* Per model: responses, lexical tokens, rate per 1,000 of each category with a bootstrap interval over problems, per
 * word counts; and for each pair of models the `top` most distinctive tokens by log-odds with an informative Dirichlet
 * prior (Monroe, Colaresi and Quinn 2008), z-scores. The counting rule is in docs/analysis.md. */
RETORT_API retort_status retort_tokens(const retort_tokens_options *options, char **json, retort_error *err);

typedef struct retort_behaviors_options {
    char *responses, *problems; /* responses: comma list */
    int64_t seed;
} retort_behaviors_options;
extern RETORT_API const retort_option retort_behaviors_option_table[];

/* Per model: mean number a response, and share of responses with at least one, of each behaviour that the world's
 * grammar lets us read off exactly (docs/world.md), with bootstrap intervals over problems. */
RETORT_API retort_status retort_behaviors(const retort_behaviors_options *options, char **json, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
