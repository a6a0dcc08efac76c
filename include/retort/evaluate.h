/* Evaluation: responses to benchmarks, sampled from a model here or asked for at an endpoint, graded and scored; and
 * two such runs compared. docs/analysis.md says what is computed, docs/evaluation.md how a run is made.
 *
 *     retort_eval_options options;
 *     char *json;
 *     retort_options_defaults(retort_eval_option_table, &options, &err);
 *     retort_options_set(retort_eval_option_table, &options, "model", "out/student", &err);
 *     retort_options_set(retort_eval_option_table, &options, "problems", "aime24.jsonl@64,math500.jsonl@4", &err);
 *     retort_options_set(retort_eval_option_table, &options, "output", "run", &err);
 *     retort_eval(&options, NULL, &json, &err);
 *     retort_free(json);
 *     retort_options_release(retort_eval_option_table, &options);
 *
 * Responses are JSONL, one object each: {"benchmark", "problem_id", "sample", "model", "verdict", "strict", "tolerant",
 * "finish_reason", "tokens", "answer_tokens", "text"}, with "answer" or "world" of its problem, and with "token_ids"
 * where a local model was cut at its limit. Results are JSON text that the caller frees with retort_free
 * (retort/analyze.h).
 */
#ifndef RETORT_EVALUATE_H
#define RETORT_EVALUATE_H

#include "retort/endpoint.h"
#include "retort/machine.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_eval_options {
    char *model;    /* model directory, or what the endpoint calls it */
    char *adapter;  /* PEFT folder of an adapter of that model, NULL: none */
    char *problems; /* comma list of JSONL files, FILE or FILE@N */
    char *tasks;    /* comma list of known sets, NAME or NAME@N, which stand in data_dir as NAME.jsonl */
    char *data_dir;
    char *split; /* where neither is given: `count` problems of this split of the world */
    int64_t count, problems_seed;
    char *system_prompt, *instruction; /* how the model is asked; the instruction has {problem} in it */
    char *output;                      /* responses JSONL, with several benchmarks a folder; NULL: not kept */
    int grader;                        /* whose verdicts the score counts: 0 strict, 1 tolerant */
    int64_t n, seed, max_new_tokens;   /* max_new_tokens 0: 32,768, or what the context leaves */
    double temperature, top_p, min_p;
    int64_t top_k;
    char *ban_list; /* shipped categories, lexicons or files of words, comma list */
    int ban_mode;   /* as for retort_sample */
    double ban_penalty, ban_cap;
    char *budget;      /* comma list of thinking tokens */
    char *budget_text; /* what closes a thought; \n stands for a line feed */
    int64_t answer_tokens;
    char *extend;                     /* output of a shorter run, whose cut responses go on */
    char *replay;                     /* manifest of a run that is to be made again */
    int dtype;                        /* auto|f32|bf16|int8: how the weights are held */
    int kv_dtype;                     /* f32|bf16: keys and values in the cache */
    int64_t batch, threads;           /* batch 0: as many as half of the free memory holds, at most 256 */
    char *memory_limit;               /* "14GiB"; NULL: what the machine has free */
    retort_endpoint_options endpoint; /* base_url NULL: a model directory. `model` here is not used */
    char *store;        /* SQLite file that keeps replies, scores, figures, manifest; endpoint: required */
    char *template_dir; /* endpoint, completions: model folder whose template renders the prompts */
} retort_eval_options;
extern RETORT_API const retort_option retort_eval_option_table[];

/* Samples n responses a problem and grades them. The result is the score object of report.json: avg, both intervals,
 * pass_at and maj_at with both intervals each, stop / length / unparsed / over-budget / error rates, mean length,
 * accuracy on completed responses; "graders" (the counts and the score of the strict and of the tolerant grader),
 * "differ" (the responses on which they differ), "sampling" (the settings), with budgets "curve" (the score at each),
 * and "notes" where something has to be said. With several benchmarks: "summary" (a row for each) and "benchmarks"
 * (such an object for each). With an endpoint also "account".
 *
 * Beside `output` stands a manifest (out.manifest.json, or manifest.json in a folder): hashes of weights, tokenizer,
 * rendered prompts, problems, program and responses, and every option that can change a response.
 *
 *   extend  only the responses that were cut go on, with a larger max_new_tokens; of a local model they are the bytes
 * of a run that had the larger one from the start. The earlier run's manifest must fit. replay  runs again by a
 * manifest and gives the same bytes, or RETORT_ERR_USAGE with each difference (weights, tokenizer, template, problems,
 * prompts) as detail before anything is sampled; RETORT_ERR_STATE where the bytes differ nevertheless. Another program
 * is only noted. model, problems, tasks, data_dir and adapter, where they are given, say where these are now; output
 * must be.
 *
 * Errors: RETORT_ERR_USAGE also for what does not fit into memory, with the table as detail. RETORT_ERR_IO where fewer
 * responses came back than were asked for: *json is then there all the same, with the score of those that came
 * ("errors" counts the others). */
RETORT_API retort_status retort_eval(const retort_eval_options *options, const retort_progress *progress, char **json,
                                     retort_error *err);

/* What a local run will take; as retort/plan.h says. */
RETORT_API retort_status retort_eval_plan(const retort_eval_options *options, const retort_machine *machine, bool json,
                                          char **out, size_t *length, retort_error *err);

typedef struct retort_compare_options {
    char *runs;   /* comma list of two files of responses, or of two folders of such files */
    int grader;   /* 0: the verdicts that counted, 1 strict, 2 tolerant */
    bool common;  /* only the problems (in folders: also files) that both have, instead of refusing others */
    int64_t seed; /* of the sign-flip test */
} retort_compare_options;
extern RETORT_API const retort_option retort_compare_option_table[];

/* Compares two runs problem by problem. Differences are second minus first. The result of two files: "runs" (each one's
 * score with both intervals and counts), "paired" (for avg and each pass@k that both have the samples for: difference,
 * its interval over the choice of problems and over the samples, and p of a two-sided sign-flip test), how many
 * problems are better, worse and equal, "changes" (responses of the same problem and number, by their two verdicts) and
 * "changed" (which ones). Of two folders: "comparisons", such an object for each file.
 *
 * Errors: RETORT_ERR_USAGE for runs on different problems, unless `common`; RETORT_ERR_FORMAT for a response without a
 * verdict or one that stands there twice. */
RETORT_API retort_status retort_compare(const retort_compare_options *options, char **json, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
