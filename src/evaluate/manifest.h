/* What a run was made of, as JSON beside its responses, so that it can be made again and what changed be named.
 *
 *     {"retort_manifest": 1, "kind": "eval", "version", "binary": SHA-256 of the program,
 *      "options": {NAME: TEXT of every option that can change a response},
 *      "files": {PATH: SHA-256 of the model's weights, configuration, tokenizer and template, and of the adapter},
 *      "endpoint": {...} instead of files where the model is elsewhere,
 *      "benchmarks": [{"name", "n", "problems", "data": SHA-256 of problems and answers, "prompts": SHA-256 of the
 *                      rendered prompts, "responses": {"responses", "budget-N": SHA-256}}]}
 */
#ifndef RT_EVALUATE_MANIFEST_H
#define RT_EVALUATE_MANIFEST_H

#include "evaluate/benchmarks.h"
#include "evaluate/evaluate.h"
#include "retort/evaluate.h"

/* Where the manifest of an output stands: "r.jsonl" has "r.manifest.json", a folder "manifest.json". Appends. */
retort_status rt_manifest_path(const char *output, bool folder, rt_buffer *out, retort_error *err);

/* Everything but the responses' hashes; the rounds have their prompts' hashes. A new object. */
retort_status rt_manifest_make(const retort_eval_options *options, const rt_benchmarks *benchmarks,
                               const rt_round *rounds, json_t **out, retort_error *err);
/* Adds the hashes of what round i wrote. */
retort_status rt_manifest_add_responses(json_t *manifest, int64_t i, const rt_round *round, int32_t num_budgets,
                                        retort_error *err);

/* Reads a manifest of eval. */
retort_status rt_manifest_read(const char *path, json_t **out, retort_error *err);
/* Fills options, which hold their defaults, from a manifest's. */
retort_status rt_manifest_options(const json_t *manifest, retort_eval_options *options, retort_error *err);

/* What is not the same in `now` as in `then`: files of the model, problems, prompts. With `sampling` also the sampling
 * options apart from max_new_tokens (for a run that goes on). RETORT_ERR_USAGE with a line for each difference as
 * detail; *binary tells whether the program is the same, which is no difference: it may not change a result. */
retort_status rt_manifest_compare(const json_t *then, const json_t *now, const char *path, bool sampling, bool *binary,
                                  retort_error *err);
/* RETORT_ERR_STATE where the responses are not the same bytes. */
retort_status rt_manifest_compare_responses(const json_t *then, const json_t *now, const char *path, retort_error *err);

#endif
