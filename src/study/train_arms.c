#include <string.h>

#include "analyze/jsonout.h"
#include "core/file.h"
#include "study/study.h"

/* The trained arms: each is one call of the library's trainer with the recipe's options, resumable on its own. */

static void fill_account(json_t *out, const retort_training_account *account) {
    json_object_set_new(out, "steps", json_integer(account->steps));
    json_object_set_new(out, "examples", json_integer(account->examples));
    json_object_set_new(out, "distinct_problems", json_integer(account->distinct_problems));
    rt_json_set_real(out, "trained_tokens", account->trained_tokens);
    rt_json_set_real(out, "supervised_tokens", account->supervised_tokens);
    rt_json_set_real(out, "generated_tokens", account->generated_tokens);
    rt_json_set_real(out, "train_flops", account->train_flops);
    rt_json_set_real(out, "rollout_flops", account->rollout_flops);
    rt_json_set_real(out, "total_flops", account->train_flops + account->rollout_flops);
    rt_json_set_real(out, "final_loss", account->final_loss);
}

typedef struct arm_job {
    rt_arm_id arm;
    const char *model_dir, *dataset;
    retort_distill_options *distill; /* one of the two */
    retort_rl_options *rl;
} arm_job;

static retort_status hash_inputs(const arm_job *job, rt_inputs *inputs, retort_error *err) {
    char weights[4096 + 32];
    snprintf(weights, sizeof weights, "%s/model.safetensors", job->model_dir);
    RT_TRY(rt_inputs_add(inputs, err, "version %s", RETORT_VERSION));
    RT_TRY(rt_inputs_add_file(inputs, weights, err));
    RT_TRY(rt_inputs_add_file(inputs, job->dataset, err));
    return job->distill != NULL ? rt_inputs_add_options(inputs, retort_distill_option_table, job->distill, err)
                                : rt_inputs_add_options(inputs, retort_rl_option_table, job->rl, err);
}

/* Borrows the strings for the call: the option structs are otherwise shared recipe values. */
static retort_status call_trainer(const rt_study *study, const arm_job *job, char *output,
                                  retort_training_account *account, retort_error *err) {
    if (job->distill != NULL) {
        retort_distill_options options = *job->distill;
        options.model = (char *)(uintptr_t)job->model_dir;
        options.dataset = (char *)(uintptr_t)job->dataset;
        options.train.output_dir = output;
        options.train.threads = study->options->threads;
        options.train.resume = true;
        return retort_distill(&options, study->progress, account, err);
    }
    retort_rl_options options = *job->rl;
    options.model = (char *)(uintptr_t)job->model_dir;
    options.dataset = (char *)(uintptr_t)job->dataset;
    options.train.output_dir = output;
    options.train.threads = study->options->threads;
    options.train.resume = true;
    return retort_rl(&options, study->progress, account, err);
}

static retort_status train_arm(rt_study *study, const arm_job *job, retort_error *err) {
    const rt_arm *arm = &RT_ARM_TABLE[job->arm];
    char output[4096], weights[4096 + 32], stage_name[64];
    RT_TRY(rt_arm_model_dir(study, job->arm, output, err));
    snprintf(weights, sizeof weights, "%s/model.safetensors", output);
    snprintf(stage_name, sizeof stage_name, "train-%s", arm->name);
    rt_inputs inputs = {0};
    rt_stage stage;
    retort_status st = hash_inputs(job, &inputs, err);
    if (st == RETORT_OK) st = rt_stage_begin(study->options->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    if (!stage.done || !rt_path_exists(weights)) {
        retort_training_account account = {0};
        st = call_trainer(study, job, output, &account, err);
        fill_account(stage.account, &account);
    }
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    if (st == RETORT_OK) {
        study->accounts[job->arm] = json_deep_copy(stage.account);
        rt_json_set_real(study->times, stage_name, stage.seconds);
    }
    rt_stage_release(&stage);
    return st == RETORT_OK ? st : rt_fail_context(err, st, "arm '%s'", arm->name);
}

retort_status rt_study_train(rt_study *study, retort_error *err) {
    char flexible[4096], rigid[4096], problems[4096], distilled[4096];
    RT_TRY(rt_study_path(study, flexible, err, "traces/flexible.jsonl"));
    RT_TRY(rt_study_path(study, rigid, err, "traces/rigid.jsonl"));
    RT_TRY(rt_study_path(study, problems, err, "data/rl.jsonl"));
    RT_TRY(rt_arm_model_dir(study, RT_ARM_DISTILLED, distilled, err));
    const char *base = study->options->base;
    const arm_job jobs[] = {
        {RT_ARM_DISTILLED, base, flexible, &study->distill, NULL},
        {RT_ARM_RIGID, base, rigid, &study->distill_rigid, NULL},
        {RT_ARM_ZERO_RL, base, problems, NULL, &study->rl},
        {RT_ARM_DISTILLED_RL, distilled, problems, NULL, &study->rl_after},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) RT_TRY(train_arm(study, &jobs[i], err));
    return RETORT_OK;
}
