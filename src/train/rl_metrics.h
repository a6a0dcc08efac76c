/* The figures of one RL step, under TRL's names. */
#ifndef RT_RL_METRICS_H
#define RT_RL_METRICS_H

#include "train/alarms.h"
#include "train/policy.h"

/* A step's responses: response[g * n + i] is the index in the rollout of response i of group g. */
typedef struct rt_step_batch {
    const rt_rollout *rollout;
    const int64_t *response;
    int64_t groups, n;
} rt_step_batch;

/* reward, reward_std, frac_reward_zero_std, completions lengths, clipped_ratio, rewards accuracy and format. Fills
 * *signs except `clipped`. */
retort_status rt_metrics_of_batch(const rt_step_batch *batch, json_t *metrics, rt_vital_signs *signs,
                                  retort_error *err);
/* loss, grad_norm, learning_rate, entropy, kl, clip_ratio, ratio_deviation; fills signs->clipped. */
retort_status rt_metrics_of_updates(const rt_policy_stats *stats, bool with_kl, json_t *metrics, rt_vital_signs *signs,
                                    retort_error *err);

#endif
