/* Sampling from a model folder: prefill, tokens one by one, many responses at once. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "sample/sampler.h"
#include "worker.h"
#include "worker_model.h"

enum { ROWS = 256 }; /* of a decoder step, as `retort sample` has it */

static retort_error err;

typedef struct sequence {
    rt_decoder *decoder;
    int64_t capacity;
    int32_t slot[ROWS], position[ROWS], ids[ROWS];
    bool want[ROWS];
    float *logits;
} sequence;

/* One slot, made for the longest sequence asked first. */
static sequence *sequence_of(int64_t capacity) {
    static sequence s;
    const rt_model *model = loaded_model();
    if (s.decoder == NULL) {
        s.capacity = capacity;
        s.logits = rt_aligned_alloc((size_t)model->config.vocab_size, sizeof *s.logits);
        if (s.logits == NULL) fail("out of memory");
        check(rt_decoder_create(model, 1, capacity, ROWS, &s.decoder, &err), &err);
    }
    if (capacity > s.capacity) fail("a longer sequence needs another process");
    return &s;
}

static void feed(sequence *s, int64_t from, int64_t count, bool want_last) {
    const int64_t vocab = loaded_model()->config.vocab_size;
    for (int64_t done = 0, rows; done < count; done += rows) {
        rows = count - done < ROWS ? count - done : ROWS;
        for (int64_t r = 0; r < rows; r++) {
            const int64_t at = from + done + r;
            s->position[r] = (int32_t)at;
            s->ids[r] = (int32_t)((uint64_t)at * 2654435761U % (uint64_t)vocab);
            s->want[r] = want_last && done + r == count - 1;
        }
        check(rt_decoder_step(s->decoder, rows, s->slot, s->position, s->ids, s->want, s->logits, &err), &err);
    }
}

static void answer_tokens(const stopwatch *watch, double tokens, double flops) {
    char extra[96];
    snprintf(extra, sizeof extra, ", \"tokens\": %.0f, \"flops\": %.6g", tokens, flops);
    answer(watch, extra);
}

void run_prefill(const words *w) {
    const int64_t tokens = number(w, 1);
    rt_compute_set_threads((int)number(w, 2));
    sequence *s = sequence_of(tokens + 1);
    stopwatch watch;
    start(&watch);
    feed(s, 0, tokens, true);
    const double n = (double)tokens;
    answer_tokens(&watch, n, rt_model_forward_flops(&loaded_model()->config, n, 0.5 * n * (n + 1), 1));
}

void run_decode(const words *w) {
    const int64_t count = number(w, 1), prefix = number(w, 2);
    rt_compute_set_threads((int)number(w, 3));
    sequence *s = sequence_of(prefix + count);
    feed(s, 0, prefix, false);
    stopwatch watch;
    start(&watch);
    for (int64_t i = 0; i < count; i++) feed(s, prefix + i, 1, true);
    const double n = (double)count, keys = n * (double)prefix + 0.5 * n * (n + 1);
    answer_tokens(&watch, n, rt_model_forward_flops(&loaded_model()->config, n, keys, n));
}

/* Slots for `slots` sequences of that capacity, each with a context of its own: shared blocks would stay in a cache. */
static rt_decoder *batch_of(int64_t slots, int64_t context, int64_t capacity) {
    static rt_decoder *decoder;
    static int64_t had_slots, had_context, had_capacity;
    if (decoder == NULL || had_slots != slots || had_context != context || had_capacity != capacity) {
        rt_decoder_destroy(decoder);
        check(rt_decoder_create(loaded_model(), slots, capacity, slots, &decoder, &err), &err);
        had_slots = slots;
        had_context = context;
        had_capacity = capacity;
        for (int32_t s = 0; s < slots; s++) check(rt_decoder_fill(decoder, s, context, &err), &err);
    }
    return decoder;
}

void run_batch(const words *w) {
    enum { MOST_SLOTS = 1024 };
    static int32_t slot[MOST_SLOTS], position[MOST_SLOTS], ids[MOST_SLOTS];
    static bool want[MOST_SLOTS];
    const int64_t slots = number(w, 1), count = number(w, 2), context = number(w, 3);
    const int64_t vocab = loaded_model()->config.vocab_size;
    if (slots < 1 || slots > MOST_SLOTS) fail("a batch has 1 to 1024 slots");
    rt_compute_set_threads((int)number(w, 4));
    rt_decoder *decoder = batch_of(slots, context, context + count);
    float *logits = rt_aligned_alloc((size_t)(slots * vocab), sizeof *logits);
    if (logits == NULL) fail("out of memory");
    stopwatch watch;
    start(&watch);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t s = 0; s < slots; s++) {
            slot[s] = (int32_t)s;
            position[s] = (int32_t)(context + i);
            ids[s] = (int32_t)((uint64_t)(s + i) * 2654435761U % (uint64_t)vocab);
            want[s] = true;
        }
        check(rt_decoder_step(decoder, slots, slot, position, ids, want, logits, &err), &err);
    }
    const double n = (double)(count * slots), keys = n * (double)context + 0.5 * n * (double)(count + 1);
    answer_tokens(&watch, n, rt_model_forward_flops(&loaded_model()->config, n, keys, n));
    rt_free(logits);
}

/* The engine with an end token that does not end: every response has the same length. */
void run_rollout(const words *w) {
    static rt_tokenizer *tokenizer;
    static rt_decoder *decoder;
    static int32_t *ids;
    static rt_prompt *prompts;
    const rt_model *model = loaded_model();
    const int64_t count = number(w, 1), n = number(w, 2), prefix = number(w, 3), fresh = number(w, 4);
    rt_compute_set_threads((int)number(w, 5));
    if (decoder == NULL) {
        const size_t total = (size_t)(count * prefix);
        if (w->count < 7) fail("rollout needs the folder of a tokenizer");
        check(rt_tokenizer_load(w->word[6], &tokenizer, &err), &err);
        check(rt_decoder_create(model, count * n, prefix + fresh, count * n > ROWS ? count * n : ROWS, &decoder, &err),
              &err);
        ids = rt_calloc(total, sizeof *ids);
        prompts = rt_calloc((size_t)count, sizeof *prompts);
        if (ids == NULL || prompts == NULL) fail("out of memory");
        for (size_t i = 0; i < total; i++) ids[i] = (int32_t)(i * 2654435761U % 1000);
        for (int64_t p = 0; p < count; p++) prompts[p] = (rt_prompt){ids + p * prefix, prefix, (uint64_t)p};
    }
    const rt_sampling settings = {.temperature = 1, .top_p = 1, .seed = 1, .max_new_tokens = fresh, .ignore_eos = true};
    rt_response *responses = NULL;
    stopwatch watch;
    start(&watch);
    check(rt_sample(decoder, &model->config, tokenizer, prompts, count, n, &settings, NULL, NULL, NULL, "rollout",
                    &responses, &err),
          &err);
    double tokens = 0;
    for (int64_t i = 0; i < count * n; i++) tokens += (double)responses[i].count;
    answer_tokens(&watch, tokens, rt_sample_flops(&model->config, prompts, count, n, responses));
    rt_responses_free(responses, count * n);
}
