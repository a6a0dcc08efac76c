#include "train/advantage.h"

#include <math.h>

rt_spread rt_spread_of(const double *rewards, int64_t n) {
    double sum = 0, squares = 0;
    bool equal = true;
    for (int64_t i = 0; i < n; i++) {
        sum += rewards[i];
        equal = equal && rewards[i] == rewards[0];
    }
    /* Rounding would give n equal rewards a mean beside them, and division by 1e-4 would make that an advantage. */
    if (equal) return (rt_spread){n > 0 ? rewards[0] : 0, 0};
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += (rewards[i] - mean) * (rewards[i] - mean);
    return (rt_spread){mean, sqrt(squares / (double)(n - 1))};
}

void rt_advantages(rt_scale_rewards scale, int64_t groups, int64_t n, const double *rewards, double *advantage) {
    double batch_std = rt_spread_of(rewards, groups * n).std;
    for (int64_t g = 0; g < groups; g++) {
        const double *reward = rewards + g * n;
        rt_spread spread = rt_spread_of(reward, n);
        double divisor = 1;
        if (scale == RT_SCALE_GROUP) divisor = spread.std + RT_ADVANTAGE_EPSILON;
        if (scale == RT_SCALE_BATCH) divisor = batch_std + RT_ADVANTAGE_EPSILON;
        for (int64_t i = 0; i < n; i++) advantage[g * n + i] = (reward[i] - spread.mean) / divisor;
    }
}
