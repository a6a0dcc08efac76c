/* The clipped surrogate of GRPO, token by token, and what its sum is divided by (names and meanings as in TRL).
 *
 *   r    = exp(logp - old)
 *   loss = -min(r A, clip(r, 1 - epsilon, 1 + epsilon_high) A) + beta KL
 *   KL   = exp(ref - logp) - (ref - logp) - 1        (the k3 estimator; Schulman 2020)
 *   L    = sum over responses i, tokens t of weight_i loss_it
 */
#ifndef RT_GRPO_H
#define RT_GRPO_H

#include <stdbool.h>
#include <stdint.h>

typedef enum rt_loss_type {
    RT_LOSS_GRPO,
    RT_LOSS_BNPO,
    RT_LOSS_DR_GRPO,
    RT_LOSS_DAPO
} rt_loss_type; /* option's order */

typedef struct rt_grpo_settings {
    rt_loss_type type;
    double epsilon, epsilon_high, beta;
    int64_t max_completion_length;
} rt_grpo_settings;

typedef struct rt_grpo_token {
    double loss, slope; /* loss and its derivative with respect to logp */
    double ratio, kl;   /* kl 0 where beta is 0 */
    bool clipped_low, clipped_high;
} rt_grpo_token;
/* ref is read only where beta > 0. */
rt_grpo_token rt_grpo_token_loss(const rt_grpo_settings *settings, double logp, double old, double ref,
                                 double advantage);

/* weight[i] of `count` responses of length[i] tokens; masked responses get 0 but stay in the counts as in TRL:
 *   grpo     1 / (count * length_i)            a mean over each response, then over responses, masked ones included
 *   bnpo     1 / sum of unmasked lengths
 *   dr_grpo  1 / (count * max_completion_length)
 *   dapo     1 / sum of all lengths
 * count is that of one update's mini-batch as a whole, however it is cut into micro-batches. */
void rt_grpo_weights(const rt_grpo_settings *settings, int64_t count, const int64_t *length, const bool *masked,
                     double *weight);

#endif
