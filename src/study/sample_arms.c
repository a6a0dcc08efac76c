#include <string.h>

#include "analyze/jsonout.h"
#include "core/file.h"
#include "evaluate/evaluate.h"
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

/* The list as bans take it; nothing for the other arms. */
static retort_status make_ban_list(bool banned, rt_ban_list *list, retort_error *err) {
    const char *words[BAN_WORDS_MAX];
    const int32_t count = banned ? list_ban_words(words) : 0;
    for (int32_t i = 0; i < count; i++) RT_TRY(rt_ban_list_add(list, words[i], strlen(words[i]), err));
    return RETORT_OK;
}

static retort_status hash_inputs(const rt_study *study, bool banned, const char *model, const char *problems,
                                 rt_inputs *inputs, retort_error *err) {
    const retort_study_options *o = study->options;
    char weights[4096 + 32];
    snprintf(weights, sizeof weights, "%s/model.safetensors", model);
    RT_TRY(rt_inputs_add_file(inputs, weights, err));
    RT_TRY(rt_inputs_add_file(inputs, problems, err));
    if (banned) {
        const char *words[BAN_WORDS_MAX];
        int32_t count = list_ban_words(words);
        for (int32_t i = 0; i < count; i++) RT_TRY(rt_inputs_add(inputs, err, "ban %s", words[i]));
    }
    return rt_inputs_add(inputs, err, "n %lld max %lld temperature %.17g top_p %.17g seed %lld version %s",
                         (long long)o->samples, (long long)o->max_new_tokens, o->temperature, o->top_p,
                         (long long)o->seed, RETORT_VERSION);
}

retort_status rt_study_sample_one(rt_study *study, const char *name, const char *model, rt_eval_split split,
                                  bool banned, rt_response_set *set, retort_error *err) {
    const retort_study_options *o = study->options;
    char problems[4096], path[4096], stage_name[64];
    RT_TRY(rt_study_path(study, problems, err, "data/%s.jsonl", rt_eval_split_name(split)));
    RT_TRY(rt_study_path(study, path, err, "responses/%s.%s.jsonl", name, rt_eval_split_name(split)));
    snprintf(stage_name, sizeof stage_name, "sample-%s-%s", name, rt_eval_split_name(split));
    rt_inputs inputs = {0};
    rt_stage stage;
    retort_status st = hash_inputs(study, banned, model, problems, &inputs, err);
    if (st == RETORT_OK) st = rt_stage_begin(o->out, stage_name, &inputs, &stage, err);
    rt_inputs_free(&inputs);
    RT_TRY(st);
    if (stage.done && rt_path_exists(path)) {
        st = rt_responses_read(path, &study->problems[split], set, err);
    } else {
        rt_ban_list bans = {0};
        rt_evaluation evaluation = {
            .model.dir = model,
            .name = name,
            .problems = &study->problems[split],
            .n = o->samples,
            .batch = o->batch,
            .sampling = {.temperature = (float)o->temperature,
                         .top_p = (float)o->top_p,
                         .seed = (uint64_t)o->seed * 1000 + RT_SEED_EVAL,
                         .max_new_tokens = o->max_new_tokens},
            .bans = &bans,
            .path = path,
            .stage = stage_name,
        };
        double flops = 0;
        st = make_ban_list(banned, &bans, err);
        if (st == RETORT_OK) st = rt_evaluate(&evaluation, study->progress, set, &flops, err);
        rt_ban_list_free(&bans);
        rt_json_set_real(stage.account, "flops", flops);
    }
    if (st == RETORT_OK) st = rt_stage_end(&stage, err);
    if (st == RETORT_OK) rt_json_set_real(study->times, stage_name, stage.seconds);
    rt_stage_release(&stage);
    return st == RETORT_OK ? st : rt_fail_context(err, st, "arm '%s'", name);
}

retort_status rt_study_sample(rt_study *study, retort_error *err) {
    for (int a = 0; a < RT_ARMS; a++) {
        const rt_arm *arm = &RT_ARM_TABLE[a];
        char model[4096];
        if (!study->on[a]) continue;
        RT_TRY(rt_arm_model_dir(study, (rt_arm_id)a, model, err));
        for (int s = 0; s < RT_EVAL_SPLITS; s++) {
            if (arm->banned && s != RT_EVAL_TEST) continue; /* the ban is a question about one split */
            RT_TRY(rt_study_sample_one(study, arm->name, model, (rt_eval_split)s, arm->banned, &study->responses[a][s],
                                       err));
        }
    }
    return RETORT_OK;
}
