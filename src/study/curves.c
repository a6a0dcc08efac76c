#include <string.h>

#include "analyze/jsonout.h"
#include "study/study.h"

/* Learning curves: metrics.jsonl of every trained arm, thinned to at most CURVE_POINTS points. */

enum { CURVE_POINTS = 150 };

typedef struct curve {
    json_t *points;
} curve;

static retort_status add_point(void *opaque, json_t *object, size_t line, retort_error *err) {
    (void)line;
    (void)err;
    curve *out = opaque;
    if (json_object_get(object, "step") == NULL) return RETORT_OK; /* probe or alarm lines */
    static const char *const KEYS[] = {"step",
                                       "loss",
                                       "reward",
                                       "rewards/accuracy/mean",
                                       "completions/mean_length",
                                       "entropy",
                                       "frac_reward_zero_std",
                                       "learning_rate",
                                       "grad_norm",
                                       "num_tokens"};
    json_t *point = json_object();
    for (size_t k = 0; k < sizeof KEYS / sizeof KEYS[0]; k++) {
        json_t *value = json_object_get(object, KEYS[k]);
        if (!json_is_number(value)) continue;
        if (json_is_integer(value))
            json_object_set(point, KEYS[k], value);
        else
            rt_json_set_real(point, KEYS[k], json_number_value(value));
    }
    json_array_append_new(out->points, point);
    return RETORT_OK;
}

static json_t *thin(json_t *points) {
    size_t count = json_array_size(points);
    if (count <= CURVE_POINTS) return points;
    json_t *kept = json_array();
    for (size_t i = 0; i < CURVE_POINTS; i++)
        json_array_append(kept, json_array_get(points, i * (count - 1) / (CURVE_POINTS - 1)));
    json_decref(points);
    return kept;
}

retort_status rt_study_curves(rt_study *study, json_t *report, retort_error *err) {
    json_t *curves = json_object();
    json_object_set_new(report, "curves", curves);
    static const rt_arm_id TRAINED[] = {RT_ARM_DISTILLED,    RT_ARM_RIGID, RT_ARM_ZERO_RL,
                                        RT_ARM_DISTILLED_RL, RT_ARM_PLAIN, RT_ARM_SPRINKLED};
    for (size_t i = 0; i < sizeof TRAINED / sizeof TRAINED[0]; i++) {
        if (!study->on[TRAINED[i]]) continue;
        char dir[4096], path[4096 + 16];
        RT_TRY(rt_arm_model_dir(study, TRAINED[i], dir, err));
        snprintf(path, sizeof path, "%s/metrics.jsonl", dir);
        curve out = {json_array()};
        retort_status st = rt_jsonl_read(path, add_point, &out, err);
        if (st != RETORT_OK) {
            json_decref(out.points);
            return st;
        }
        json_object_set_new(curves, RT_ARM_TABLE[TRAINED[i]].name, thin(out.points));
    }
    return RETORT_OK;
}
