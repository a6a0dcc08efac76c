#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/random.h"
#include "model/model.h"

/* Walks the tensors in their fixed order, which is so written down once: with data and tensors NULL it only counts,
 * with tensors it names them, with data it hands out their places. */
typedef struct layout {
    float *data;
    rt_tensor *tensors;
    int64_t num_tensors, count;
} layout;

static float *place(layout *at, int64_t rows, int64_t cols, const char *fmt, ...) RETORT_PRINTF(4, 5);

/* cols == 0 makes a vector; vectors (norms and biases) take no weight decay. */
static float *place(layout *at, int64_t rows, int64_t cols, const char *fmt, ...) {
    const int64_t offset = at->count, count = cols == 0 ? rows : rows * cols;
    if (at->tensors != NULL) {
        rt_tensor *tensor = &at->tensors[at->num_tensors];
        va_list args;
        va_start(args, fmt);
        vsnprintf(tensor->name, sizeof tensor->name, fmt, args);
        va_end(args);
        tensor->offset = offset;
        tensor->count = count;
        tensor->shape[0] = rows;
        tensor->shape[1] = cols == 0 ? 1 : cols;
        tensor->dims = cols == 0 ? 1 : 2;
        tensor->decay = cols != 0;
    }
    at->num_tensors++;
    at->count += count;
    return at->data != NULL ? at->data + offset : NULL;
}

/* An attention projection's weight and, where the architecture has one, its bias. */
static void place_projection(layout *at, const rt_config *c, int layer, char name, int64_t rows, float **w, float **b) {
    *w = place(at, rows, c->hidden_size, "model.layers.%d.self_attn.%c_proj.weight", layer, name);
    *b = NULL;
    if (c->qkv_bias) *b = place(at, rows, 0, "model.layers.%d.self_attn.%c_proj.bias", layer, name);
}

static rt_layer_params place_layer(layout *at, const rt_config *c, int layer) {
    const int64_t d = c->hidden_size, f = c->intermediate_size;
    const int64_t q = c->num_attention_heads * c->head_dim, kv = c->num_key_value_heads * c->head_dim;
    rt_layer_params p;
    p.input_norm = place(at, d, 0, "model.layers.%d.input_layernorm.weight", layer);
    place_projection(at, c, layer, 'q', q, &p.q_w, &p.q_b);
    place_projection(at, c, layer, 'k', kv, &p.k_w, &p.k_b);
    place_projection(at, c, layer, 'v', kv, &p.v_w, &p.v_b);
    p.o_w = place(at, d, q, "model.layers.%d.self_attn.o_proj.weight", layer);
    p.post_norm = place(at, d, 0, "model.layers.%d.post_attention_layernorm.weight", layer);
    p.gate_w = place(at, f, d, "model.layers.%d.mlp.gate_proj.weight", layer);
    p.up_w = place(at, f, d, "model.layers.%d.mlp.up_proj.weight", layer);
    p.down_w = place(at, d, f, "model.layers.%d.mlp.down_proj.weight", layer);
    return p;
}

static void place_all(layout *at, const rt_config *c, rt_params *params) {
    params->embed = place(at, c->vocab_size, c->hidden_size, "model.embed_tokens.weight");
    for (int layer = 0; layer < (int)c->num_hidden_layers; layer++) {
        rt_layer_params p = place_layer(at, c, layer);
        if (params->layers != NULL) params->layers[layer] = p;
    }
    params->norm = place(at, c->hidden_size, 0, "model.norm.weight");
    params->head = c->tie_word_embeddings ? params->embed : place(at, c->vocab_size, c->hidden_size, "lm_head.weight");
}

retort_status rt_params_layout(const rt_config *config, rt_params *out, retort_error *err) {
    *out = (rt_params){0};
    RT_TRY(rt_config_validate(config, "model configuration", err));
    rt_params params = {0};
    layout at = {0};
    place_all(&at, config, &params);
    params.count = at.count;
    params.num_tensors = at.num_tensors;
    params.tensors = rt_calloc((size_t)params.num_tensors, sizeof *params.tensors);
    RT_CHECK(params.tensors != NULL, err, RETORT_ERR_MEMORY, "out of memory for the names of %lld tensors",
             (long long)params.num_tensors);
    at = (layout){.tensors = params.tensors};
    place_all(&at, config, &params);
    *out = params;
    return RETORT_OK;
}

retort_status rt_params_create(const rt_config *config, rt_params *out, retort_error *err) {
    rt_params params;
    *out = (rt_params){0};
    RT_TRY(rt_params_layout(config, &params, err));
    params.data = rt_aligned_alloc((size_t)params.count, sizeof(float));
    params.layers = rt_calloc((size_t)config->num_hidden_layers, sizeof *params.layers);
    if (params.data == NULL || params.layers == NULL) {
        const long long count = params.count;
        rt_params_release(&params);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: a model of %lld parameters needs %.1f MiB", count,
                       (double)count * sizeof(float) / (1 << 20));
    }
    layout at = {.data = params.data};
    place_all(&at, config, &params);
    *out = params;
    return RETORT_OK;
}

void rt_params_release(rt_params *params) {
    rt_free(params->data);
    rt_free(params->tensors);
    rt_free(params->layers);
    *params = (rt_params){0};
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Each tensor draws from its own stream, so a tensor's start does not depend on the sizes of those before it. */
void rt_params_init(const rt_config *config, rt_params *params, uint64_t seed) {
    const double residual = 1.0 / sqrt(2.0 * (double)config->num_hidden_layers);
    for (int64_t i = 0; i < params->num_tensors; i++) {
        const rt_tensor *tensor = &params->tensors[i];
        float *x = params->data + tensor->offset;
        if (tensor->dims == 1) {
            const float value = ends_with(tensor->name, ".bias") ? 0.0F : 1.0F;
            for (int64_t j = 0; j < tensor->count; j++) x[j] = value;
            continue;
        }
        double std = config->initializer_range;
        if (ends_with(tensor->name, "o_proj.weight") || ends_with(tensor->name, "down_proj.weight")) std *= residual;
        rt_rng rng = rt_rng_make(seed, (uint64_t)i);
        for (int64_t j = 0; j < tensor->count; j++) x[j] = (float)(std * rt_rng_normal(&rng));
    }
}
