/* Rewards and advantages of GRPO (arXiv 2402.03300; names and constants as in TRL). */
#ifndef RT_ADVANTAGE_H
#define RT_ADVANTAGE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum rt_scale_rewards {
    RT_SCALE_GROUP,
    RT_SCALE_BATCH,
    RT_SCALE_NONE
} rt_scale_rewards; /* the option's order */

/* Added to a standard deviation before dividing by it. */
#define RT_ADVANTAGE_EPSILON 1e-4

/* n rewards: mean, standard deviation (n - 1 in the denominator; 0 for n = 1 and exactly 0 where all are equal). */
typedef struct rt_spread {
    double mean, std;
} rt_spread;
rt_spread rt_spread_of(const double *rewards, int64_t n);

/* advantage[g][i] = (reward[g][i] - mean_g) / (std + 1e-4), std of the group or of all groups * n rewards; not divided
 * for RT_SCALE_NONE. All of a group without variance are exactly 0. rewards and advantage are [groups][n]. */
void rt_advantages(rt_scale_rewards scale, int64_t groups, int64_t n, const double *rewards, double *advantage);

#endif
