#include "model/workspace.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "model/arena.h"
#include "model/rope.h"

enum { MAX_TOKENS = 1 << 28 };

static rt_layer_acts carve_acts(rt_carver *at, const rt_config *c, int64_t t) {
    const int64_t d = c->hidden_size, f = c->intermediate_size, h = c->num_attention_heads;
    const int64_t q = h * c->head_dim, kv = c->num_key_value_heads * c->head_dim;
    rt_layer_acts a = {0};
    a.norm1 = rt_carve_floats(at, t, d);
    a.rstd1 = rt_carve_floats(at, t, 1);
    if (c->qk_norm) {
        a.q_in = rt_carve_floats(at, t, q);
        a.q_rstd = rt_carve_floats(at, t, h);
        a.k_in = rt_carve_floats(at, t, kv);
        a.k_rstd = rt_carve_floats(at, t, c->num_key_value_heads);
    }
    a.q = rt_carve_floats(at, t, q);
    a.k = rt_carve_floats(at, t, kv);
    a.v = rt_carve_floats(at, t, kv);
    a.attn = rt_carve_floats(at, t, q);
    a.lse = rt_carve_floats(at, t, h);
    a.mid = rt_carve_floats(at, t, d);
    a.norm2 = rt_carve_floats(at, t, d);
    a.rstd2 = rt_carve_floats(at, t, 1);
    a.gate = rt_carve_floats(at, t, f);
    a.up = rt_carve_floats(at, t, f);
    a.h = rt_carve_floats(at, t, f);
    return a;
}

static void carve_layers(rt_carver *at, rt_workspace *ws) {
    const rt_config *c = &ws->config;
    rt_layer_acts shared = {0};
    if (ws->shape.recompute) shared = carve_acts(at, c, ws->max_tokens);
    for (int64_t l = 0; l < c->num_hidden_layers; l++) {
        rt_layer_acts acts = ws->shape.recompute ? shared : carve_acts(at, c, ws->max_tokens);
        if (ws->acts != NULL) ws->acts[l] = acts;
    }
    for (int64_t l = 0; l <= c->num_hidden_layers; l++) {
        float *x = rt_carve_floats(at, ws->max_tokens, c->hidden_size);
        if (ws->x != NULL) ws->x[l] = x;
    }
}

static void carve_plan(rt_carver *at, rt_plan *plan, int64_t t) {
    plan->ids = rt_carve_ints(at, t);
    plan->position = rt_carve_ints(at, t);
    plan->doc_start = rt_carve_ints(at, t + 1);
    plan->scored_row = rt_carve_ints(at, t);
    plan->scored_from = rt_carve_ints(at, t);
    plan->target = rt_carve_ints(at, t);
}

/* The feed-forward half of a layer's backward is over before its attention half begins: they share memory. */
static void carve_gradients(rt_carver *at, rt_workspace *ws) {
    const rt_config *c = &ws->config;
    const int64_t t = ws->max_tokens;
    const int64_t q = c->num_attention_heads * c->head_dim, kv = c->num_key_value_heads * c->head_dim;
    ws->dx = rt_carve_floats(at, t, c->hidden_size);
    ws->dnorm = rt_carve_floats(at, t, c->hidden_size);
    rt_carver first = *at;
    ws->dh = rt_carve_floats(&first, t, c->intermediate_size);
    ws->dattn = rt_carve_floats(at, t, q);
    ws->dq = rt_carve_floats(at, t, q);
    ws->dk = rt_carve_floats(at, t, kv);
    ws->dv = rt_carve_floats(at, t, kv);
    if (first.used > at->used) at->used = first.used;
    at->overflow |= first.overflow;
}

static void carve_all(rt_carver *at, rt_workspace *ws) {
    const rt_config *c = &ws->config;
    const int64_t t = ws->max_tokens, d = c->hidden_size;
    carve_layers(at, ws);
    carve_plan(at, &ws->plan, t);
    ws->rope = rt_carve_floats(at, ws->max_doc, c->head_dim);
    ws->final_in = rt_carve_floats(at, t, d);
    ws->final = rt_carve_floats(at, t, d);
    ws->final_rstd = rt_carve_floats(at, t, 1);
    ws->logp = rt_carve_floats(at, t, 1);
    ws->entropy = rt_carve_floats(at, t, 1);
    ws->coefficient = rt_carve_floats(at, t, 1);
    carve_gradients(at, ws);
    ws->attention_scratch = rt_carve_floats(at, rt_attention_scratch(ws->max_doc, c->head_dim), 1);
    ws->head_scratch = rt_carve_floats(at, rt_head_scratch(c->vocab_size, d), 1);
    if (ws->shape.lora_r > 0) ws->lora_scratch = rt_carve_floats(at, t, 2 * ws->shape.lora_r);
    if (ws->embed_rows > 0) {
        ws->embed_grad = rt_carve_floats(at, ws->embed_rows, d);
        ws->embed_row = rt_carve_ints(at, c->vocab_size);
        ws->embed_id = rt_carve_ints(at, ws->embed_rows);
        ws->embed_slot = rt_carve_ints(at, t);
    }
}

static void set_shape(rt_workspace *ws, const rt_config *config, const rt_workspace_shape *shape) {
    const int64_t max_tokens = shape->max_tokens, vocab = config->vocab_size;
    ws->config = *config;
    ws->shape = *shape;
    ws->max_tokens = max_tokens;
    if (config->tie_word_embeddings && shape->lora_r == 0)
        ws->embed_rows = shape->step_tokens > 0 && shape->step_tokens < vocab ? shape->step_tokens : vocab;
    ws->max_doc = max_tokens < rt_config_context(config) ? max_tokens : rt_config_context(config);
    ws->scale = (float)(1.0 / sqrt((double)config->head_dim));
}

static retort_status check_shape(const rt_workspace_shape *shape, retort_error *err) {
    RT_CHECK(shape->max_tokens >= 1 && shape->max_tokens <= MAX_TOKENS, err, RETORT_ERR_USAGE,
             "a micro-batch of %lld tokens, must be between 1 and %d", (long long)shape->max_tokens, (int)MAX_TOKENS);
    RT_CHECK(shape->step_tokens >= 0 && shape->lora_r >= 0, err, RETORT_ERR_USAGE,
             "a workspace for steps of %lld tokens and adapters of rank %lld", (long long)shape->step_tokens,
             (long long)shape->lora_r);
    return RETORT_OK;
}

size_t rt_workspace_bytes(const rt_config *config, const rt_workspace_shape *shape) {
    if (check_shape(shape, NULL) != RETORT_OK) return SIZE_MAX;
    if (rt_config_validate(config, "model configuration", NULL) != RETORT_OK) return SIZE_MAX;
    rt_workspace ws = {0};
    rt_carver at = {0};
    set_shape(&ws, config, shape);
    carve_all(&at, &ws);
    return at.overflow ? SIZE_MAX : at.used;
}

retort_status rt_workspace_create(const rt_config *config, const rt_workspace_shape *shape, rt_workspace **out,
                                  retort_error *err) {
    *out = NULL;
    RT_TRY(rt_config_validate(config, "model configuration", err));
    RT_TRY(rt_compute_init(err));
    RT_TRY(check_shape(shape, err));
    const size_t bytes = rt_workspace_bytes(config, shape);
    const size_t layers = (size_t)config->num_hidden_layers;
    rt_workspace *ws = rt_calloc(1, sizeof *ws);
    if (ws != NULL) {
        set_shape(ws, config, shape);
        ws->acts = rt_calloc(layers, sizeof *ws->acts);
        ws->x = rt_calloc(layers + 1, sizeof *ws->x);
        ws->arena = bytes != SIZE_MAX ? rt_aligned_alloc(bytes, 1) : NULL;
    }
    if (ws == NULL || ws->acts == NULL || ws->x == NULL || ws->arena == NULL) {
        rt_workspace_destroy(ws);
        return rt_fail(err, RETORT_ERR_MEMORY,
                       "out of memory: activations of %lld tokens need %.1f MiB; use a smaller micro-batch%s",
                       (long long)shape->max_tokens, (double)bytes / (1 << 20),
                       shape->recompute ? "" : " or recomputation");
    }
    rt_carver at = {.base = (char *)ws->arena};
    carve_all(&at, ws);
    rt_rope_fill(config, ws->max_doc, ws->rope);
    *out = ws;
    return RETORT_OK;
}

void rt_workspace_destroy(rt_workspace *ws) {
    if (ws == NULL) return;
    rt_free(ws->arena);
    rt_free(ws->acts);
    rt_free(ws->x);
    rt_free(ws);
}

void rt_workspace_flush_grads(rt_workspace *ws, rt_params *grads) {
    const int64_t d = ws->config.hidden_size;
    for (int64_t i = 0; i < ws->embed_used; i++) {
        float *row = ws->embed_grad + i * d;
        rt_add(d, row, grads->embed.f32 + ws->embed_id[i] * d);
        memset(row, 0, (size_t)d * sizeof *row);
        ws->embed_row[ws->embed_id[i]] = 0;
    }
    ws->embed_used = 0;
}
