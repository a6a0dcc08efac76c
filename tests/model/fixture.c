#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

rt_config fixture_config(bool tied, bool bias) {
    return (rt_config){.architecture = bias ? RT_QWEN2 : RT_LLAMA,
                       .vocab_size = 211,
                       .hidden_size = 40,
                       .intermediate_size = 272,
                       .num_hidden_layers = 3,
                       .num_attention_heads = 6,
                       .num_key_value_heads = 2,
                       .head_dim = 8,
                       .max_position_embeddings = 128,
                       .rope = {.theta = 10000.0},
                       .rms_norm_eps = 1e-6,
                       .initializer_range = 0.15,
                       .tie_word_embeddings = tied,
                       .qkv_bias = bias,
                       .bos_token_id = -1,
                       .pad_token_id = -1};
}

rt_config fixture_feature(int number) {
    rt_config c = fixture_config(number % 2 == 0, false);
    switch (number) {
    case 0: /* Qwen3 */
        c.architecture = RT_QWEN3;
        c.qk_norm = true;
        break;
    case 1: /* Qwen3 with everything */
        c.architecture = RT_QWEN3;
        c.qk_norm = c.qkv_bias = c.o_bias = true;
        c.sliding_window = 9;
        c.window_layers[0] = 5;
        c.rope = (rt_rope_config){
            .type = RT_ROPE_YARN, .theta = 1e4, .factor = 4, .original_positions = 32, .beta_fast = 32, .beta_slow = 1};
        break;
    case 2: /* Mistral */
        c.architecture = RT_MISTRAL;
        c.sliding_window = 21;
        c.window_layers[0] = 7;
        break;
    case 3:                 /* Llama 3.1 */
        c.hidden_size = 42; /* LlamaConfig wants a multiple of the heads, whatever head_dim is */
        c.rope = (rt_rope_config){.type = RT_ROPE_LLAMA3,
                                  .theta = 5e5,
                                  .factor = 8,
                                  .original_positions = 24,
                                  .low_freq_factor = 1,
                                  .high_freq_factor = 4};
        break;
    case 4: /* Llama with biases */
        c.hidden_size = 42;
        c.qkv_bias = c.o_bias = true;
        c.rope = (rt_rope_config){.type = RT_ROPE_LINEAR, .theta = 1e4, .factor = 2};
        c.max_position_embeddings = 64;
        break;
    default: /* Qwen2, windows from layer 1 on */
        c.architecture = RT_QWEN2;
        c.qkv_bias = true;
        c.sliding_window = 3;
        c.window_layers[0] = 6;
        c.rope = (rt_rope_config){.type = RT_ROPE_DYNAMIC, .theta = 1e4, .factor = 2};
    }
    return c;
}

rt_model fixture_model(const rt_config *config, uint64_t seed) {
    retort_error err;
    rt_model model = {.config = *config};
    must(rt_params_create(config, &model.params, &err), &err);
    rt_params_init(config, &model.params, seed);
    rt_rng rng = rt_rng_make(seed, 1000);
    for (int64_t i = 0; i < model.params.num_tensors; i++) {
        const rt_tensor *tensor = &model.params.tensors[i];
        if (tensor->dims != 1) continue;
        for (int64_t j = 0; j < tensor->count; j++)
            model.params.data[tensor->offset + j] += (float)(0.2 * rt_rng_normal(&rng));
    }
    return model;
}

rt_model fixture_as(const rt_model *model, rt_dtype weights) {
    retort_error err;
    rt_model out = {.config = model->config};
    out.config.weights_dtype = weights;
    must(rt_params_create(&out.config, &out.params, &err), &err);
    for (int64_t i = 0; i < model->params.num_tensors; i++) {
        const rt_tensor *from = &model->params.tensors[i], *to = &out.params.tensors[i];
        float *x = calloc((size_t)from->count, sizeof *x);
        rt_params_fetch(&model->params, from, 0, from->count, x);
        rt_params_store(&out.params, to, 0, from->count, x);
        free(x);
    }
    return out;
}

void fixture_adapt(rt_model *model, int64_t r, unsigned targets, uint64_t seed) {
    retort_error err;
    const rt_lora_config lora = {.r = r, .alpha = 1.7 * (double)r, .targets = targets};
    must(rt_lora_create(&model->config, &lora, &model->lora, &err), &err);
    rt_rng rng = rt_rng_make(seed, 0);
    for (int64_t i = 0; i < model->lora->params.count; i++)
        model->lora->params.data[i] = (float)(0.1 * rt_rng_normal(&rng));
}

static void *take(int64_t count, size_t size) {
    void *block = calloc((size_t)count + 1, size);
    assert_non_null(block);
    return block;
}

corpus fixture_corpus(const rt_config *config, int64_t docs, int64_t max_length, double scored, uint64_t seed) {
    corpus c = {.docs = docs};
    rt_rng rng = rt_rng_make(seed, 2000);
    c.doc_start = take(docs + 1, sizeof *c.doc_start);
    for (int64_t i = 0; i < docs; i++)
        c.doc_start[i + 1] = c.doc_start[i] + 1 + (int32_t)rt_rng_below(&rng, (uint32_t)max_length);
    c.tokens = c.doc_start[docs];
    c.ids = take(c.tokens, sizeof *c.ids);
    c.target = take(c.tokens, sizeof *c.target);
    c.weight = take(c.tokens, sizeof *c.weight);
    const uint32_t vocab = (uint32_t)config->vocab_size;
    for (int64_t t = 0; t < c.tokens; t++) {
        c.ids[t] = (int32_t)rt_rng_below(&rng, vocab);
        c.weight[t] = (float)(rt_rng_double(&rng) - 0.7);
    }
    for (int64_t i = 0; i < docs; i++) {
        for (int64_t t = c.doc_start[i]; t < c.doc_start[i + 1]; t++) {
            const bool last = t + 1 == c.doc_start[i + 1];
            c.target[t] = last ? (int32_t)rt_rng_below(&rng, vocab) : c.ids[t + 1];
            if (rt_rng_double(&rng) >= scored) c.target[t] = -1;
        }
    }
    return c;
}

void corpus_release(corpus *c) {
    free(c->doc_start);
    free(c->ids);
    free(c->target);
    free(c->weight);
    *c = (corpus){0};
}

rt_batch corpus_slice(const corpus *c, int64_t first, int64_t count, int32_t **start) {
    const int32_t base = c->doc_start[first];
    *start = take(count + 1, sizeof **start);
    for (int64_t i = 0; i <= count; i++) (*start)[i] = c->doc_start[first + i] - base;
    return (rt_batch){.tokens = (*start)[count],
                      .ids = c->ids + base,
                      .target = c->target + base,
                      .docs = count,
                      .doc_start = *start};
}

record record_create(const rt_config *config, int64_t tokens) {
    retort_error err;
    record r = {.logp = take(tokens, sizeof(float)), .entropy = take(tokens, sizeof(float))};
    must(rt_params_create(config, &r.grads, &err), &err);
    return r;
}

record record_of(const rt_model *model, int64_t tokens) {
    retort_error err;
    if (model->lora == NULL) return record_create(&model->config, tokens);
    record r = {.logp = take(tokens, sizeof(float)), .entropy = take(tokens, sizeof(float))};
    must(rt_lora_like(model->lora, &r.grads, &err), &err);
    return r;
}

void record_release(record *r) {
    free(r->logp);
    free(r->entropy);
    rt_params_release(&r->grads);
}

/* A loss that is linear in the log-probabilities, with the corpus's weights. */
static void weigh(void *context, int64_t first, int64_t count, const float *logp, const float *entropy,
                  float *coefficient) {
    (void)logp;
    (void)entropy;
    memcpy(coefficient, (const float *)context + first, (size_t)count * sizeof(float));
}

void run_slice(const rt_model *model, rt_workspace *ws, const corpus *c, int64_t first, int64_t count, float inv_t,
               record *r) {
    retort_error err;
    int32_t *start;
    const int32_t base = c->doc_start[first];
    rt_batch batch = corpus_slice(c, first, count, &start);
    const rt_objective objective = {.inv_temperature = inv_t,
                                    .logp = r->logp + base,
                                    .entropy = r->entropy + base,
                                    .weight = weigh,
                                    .context = c->weight + base};
    must(rt_model_run(model, ws, &batch, &objective, &r->grads, &err), &err);
    free(start);
}

void run_corpus(const rt_model *model, const corpus *c, bool recompute, int64_t step, float inv_t, record *r) {
    retort_error err;
    rt_workspace *ws;
    rt_rng rng = rt_rng_make(99, 0);
    const int64_t rank = model->lora != NULL ? model->lora->config.r : 0;
    must(rt_workspace_create(&model->config,
                             &(rt_workspace_shape){.max_tokens = c->tokens, .recompute = recompute, .lora_r = rank},
                             &ws, &err),
         &err);
    for (int64_t first = 0; first < c->docs;) {
        int64_t count = step != 0 ? step : 1 + rt_rng_below(&rng, 9);
        if (count > c->docs - first) count = c->docs - first;
        run_slice(model, ws, c, first, count, inv_t, r);
        first += count;
    }
    rt_workspace_flush_grads(ws, &r->grads);
    rt_workspace_destroy(ws);
}

void must(retort_status status, const retort_error *err) {
    if (status != RETORT_OK) fail_msg("%s: %s", retort_status_name(status), err->message);
}

void assert_same_floats(const char *what, const float *a, const float *b, int64_t count) {
    if (memcmp(a, b, (size_t)count * sizeof *a) == 0) return;
    int64_t i = 0;
    while (memcmp(&a[i], &b[i], sizeof *a) == 0) i++;
    fail_msg("%s differs at element %lld: %.9g and %.9g", what, (long long)i, (double)a[i], (double)b[i]);
}

void assert_same_record(int64_t tokens, const record *a, const record *b) {
    assert_same_floats("logp", a->logp, b->logp, tokens);
    assert_same_floats("entropy", a->entropy, b->entropy, tokens);
    for (int64_t i = 0; i < a->grads.num_tensors; i++) {
        const rt_tensor *tensor = &a->grads.tensors[i];
        assert_same_floats(tensor->name, a->grads.data + tensor->offset, b->grads.data + tensor->offset, tensor->count);
    }
}
