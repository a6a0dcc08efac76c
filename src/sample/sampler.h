/* Sampling n responses to each of many prompts, in one call over the engine of sample/engine.h.
 *
 * Each prompt is prefilled once and its cache shared by its n samples. A response is a pure function of (weights,
 * prompt, settings, seed, prompt key, sample index); batch and threads cannot change it.
 */
#ifndef RT_SAMPLER_H
#define RT_SAMPLER_H

#include "core/progress.h"
#include "model/model.h"
#include "sample/bans.h"
#include "text/tokenizer.h"

typedef struct rt_bias {
    int32_t id;
    float value;
} rt_bias;

/* What is done with the tokens that would spell a banned word (sample/bans.h). */
typedef enum rt_ban_mode {
    RT_BAN_HARD,    /* they are never sampled */
    RT_BAN_PENALTY, /* ban_penalty is taken off the logit of each, as with logit_bias */
    RT_BAN_CAP      /* their probability together is at most ban_cap (sample/choose.h) */
} rt_ban_mode;

typedef struct rt_sampling {
    float temperature; /* 0: greedy */
    float top_p;       /* 1: off; smallest set of most probable tokens whose mass reaches top_p */
    int32_t top_k;     /* 0: off */
    float min_p;       /* 0: off; keeps p >= min_p * max p */
    uint64_t seed;
    int64_t max_new_tokens;
    const int32_t *stop_ids; /* besides the model's eos */
    int32_t num_stop_ids;
    const char *const *stop; /* stop strings: the text ends before the first of them */
    int32_t num_stop;
    const uint8_t *banned; /* [V] 1 = never sampled, or NULL */
    rt_bans *bans;         /* banned words, or NULL */
    rt_ban_mode ban_mode;
    float ban_penalty; /* 0 to 1000 */
    float ban_cap;     /* 0 to 1 */
    /* Tokens guessed at most from what the response repeats, to be checked in one step of the decoder: changes speed,
     * never a token or a log-probability. */
    int32_t speculative_tokens;
    bool ignore_eos;     /* the model's eos is a token like others */
    const rt_bias *bias; /* [num_bias] added to the logits before a draw; never to the log-probabilities reported */
    int32_t num_bias;
    float presence_penalty, frequency_penalty; /* 0: off; as in the OpenAI API */
} rt_sampling;

typedef enum rt_finish { RT_FINISH_STOP, RT_FINISH_LENGTH } rt_finish;

typedef struct rt_prompt {
    const int32_t *ids;
    int64_t count;
    uint64_t key; /* identifies the prompt for the generator: a hash of its id, not its place in the batch */
} rt_prompt;

/* The key of a problem's id: the same wherever a problem is sampled. */
uint64_t rt_prompt_key(const char *id);

typedef struct rt_response {
    int32_t *ids; /* sampled tokens, the final eos included when finish is stop by eos */
    float *logp;  /* under the full model distribution at temperature 1 (no truncation, no bans): what training sees */
    float *drawn; /* under the distribution that the token was drawn from: bans, penalties, temperature, truncation */
    int64_t count;
    rt_finish finish;
} rt_response;

/* Samples n responses of each prompt; *out is an array of prompts * n (prompt-major), freed with
 * rt_responses_free. decoder's slots bound the batch. on_done (may be NULL) is called as responses complete in order
 * (prompt-major), so that a caller can write them at once. RETORT_ERR_USAGE: a setting out of range, or a prompt that
 * with max_new_tokens does not fit in the model's context (nothing is cut silently); RETORT_ERR_FORMAT: an empty
 * prompt or a token id outside the vocabulary; RETORT_ERR_NUMERIC: logits that are no numbers; both name the prompt by
 * its place. Ids that the model has and the tokenizer has not (padding of the vocabulary) are never sampled. */
typedef retort_status (*rt_on_response)(void *context, int64_t prompt, int64_t sample, const rt_response *response,
                                        retort_error *err);
retort_status rt_sample(rt_decoder *decoder, const rt_config *config, const rt_tokenizer *tokenizer,
                        const rt_prompt *prompts, int64_t num_prompts, int64_t n, const rt_sampling *settings,
                        rt_on_response on_done, void *context, const retort_progress *progress, const char *stage,
                        rt_response **out, retort_error *err);
/* Appends the response's text: special tokens, a final eos or stop id, and what follows the first stop string left out.
 * The bytes may be invalid UTF-8 where the response ends inside a character. */
retort_status rt_response_text(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings,
                               const rt_response *response, rt_buffer *out, retort_error *err);
void rt_responses_free(rt_response *responses, int64_t count);
/* FLOPs of n responses of max_new_tokens tokens to a prompt: the most that they can take. */
double rt_sample_most_flops(const rt_config *config, int64_t prompt, int64_t n, int64_t max_new_tokens);
/* FLOPs of the work done for these responses: prefill once a prompt, decode per token. */
double rt_sample_flops(const rt_config *config, const rt_prompt *prompts, int64_t num_prompts, int64_t n,
                       const rt_response *responses);

#endif
