/* Checkpoints: everything a run needs to go on to the same bits as if it had never stopped.
 *
 *   output_dir/checkpoint-N/   N = steps done; appears under this name only when complete
 *     config.json, generation_config.json, model.safetensors (float32), tokenizer files   - a usable model folder
 *     or, where adapters are trained: adapter_config.json, adapter_model.safetensors, tokenizer files   - PEFT's form
 *     optimizer.safetensors    AdamW's moments: "exp_avg.<tensor>", "exp_avg_sq.<tensor>"
 *     trainer_state.json       counters, data cursor, account, hyper-parameters, hashes of data and base weights
 *   output_dir/trainer_state.json   the same state, written last: the run is complete
 *
 * Random draws need no state of their own: they are functions of the seed, the step and the data cursor.
 */
#ifndef RT_CHECKPOINT_H
#define RT_CHECKPOINT_H

#include "train/optimizer.h"

#include "core/json.h"

/* What identifies a run. A checkpoint fits a run when these are equal. */
typedef struct rt_run_identity {
    const char *stage;        /* "pretrain", "distill", "rl" */
    json_t *hyper_parameters; /* name -> text, owned by the holder */
    char data_hash[65], base_hash[65];
    int64_t total_steps;
} rt_run_identity;

/* {"format", "stage", "total_steps", "hyper_parameters", "data_sha256", "base_sha256"}; the caller adds its counters.
 */
retort_status rt_identity_to_json(const rt_run_identity *identity, json_t **out, retort_error *err);
/* RETORT_ERR_STATE naming the first key that differs, with both values and what to do; `where` names the state. */
retort_status rt_identity_check(const rt_run_identity *identity, const json_t *state, const char *where,
                                retort_error *err);

/* Newest complete checkpoint under output_dir: *path (rt_free) and *step; *path NULL and *step 0 if there is none. */
retort_status rt_checkpoint_find(const char *output_dir, char **path, int64_t *step, retort_error *err);

/* Removes what a killed run left half-written: folders checkpoint-N.tmp. */
retort_status rt_checkpoint_clean(const char *output_dir, retort_error *err);

/* Writes checkpoint-<step>, then removes the oldest beyond `limit` (0: keeps all). On failure nothing of the new one is
 * left and the older ones are untouched. */
retort_status rt_checkpoint_save(const char *output_dir, int64_t step, const rt_model *model,
                                 const rt_optimizer *optimizer, const char *tokenizer_dir, const json_t *state,
                                 int64_t limit, retort_error *err);

/* Reads weights (or adapters) and moments into a model and an optimizer of the same shape, and the state (json_decref
 * it). */
retort_status rt_checkpoint_load(const char *path, rt_model *model, rt_optimizer *optimizer, retort_error *err);

/* What was trained, into a folder: the model as `dtype`, or its adapters (float32) with `base` as the name of the model
 * they belong to. */
retort_status rt_trained_save(const rt_model *model, const char *dir, const char *base, rt_dtype dtype,
                              retort_error *err);

/* output_dir/trainer_state.json with the SHA-256 of the final weights file added; adapters: whether that is an
 * adapter's. */
retort_status rt_completion_save(const char *output_dir, bool adapters, json_t *state, retort_error *err);
/* *state is the completed run's state, or NULL if the run was not completed or its weights file is not the one it
 * wrote. */
retort_status rt_completion_load(const char *output_dir, bool adapters, json_t **state, retort_error *err);
retort_status rt_completion_remove(const char *output_dir, retort_error *err);

#endif
