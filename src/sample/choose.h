/* One draw from one row of logits. */
#ifndef RT_SAMPLE_CHOOSE_H
#define RT_SAMPLE_CHOOSE_H

#include "sample/sampler.h"

/* Room for one draw over a vocabulary of V. */
typedef struct rt_choose_scratch {
    float *p;       /* [V] */
    int32_t *order; /* [V] */
} rt_choose_scratch;

/* Tokens that may not come, or not often; masks of rt_mask_words(V) words, NULL: no token. */
typedef struct rt_refusal {
    const uint64_t *never;  /* out, whatever else is said */
    const uint64_t *banned; /* out, or capped: their probability together is at most cap */
    bool capped;
    double cap; /* [0, 1]; 0 is the same as not capped, 1 the same as no ban */
} rt_refusal;

typedef struct rt_choice {
    int32_t id;  /* or one of the two below */
    float logp;  /* under the model's full distribution at temperature 1 */
    float drawn; /* log-probability under the distribution that was drawn from, as the steps below leave it */
    float lse;   /* log-sum-exp of the model's logits; with it any token's log-probability is rt_token_logprob */
} rt_choice;
enum {
    RT_CHOICE_NONE = -1,      /* every token is banned */
    RT_CHOICE_NOT_FINITE = -2 /* the logits hold NaN or +inf, or nothing but -inf */
};

/* Chooses a token by the uniform number u in [0, 1). It is drawn from `adjusted` (bias and penalties applied; `logits`
 * itself where there are none), its log-probability is that of `logits`. Steps, each on what the one before left:
 *   refusals      tokens of `never` are out, those of `banned` unless they are capped (refusal NULL: none)
 *   temperature   p = softmax(x / temperature); 0: the greatest logit, of equals the lowest id; that one token then has
 *                 all probability, so that a cap below 1 leaves `banned` out
 *   cap           with Q the sum of p over `banned` and A over the others: where Q > cap (Q + A), each banned p is
 *                 multiplied by cap A / ((1 - cap) Q), which leaves banned tokens cap of the whole
 *   top_k         the k greatest p, of equals the lower ids
 *   top_p         the shortest run of them, greatest first, whose mass reaches top_p of the mass left
 *   min_p         those with p >= min_p * greatest p
 *   cap again     on the tokens kept, where truncation gave the banned ones a greater share; if it left only banned
 *                 ones, the most probable other token joins them, behind the last
 *   draw          the first token at which the running mass exceeds u * mass; running in the order of ids where nothing
 *                 was truncated, else by falling p and, among equals, rising id
 * Sums are in double and in that order, so that a draw has the same bits everywhere; a capped p is rounded down, so
 * that the cap holds. Where rounding left every allowed p at 0, the greatest allowed logit is taken. */
rt_choice rt_choose(const rt_sampling *settings, int64_t vocab, const float *logits, const float *adjusted,
                    const rt_refusal *refusal, float u, rt_choose_scratch *scratch);

#endif
