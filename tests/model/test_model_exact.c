/* The law of exactness seen from the whole model: every comparison is memcmp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

enum { DOCS = 64, LONGEST = 70 };

static int setup(void **state) {
    (void)state;
    retort_error err;
    must(rt_compute_init(&err), &err);
    rt_compute_set_threads(1); /* small work; more threads have their own test */
    return 0;
}

/* ---- training ---- */

enum { ALL_LINEAR = (1 << RT_LORA_MODULES) - 1, SOME_LINEAR = 1 << RT_LORA_Q | 1 << RT_LORA_V | 1 << RT_LORA_DOWN };

static void micro_batches(rt_model model) {
    const rt_config config = model.config;
    corpus c = fixture_corpus(&config, 24, LONGEST, 0.6, 2);
    record whole = record_of(&model, c.tokens);
    run_corpus(&model, &c, false, c.docs, 1.0F, &whole);
    const int64_t steps[] = {1, 2, 5, 23, 0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        record split = record_of(&model, c.tokens);
        run_corpus(&model, &c, i % 2 == 1, steps[i], 1.0F, &split);
        assert_same_record(c.tokens, &whole, &split);
        record_release(&split);
    }
    record_release(&whole);
    corpus_release(&c);
    rt_model_release(&model);
}

static void test_micro_batches(void **state) {
    (void)state;
    const rt_config tied = fixture_config(true, true), untied = fixture_config(false, false);
    micro_batches(fixture_model(&tied, 1));
    micro_batches(fixture_model(&untied, 1));
    rt_model model = fixture_model(&tied, 1);
    const rt_dtype narrow[] = {RT_DTYPE_BF16, RT_DTYPE_INT8};
    for (int i = 0; i < 2; i++) {
        rt_model adapted = fixture_as(&model, narrow[i]);
        fixture_adapt(&adapted, 5, ALL_LINEAR, 3);
        micro_batches(adapted);
    }
    rt_model_release(&model);
}

static void recompute(rt_config config) {
    rt_model model = fixture_model(&config, 3);
    corpus c = fixture_corpus(&config, 12, LONGEST, 1.0, 4);
    record kept = record_create(&config, c.tokens), again = record_create(&config, c.tokens);
    run_corpus(&model, &c, false, 4, 1.25F, &kept);
    run_corpus(&model, &c, true, 4, 1.25F, &again);
    assert_same_record(c.tokens, &kept, &again);
    assert_true(rt_workspace_bytes(&config, &(rt_workspace_shape){.max_tokens = 1000, .recompute = true}) <
                rt_workspace_bytes(&config, &(rt_workspace_shape){.max_tokens = 1000}));
    record_release(&kept);
    record_release(&again);
    corpus_release(&c);
    rt_model_release(&model);
}

static void test_recompute(void **state) {
    (void)state;
    recompute(fixture_config(true, true));
}

/* Documents without a scored token, and what follows the last scored one, change nothing. */
static void test_unscored_documents(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 5);
    corpus c = fixture_corpus(&config, 9, 20, 0.5, 6);
    for (int64_t t = c.doc_start[4]; t < c.doc_start[5]; t++) c.target[t] = -1;
    record all = record_create(&config, c.tokens), without = record_create(&config, c.tokens);
    run_corpus(&model, &c, false, c.docs, 1.0F, &all);
    rt_workspace *ws;
    retort_error err;
    must(rt_workspace_create(&config, &(rt_workspace_shape){.max_tokens = c.tokens}, &ws, &err), &err);
    run_slice(&model, ws, &c, 0, 4, 1.0F, &without);
    run_slice(&model, ws, &c, 5, c.docs - 5, 1.0F, &without);
    rt_workspace_flush_grads(ws, &without.grads);
    rt_workspace_destroy(ws);
    assert_same_record(c.tokens, &all, &without);
    for (int64_t t = 0; t < c.tokens; t++)
        if (c.target[t] < 0) assert_true(all.logp[t] == 0.0F && all.entropy[t] == 0.0F);
    record_release(&all);
    record_release(&without);
    corpus_release(&c);
    rt_model_release(&model);
}

/* ---- sampling ---- */

/* How the documents are fed: one slot each, in rounds of up to `chunk` tokens a document and max_rows rows a step;
 * chunk 0 draws a new length each time, the first `prefill` tokens go in one piece. */
typedef struct feeding {
    int64_t chunk, prefill, max_rows;
} feeding;

typedef struct feeder {
    const corpus *c;
    feeding how;
    rt_rng rng;
    int32_t *done; /* [docs] */
    int32_t *slot, *position, *ids;
    bool *want;
    int64_t *token; /* [max_rows]: which token a row is */
    float *out;     /* [max_rows][V] */
} feeder;

static int64_t fill_step(feeder *f, int64_t docs) {
    int64_t rows = 0;
    for (int64_t i = 0; i < docs; i++) {
        const int64_t length = f->c->doc_start[i + 1] - f->c->doc_start[i];
        int64_t n = f->how.chunk != 0 ? f->how.chunk : 1 + rt_rng_below(&f->rng, 20);
        if (f->done[i] < f->how.prefill) n = f->how.prefill - f->done[i];
        for (; n > 0 && f->done[i] < length && rows < f->how.max_rows; n--, rows++) {
            f->slot[rows] = (int32_t)(docs - 1 - i);
            f->position[rows] = f->done[i]++;
            f->token[rows] = f->c->doc_start[i] + f->position[rows];
            f->ids[rows] = f->c->ids[f->token[rows]];
            f->want[rows] = f->c->target[f->token[rows]] >= 0;
        }
    }
    return rows;
}

/* Logits of every scored token of the first `docs` documents, decoded together. */
static void decode(const rt_model *model, const corpus *c, int64_t docs, feeding how, float *logits) {
    retort_error err;
    rt_decoder *decoder;
    const int64_t vocab = model->config.vocab_size;
    feeder f = {.c = c, .how = how, .rng = rt_rng_make(5, 5)};
    f.done = calloc((size_t)docs, sizeof *f.done);
    f.slot = calloc((size_t)how.max_rows, sizeof *f.slot);
    f.position = calloc((size_t)how.max_rows, sizeof *f.position);
    f.ids = calloc((size_t)how.max_rows, sizeof *f.ids);
    f.want = calloc((size_t)how.max_rows, sizeof *f.want);
    f.token = calloc((size_t)how.max_rows, sizeof *f.token);
    f.out = calloc((size_t)(how.max_rows * vocab), sizeof *f.out);
    must(rt_decoder_create(model, docs, LONGEST + 5, how.max_rows, &decoder, &err), &err);
    int64_t rows;
    while ((rows = fill_step(&f, docs)) > 0) {
        must(rt_decoder_step(decoder, rows, f.slot, f.position, f.ids, f.want, f.out, &err), &err);
        int64_t next = 0;
        for (int64_t r = 0; r < rows; r++)
            if (f.want[r]) memcpy(logits + f.token[r] * vocab, f.out + next++ * vocab, (size_t)vocab * sizeof *logits);
    }
    rt_decoder_destroy(decoder);
    free(f.done);
    free(f.slot);
    free(f.position);
    free(f.ids);
    free(f.want);
    free(f.token);
    free(f.out);
}

/* Log-probabilities and entropies as a sampler computes them from its logits. */
static void assert_on_policy(const rt_model *model, const corpus *c, int64_t docs, const float *logits, float inv_t,
                             const record *r) {
    const int64_t vocab = model->config.vocab_size;
    for (int64_t t = 0; t < c->doc_start[docs]; t++) {
        if (c->target[t] < 0) continue;
        const float *row = logits + t * vocab;
        const float lse = rt_logsumexp(vocab, row, inv_t);
        const float logp = rt_token_logprob(row, c->target[t], inv_t, lse),
                    entropy = rt_entropy(vocab, row, inv_t, lse);
        assert_same_floats("sampler's and trainer's logp", &logp, &r->logp[t], 1);
        assert_same_floats("sampler's and trainer's entropy", &entropy, &r->entropy[t], 1);
    }
}

static void sampler_is_trainer(rt_model model, int64_t docs, double scored, float inv_t) {
    const rt_config config = model.config;
    corpus c = fixture_corpus(&config, docs, LONGEST, scored, 8);
    const size_t count = (size_t)(c.tokens * config.vocab_size);
    float *first = calloc(count, sizeof *first), *again = calloc(count, sizeof *again);
    record r = record_of(&model, c.tokens);
    run_corpus(&model, &c, false, c.docs, inv_t, &r);
    decode(&model, &c, docs, (feeding){.chunk = 1, .max_rows = DOCS}, first);
    assert_on_policy(&model, &c, docs, first, inv_t, &r);
    const feeding others[] = {{.chunk = 200, .max_rows = 37},
                              {.chunk = 3, .max_rows = 100},
                              {.max_rows = 256},
                              {.chunk = 1, .prefill = 30, .max_rows = 512}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        decode(&model, &c, docs, others[i], again);
        assert_same_floats("logits", first, again, (int64_t)count);
    }
    decode(&model, &c, 1, (feeding){.chunk = 1, .max_rows = 1}, again);
    decode(&model, &c, 2, (feeding){.chunk = 7, .max_rows = 9}, again);
    assert_same_floats("logits in a batch of 2 and of many", first, again, (int64_t)count);
    free(first);
    free(again);
    record_release(&r);
    corpus_release(&c);
    rt_model_release(&model);
}

static void test_sampler_is_trainer(void **state) {
    (void)state;
    const rt_config tied = fixture_config(true, true), untied = fixture_config(false, false);
    sampler_is_trainer(fixture_model(&tied, 7), DOCS, 1.0, 1.0F);
    sampler_is_trainer(fixture_model(&untied, 7), DOCS, 0.5, 1.0F / 0.7F);
}

/* A model of this shape held in a narrow format, with adapters of everything. */
static rt_model adapted(const rt_config *config, rt_dtype weights, uint64_t seed) {
    rt_model model = fixture_model(config, seed), narrow = fixture_as(&model, weights);
    fixture_adapt(&narrow, 3, ALL_LINEAR, seed + 1);
    rt_model_release(&model);
    return narrow;
}

static void test_sampler_is_trainer_with_adapters(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 7);
    fixture_adapt(&model, 16, SOME_LINEAR, 8);
    sampler_is_trainer(model, 20, 0.8, 1.0F);
    sampler_is_trainer(adapted(&config, RT_DTYPE_BF16, 9), 20, 1.0, 1.0F / 0.7F);
    sampler_is_trainer(adapted(&config, RT_DTYPE_INT8, 9), 20, 1.0, 1.0F / 0.7F);
}

/* Keys and values rounded to bfloat16 by the cache and by training; not the model that keeps them as they are. */
static void test_half_cache(void **state) {
    (void)state;
    rt_config config = fixture_config(true, true);
    rt_model plain = fixture_model(&config, 7);
    corpus c = fixture_corpus(&config, 6, LONGEST, 1.0, 8);
    record a = record_of(&plain, c.tokens), b = record_of(&plain, c.tokens);
    run_corpus(&plain, &c, false, c.docs, 1.0F, &a);
    plain.config.kv_dtype = RT_DTYPE_BF16;
    run_corpus(&plain, &c, true, 2, 1.0F, &b);
    assert_true(memcmp(a.logp, b.logp, (size_t)c.tokens * sizeof(float)) != 0);
    assert_true(rt_decoder_bytes(&plain.config, NULL, 64, 128, 1) < rt_decoder_bytes(&config, NULL, 64, 128, 1));
    config.kv_dtype = RT_DTYPE_BF16;
    sampler_is_trainer(fixture_model(&config, 7), 20, 1.0, 1.0F / 0.7F);
    micro_batches(fixture_model(&config, 1));
    for (int i = 0; i < FIXTURE_FEATURES; i++) {
        rt_config feature = fixture_feature(i);
        feature.kv_dtype = RT_DTYPE_BF16;
        sampler_is_trainer(adapted(&feature, i % 2 ? RT_DTYPE_BF16 : RT_DTYPE_INT8, 7), 3, 0.8, 1.0F);
    }
    record_release(&a);
    record_release(&b);
    corpus_release(&c);
    rt_model_release(&plain);
}

/* The same of every further feature of the engine. */
static void test_features(void **state) {
    (void)state;
    for (int i = 0; i < FIXTURE_FEATURES; i++) {
        const rt_config config = fixture_feature(i);
        sampler_is_trainer(fixture_model(&config, 7), 12, 0.8, 1.0F);
        sampler_is_trainer(adapted(&config, RT_DTYPE_BF16, 7), 3, 0.8, 1.0F);
        sampler_is_trainer(adapted(&config, RT_DTYPE_INT8, 7), 3, 0.8, 1.0F);
        micro_batches(fixture_model(&config, 1));
        recompute(config);
    }
}

static void test_copy_prefix_and_update(void **state) {
    (void)state;
    enum { PROMPT = 21, ROWS = 40 };
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 9), other = fixture_model(&config, 10);
    retort_error err;
    rt_decoder *shared, *fresh;
    int32_t slot[ROWS], position[ROWS], ids[ROWS];
    bool want[ROWS] = {false};
    float direct[2 * 211], copied[2 * 211];
    for (int32_t r = 0; r < ROWS; r++) {
        slot[r] = 2;
        position[r] = r;
        ids[r] = (r * 37 + 5) % 211;
        want[r] = r == PROMPT - 1 || r == PROMPT;
    }
    must(rt_decoder_create(&model, 3, ROWS, ROWS, &shared, &err), &err);
    must(rt_decoder_create(&other, 3, ROWS, ROWS, &fresh, &err), &err);
    must(rt_decoder_step(fresh, PROMPT + 1, slot, position, ids, want, direct, &err), &err);
    assert_int_equal(rt_decoder_update(shared, &other), RETORT_OK);
    must(rt_decoder_step(shared, PROMPT, slot, position, ids, want, copied, &err), &err);
    assert_int_equal(rt_decoder_copy_prefix(shared, 2, 0, PROMPT), RETORT_OK);
    slot[PROMPT] = 0;
    must(rt_decoder_step(shared, 1, slot + PROMPT, position + PROMPT, ids + PROMPT, want + PROMPT, copied + 211, &err),
         &err);
    assert_same_floats("logits after an update and a copied prefix", direct, copied, 2 * 211);
    /* a new sequence in a used slot */
    slot[0] = 0;
    want[0] = true;
    must(rt_decoder_step(shared, 1, slot, position, ids, want, copied, &err), &err);
    slot[0] = 1;
    must(rt_decoder_step(fresh, 1, slot, position, ids, want, direct, &err), &err);
    assert_same_floats("logits in a used slot", direct, copied, 211);
    rt_decoder_destroy(shared);
    rt_decoder_destroy(fresh);
    rt_model_release(&model);
    rt_model_release(&other);
}

/* ---- threads and instruction sets ---- */

typedef struct everything {
    record r;
    float *logits;
} everything;

static everything compute_everything(const rt_model *model, const corpus *c) {
    everything e = {.r = record_of(model, c->tokens)};
    e.logits = calloc((size_t)(c->tokens * model->config.vocab_size), sizeof *e.logits);
    run_corpus(model, c, false, 7, 1.0F, &e.r);
    decode(model, c, c->docs, (feeding){.chunk = 1, .prefill = 11, .max_rows = 128}, e.logits);
    return e;
}

static void each_machine(const rt_model *model, int64_t docs) {
    const rt_config config = model->config;
    corpus c = fixture_corpus(&config, docs, LONGEST, 0.7, 13);
    const rt_isa best = rt_compute_isa();
    retort_error err;
    must(rt_compute_use_isa(RT_ISA_SCALAR, &err), &err);
    rt_compute_set_threads(1);
    everything want = compute_everything(model, &c);
    for (int isa = RT_ISA_SCALAR; isa <= (int)best; isa++) {
        must(rt_compute_use_isa((rt_isa)isa, &err), &err);
        for (int threads = 1; threads <= 3; threads++) {
            rt_compute_set_threads(threads);
            everything got = compute_everything(model, &c);
            assert_same_record(c.tokens, &want.r, &got.r);
            assert_same_floats("logits", want.logits, got.logits, c.tokens * config.vocab_size);
            record_release(&got.r);
            free(got.logits);
        }
    }
    must(rt_compute_use_isa(best, &err), &err);
    rt_compute_set_threads(1);
    record_release(&want.r);
    free(want.logits);
    corpus_release(&c);
}

static void test_threads_and_isa(void **state) {
    (void)state;
    const rt_config config = fixture_config(false, true);
    rt_model model = fixture_model(&config, 12);
    rt_model half = adapted(&config, RT_DTYPE_BF16, 14), int8 = adapted(&config, RT_DTYPE_INT8, 14);
    each_machine(&model, 20);
    each_machine(&half, 6);
    each_machine(&int8, 6);
    rt_model_release(&model);
    rt_model_release(&half);
    rt_model_release(&int8);
    for (int i = 0; i < FIXTURE_FEATURES; i++) {
        const rt_config feature = fixture_feature(i);
        model = fixture_model(&feature, 12);
        if (i % 2 == 1) model.config.kv_dtype = RT_DTYPE_BF16;
        each_machine(&model, 6);
        rt_model_release(&model);
    }
}

/* ---- number formats ---- */

/* Weights held as bfloat16 or int8 are the model whose float32 weights have the values that they stand for:
 * activations, adapters' gradients and logits have the same bits. */
static void narrow_is_rounded(const rt_config *config, rt_dtype weights, double size) {
    rt_model model = fixture_model(config, 15), narrow = fixture_as(&model, weights);
    rt_model rounded = fixture_as(&narrow, RT_DTYPE_F32);
    assert_true(memcmp(model.params.data, rounded.params.data, (size_t)model.params.count * sizeof(float)) != 0);
    assert_true((double)rt_params_bytes(&narrow.config) < (double)rt_params_bytes(&rounded.config) * size);
    const size_t bytes = rt_decoder_bytes(&narrow.config, NULL, 1, 1, 1);
    assert_true((double)bytes < (double)rt_decoder_bytes(&rounded.config, NULL, 1, 1, 1) * (size + 0.1));
    fixture_adapt(&narrow, 4, ALL_LINEAR, 16);
    fixture_adapt(&rounded, 4, ALL_LINEAR, 16);
    corpus c = fixture_corpus(config, 8, LONGEST, 0.7, 17);
    everything a = compute_everything(&narrow, &c), b = compute_everything(&rounded, &c);
    assert_same_record(c.tokens, &b.r, &a.r);
    assert_same_floats("logits", b.logits, a.logits, c.tokens * config->vocab_size);
    char hash[2][65];
    retort_error err;
    must(rt_model_hash(&narrow, hash[0], &err), &err);
    must(rt_model_hash(&rounded, hash[1], &err), &err);
    assert_string_equal(hash[0], hash[1]);
    record_release(&a.r);
    record_release(&b.r);
    free(a.logits);
    free(b.logits);
    corpus_release(&c);
    rt_model_release(&model);
    rt_model_release(&narrow);
    rt_model_release(&rounded);
}

static void test_narrow_is_rounded(void **state) {
    (void)state;
    for (int tied = 0; tied < 2; tied++) {
        const rt_config config = fixture_config(tied != 0, true);
        narrow_is_rounded(&config, RT_DTYPE_BF16, 0.6);
        narrow_is_rounded(&config, RT_DTYPE_INT8, 0.34);
    }
}

static void no_weight(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                      float *coefficient) {
    (void)context;
    (void)first;
    (void)logp;
    (void)entropy;
    for (int64_t i = 0; i < count; i++) coefficient[i] = 0;
}

/* A decoder that takes the weights is the one that copies them. */
static void test_taking(void **state) {
    (void)state;
    enum { ROWS = 9 };
    const rt_dtype formats[] = {RT_DTYPE_F32, RT_DTYPE_BF16, RT_DTYPE_INT8};
    for (int i = 0; i < 6; i++) {
        const rt_config config = fixture_config(i % 2 == 0, true);
        rt_model model = fixture_model(&config, 31), held = fixture_as(&model, formats[i / 2]);
        fixture_adapt(&held, 3, ALL_LINEAR, 32);
        int32_t slot[ROWS] = {0}, position[ROWS], ids[ROWS];
        bool want[ROWS];
        float logits[2][ROWS * 211];
        for (int32_t r = 0; r < ROWS; r++) {
            position[r] = r;
            ids[r] = r * 23 + 1;
            want[r] = true;
        }
        for (int taking = 0; taking < 2; taking++) {
            const rt_decoder_size size = {.slots = 1, .capacity = ROWS, .rows = ROWS};
            rt_decoder *decoder;
            retort_error err;
            must(taking == 0 ? rt_decoder_create_sized(&held, &size, &decoder, &err)
                             : rt_decoder_create_taking(&held, &size, &decoder, &err),
                 &err);
            must(rt_decoder_step(decoder, ROWS, slot, position, ids, want, logits[taking], &err), &err);
            rt_decoder_destroy(decoder);
        }
        assert_same_floats("logits of a taking decoder", logits[0], logits[1], ROWS * 211);
        assert_null(held.params.tensors);
        rt_model_release(&held);
        rt_model_release(&model);
    }
}

/* Full training is refused: an update would be rounded away. */
static void test_narrow_is_frozen(void **state) {
    (void)state;
    const rt_config config = fixture_config(true, true);
    rt_model model = fixture_model(&config, 15), narrow = fixture_as(&model, RT_DTYPE_INT8);
    corpus c = fixture_corpus(&config, 1, 9, 1.0, 17);
    record r = record_create(&config, c.tokens);
    rt_workspace *ws;
    retort_error err;
    must(rt_workspace_create(&config, &(rt_workspace_shape){.max_tokens = c.tokens}, &ws, &err), &err);
    int32_t *start;
    rt_batch batch = corpus_slice(&c, 0, 1, &start);
    const rt_objective objective = {.inv_temperature = 1, .logp = r.logp, .weight = no_weight};
    assert_int_equal(rt_model_run(&narrow, ws, &batch, &objective, &r.grads, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "int8"));
    free(start);
    rt_workspace_destroy(ws);
    record_release(&r);
    corpus_release(&c);
    rt_model_release(&model);
    rt_model_release(&narrow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_micro_batches),
        cmocka_unit_test(test_recompute),
        cmocka_unit_test(test_unscored_documents),
        cmocka_unit_test(test_sampler_is_trainer),
        cmocka_unit_test(test_copy_prefix_and_update),
        cmocka_unit_test(test_threads_and_isa),
        cmocka_unit_test(test_sampler_is_trainer_with_adapters),
        cmocka_unit_test(test_narrow_is_rounded),
        cmocka_unit_test(test_narrow_is_frozen),
        cmocka_unit_test(test_taking),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_half_cache),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
