#include <string.h>

#include "analyze/jsonout.h"
#include "core/file.h"
#include "study/study.h"
#include "text/lexeme.h"

/* Every arm answers every split with the same settings and the same seed. */

enum { BAN_WORDS_MAX = 128 };

static int32_t list_ban_words(const char *words[BAN_WORDS_MAX]) {
    int32_t count = 0;
    for (int c = 0; c < RT_CATEGORIES; c++)
        for (const char *const *w = rt_category_words((rt_category)c); w != NULL && *w != NULL; w++)
            if (count < BAN_WORDS_MAX) words[count++] = *w;
    return count;
}

static retort_status hash_inputs(const rt_study *study, rt_arm_id arm, const char *model, const char *problems,
                                 rt_inputs *inputs, retort_error *err) {
    const retort_study_options *o = study->options;
    char weights[4096 + 32];
    snprintf(weights, sizeof weights, "%s/model.safetensors", model);
    RT_TRY(rt_inputs_add_file(inputs, weights, err));
    RT_TRY(rt_inputs_add_file(inputs, problems, err));
    if (RT_ARM_TABLE[arm].banned) {
        const char *words[BAN_WORDS_MAX];
        int32_t count = list_ban_words(words);
        for (int32_t i = 0; i < count; i++) RT_TRY(rt_inputs_add(inputs, err, "ban %s", words[i]));
    }
    return rt_inputs_add(inputs, err, "n %lld max %lld temperature %.17g top_p %.17g seed %lld version %s",
                         (long long)o->samples, (long long)o->max_new_tokens, o->temperature, o->top_p,
                         (long long)o->seed, RETORT_VERSION);
}

static retort_status sample_split(rt_study *study, rt_arm_id arm, rt_eval_split split, retort_error *err) {
    const retort_study_options *o = study->options;
    char model[4096], problems[4096], path[4096], stage_name[64];
    const char *words[BAN_WORDS_MAX];
    RT_TRY(rt_arm_model_dir(study, arm, model, err));
    RT_TRY(rt_study_path(study, problems, err, "data/%s.jsonl", rt_eval_split_name(split)));
    RT_TRY(rt_study_path(study, path, err, "responses/%s.%s.jsonl", RT_ARM_TABLE[arm].name, rt_eval_split_name(split)));
    snprintf(stage_name, sizeof stage_name, "sample-%s-%s", RT_ARM_TABLE[arm].name, rt_eval_split_name(split));
    rt_inputs inputs = {0};
    rt_stage stage;
    retort_status st = hash_inputs(study, arm, model, problems, &inputs, err);
    if (st == RETORT_OK) st = rt_stage_begin(o->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    rt_response_set *set = &study->responses[arm][split];
    if (stage.done && rt_path_exists(path)) {
        st = rt_responses_read(path, &study->problems[split], set, err);
    } else {
        rt_evaluation evaluation = {
            .model.dir = model,
            .name = RT_ARM_TABLE[arm].name,
            .problems = &study->problems[split],
            .n = o->samples,
            .batch = o->batch,
            .sampling = {.temperature = (float)o->temperature,
                         .top_p = (float)o->top_p,
                         .seed = (uint64_t)o->seed * 1000 + RT_SEED_EVAL,
                         .max_new_tokens = o->max_new_tokens},
            .ban_words = words,
            .num_ban_words = RT_ARM_TABLE[arm].banned ? list_ban_words(words) : 0,
            .path = path,
            .stage = stage_name,
        };
        double flops = 0;
        st = rt_evaluate(&evaluation, study->progress, set, &flops, err);
        rt_json_set_real(stage.account, "flops", flops);
    }
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    if (st == RETORT_OK) rt_json_set_real(study->times, stage_name, stage.seconds);
    rt_stage_release(&stage);
    return st == RETORT_OK ? st : rt_fail_context(err, st, "arm '%s'", RT_ARM_TABLE[arm].name);
}

retort_status rt_study_sample(rt_study *study, retort_error *err) {
    for (int a = 0; a < RT_ARMS; a++)
        for (int s = 0; s < RT_EVAL_SPLITS; s++) {
            if (RT_ARM_TABLE[a].banned && s != RT_EVAL_TEST) continue; /* the ban is a question about one split */
            RT_TRY(sample_split(study, (rt_arm_id)a, (rt_eval_split)s, err));
        }
    return RETORT_OK;
}
