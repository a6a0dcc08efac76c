#include "core/file.h"
#include "retort/rewrite.h"
#include "retort/teach.h"
#include "study/study.h"

/* The data of a study: problems, traces, and traces told in another style. */

retort_status rt_study_problems(rt_study *study, rt_split split, int64_t count, const char *name, retort_error *err) {
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

static retort_status make_traces(rt_study *study, rt_teacher teacher, char path[4096], retort_error *err) {
    char source[4096], stage_name[64];
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
    if (!stage.done || !rt_path_exists(path)) st = write_traces(study, teacher, source, path, stage.account, err);
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    rt_stage_release(&stage);
    return st;
}

static void rates_json(json_t *account, const char *key, const retort_rewrite_rates *rates) {
    json_t *object = json_object();
    json_object_set_new(object, "tokens", json_integer(rates->lexemes));
    json_object_set_new(object, "anthropomorphic", json_integer(rates->anthropomorphic));
    json_object_set_new(object, "logical", json_integer(rates->logical));
    json_object_set_new(account, key, object);
}

/* By the same call as `retort rewrite`. In the world nothing may be rejected: a gap would be an arm of fewer examples.
 */
static retort_status restyle(const rt_study *study, const char *style, char *source, char *match, char *path,
                             json_t *account, retort_error *err) {
    retort_rewrite_options options;
    retort_rewrite_account counts = {0};
    RT_TRY(retort_options_defaults(retort_rewrite_option_table, &options, err));
    options.seed = study->options->seed * 1000 + RT_SEED_REWRITE;
    retort_status st = retort_options_set(retort_rewrite_option_table, &options, "input", source, err);
    if (st == RETORT_OK) st = retort_options_set(retort_rewrite_option_table, &options, "output", path, err);
    if (st == RETORT_OK) st = retort_options_set(retort_rewrite_option_table, &options, "style", style, err);
    if (st == RETORT_OK) st = retort_options_set(retort_rewrite_option_table, &options, "match", match, err);
    if (st == RETORT_OK) st = retort_rewrite(&options, study->progress, &counts, err);
    retort_options_release(retort_rewrite_option_table, &options);
    if (st == RETORT_OK && counts.rejected > 0)
        st = rt_fail(err, RETORT_ERR_STATE, "%lld of %lld traces could not be rewritten: %s",
                     (long long)counts.rejected, (long long)counts.traces, counts.reason);
    json_object_set_new(account, "traces", json_integer(counts.written));
    rates_json(account, "before", &counts.before);
    rates_json(account, "after", &counts.after);
    return st;
}

static retort_status make_style(rt_study *study, const char *style, char *source, char *match, char path[4096],
                                retort_error *err) {
    char stage_name[64];
    rt_inputs inputs = {0};
    rt_stage stage;
    snprintf(stage_name, sizeof stage_name, "traces-%s", style);
    RT_TRY(rt_study_path(study, path, err, "traces/%s.jsonl", style));
    retort_status st = rt_inputs_add(&inputs, err, "style %s seed %lld version %s", style,
                                     (long long)study->options->seed, RETORT_VERSION);
    if (st == RETORT_OK) st = rt_inputs_add_file(&inputs, source, err);
    if (st == RETORT_OK) st = rt_inputs_add_file(&inputs, match, err);
    if (st == RETORT_OK) st = rt_stage_begin(study->options->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    if (!stage.done || !rt_path_exists(path)) st = restyle(study, style, source, match, path, stage.account, err);
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    rt_stage_release(&stage);
    return st;
}

retort_status rt_study_traces(rt_study *study, rt_arm_id arm, char path[4096], retort_error *err) {
    char flexible[4096], rigid[4096];
    switch (arm) {
    case RT_ARM_RIGID: return make_traces(study, RT_TEACHER_RIGID, path, err);
    case RT_ARM_PLAIN:
        RT_TRY(make_traces(study, RT_TEACHER_FLEXIBLE, flexible, err));
        return make_style(study, "plain", flexible, flexible, path, err);
    case RT_ARM_SPRINKLED:
        RT_TRY(make_traces(study, RT_TEACHER_FLEXIBLE, flexible, err));
        RT_TRY(make_traces(study, RT_TEACHER_RIGID, rigid, err));
        return make_style(study, "sprinkled", rigid, flexible, path, err);
    default: return make_traces(study, RT_TEACHER_FLEXIBLE, path, err);
    }
}

static bool needs_rl(const rt_study *study) {
    return study->on[RT_ARM_ZERO_RL] || study->on[RT_ARM_DISTILLED_RL];
}

retort_status rt_study_make_data(rt_study *study, retort_error *err) {
    const retort_study_options *options = study->options;
    char path[4096];
    RT_TRY(rt_study_problems(study, RT_SPLIT_DISTILL, options->examples, "distill", err));
    if (needs_rl(study)) RT_TRY(rt_study_problems(study, RT_SPLIT_RL, options->rl_problems, "rl", err));
    RT_TRY(rt_study_problems(study, RT_SPLIT_TEST, options->test_problems, "test", err));
    RT_TRY(rt_study_problems(study, RT_SPLIT_HARD, options->hard_problems, "hard", err));
    RT_TRY(rt_study_problems(study, RT_SPLIT_TRANSFER, options->transfer_problems, "transfer", err));
    for (int s = 0; s < RT_EVAL_SPLITS; s++) {
        RT_TRY(rt_study_path(study, path, err, "data/%s.jsonl", rt_eval_split_name((rt_eval_split)s)));
        RT_TRY(rt_problems_read(path, &study->problems[s], err));
    }
    static const rt_arm_id TAUGHT[] = {RT_ARM_DISTILLED, RT_ARM_RIGID, RT_ARM_PLAIN, RT_ARM_SPRINKLED};
    for (size_t i = 0; i < sizeof TAUGHT / sizeof *TAUGHT; i++)
        if (study->on[TAUGHT[i]]) RT_TRY(rt_study_traces(study, TAUGHT[i], path, err));
    return RETORT_OK;
}
