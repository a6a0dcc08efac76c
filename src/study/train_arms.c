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

static retort_status hash_inputs(const rt_training *job, rt_inputs *inputs, retort_error *err) {
    char weights[4096 + 32];
    snprintf(weights, sizeof weights, "%s/model.safetensors", job->start);
    RT_TRY(rt_inputs_add(inputs, err, "version %s", RETORT_VERSION));
    RT_TRY(rt_inputs_add_file(inputs, weights, err));
    RT_TRY(rt_inputs_add_file(inputs, job->dataset, err));
    return job->distill != NULL ? rt_inputs_add_options(inputs, retort_distill_option_table, job->distill, err)
                                : rt_inputs_add_options(inputs, retort_rl_option_table, job->rl, err);
}

/* Borrows the strings for the call: the option structs are otherwise shared recipe values. */
static retort_status call_trainer(const rt_study *study, const rt_training *job, char *output,
                                  retort_training_account *account, retort_error *err) {
    if (job->distill != NULL) {
        retort_distill_options options = *job->distill;
        options.model = (char *)(uintptr_t)job->start;
        options.dataset = (char *)(uintptr_t)job->dataset;
        options.train.output_dir = output;
        options.train.threads = study->options->threads;
        options.train.resume = true;
        return retort_distill(&options, study->progress, account, err);
    }
    retort_rl_options options = *job->rl;
    options.model = (char *)(uintptr_t)job->start;
    options.dataset = (char *)(uintptr_t)job->dataset;
    options.train.output_dir = output;
    options.train.threads = study->options->threads;
    options.train.resume = true;
    return retort_rl(&options, study->progress, account, err);
}

retort_status rt_study_train_one(rt_study *study, const rt_training *job, json_t **account, retort_error *err) {
    char output[4096], weights[4096 + 32], stage_name[64];
    RT_TRY(rt_study_path(study, output, err, "models/%s", job->name));
    snprintf(weights, sizeof weights, "%s/model.safetensors", output);
    snprintf(stage_name, sizeof stage_name, "train-%s", job->name);
    rt_inputs inputs = {0};
    rt_stage stage;
    retort_status st = hash_inputs(job, &inputs, err);
    if (st == RETORT_OK) st = rt_stage_begin(study->options->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    if (!stage.done || !rt_path_exists(weights)) {
        retort_training_account counts = {0};
        st = call_trainer(study, job, output, &counts, err);
        fill_account(stage.account, &counts);
    }
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    if (st == RETORT_OK) {
        *account = json_deep_copy(stage.account);
        rt_json_set_real(study->times, stage_name, stage.seconds);
    }
    rt_stage_release(&stage);
    return st == RETORT_OK ? st : rt_fail_context(err, st, "arm '%s'", job->name);
}

/* An arm that is taught in the rigid form has the rigid arm's options, else the distilled arm's. */
const retort_distill_options *rt_study_distill_options(const rt_study *study, rt_arm_id arm) {
    return arm == RT_ARM_RIGID || arm == RT_ARM_SPRINKLED ? &study->distill_rigid : &study->distill;
}

static retort_status distill_arm(rt_study *study, rt_arm_id arm, retort_error *err) {
    char traces[4096];
    RT_TRY(rt_study_traces(study, arm, traces, err));
    const rt_training training = {RT_ARM_TABLE[arm].name, study->options->base, traces,
                                  rt_study_distill_options(study, arm), NULL};
    return rt_study_train_one(study, &training, &study->accounts[arm], err);
}

static retort_status reinforce_arm(rt_study *study, rt_arm_id arm, const retort_rl_options *options,
                                   retort_error *err) {
    char problems[4096], start[4096];
    RT_TRY(rt_study_path(study, problems, err, "data/rl.jsonl"));
    RT_TRY(rt_arm_model_dir(study, RT_ARM_TABLE[arm].starts_from, start, err));
    const rt_training training = {RT_ARM_TABLE[arm].name, start, problems, NULL, options};
    return rt_study_train_one(study, &training, &study->accounts[arm], err);
}

retort_status rt_study_train(rt_study *study, retort_error *err) {
    static const rt_arm_id TAUGHT[] = {RT_ARM_DISTILLED, RT_ARM_RIGID, RT_ARM_PLAIN, RT_ARM_SPRINKLED};
    for (size_t i = 0; i < sizeof TAUGHT / sizeof *TAUGHT; i++)
        if (study->on[TAUGHT[i]]) RT_TRY(distill_arm(study, TAUGHT[i], err));
    if (study->on[RT_ARM_ZERO_RL]) RT_TRY(reinforce_arm(study, RT_ARM_ZERO_RL, &study->rl, err));
    if (study->on[RT_ARM_DISTILLED_RL]) RT_TRY(reinforce_arm(study, RT_ARM_DISTILLED_RL, &study->rl_after, err));
    return RETORT_OK;
}
