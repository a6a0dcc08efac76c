/* The scheduler. Jobs (prompt, sample) are given to idle slots in order. A prompt's first sample feeds the prompt; the
 * others copy its keys and values and draw from the same logits. Since jobs are given in order, the slot that got the
 * last job of a prompt always still holds the prompt when the next job of that prompt is given: a prompt is fed once.
 */
#include "sample/sampler.h"

#include <stdio.h>
#include <string.h>

#include "compute/parallel.h"
#include "core/random.h"
#include "sample/choose.h"
#include "sample/stops.h"

typedef enum slot_state {
    SLOT_IDLE,
    SLOT_PREFILL, /* feeds its prompt */
    SLOT_WAIT,    /* another slot feeds its prompt */
    SLOT_FIRST,   /* holds the prompt; its first draw is from the current prompt's logits */
    SLOT_DECODE   /* its last token is to be fed */
} slot_state;

typedef struct slot {
    slot_state state;
    int64_t job, prompt;
    int64_t fed;   /* positions held, while feeding the prompt */
    int64_t count; /* tokens sampled */
    uint64_t stream;
    int32_t ban_state;
    int32_t *ids, *stop_state; /* [max_new_tokens], [num_stop] */
    float *logp;               /* [max_new_tokens] */
} slot;

typedef struct draw {
    int32_t slot;
    const float *logits;
    rt_choice choice;
} draw;

typedef struct sampler {
    rt_decoder *decoder;
    const rt_config *config;
    const rt_tokenizer *tokenizer;
    const rt_prompt *prompts;
    const rt_sampling *settings;
    rt_stops stops;
    int64_t n, jobs, next_job, finished, reported, tokens;
    int64_t num_slots, capacity, max_rows;
    slot *slots;
    int32_t *token_block, *stop_block;
    float *logp_block;
    uint8_t *banned; /* [V]: what no state of the text changes; NULL: nothing */
    /* the prompt of the last job given */
    int64_t current_prompt;
    int32_t current_slot;
    bool current_ready;
    float *current_logits; /* [V] */
    /* one step */
    int32_t *row_slot, *row_position, *row_id;
    bool *row_wanted;
    float *logits; /* [slots][V] */
    draw *draws;   /* [slots] */
    int64_t num_draws;
    /* one draw, a thread */
    int threads;
    float *scratch_p;
    int32_t *scratch_order;
    uint8_t *scratch_banned;
    rt_response *responses;
    rt_on_response on_done;
    void *context;
} sampler;

/* ---- checks ---- */

static retort_status check_settings(const rt_sampling *s, retort_error *err) {
    RT_CHECK(s->temperature == 0 || (s->temperature >= 1e-3f && s->temperature <= 1e3f), err, RETORT_ERR_USAGE,
             "temperature %g is neither 0 (greedy) nor in 0.001 to 1000", (double)s->temperature);
    RT_CHECK(s->top_p > 0 && s->top_p <= 1, err, RETORT_ERR_USAGE, "top_p %g is not in (0, 1]", (double)s->top_p);
    RT_CHECK(s->min_p >= 0 && s->min_p <= 1, err, RETORT_ERR_USAGE, "min_p %g is not in [0, 1]", (double)s->min_p);
    RT_CHECK(s->top_k >= 0, err, RETORT_ERR_USAGE, "top_k %d is negative", s->top_k);
    RT_CHECK(s->max_new_tokens >= 1 && s->max_new_tokens <= INT32_MAX, err, RETORT_ERR_USAGE,
             "max_new_tokens %lld is not at least 1", (long long)s->max_new_tokens);
    return RETORT_OK;
}

static retort_status check_prompts(const sampler *s, int64_t num_prompts, retort_error *err) {
    const int64_t context = s->config->max_position_embeddings, fresh = s->settings->max_new_tokens;
    for (int64_t p = 0; p < num_prompts; p++) {
        const rt_prompt *prompt = &s->prompts[p];
        RT_CHECK(prompt->count >= 1, err, RETORT_ERR_FORMAT, "prompt %lld is empty", (long long)p + 1);
        RT_CHECK(
            prompt->count + fresh <= context, err, RETORT_ERR_USAGE,
            "prompt %lld has %lld tokens, which with max_new_tokens %lld is more than the model's context of %lld; "
            "shorten the prompt or ask for fewer tokens",
            (long long)p + 1, (long long)prompt->count, (long long)fresh, (long long)context);
        RT_CHECK(prompt->count + fresh <= s->capacity, err, RETORT_ERR_STATE,
                 "prompt %lld with max_new_tokens needs %lld positions, the decoder was created for %lld",
                 (long long)p + 1, (long long)(prompt->count + fresh), (long long)s->capacity);
        for (int64_t i = 0; i < prompt->count; i++) {
            RT_CHECK(prompt->ids[i] >= 0 && prompt->ids[i] < s->config->vocab_size, err, RETORT_ERR_FORMAT,
                     "prompt %lld has token id %d, outside the model's vocabulary of %lld", (long long)p + 1,
                     prompt->ids[i], (long long)s->config->vocab_size);
        }
    }
    return RETORT_OK;
}

/* ---- memory ---- */

static void *take(size_t count, size_t size, bool *missing) {
    void *block = rt_calloc(count, size);
    *missing = *missing || block == NULL;
    return block;
}

static void *take_product(size_t a, size_t b, size_t size, bool *missing) {
    size_t count;
    *missing = *missing || rt_mul_overflow(a, b, &count);
    return *missing ? NULL : take(count, size, missing);
}

static retort_status take_memory(sampler *s, retort_error *err) {
    bool missing = false;
    size_t vocab = (size_t)s->config->vocab_size, slots = (size_t)s->num_slots, rows = (size_t)s->max_rows;
    size_t fresh = (size_t)s->settings->max_new_tokens, threads = (size_t)s->threads;
    size_t stops = (size_t)s->settings->num_stop;
    s->slots = take(slots, sizeof *s->slots, &missing);
    s->token_block = take_product(slots, fresh, sizeof *s->token_block, &missing);
    s->logp_block = take_product(slots, fresh, sizeof *s->logp_block, &missing);
    s->stop_block = take_product(slots, stops, sizeof *s->stop_block, &missing);
    s->banned = take(vocab, 1, &missing);
    s->current_logits = take(vocab, sizeof *s->current_logits, &missing);
    s->row_slot = take(rows, sizeof *s->row_slot, &missing);
    s->row_position = take(rows, sizeof *s->row_position, &missing);
    s->row_id = take(rows, sizeof *s->row_id, &missing);
    s->row_wanted = take(rows, sizeof *s->row_wanted, &missing);
    s->logits = take_product(slots, vocab, sizeof *s->logits, &missing);
    s->draws = take(slots, sizeof *s->draws, &missing);
    s->scratch_p = take_product(threads, vocab, sizeof *s->scratch_p, &missing);
    s->scratch_order = take_product(threads, vocab, sizeof *s->scratch_order, &missing);
    s->scratch_banned = take_product(threads, vocab, 1, &missing);
    s->responses = take((size_t)s->jobs, sizeof *s->responses, &missing);
    RT_CHECK(!missing, err, RETORT_ERR_MEMORY, "out of memory: sampling with %zu slots of %zu tokens", slots, fresh);
    for (size_t i = 0; i < slots; i++) {
        s->slots[i].ids = s->token_block + i * fresh;
        s->slots[i].logp = s->logp_block + i * fresh;
        s->slots[i].stop_state = s->stop_block + i * stops;
    }
    return RETORT_OK;
}

static void release_memory(sampler *s) {
    rt_stops_release(&s->stops);
    rt_free(s->slots);
    rt_free(s->token_block);
    rt_free(s->logp_block);
    rt_free(s->stop_block);
    rt_free(s->banned);
    rt_free(s->current_logits);
    rt_free(s->row_slot);
    rt_free(s->row_position);
    rt_free(s->row_id);
    rt_free(s->row_wanted);
    rt_free(s->logits);
    rt_free(s->draws);
    rt_free(s->scratch_p);
    rt_free(s->scratch_order);
    rt_free(s->scratch_banned);
    rt_responses_free(s->responses, s->jobs);
}

static void set_banned(sampler *s) {
    const rt_sampling *settings = s->settings;
    int64_t known = rt_tokenizer_vocab_size(s->tokenizer);
    bool any = settings->banned != NULL || known < s->config->vocab_size;
    for (int64_t i = 0; i < s->config->vocab_size; i++) {
        s->banned[i] = i >= known || (settings->banned != NULL && settings->banned[i] != 0);
    }
    if (any || settings->bans != NULL) return;
    rt_free(s->banned);
    s->banned = NULL;
}

/* ---- giving jobs to slots ---- */

/* A stream of its own for each (prompt key, sample): Stafford's mix 13 of the two. */
static uint64_t stream_of(uint64_t key, int64_t sample) {
    uint64_t z = key + ((uint64_t)sample + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static retort_status start_job(sampler *s, int32_t index, retort_error *err) {
    slot *x = &s->slots[index];
    int64_t job = s->next_job++, prompt = job / s->n, sample = job % s->n;
    x->job = job;
    x->prompt = prompt;
    x->fed = x->count = 0;
    x->stream = stream_of(s->prompts[prompt].key, sample);
    x->ban_state = s->settings->bans != NULL ? rt_bans_start(s->settings->bans) : 0;
    for (int32_t i = 0; i < s->settings->num_stop; i++) x->stop_state[i] = 0;
    if (sample == 0) {
        x->state = SLOT_PREFILL;
        s->current_prompt = prompt;
        s->current_ready = false;
    } else if (s->current_ready) {
        x->state = SLOT_FIRST;
        RT_CHECK(rt_decoder_copy_prefix(s->decoder, s->current_slot, index, s->prompts[prompt].count) == RETORT_OK, err,
                 RETORT_ERR_STATE, "prompt %lld is no longer in the cache", (long long)prompt + 1);
    } else {
        x->state = SLOT_WAIT;
    }
    s->current_slot = index;
    return RETORT_OK;
}

/* Gives jobs to all idle slots; the draws of those that hold their prompt already are collected. */
static retort_status start_jobs(sampler *s, retort_error *err) {
    s->num_draws = 0;
    for (int32_t i = 0; i < s->num_slots && s->next_job < s->jobs; i++) {
        if (s->slots[i].state != SLOT_IDLE) continue;
        RT_TRY(start_job(s, i, err));
        if (s->slots[i].state == SLOT_FIRST) s->draws[s->num_draws++] = (draw){i, s->current_logits, {0}};
    }
    return RETORT_OK;
}

/* ---- drawing ---- */

static const uint8_t *banned_for(const sampler *s, const slot *x, uint8_t *scratch) {
    if (s->settings->bans == NULL) return s->banned;
    int64_t count;
    const int32_t *refused = rt_bans_refused(s->settings->bans, x->ban_state, &count);
    if (count == 0) return s->banned;
    memcpy(scratch, s->banned, (size_t)s->config->vocab_size);
    for (int64_t i = 0; i < count; i++) {
        if (refused[i] < s->config->vocab_size) scratch[refused[i]] = 1;
    }
    return scratch;
}

static void choose_one(sampler *s, draw *d, int thread) {
    const slot *x = &s->slots[d->slot];
    int64_t vocab = s->config->vocab_size;
    rt_choose_scratch scratch = {s->scratch_p + thread * vocab, s->scratch_order + thread * vocab};
    const uint8_t *banned = banned_for(s, x, s->scratch_banned + thread * vocab);
    float u = rt_uniform_at(s->settings->seed, x->stream, (uint64_t)x->count);
    d->choice = rt_choose(s->settings, vocab, d->logits, banned, u, &scratch);
}

static int threads_for_draws(const sampler *s) {
    int threads = rt_threads_for(s->num_draws * s->config->vocab_size * 8);
    return threads < s->threads ? threads : s->threads;
}

static void choose_all(sampler *s) {
#pragma omp parallel for num_threads(threads_for_draws(s)) schedule(static)
    for (int64_t i = 0; i < s->num_draws; i++) choose_one(s, &s->draws[i], omp_get_thread_num());
}

/* ---- taking what was drawn ---- */

static retort_status report_done(sampler *s, retort_error *err) {
    while (s->reported < s->jobs && s->responses[s->reported].ids != NULL) {
        int64_t job = s->reported++;
        if (s->on_done != NULL) RT_TRY(s->on_done(s->context, job / s->n, job % s->n, &s->responses[job], err));
    }
    return RETORT_OK;
}

static retort_status finish(sampler *s, slot *x, rt_finish how, retort_error *err) {
    rt_response *r = &s->responses[x->job];
    size_t count = (size_t)x->count;
    int32_t *ids = rt_malloc_array(count, sizeof *ids);
    r->logp = rt_malloc_array(count, sizeof *r->logp);
    if (ids == NULL || r->logp == NULL) {
        rt_free(ids);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: response of %zu tokens", count);
    }
    memcpy(ids, x->ids, count * sizeof *ids);
    memcpy(r->logp, x->logp, count * sizeof *r->logp);
    r->ids = ids;
    r->count = x->count;
    r->finish = how;
    x->state = SLOT_IDLE;
    s->finished++;
    return report_done(s, err);
}

static retort_status take_draw(sampler *s, const draw *d, retort_error *err) {
    slot *x = &s->slots[d->slot];
    int32_t id = d->choice.id;
    RT_CHECK(id != RT_CHOICE_NONE, err, RETORT_ERR_USAGE,
             "every token is banned at token %lld of a response to "
             "prompt %lld; ban less",
             (long long)x->count + 1, (long long)x->prompt + 1);
    RT_CHECK(id >= 0, err, RETORT_ERR_NUMERIC,
             "the model's logits are not finite at token %lld of a response to prompt %lld; its weights are damaged",
             (long long)x->count + 1, (long long)x->prompt + 1);
    x->ids[x->count] = id;
    x->logp[x->count++] = d->choice.logp;
    s->tokens++;
    if (rt_stops_feed(&s->stops, x->stop_state, id)) return finish(s, x, RT_FINISH_STOP, err);
    if (x->count == s->settings->max_new_tokens) return finish(s, x, RT_FINISH_LENGTH, err);
    x->state = SLOT_DECODE;
    if (s->settings->bans != NULL && !rt_tokenizer_is_special(s->tokenizer, id)) {
        size_t length = 0;
        const char *bytes = rt_tokenizer_piece(s->tokenizer, id, &length);
        x->ban_state = rt_bans_advance(s->settings->bans, x->ban_state, bytes, length);
    }
    return RETORT_OK;
}

static retort_status draw_tokens(sampler *s, retort_error *err) {
    choose_all(s);
    for (int64_t i = 0; i < s->num_draws; i++) RT_TRY(take_draw(s, &s->draws[i], err));
    return RETORT_OK;
}

/* ---- steps of the decoder ---- */

static void add_row(sampler *s, int64_t *rows, int32_t index, int64_t position, int32_t id, bool wanted) {
    s->row_slot[*rows] = index;
    s->row_position[*rows] = (int32_t)position;
    s->row_id[*rows] = id;
    s->row_wanted[*rows] = wanted;
    (*rows)++;
}

/* Tokens to be fed: first one of each response under way, then as much of the prompts as fits. */
static int64_t build_rows(sampler *s) {
    int64_t rows = 0;
    for (int32_t i = 0; i < s->num_slots && rows < s->max_rows; i++) {
        const slot *x = &s->slots[i];
        if (x->state != SLOT_DECODE) continue;
        add_row(s, &rows, i, s->prompts[x->prompt].count + x->count - 1, x->ids[x->count - 1], true);
    }
    for (int32_t i = 0; i < s->num_slots && rows < s->max_rows; i++) {
        slot *x = &s->slots[i];
        if (x->state != SLOT_PREFILL) continue;
        const rt_prompt *prompt = &s->prompts[x->prompt];
        for (; x->fed < prompt->count && rows < s->max_rows; x->fed++) {
            add_row(s, &rows, i, x->fed, prompt->ids[x->fed], x->fed + 1 == prompt->count);
        }
    }
    return rows;
}

/* A prompt has been fed: the slots that waited for it copy it and draw from the same logits. */
static retort_status share_prompt(sampler *s, int32_t from, const float *logits, retort_error *err) {
    int64_t prompt = s->slots[from].prompt;
    for (int32_t i = 0; i < s->num_slots; i++) {
        if (s->slots[i].state != SLOT_WAIT || s->slots[i].prompt != prompt) continue;
        RT_CHECK(rt_decoder_copy_prefix(s->decoder, from, i, s->prompts[prompt].count) == RETORT_OK, err,
                 RETORT_ERR_STATE, "prompt %lld is not in the cache", (long long)prompt + 1);
        s->slots[i].state = SLOT_FIRST;
        s->draws[s->num_draws++] = (draw){i, logits, {0}};
    }
    if (prompt == s->current_prompt) {
        memcpy(s->current_logits, logits, (size_t)s->config->vocab_size * sizeof *logits);
        s->current_ready = true;
    }
    return RETORT_OK;
}

static retort_status step(sampler *s, retort_error *err) {
    int64_t rows = build_rows(s);
    RT_TRY(rt_decoder_step(s->decoder, rows, s->row_slot, s->row_position, s->row_id, s->row_wanted, s->logits, err));
    s->num_draws = 0;
    const float *logits = s->logits;
    for (int64_t r = 0; r < rows; r++) {
        if (!s->row_wanted[r]) continue;
        int32_t index = s->row_slot[r];
        s->draws[s->num_draws++] = (draw){index, logits, {0}};
        if (s->slots[index].state == SLOT_PREFILL) RT_TRY(share_prompt(s, index, logits, err));
        logits += s->config->vocab_size;
    }
    return draw_tokens(s, err);
}

static retort_status run(sampler *s, const retort_progress *progress, const char *stage, retort_error *err) {
    while (s->finished < s->jobs) {
        RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted after %lld of %lld responses",
                 (long long)s->finished, (long long)s->jobs);
        /* A response may end with its first token, which leaves the slot idle again. */
        do {
            RT_TRY(start_jobs(s, err));
            RT_TRY(draw_tokens(s, err));
        } while (s->num_draws > 0);
        if (s->finished < s->jobs) RT_TRY(step(s, err));
        char message[64];
        snprintf(message, sizeof message, "%lld tokens", (long long)s->tokens);
        rt_progress(progress, stage, (double)s->finished, (double)s->jobs, "responses", message);
    }
    return RETORT_OK;
}

retort_status rt_sample(rt_decoder *decoder, const rt_config *config, const rt_tokenizer *tokenizer,
                        const rt_prompt *prompts, int64_t num_prompts, int64_t n, const rt_sampling *settings,
                        rt_on_response on_done, void *context, const retort_progress *progress, const char *stage,
                        rt_response **out, retort_error *err) {
    *out = NULL;
    RT_CHECK(num_prompts >= 0 && n >= 1 && n <= INT32_MAX && num_prompts <= INT32_MAX, err, RETORT_ERR_USAGE,
             "%lld responses to each of %lld prompts cannot be sampled", (long long)n, (long long)num_prompts);
    sampler s = {.decoder = decoder,
                 .config = config,
                 .tokenizer = tokenizer,
                 .prompts = prompts,
                 .settings = settings,
                 .n = n,
                 .jobs = num_prompts * n,
                 .threads = rt_compute_threads(),
                 .on_done = on_done,
                 .context = context};
    rt_decoder_limits(decoder, &s.num_slots, &s.capacity, &s.max_rows);
    RT_TRY(check_settings(settings, err));
    RT_TRY(check_prompts(&s, num_prompts, err));
    retort_status st = rt_stops_create(config, tokenizer, settings, &s.stops, err);
    if (st == RETORT_OK) st = take_memory(&s, err);
    if (st == RETORT_OK) {
        set_banned(&s);
        st = run(&s, progress, stage, err);
    }
    if (st == RETORT_OK) {
        *out = s.responses;
        s.responses = NULL;
    }
    release_memory(&s);
    return st;
}
