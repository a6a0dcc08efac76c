/* One draw from one row of logits. */
#ifndef RT_SAMPLE_CHOOSE_H
#define RT_SAMPLE_CHOOSE_H

#include "sample/sampler.h"

/* Room for one draw over a vocabulary of V. */
typedef struct rt_choose_scratch {
    float *p;       /* [V] */
    int32_t *order; /* [V] */
} rt_choose_scratch;

typedef struct rt_choice {
    int32_t id; /* or one of the two below */
    float logp; /* under the full distribution at temperature 1 */
    float lse;  /* log-sum-exp of the model's logits; with it any token's log-probability is rt_token_logprob */
} rt_choice;
enum {
    RT_CHOICE_NONE = -1,      /* every token is banned */
    RT_CHOICE_NOT_FINITE = -2 /* the logits hold NaN or +inf, or nothing but -inf */
};

/* Chooses a token by the uniform number u in [0, 1). It is drawn from `adjusted` (bias and penalties applied; `logits`
 * itself where there are none), its log-probability is that of `logits`. Steps, each on what the one before left:
 *   bans          tokens with banned[id] != 0 are out (NULL: none)
 *   temperature   p = softmax(x / temperature); 0: the greatest logit, of equals the lowest id
 *   top_k         the k greatest p, of equals the lower ids
 *   top_p         the shortest run of them, greatest first, whose mass reaches top_p of the mass left
 *   min_p         those with p >= min_p * greatest p
 *   draw          the first token at which the running mass exceeds u * mass; running in the order of ids where nothing
 *                 was truncated, else by falling p and, among equals, rising id
 * Sums are in double and in that order, so that a draw has the same bits everywhere. Where rounding left every allowed
 * p at 0, the greatest allowed logit is taken. */
rt_choice rt_choose(const rt_sampling *settings, int64_t vocab, const float *logits, const float *adjusted,
                    const uint8_t *banned, float u, rt_choose_scratch *scratch);

#endif
