/* The policy-gradient updates of one RL step, from graded responses to new weights. */
#ifndef RT_POLICY_H
#define RT_POLICY_H

#include "train/grpo.h"
#include "train/loop.h"
#include "train/rollout.h"

typedef struct rt_policy_settings {
    rt_grpo_settings loss;
    float temperature;
    int64_t iterations, minibatches; /* num_iterations, steps_per_generation */
    bool mask_truncated;
    uint64_t seed;
} rt_policy_settings;

/* Sums over a step's updates. */
typedef struct rt_policy_stats {
    int64_t updates;
    double loss, norm;          /* summed over updates */
    double rate;                /* of the last update */
    double entropy, kl;         /* summed over `visits` */
    int64_t visits;             /* tokens sent through an update */
    int64_t counted;            /* tokens that the loss counts, also where their gradient is known to be 0 */
    int64_t low, high;          /* clipped tokens */
    double max_ratio_deviation; /* |ratio - 1| at the first update: 0 under the law of exactness */
} rt_policy_stats;

typedef struct rt_policy {
    rt_policy_settings settings;
    const rt_model *reference; /* borrowed; NULL where beta is 0 */
    const rt_rollout *rollout; /* borrowed */

    /* By response of the rollout. */
    double *advantage, *weight;
    int64_t responses;
    /* By token of the rollout. */
    float *old, *ref;
    int64_t tokens;
    /* By member of the step, then of a mini-batch. */
    int64_t *members, *owner;
    int32_t *order;
    rt_sequence *sequences;
    int64_t capacity;
    /* By row of a micro-batch: token of the rollout and its response; -1 where nothing is scored. */
    int64_t *row_token, *row_response;
    int64_t rows;
} rt_policy;

/* rows: the trainer's micro-batch capacity. */
retort_status rt_policy_create(const rt_policy_settings *settings, const rt_model *reference, const rt_rollout *rollout,
                               int64_t rows, rt_policy *out, retort_error *err);
void rt_policy_release(rt_policy *policy);

/* All updates of one step over the responses response[0 .. count-1] with advantage[i]. Responses whose gradient is
 * known to be 0 (advantage 0 where beta is 0, or masked) are not computed, only counted. RETORT_ERR_NUMERIC if the
 * sampler's log-probabilities are not, bit for bit, the trainer's. */
retort_status rt_policy_step(rt_policy *policy, rt_trainer *trainer, const int64_t *response, const double *advantage,
                             int64_t count, rt_policy_stats *stats, retort_error *err);

#endif
