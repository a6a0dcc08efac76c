#include <stdarg.h>
#include <string.h>

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
    {"distilled-plain", "Distilled (plain)", "fine-tuned on the flexible traces told without a marked word",
     RT_ARM_PLAIN, RT_ARM_BASE, false},
    {"distilled-sprinkled", "Distilled (sprinkled)", "fine-tuned on the rigid traces with marked words put in",
     RT_ARM_SPRINKLED, RT_ARM_BASE, false},
};

rt_arm_id rt_arm_find(const char *name, size_t length) {
    int arm = 0;
    while (arm < RT_ARMS &&
           (strlen(RT_ARM_TABLE[arm].name) != length || memcmp(RT_ARM_TABLE[arm].name, name, length) != 0))
        arm++;
    return (rt_arm_id)arm;
}

retort_status rt_study_choose_arms(rt_study *study, retort_error *err) {
    const char *at = study->options->arms != NULL ? study->options->arms : "";
    while (*at != '\0') {
        const size_t length = strcspn(at, ",");
        const rt_arm_id arm = rt_arm_find(at, length);
        RT_CHECK(arm != RT_ARMS, err, RETORT_ERR_USAGE,
                 "unknown arm '%.*s': the arms are base, distilled, distilled-rigid, zero-rl, distilled-rl, "
                 "distilled-banned, zero-rl-banned, distilled-plain and distilled-sprinkled",
                 (int)length, at);
        study->on[arm] = true;
        at += length + (at[length] == ',');
    }
    RT_CHECK(study->on[RT_ARM_BASE], err, RETORT_ERR_USAGE, "'arms' must name base: every arm is compared with it");
    for (int a = 0; a < RT_ARMS; a++) {
        const rt_arm *arm = &RT_ARM_TABLE[a];
        if (!study->on[a]) continue;
        RT_CHECK(study->on[arm->weights] && study->on[arm->starts_from], err, RETORT_ERR_USAGE,
                 "arm '%s' needs arm '%s', which 'arms' does not name", arm->name,
                 RT_ARM_TABLE[study->on[arm->weights] ? arm->starts_from : arm->weights].name);
    }
    return RETORT_OK;
}

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
