#include "train/grpo.h"

#include "core/exactmath.h"

rt_grpo_token rt_grpo_token_loss(const rt_grpo_settings *settings, double logp, double old, double ref,
                                 double advantage) {
    double low = 1 - settings->epsilon, high = 1 + settings->epsilon_high;
    rt_grpo_token token = {.ratio = rt_exp(logp - old)};
    /* The minimum takes the clipped branch, whose slope is 0, exactly in these two cases. */
    token.clipped_low = token.ratio < low && advantage < 0;
    token.clipped_high = token.ratio > high && advantage > 0;
    if (token.clipped_low || token.clipped_high) {
        token.loss = -(token.clipped_low ? low : high) * advantage;
    } else {
        token.loss = -token.ratio * advantage;
        token.slope = token.loss; /* d r / d logp = r */
    }
    if (settings->beta > 0) {
        double d = ref - logp, e = rt_exp(d);
        token.kl = e - d - 1;
        token.loss += settings->beta * token.kl;
        token.slope += settings->beta * (1 - e);
    }
    return token;
}

void rt_grpo_weights(const rt_grpo_settings *settings, int64_t count, const int64_t *length, const bool *masked,
                     double *weight) {
    double all = 0, unmasked = 0;
    for (int64_t i = 0; i < count; i++) {
        all += (double)length[i];
        if (!masked[i]) unmasked += (double)length[i];
    }
    for (int64_t i = 0; i < count; i++) {
        double divisor = 1;
        switch (settings->type) {
        case RT_LOSS_GRPO: divisor = (double)count * (double)(length[i] > 0 ? length[i] : 1); break;
        case RT_LOSS_BNPO: divisor = unmasked > 0 ? unmasked : 1; break;
        case RT_LOSS_DR_GRPO: divisor = (double)count * (double)settings->max_completion_length; break;
        case RT_LOSS_DAPO: divisor = all > 0 ? all : 1; break;
        }
        weight[i] = masked[i] ? 0 : 1 / divisor;
    }
}
