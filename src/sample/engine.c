/* The scheduler. Jobs (request, sample) are given to idle slots in order. A request's first sample feeds the prompt;
 * the others share its keys and values and draw from the same logits. Since jobs are given in order, the slot that got
 * the last job of a request still holds the prompt when the next job of that request is given: a prompt is fed once,
 * unless that slot had to be put off meanwhile (engine_room.c).
 */
#include "sample/engine_internal.h"

#include <math.h>
#include <string.h>

#include "compute/parallel.h"
#include "core/random.h"

/* Rows of a step up to which guesses are added: with more, the weights are no longer what a step waits for. */
enum { SPECULATIVE_ROWS = 16 };

/* ---- memory ---- */

static void *take(size_t a, size_t b, size_t size, bool *missing) {
    size_t count;
    void *block = rt_mul_overflow(a, b, &count) ? NULL : rt_calloc(count, size);
    *missing = *missing || block == NULL;
    return block;
}

static retort_status take_memory(rt_engine *e, retort_error *err) {
    bool missing = false;
    const size_t vocab = (size_t)e->config->vocab_size, slots = (size_t)e->num_slots, rows = (size_t)e->max_rows;
    const size_t positions = (size_t)e->capacity, threads = (size_t)e->threads;
    e->slots = take(slots, 1, sizeof *e->slots, &missing);
    e->token_block = take(slots, positions, sizeof *e->token_block, &missing);
    e->logp_block = take(slots, positions, sizeof *e->logp_block, &missing);
    e->drawn_block = take(slots, positions, sizeof *e->drawn_block, &missing);
    e->current_logits = take(vocab, 1, sizeof *e->current_logits, &missing);
    e->row_slot = take(rows, 1, sizeof *e->row_slot, &missing);
    e->row_position = take(rows, 1, sizeof *e->row_position, &missing);
    e->row_id = take(rows, 1, sizeof *e->row_id, &missing);
    e->row_wanted = take(rows, 1, sizeof *e->row_wanted, &missing);
    e->logits = take((size_t)e->max_wanted, vocab, sizeof *e->logits, &missing);
    e->draws = take((size_t)e->max_wanted + slots, 1, sizeof *e->draws, &missing);
    e->scratch_p = take(threads, vocab, sizeof *e->scratch_p, &missing);
    e->scratch_adjusted = take(threads, vocab, sizeof *e->scratch_adjusted, &missing);
    e->scratch_order = take(threads, vocab, sizeof *e->scratch_order, &missing);
    e->scratch_mark = take(threads, vocab, sizeof *e->scratch_mark, &missing);
    e->mask_block = take(slots, (size_t)e->mask_words, sizeof *e->mask_block, &missing);
    RT_CHECK(!missing, err, RETORT_ERR_MEMORY, "out of memory: sampling with %zu slots of %zu tokens", slots,
             positions);
    for (size_t i = 0; i < slots; i++) {
        e->slots[i].ids = e->token_block + i * positions;
        e->slots[i].logp = e->logp_block + i * positions;
        e->slots[i].drawn = e->drawn_block + i * positions;
    }
    return RETORT_OK;
}

retort_status rt_engine_create(rt_decoder *decoder, const rt_config *config, const rt_tokenizer *tokenizer,
                               rt_engine **out, retort_error *err) {
    *out = NULL;
    rt_engine *e = rt_calloc(1, sizeof *e);
    RT_CHECK(e != NULL, err, RETORT_ERR_MEMORY, "out of memory: sampling engine");
    *e = (rt_engine){.decoder = decoder, .config = config, .tokenizer = tokenizer, .threads = rt_compute_threads()};
    /* Where the tokenizer has more ids than the model, its masks are longer than the model's. */
    const int64_t known = rt_tokenizer_vocab_size(tokenizer), vocab = config->vocab_size;
    e->mask_words = rt_mask_words(known > vocab ? known : vocab);
    rt_decoder_limits(decoder, &e->num_slots, &e->capacity, &e->max_rows);
    int64_t num_free;
    e->max_wanted = e->num_slots + SPECULATIVE_ROWS;
    e->ample = rt_decoder_blocks(decoder, &num_free) >= e->num_slots * rt_kv_blocks(e->capacity);
    for (int32_t i = 0; i < e->num_slots; i++) rt_decoder_drop(decoder, i);
    retort_status st = take_memory(e, err);
    if (st != RETORT_OK) {
        rt_engine_destroy(e);
        return st;
    }
    *out = e;
    return RETORT_OK;
}

void rt_engine_destroy(rt_engine *e) {
    if (e == NULL) return;
    for (pending *p = e->first, *next; p != NULL; p = next) {
        next = p->next;
        rt_free(p);
    }
    void *const blocks[] = {e->slots,      e->token_block,      e->logp_block,    e->drawn_block,
                            e->mask_block, e->current_logits,   e->row_slot,      e->row_position,
                            e->row_id,     e->row_wanted,       e->logits,        e->draws,
                            e->scratch_p,  e->scratch_adjusted, e->scratch_order, e->scratch_mark};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) rt_free(blocks[i]);
    rt_free(e);
}

/* ---- requests ---- */

retort_status rt_request_check(const rt_engine *e, const rt_request *request, retort_error *err) {
    const rt_prompt *prompt = &request->prompt;
    const rt_sampling *settings = request->only_prompt ? NULL : &request->rules->settings;
    const int64_t fresh = settings == NULL ? 0 : settings->max_new_tokens - request->begun;
    const int64_t context = rt_config_context(e->config), total = prompt->count + fresh;
    RT_CHECK(request->n >= 1 && (request->n == 1 || !request->only_prompt), err, RETORT_ERR_USAGE,
             "%lld responses cannot be sampled", (long long)request->n);
    RT_CHECK(request->num_best >= 0 && request->num_best <= RT_MAX_CANDIDATES, err, RETORT_ERR_USAGE,
             "%d most probable tokens were asked for, at most %d are given", request->num_best, RT_MAX_CANDIDATES);
    RT_CHECK(prompt->count >= 1, err, RETORT_ERR_FORMAT, "the prompt is empty");
    RT_CHECK(request->begun >= 0 && request->begun < prompt->count && (settings == NULL || fresh >= 1), err,
             RETORT_ERR_USAGE, "a response of %lld tokens cannot go on to %lld", (long long)request->begun,
             (long long)(request->begun + fresh));
    RT_CHECK(request->begun == 0 || settings == NULL ||
                 (settings->presence_penalty == 0 && settings->frequency_penalty == 0),
             err, RETORT_ERR_USAGE, "a response that goes on cannot have penalties");
    RT_CHECK(total <= context, err, RETORT_ERR_USAGE,
             "the prompt has %lld tokens, which with max_new_tokens %lld is more than the model's context of %lld; "
             "shorten the prompt or ask for fewer tokens",
             (long long)prompt->count, (long long)fresh, (long long)context);
    RT_CHECK(total <= e->capacity, err, RETORT_ERR_STATE,
             "the prompt with max_new_tokens needs %lld positions, the decoder was created for %lld", (long long)total,
             (long long)e->capacity);
    for (int64_t i = 0; i < prompt->count; i++) {
        RT_CHECK(prompt->ids[i] >= 0 && prompt->ids[i] < e->config->vocab_size, err, RETORT_ERR_FORMAT,
                 "the prompt has token id %d, outside the model's vocabulary of %lld", prompt->ids[i],
                 (long long)e->config->vocab_size);
    }
    return RETORT_OK;
}

retort_status rt_engine_submit(rt_engine *e, const rt_request *request, uint64_t *ticket, retort_error *err) {
    RT_TRY(rt_request_check(e, request, err));
    pending *p = rt_calloc(1, sizeof *p);
    RT_CHECK(p != NULL, err, RETORT_ERR_MEMORY, "out of memory: request");
    *p = (pending){.request = *request, .ticket = ++e->tickets};
    if (e->last != NULL)
        e->last->next = p;
    else
        e->first = p;
    e->last = p;
    e->counts.waiting += request->n;
    if (ticket != NULL) *ticket = p->ticket;
    return RETORT_OK;
}

/* The slot is idle; it keeps its blocks only as long as jobs to come share their prompt. */
static void vacate(rt_engine *e, slot *x) {
    const int32_t index = (int32_t)(x - e->slots);
    e->num_put_off -= x->state == SLOT_PUT_OFF;
    x->state = SLOT_IDLE;
    e->counts.running--;
    const bool shared = e->current == x->owner && e->current_slot == index && x->owner->given < x->owner->request.n;
    if (!shared) rt_decoder_drop(e->decoder, index);
}

static void remove_request(rt_engine *e, pending *p) {
    pending *before = NULL;
    for (pending *q = e->first; q != p; q = q->next) before = q;
    if (before != NULL)
        before->next = p->next;
    else
        e->first = p->next;
    if (e->last == p) e->last = before;
    if (e->current == p) rt_engine_forget_prompt(e);
    rt_free(p);
}

bool rt_engine_cancel(rt_engine *e, uint64_t ticket) {
    pending *p = e->first;
    while (p != NULL && p->ticket != ticket) p = p->next;
    if (p == NULL) return false;
    for (int64_t i = 0; i < e->num_slots; i++) {
        if (e->slots[i].state == SLOT_IDLE || e->slots[i].owner != p) continue;
        vacate(e, &e->slots[i]);
    }
    e->counts.waiting -= p->request.n - p->given;
    remove_request(e, p);
    return true;
}

bool rt_engine_busy(const rt_engine *e) {
    return e->first != NULL;
}

rt_engine_counts rt_engine_count(const rt_engine *e) {
    return e->counts;
}

/* ---- giving jobs to slots ---- */

/* A stream of its own for each (prompt key, sample): Stafford's mix 13 of the two. */
static uint64_t stream_of(uint64_t key, int64_t sample) {
    uint64_t z = key + ((uint64_t)sample + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void advance_bans(const rt_engine *e, slot *x, const rt_bans *bans, int32_t id) {
    if (bans == NULL || rt_tokenizer_is_special(e->tokenizer, id)) return;
    size_t length = 0;
    const char *bytes = rt_tokenizer_piece(e->tokenizer, id, &length);
    x->ban_state = rt_bans_advance(bans, x->ban_state, bytes, length);
}

/* What remembers a response's text, as of its begun tokens. */
static void begin_text(const rt_engine *e, slot *x, const rt_request *request) {
    const rt_rules *rules = request->rules;
    x->ban_state = rules->settings.bans != NULL ? rt_bans_start(rules->settings.bans) : 0;
    memset(x->stop_state, 0, sizeof x->stop_state);
    for (int64_t i = request->prompt.count - request->begun; i < request->prompt.count; i++) {
        advance_bans(e, x, rules->settings.bans, request->prompt.ids[i]);
        (void)rt_stops_feed(&rules->stops, x->stop_state, request->prompt.ids[i]);
    }
}

static retort_status start_job(rt_engine *e, int32_t index, pending *p, retort_error *err) {
    slot *x = &e->slots[index];
    x->owner = p;
    x->sample = p->request.first + p->given++;
    x->fed = x->count = 0;
    x->age = ++e->ages;
    x->stream = stream_of(p->request.prompt.key, x->sample);
    begin_text(e, x, &p->request);
    e->counts.waiting--;
    e->counts.running++;
    if (e->current != p) {
        rt_engine_forget_prompt(e);
        rt_decoder_drop(e->decoder, index);
        x->state = SLOT_PREFILL;
        e->current = p;
        e->current_ready = false;
    } else if (e->current_ready) {
        x->state = SLOT_FIRST;
        RT_CHECK(rt_decoder_copy_prefix(e->decoder, e->current_slot, index, p->request.prompt.count) == RETORT_OK, err,
                 RETORT_ERR_STATE, "a shared prompt is no longer in the cache");
    } else {
        x->state = SLOT_WAIT;
    }
    e->current_slot = index;
    return RETORT_OK;
}

static draw *add_draw(rt_engine *e, int32_t index, int64_t scored, const float *logits) {
    draw *d = &e->draws[e->num_draws++];
    d->slot = index;
    d->scored = scored;
    d->logits = logits;
    return d;
}

/* Gives jobs to all idle slots; the draws of those that hold their prompt already are collected. */
static retort_status start_jobs(rt_engine *e, retort_error *err) {
    e->num_draws = 0;
    pending *p = e->first;
    rt_engine_resume(e);
    for (int32_t i = 0; i < e->num_slots && e->num_put_off == 0; i++) {
        while (p != NULL && p->given == p->request.n) p = p->next;
        if (p == NULL) return RETORT_OK;
        if (e->slots[i].state != SLOT_IDLE) continue;
        if (!rt_engine_fits(e, p)) return RETORT_OK;
        RT_TRY(start_job(e, i, p, err));
        if (e->slots[i].state == SLOT_FIRST) add_draw(e, i, NO_SCORE, e->current_logits);
    }
    return RETORT_OK;
}

/* ---- drawing ---- */

/* Bans are asked before the threads start: a state that is met for the first time is filled in. */
static retort_status find_banned(rt_engine *e, retort_error *err) {
    for (int64_t i = 0; i < e->num_draws; i++) {
        draw *d = &e->draws[i];
        const slot *x = &e->slots[d->slot];
        rt_bans *bans = x->owner->request.rules->settings.bans;
        d->banned = NULL;
        if (d->scored != NO_SCORE || bans == NULL) continue;
        RT_TRY(rt_bans_refused(bans, x->ban_state, e->mask_block + d->slot * e->mask_words, &d->banned, err));
    }
    return RETORT_OK;
}

/* Insertion into a short sorted list; ids ascend, so that equals stay in the order of their ids. */
static void find_best(const rt_engine *e, int32_t wanted, draw *d) {
    const float lse = d->choice.lse;
    d->num_best = 0;
    for (int64_t i = 0; i < e->config->vocab_size; i++) {
        const float x = d->logits[i];
        if (d->num_best == wanted && !(x > d->logits[d->best[wanted - 1].id])) continue;
        int32_t at = d->num_best < wanted ? d->num_best++ : wanted - 1;
        for (; at > 0 && x > d->logits[d->best[at - 1].id]; at--) d->best[at] = d->best[at - 1];
        d->best[at] = (rt_candidate){(int32_t)i, rt_token_logprob(d->logits, i, 1, lse)};
    }
}

static rt_choice score_one(const rt_engine *e, const draw *d, int32_t id) {
    rt_choice c = {.id = id, .lse = rt_logsumexp(e->config->vocab_size, d->logits, 1)};
    c.logp = rt_token_logprob(d->logits, id, 1, c.lse);
    if (!isfinite(c.lse)) c.id = RT_CHOICE_NOT_FINITE;
    return c;
}

static rt_choice draw_one(rt_engine *e, const draw *d, int thread) {
    const slot *x = &e->slots[d->slot];
    const rt_rules *rules = x->owner->request.rules;
    const int64_t vocab = e->config->vocab_size, at = thread * vocab;
    rt_choose_scratch scratch = {e->scratch_p + at, e->scratch_order + at};
    const rt_sampling *settings = &rules->settings;
    const rt_refusal refusal = {.never = rules->never,
                                .banned = settings->ban_mode != RT_BAN_PENALTY ? d->banned : NULL,
                                .capped = settings->ban_mode == RT_BAN_CAP,
                                .cap = (double)settings->ban_cap};
    const float *adjusted = d->logits;
    if (rt_rules_adjust(rules, d->banned)) {
        rt_rules_adjusted(rules, vocab, d->logits, x->ids, x->count, d->banned, e->scratch_mark + at,
                          e->scratch_adjusted + at);
        adjusted = e->scratch_adjusted + at;
    }
    const uint64_t place = (uint64_t)(x->count + x->owner->request.begun);
    const float u = rt_uniform_at(settings->seed, x->stream, place);
    return rt_choose(settings, vocab, d->logits, adjusted, &refusal, u, &scratch);
}

static void choose_one(rt_engine *e, draw *d, int thread) {
    const rt_request *request = &e->slots[d->slot].owner->request;
    d->choice = d->scored == NO_SCORE ? draw_one(e, d, thread) : score_one(e, d, request->prompt.ids[d->scored]);
    d->num_best = 0;
    if (request->num_best > 0 && d->choice.id >= 0) find_best(e, request->num_best, d);
}

static int threads_for_draws(const rt_engine *e) {
    const int threads = rt_threads_for(e->num_draws * e->config->vocab_size * 8);
    return threads < e->threads ? threads : e->threads;
}

static void choose_all(rt_engine *e) {
#pragma omp parallel for num_threads(threads_for_draws(e)) schedule(static)
    for (int64_t i = 0; i < e->num_draws; i++) choose_one(e, &e->draws[i], omp_get_thread_num());
}

/* ---- taking what was drawn ---- */

/* The slot is idle again, and its request gone if this was its last sample. */
static void free_slot(rt_engine *e, slot *x) {
    vacate(e, x);
    if (++x->owner->done == x->owner->request.n) remove_request(e, x->owner);
}

static retort_status finish(rt_engine *e, slot *x, rt_finish how, retort_error *err) {
    const rt_request request = x->owner->request;
    const int64_t sample = x->sample;
    const size_t count = (size_t)x->count;
    rt_response r = {.count = x->count, .finish = how};
    free_slot(e, x);
    if (request.on_response == NULL) return RETORT_OK;
    r.ids = rt_malloc_array(count, sizeof *r.ids);
    r.logp = rt_malloc_array(count, sizeof *r.logp);
    r.drawn = rt_malloc_array(count, sizeof *r.drawn);
    if (r.ids == NULL || r.logp == NULL || r.drawn == NULL) {
        rt_free(r.ids);
        rt_free(r.logp);
        rt_free(r.drawn);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: response of %zu tokens", count);
    }
    memcpy(r.ids, x->ids, count * sizeof *r.ids);
    memcpy(r.logp, x->logp, count * sizeof *r.logp);
    memcpy(r.drawn, x->drawn, count * sizeof *r.drawn);
    return request.on_response(request.context, sample, &r, err);
}

static retort_status fail_sample(rt_engine *e, slot *x, int32_t why, retort_error *err) {
    const rt_request request = x->owner->request;
    const int64_t sample = x->sample;
    retort_error reason = {0};
    if (why == RT_CHOICE_NONE)
        rt_fail(&reason, RETORT_ERR_USAGE, "every token is banned at token %lld of a response; ban less",
                (long long)x->count + 1);
    else
        rt_fail(&reason, RETORT_ERR_NUMERIC,
                "the model's logits are not finite at token %lld of a response; its weights are damaged",
                (long long)x->count + 1);
    free_slot(e, x);
    if (request.on_failure != NULL) return request.on_failure(request.context, sample, &reason, err);
    if (err != NULL) *err = reason;
    return reason.code;
}

static retort_status take_score(const rt_engine *e, const draw *d, retort_error *err) {
    const rt_request *request = &e->slots[d->slot].owner->request;
    if (request->on_prompt_token == NULL) return RETORT_OK;
    const rt_token token = {d->choice.id, d->choice.logp, d->best, d->num_best};
    return request->on_prompt_token(request->context, d->scored, &token, err);
}

static retort_status take_draw(rt_engine *e, const draw *d, retort_error *err) {
    slot *x = &e->slots[d->slot];
    if (x->state == SLOT_IDLE) return RETORT_OK; /* a score before this draw failed */
    const int32_t id = d->choice.id;
    if (id < 0) return fail_sample(e, x, id, err);
    if (d->scored != NO_SCORE) return take_score(e, d, err);
    const rt_request *request = &x->owner->request;
    const rt_sampling *settings = &request->rules->settings;
    x->ids[x->count] = id;
    x->drawn[x->count] = d->choice.drawn;
    x->logp[x->count++] = d->choice.logp;
    e->counts.sampled_tokens++;
    if (request->on_token != NULL) {
        const rt_token token = {id, d->choice.logp, d->best, d->num_best};
        RT_TRY(request->on_token(request->context, x->sample, &token, err));
    }
    if (rt_stops_feed(&request->rules->stops, x->stop_state, id)) return finish(e, x, RT_FINISH_STOP, err);
    if (x->count + request->begun == settings->max_new_tokens) return finish(e, x, RT_FINISH_LENGTH, err);
    x->state = SLOT_DECODE;
    advance_bans(e, x, settings->bans, id);
    return RETORT_OK;
}

static retort_status draw_tokens(rt_engine *e, retort_error *err) {
    RT_TRY(find_banned(e, err));
    choose_all(e);
    for (int64_t i = 0; i < e->num_draws; i++) RT_TRY(take_draw(e, &e->draws[i], err));
    return RETORT_OK;
}

/* ---- steps of the decoder ---- */

typedef struct row_count {
    int64_t all, wanted;
} row_count;

static void add_row(rt_engine *e, row_count *rows, int32_t index, int64_t position, int32_t id, bool wanted) {
    e->row_slot[rows->all] = index;
    e->row_position[rows->all] = (int32_t)position;
    e->row_id[rows->all] = id;
    e->row_wanted[rows->all] = wanted;
    rows->all++;
    rows->wanted += wanted;
}

/* Logits are kept for one row a slot, and for guesses. Decoding takes one each; whoever feeds a prompt leaves room for
 * at least one more, since he has a slot himself, so that scoring a prompt never blocks. */
static void add_prompt_rows(rt_engine *e, int32_t index, row_count *rows) {
    slot *x = &e->slots[index];
    const rt_request *request = &x->owner->request;
    /* Once a request, also where a later job has to feed the prompt anew. */
    const bool scores = x->state == SLOT_PREFILL && request->score_prompt && x->sample == request->first;
    const int64_t length = rt_slot_length(x);
    for (; x->fed < length && rows->all < e->max_rows; x->fed++) {
        const bool wanted = scores || x->fed + 1 == length;
        if (wanted && rows->wanted == e->max_wanted) return;
        add_row(e, rows, index, x->fed, rt_slot_token(x, x->fed), wanted);
        *(x->state == SLOT_PREFILL ? &e->counts.fed_tokens : &e->counts.fed_again) += 1;
    }
    if (x->state == SLOT_REFILL && x->fed == length) x->state = SLOT_DECODE;
}

/* Rows for guesses behind that of the response's last token. They take no block that another may want, and leave
 * `others` responses a row. */
static void add_guesses(rt_engine *e, int32_t index, int64_t position, int64_t others, row_count *rows) {
    slot *x = &e->slots[index];
    const rt_sampling *settings = &x->owner->request.rules->settings;
    int32_t guesses[SPECULATIVE_ROWS];
    int64_t most = settings->speculative_tokens,
            left = settings->max_new_tokens - x->owner->request.begun - x->count - 1;
    if (most > left) most = left;
    if (most > SPECULATIVE_ROWS - rows->all) most = SPECULATIVE_ROWS - rows->all;
    if (most > e->max_rows - others - rows->all) most = e->max_rows - others - rows->all;
    if (most <= 0) return;
    const int32_t count = rt_guess_tokens(x, (int32_t)most, guesses);
    for (int32_t i = 0; i < count; i++) {
        const int64_t at = position + 1 + i;
        if (!e->ample && rt_decoder_wants(e->decoder, index, at, at + 1) > 0) return;
        add_row(e, rows, index, at, guesses[i], true);
        x->num_guesses++;
    }
}

/* Tokens to be fed: first one of each response under way, and guesses, then as much of the prompts as fits. */
static int64_t build_rows(rt_engine *e) {
    row_count rows = {0};
    const bool all = rt_engine_make_room(e);
    int64_t decoding = 0;
    for (int32_t i = 0; i < e->num_slots; i++) {
        e->slots[i].num_guesses = 0;
        decoding += e->slots[i].state == SLOT_DECODE;
    }
    int64_t left = decoding;
    for (int32_t i = 0; i < e->num_slots && rows.all < e->max_rows; i++) {
        slot *x = &e->slots[i];
        if (x->state != SLOT_DECODE) continue;
        const int64_t position = rt_slot_length(x) - 1;
        if (!all && rt_decoder_wants(e->decoder, i, position, position + 1) > 0) continue;
        x->first_row = rows.all;
        add_row(e, &rows, i, position, x->ids[x->count - 1], true);
        if (decoding < SPECULATIVE_ROWS) add_guesses(e, i, position, --left, &rows);
    }
    for (int32_t i = 0; i < e->num_slots && rows.all < e->max_rows; i++) {
        const slot_state state = e->slots[i].state;
        if (state == SLOT_PREFILL || state == SLOT_REFILL) add_prompt_rows(e, i, &rows);
    }
    return rows.all;
}

/* A prompt has been fed: the slots that waited for it copy it and draw from the same logits. */
static retort_status share_prompt(rt_engine *e, int32_t from, const float *logits, retort_error *err) {
    const pending *p = e->slots[from].owner;
    for (int32_t i = 0; i < e->num_slots; i++) {
        if (e->slots[i].state != SLOT_WAIT || e->slots[i].owner != p) continue;
        RT_CHECK(rt_decoder_copy_prefix(e->decoder, from, i, p->request.prompt.count) == RETORT_OK, err,
                 RETORT_ERR_STATE, "a shared prompt is not in the cache");
        e->slots[i].state = SLOT_FIRST;
        add_draw(e, i, NO_SCORE, logits);
    }
    if (p == e->current) {
        memcpy(e->current_logits, logits, (size_t)e->config->vocab_size * sizeof *logits);
        e->current_ready = true;
    }
    return RETORT_OK;
}

/* What row r's logits are for: scoring the prompt's next token, or, behind the last, the first draw. */
static retort_status use_logits(rt_engine *e, int64_t r, const float *logits, retort_error *err) {
    const int32_t index = e->row_slot[r];
    const slot *x = &e->slots[index];
    const int64_t next = e->row_position[r] + 1;
    if (x->state == SLOT_PREFILL && next < x->owner->request.prompt.count) {
        add_draw(e, index, next, logits);
        return RETORT_OK;
    }
    if (!x->owner->request.only_prompt) add_draw(e, index, NO_SCORE, logits);
    return x->state == SLOT_PREFILL ? share_prompt(e, index, logits, err) : RETORT_OK;
}

static retort_status finish_scored(rt_engine *e, retort_error *err) {
    for (int32_t i = 0; i < e->num_slots; i++) {
        slot *x = &e->slots[i];
        const bool done =
            x->state == SLOT_PREFILL && x->owner->request.only_prompt && x->fed == x->owner->request.prompt.count;
        if (done) RT_TRY(finish(e, x, RT_FINISH_LENGTH, err));
    }
    return RETORT_OK;
}

/* A guess that was drawn makes the logits behind it good for the next draw. */
static retort_status check_guesses(rt_engine *e, retort_error *err) {
    for (int32_t round = 0; round < SPECULATIVE_ROWS; round++) {
        e->num_draws = 0;
        for (int32_t i = 0; i < e->num_slots; i++) {
            slot *x = &e->slots[i];
            if (round >= x->num_guesses) continue;
            e->counts.guessed += round == 0 ? x->num_guesses : 0;
            const bool right = x->state == SLOT_DECODE && x->ids[x->count - 1] == e->row_id[x->first_row + 1 + round];
            if (!right) {
                x->num_guesses = 0;
                continue;
            }
            e->counts.guessed_right++;
            add_draw(e, i, NO_SCORE, x->guessed + (round + 1) * e->config->vocab_size);
        }
        if (e->num_draws == 0) return RETORT_OK;
        RT_TRY(draw_tokens(e, err));
    }
    return RETORT_OK;
}

static retort_status decode(rt_engine *e, retort_error *err) {
    const int64_t rows = build_rows(e);
    RT_TRY(rt_decoder_step(e->decoder, rows, e->row_slot, e->row_position, e->row_id, e->row_wanted, e->logits, err));
    e->num_draws = 0;
    const float *logits = e->logits;
    for (int64_t r = 0; r < rows; r++) {
        slot *x = &e->slots[e->row_slot[r]];
        if (!e->row_wanted[r]) continue;
        if (x->num_guesses == 0 || r == x->first_row) RT_TRY(use_logits(e, r, logits, err));
        if (r == x->first_row) x->guessed = logits;
        logits += e->config->vocab_size;
    }
    RT_TRY(draw_tokens(e, err));
    RT_TRY(check_guesses(e, err));
    return finish_scored(e, err);
}

retort_status rt_engine_step(rt_engine *e, retort_error *err) {
    /* A response may end with its first token, which leaves the slot idle again. */
    do {
        RT_TRY(start_jobs(e, err));
        RT_TRY(draw_tokens(e, err));
    } while (e->num_draws > 0);
    return rt_engine_busy(e) ? decode(e, err) : RETORT_OK;
}
