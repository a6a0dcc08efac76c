/* Responses that go on from where they were cut, or from what was put behind that place.
 *
 * By the law of exactness a response of 100 tokens that goes on to 300 is, bit for bit, the response that was sampled
 * to 300 at once: feeding its tokens as a prompt gives the caches that drawing them one by one gave, and the draw for
 * token i depends on nothing but seed, prompt key, sample and i.
 */
#ifndef RT_SAMPLE_CONTINUE_H
#define RT_SAMPLE_CONTINUE_H

#include "sample/sampler.h"

typedef struct rt_begun {
    const rt_prompt *prompt;
    int64_t sample;     /* its number among the prompt's samples */
    const int32_t *ids; /* [count] the response so far, at least one token; borrowed */
    int64_t count;
} rt_begun;

/* Samples on until each response has settings' max_new_tokens, the begun ones counted, or ends. *out [count] holds only
 * the new tokens; rt_responses_free. Errors as of rt_sample; RETORT_ERR_USAGE also for a response that is as long
 * already. */
retort_status rt_continue(rt_decoder *decoder, const rt_config *config, const rt_tokenizer *tokenizer,
                          const rt_begun *begun, int64_t count, const rt_sampling *settings,
                          const retort_progress *progress, const char *stage, rt_response **out, retort_error *err);

/* FLOPs of that work: each response's prompt and begun tokens are fed, then the new ones. */
double rt_continue_flops(const rt_config *config, const rt_begun *begun, int64_t count, const rt_response *responses);

#endif
