#include <stdarg.h>

#include "core/file.h"
#include "data/world.h"
#include "retort/teach.h"
#include "study/study.h"

const rt_arm RT_ARM_TABLE[RT_ARMS] = {
    {"base", "Base", "the shipped base model, as it is", RT_ARM_BASE, RT_ARM_BASE, false},
    {"distilled", "Distilled", "fine-tuned on the flexible teacher's traces", RT_ARM_DISTILLED, RT_ARM_BASE, false},
    {"distilled-rigid", "Distilled (rigid)", "fine-tuned on the rigid teacher's traces of the same problems",
     RT_ARM_RIGID, RT_ARM_BASE, false},
    {"zero-rl", "Zero-RL", "GRPO straight from the base with verifiable rewards", RT_ARM_ZERO_RL, RT_ARM_BASE, false},
    {"distilled-rl", "Distilled + RL", "GRPO from the distilled model", RT_ARM_DISTILLED_RL, RT_ARM_DISTILLED, false},
    {"distilled-banned", "Distilled, tokens banned",
     "the distilled model sampled with anthropomorphic tokens and logical connectors banned", RT_ARM_DISTILLED,
     RT_ARM_BASE, true},
    {"zero-rl-banned", "Zero-RL, tokens banned", "the zero-RL model sampled with the same tokens banned",
     RT_ARM_ZERO_RL, RT_ARM_BASE, true},
};

const char *rt_eval_split_name(rt_eval_split split) {
    static const char *const NAMES[] = {"test", "hard", "transfer"};
    return NAMES[split];
}

retort_status rt_study_path(const rt_study *study, char path[4096], retort_error *err, const char *fmt, ...) {
    int prefix = snprintf(path, 4096, "%s/", study->options->out);
    RT_CHECK(prefix > 0 && prefix < 4000, err, RETORT_ERR_USAGE, "the path '%s' is too long", study->options->out);
    va_list args;
    va_start(args, fmt);
    int written = vsnprintf(path + prefix, (size_t)(4096 - prefix), fmt, args);
    va_end(args);
    RT_CHECK(written > 0 && written < 4096 - prefix, err, RETORT_ERR_USAGE, "the path '%s' is too long",
             study->options->out);
    return RETORT_OK;
}

retort_status rt_arm_model_dir(const rt_study *study, rt_arm_id arm, char path[4096], retort_error *err) {
    rt_arm_id weights = RT_ARM_TABLE[arm].weights;
    if (weights == RT_ARM_BASE) {
        int written = snprintf(path, 4096, "%s", study->options->base);
        RT_CHECK(written < 4096, err, RETORT_ERR_USAGE, "the path '%s' is too long", study->options->base);
        return RETORT_OK;
    }
    return rt_study_path(study, path, err, "models/%s", RT_ARM_TABLE[weights].name);
}

/* ---- data: problems and traces --------------------------------------------------------------------------------- */

static retort_status make_problems(rt_study *study, rt_split split, int64_t count, const char *name,
                                   retort_error *err) {
    char path[4096];
    rt_inputs inputs = {0};
    rt_stage stage;
    char stage_name[64];
    snprintf(stage_name, sizeof stage_name, "data-%s", name);
    RT_TRY(rt_study_path(study, path, err, "data/%s.jsonl", name));
    retort_status st = rt_inputs_add(&inputs, err, "problems %s %lld seed %lld version %s", rt_split_name(split),
                                     (long long)count, (long long)study->options->seed, RETORT_VERSION);
    if (st == RETORT_OK) st = rt_stage_begin(study->options->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    if (!stage.done || !rt_path_exists(path)) {
        rt_problems problems = {0};
        st = rt_world_problems(split, count, (uint64_t)study->options->seed * 1000 + RT_SEED_DATA, &problems, err);
        if (st == RETORT_OK) st = rt_problems_write(path, &problems, err);
        rt_problems_free(&problems);
    }
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    rt_stage_release(&stage);
    return st;
}

/* One unscreened trace a problem, by the same call as `retort teach`. */
static retort_status write_traces(const rt_study *study, rt_teacher teacher, const char *problems, const char *path,
                                  json_t *account, retort_error *err) {
    retort_teach_options options;
    retort_teach_account counts = {0};
    RT_TRY(retort_options_defaults(retort_teach_option_table, &options, err));
    options.seed = study->options->seed * 1000 + RT_SEED_TEACHER;
    options.budget = study->options->teacher_budget;
    retort_status st = retort_options_set(retort_teach_option_table, &options, "problems", problems, err);
    if (st == RETORT_OK) st = retort_options_set(retort_teach_option_table, &options, "output", path, err);
    if (st == RETORT_OK)
        st = retort_options_set(retort_teach_option_table, &options, "teacher", rt_teacher_name(teacher), err);
    if (st == RETORT_OK) st = retort_teach(&options, study->progress, &counts, err);
    retort_options_release(retort_teach_option_table, &options);
    json_object_set_new(account, "traces", json_integer(counts.traces));
    json_object_set_new(account, "right", json_integer(counts.right));
    json_object_set_new(account, "characters", json_integer(counts.characters));
    return st;
}

static retort_status make_traces(rt_study *study, rt_teacher teacher, retort_error *err) {
    char source[4096], path[4096], stage_name[64];
    rt_inputs inputs = {0};
    rt_stage stage;
    snprintf(stage_name, sizeof stage_name, "traces-%s", rt_teacher_name(teacher));
    RT_TRY(rt_study_path(study, source, err, "data/distill.jsonl"));
    RT_TRY(rt_study_path(study, path, err, "traces/%s.jsonl", rt_teacher_name(teacher)));
    retort_status st =
        rt_inputs_add(&inputs, err, "traces %s seed %lld budget %lld version %s", rt_teacher_name(teacher),
                      (long long)study->options->seed, (long long)study->options->teacher_budget, RETORT_VERSION);
    if (st == RETORT_OK) st = rt_inputs_add_file(&inputs, source, err);
    if (st == RETORT_OK) st = rt_stage_begin(study->options->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    if (!stage.done || !rt_path_exists(path)) {
        st = write_traces(study, teacher, source, path, stage.account, err);
    }
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    rt_stage_release(&stage);
    return st;
}

retort_status rt_study_make_data(rt_study *study, retort_error *err) {
    const retort_study_options *options = study->options;
    RT_TRY(make_problems(study, RT_SPLIT_DISTILL, options->examples, "distill", err));
    RT_TRY(make_problems(study, RT_SPLIT_RL, options->rl_problems, "rl", err));
    RT_TRY(make_problems(study, RT_SPLIT_TEST, options->test_problems, "test", err));
    RT_TRY(make_problems(study, RT_SPLIT_HARD, options->hard_problems, "hard", err));
    RT_TRY(make_problems(study, RT_SPLIT_TRANSFER, options->transfer_problems, "transfer", err));
    for (int s = 0; s < RT_EVAL_SPLITS; s++) {
        char path[4096];
        RT_TRY(rt_study_path(study, path, err, "data/%s.jsonl", rt_eval_split_name((rt_eval_split)s)));
        RT_TRY(rt_problems_read(path, &study->problems[s], err));
    }
    RT_TRY(make_traces(study, RT_TEACHER_FLEXIBLE, err));
    return make_traces(study, RT_TEACHER_RIGID, err);
}
