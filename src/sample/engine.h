/* The sampling engine: requests in, tokens out, one decoder step at a time.
 *
 *     rt_rules *rules;
 *     rt_rules_create(config, tokenizer, &settings, &rules, err);        // compiled once, shared by many requests
 *     rt_engine *engine;
 *     rt_engine_create(decoder, config, tokenizer, &engine, err);
 *     rt_request request = {.prompt = prompt, .n = 4, .rules = rules, .on_response = take, .context = me};
 *     rt_engine_submit(engine, &request, NULL, err);
 *     while (rt_engine_busy(engine)) RT_TRY(rt_engine_step(engine, err));
 *
 * Continuous batching: jobs (request, sample) are given to idle slots of the decoder in the order of submission; a
 * finished response frees its slot at once, and new requests may be submitted between any two steps. A request's prompt
 * is fed once and its n samples share its keys and values.
 *
 * Where the decoder's cache has fewer blocks than its slots could need, responses are put off: the one begun last gives
 * its blocks back and waits; when there is room, its prompt and tokens are fed again and it goes on. The oldest
 * response is never put off, so all of them end.
 *
 * A response is a pure function of (weights, prompt, rules, seed, prompt key, sample index): the uniform draw for its
 * token i is rt_uniform_at(seed, stream(key, sample), i), and the decoder's rows do not know each other. What else is
 * in the batch, who came first, who was put off and how many threads compute cannot change it.
 *
 * One thread at a time may call the functions below. Callbacks run inside rt_engine_step (and rt_engine_cancel) and
 * must not call the engine.
 */
#ifndef RT_SAMPLE_ENGINE_H
#define RT_SAMPLE_ENGINE_H

#include "sample/sampler.h"

/* ---- rules: a request's settings, checked and compiled ---- */

typedef struct rt_rules rt_rules;

/* Checks ranges (RETORT_ERR_USAGE names the setting), compiles stop strings, and bans the ids that the model has and
 * the tokenizer has not. Borrows config, tokenizer, and everything `settings` points to; copies *settings. */
retort_status rt_rules_create(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings,
                              rt_rules **out, retort_error *err);
void rt_rules_destroy(rt_rules *rules);

/* ---- requests ---- */

/* One of the most probable tokens at a place, under the full model distribution at temperature 1. */
typedef struct rt_candidate {
    int32_t id;
    float logp;
} rt_candidate;

enum { RT_MAX_CANDIDATES = 20 };

/* A token as it is drawn, or a prompt's token as it is scored. */
typedef struct rt_token {
    int32_t id;
    float logp;               /* under the full model distribution at temperature 1 */
    const rt_candidate *best; /* [num_best] falling logp, equals by rising id; valid during the callback */
    int32_t num_best;
} rt_token;

typedef struct rt_request {
    rt_prompt prompt; /* ids are borrowed until the last response */
    int64_t n;        /* samples, at least 1 */
    int64_t first;    /* the number of the first of them; callbacks get first ... first + n - 1 */
    /* The last tokens of the prompt that are the response's own: it goes on as if it had never been cut. They count for
     * max_new_tokens, draws and bans go on behind them, and on_response gets only what is new. No penalties then. */
    int64_t begun;
    const rt_rules *rules;
    int32_t num_best;  /* candidates wanted with every token, at most RT_MAX_CANDIDATES */
    bool score_prompt; /* on_prompt_token is called for the prompt's tokens from the second one on */
    bool only_prompt;  /* nothing is sampled: responses of 0 tokens, finish LENGTH; n must be 1 */
    void *context;     /* of the callbacks; any of them may be NULL */
    retort_status (*on_prompt_token)(void *context, int64_t index, const rt_token *token, retort_error *err);
    retort_status (*on_token)(void *context, int64_t sample, const rt_token *token, retort_error *err);
    /* A response is complete. Its memory is the callee's (rt_free of ids and logp), also on failure. */
    retort_status (*on_response)(void *context, int64_t sample, rt_response *response, retort_error *err);
    /* A response cannot go on: every token is banned (RETORT_ERR_USAGE), logits that are no numbers
     * (RETORT_ERR_NUMERIC). No further callback for this sample. NULL: the step fails with the same error. */
    retort_status (*on_failure)(void *context, int64_t sample, const retort_error *why, retort_error *err);
} rt_request;

/* ---- the engine ---- */

typedef struct rt_engine rt_engine;

/* decoder's slots bound the batch. Borrows all three. */
retort_status rt_engine_create(rt_decoder *decoder, const rt_config *config, const rt_tokenizer *tokenizer,
                               rt_engine **out, retort_error *err);
/* Drops what is unfinished, without callbacks. */
void rt_engine_destroy(rt_engine *engine);

/* The checks of rt_engine_submit alone; thread-safe. RETORT_ERR_FORMAT: an empty prompt or a token id outside the
 * vocabulary; RETORT_ERR_USAGE: it does not fit, with the tokens to come, in the model's context (nothing is cut
 * silently); RETORT_ERR_STATE: nor in the decoder's slots. */
retort_status rt_request_check(const rt_engine *engine, const rt_request *request, retort_error *err);
/* Puts a copy of *request behind all others. *ticket (may be NULL) names it for rt_engine_cancel. */
retort_status rt_engine_submit(rt_engine *engine, const rt_request *request, uint64_t *ticket, retort_error *err);
/* Frees the slots of a request and forgets it, without callbacks; false if it is not (or no longer) there. */
bool rt_engine_cancel(rt_engine *engine, uint64_t ticket);

/* True while any request is unfinished. */
bool rt_engine_busy(const rt_engine *engine);
/* One step of the decoder over everything under way, and the draws that follow from it. A failure is that of a callback
 * or of the decoder; the engine is then fit only for rt_engine_destroy. */
retort_status rt_engine_step(rt_engine *engine, retort_error *err);

typedef struct rt_engine_counts {
    int64_t running, waiting;           /* responses in slots; responses not yet begun */
    int64_t sampled_tokens, fed_tokens; /* since the creation: drawn; prompt tokens fed (a shared prompt counts once) */
    int64_t guessed, guessed_right;     /* tokens of speculation */
    int64_t put_off, fed_again;         /* responses that gave their blocks back; tokens fed once more for that */
} rt_engine_counts;
rt_engine_counts rt_engine_count(const rt_engine *engine);

#endif
