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
    uint16_t *half;
    int8_t *int8;
    float *scale;
    rt_tensor *tensors;
    const int64_t *offsets; /* of matrices that lie in another order than this walk's; NULL: they do not */
    int64_t num_tensors;
    int64_t in_data, in_narrow; /* parameters in data, in half or int8 */
    int64_t in_scales;
    rt_format format; /* of matrices */
} layout;

static void name_tensor(layout *at, rt_format format, int64_t offset, int64_t rows, int64_t cols, const char *fmt,
                        va_list args) RETORT_PRINTF(6, 0);

/* cols == 0 makes a vector; vectors (norms and biases) take no weight decay. */
static void name_tensor(layout *at, rt_format format, int64_t offset, int64_t rows, int64_t cols, const char *fmt,
                        va_list args) {
    const int64_t count = cols == 0 ? rows : rows * cols;
    if (at->tensors != NULL) {
        rt_tensor *tensor = &at->tensors[at->num_tensors];
        vsnprintf(tensor->name, sizeof tensor->name, fmt, args);
        tensor->format = format;
        tensor->offset = offset;
        tensor->scales = at->in_scales;
        tensor->count = count;
        tensor->shape[0] = rows;
        tensor->shape[1] = cols == 0 ? 1 : cols;
        tensor->dims = cols == 0 ? 1 : 2;
        tensor->decay = cols != 0;
    }
    at->num_tensors++;
    *(format != RT_FORMAT_F32 ? &at->in_narrow : &at->in_data) += count;
    if (format == RT_FORMAT_INT8) at->in_scales += rows * rt_int8_groups(cols);
}

static float *place(layout *at, int64_t count, const char *fmt, ...) RETORT_PRINTF(3, 4);

/* A vector. */
static float *place(layout *at, int64_t count, const char *fmt, ...) {
    const int64_t offset = at->in_data;
    va_list args;
    va_start(args, fmt);
    name_tensor(at, RT_FORMAT_F32, offset, count, 0, fmt, args);
    va_end(args);
    return at->data != NULL ? at->data + offset : NULL;
}

static rt_matrix place_matrix(layout *at, int64_t rows, int64_t cols, const char *fmt, ...) RETORT_PRINTF(4, 5);

static rt_matrix place_matrix(layout *at, int64_t rows, int64_t cols, const char *fmt, ...) {
    int64_t offset = at->format != RT_FORMAT_F32 ? at->in_narrow : at->in_data;
    if (at->offsets != NULL && at->format != RT_FORMAT_F32) offset = at->offsets[at->num_tensors];
    rt_matrix w = {0};
    if (at->data != NULL && at->format == RT_FORMAT_F32) w.f32 = at->data + offset;
    if (at->half != NULL) w.bf16 = at->half + offset;
    if (at->int8 != NULL) w = (rt_matrix){.int8 = at->int8 + offset, .scale = at->scale + at->in_scales};
    va_list args;
    va_start(args, fmt);
    name_tensor(at, at->format, offset, rows, cols, fmt, args);
    va_end(args);
    return w;
}

/* An attention projection's weight and, where the architecture has one, its bias. */
static void place_projection(layout *at, const rt_config *c, int layer, char name, int64_t rows, rt_matrix *w,
                             float **b) {
    *w = place_matrix(at, rows, c->hidden_size, "model.layers.%d.self_attn.%c_proj.weight", layer, name);
    *b = NULL;
    if (c->qkv_bias) *b = place(at, rows, "model.layers.%d.self_attn.%c_proj.bias", layer, name);
}

static rt_layer_params place_layer(layout *at, const rt_config *c, int layer) {
    const int64_t d = c->hidden_size, f = c->intermediate_size;
    const int64_t q = c->num_attention_heads * c->head_dim, kv = c->num_key_value_heads * c->head_dim;
    rt_layer_params p;
    p.input_norm = place(at, d, "model.layers.%d.input_layernorm.weight", layer);
    place_projection(at, c, layer, 'q', q, &p.q_w, &p.q_b);
    place_projection(at, c, layer, 'k', kv, &p.k_w, &p.k_b);
    place_projection(at, c, layer, 'v', kv, &p.v_w, &p.v_b);
    p.q_norm = c->qk_norm ? place(at, c->head_dim, "model.layers.%d.self_attn.q_norm.weight", layer) : NULL;
    p.k_norm = c->qk_norm ? place(at, c->head_dim, "model.layers.%d.self_attn.k_norm.weight", layer) : NULL;
    p.o_w = place_matrix(at, d, q, "model.layers.%d.self_attn.o_proj.weight", layer);
    p.o_b = c->o_bias ? place(at, d, "model.layers.%d.self_attn.o_proj.bias", layer) : NULL;
    p.post_norm = place(at, d, "model.layers.%d.post_attention_layernorm.weight", layer);
    p.gate_w = place_matrix(at, f, d, "model.layers.%d.mlp.gate_proj.weight", layer);
    p.up_w = place_matrix(at, f, d, "model.layers.%d.mlp.up_proj.weight", layer);
    p.down_w = place_matrix(at, d, f, "model.layers.%d.mlp.down_proj.weight", layer);
    return p;
}

static void place_all(layout *at, const rt_config *c, rt_params *params) {
    params->embed = place_matrix(at, c->vocab_size, c->hidden_size, "model.embed_tokens.weight");
    for (int layer = 0; layer < (int)c->num_hidden_layers; layer++) {
        rt_layer_params p = place_layer(at, c, layer);
        if (params->layers != NULL) params->layers[layer] = p;
    }
    params->norm = place(at, c->hidden_size, "model.norm.weight");
    params->head =
        c->tie_word_embeddings ? params->embed : place_matrix(at, c->vocab_size, c->hidden_size, "lm_head.weight");
}

rt_format rt_config_format(const rt_config *config) {
    return config->weights_dtype == RT_DTYPE_INT8   ? RT_FORMAT_INT8
           : config->weights_dtype == RT_DTYPE_BF16 ? RT_FORMAT_BF16
                                                    : RT_FORMAT_F32;
}

static void count_all(const layout *at, rt_params *params) {
    params->count = at->in_data + at->in_narrow;
    params->narrow = at->in_narrow;
    params->scales = at->in_scales;
    params->num_tensors = at->num_tensors;
}

retort_status rt_params_layout(const rt_config *config, rt_params *out, retort_error *err) {
    *out = (rt_params){0};
    RT_TRY(rt_config_validate(config, "model configuration", err));
    rt_params params = {0};
    layout at = {.format = rt_config_format(config)};
    place_all(&at, config, &params);
    count_all(&at, &params);
    params.tensors = rt_calloc((size_t)params.num_tensors, sizeof *params.tensors);
    RT_CHECK(params.tensors != NULL, err, RETORT_ERR_MEMORY, "out of memory for the names of %lld tensors",
             (long long)params.num_tensors);
    at = (layout){.tensors = params.tensors, .format = at.format};
    place_all(&at, config, &params);
    *out = params;
    return RETORT_OK;
}

static size_t block_bytes(const rt_params *params, rt_format format) {
    return (size_t)(params->count - params->narrow + params->scales) * sizeof(float) +
           (size_t)params->narrow * (format == RT_FORMAT_BF16 ? sizeof(uint16_t) : 1);
}

size_t rt_params_bytes(const rt_config *config) {
    if (rt_config_validate(config, "model configuration", NULL) != RETORT_OK) return SIZE_MAX;
    rt_params params = {0};
    layout at = {.format = rt_config_format(config)};
    place_all(&at, config, &params);
    count_all(&at, &params);
    return block_bytes(&params, at.format);
}

static retort_status create(const rt_config *config, rt_mapping *file, const int64_t *offsets, rt_params *out,
                            retort_error *err) {
    rt_params params;
    *out = (rt_params){0};
    RT_TRY(rt_params_layout(config, &params, err));
    const rt_format format = rt_config_format(config);
    const size_t narrow = (size_t)params.narrow;
    params.data = rt_aligned_alloc((size_t)params.count - narrow, sizeof(float));
    if (format == RT_FORMAT_BF16 && file == NULL) params.half = rt_aligned_alloc(narrow, sizeof *params.half);
    if (format == RT_FORMAT_INT8) {
        params.int8 = rt_aligned_alloc(narrow, sizeof *params.int8);
        params.scale = rt_aligned_alloc((size_t)params.scales, sizeof *params.scale);
    }
    if (file != NULL) {
        params.half = (uint16_t *)(uintptr_t)file->data;
        params.mapped = file->length;
        *file = (rt_mapping){0};
    }
    params.layers = rt_calloc((size_t)config->num_hidden_layers, sizeof *params.layers);
    if (params.data == NULL || params.layers == NULL || (format == RT_FORMAT_BF16 && params.half == NULL) ||
        (format == RT_FORMAT_INT8 && (params.int8 == NULL || params.scale == NULL))) {
        const long long count = params.count;
        const double bytes = (double)block_bytes(&params, format);
        rt_params_release(&params);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: a model of %lld parameters needs %.1f MiB", count,
                       bytes / (1 << 20));
    }
    /* Once more over the names: with offsets given, the tensors are where those say. */
    layout at = {.data = params.data,
                 .half = params.half,
                 .int8 = params.int8,
                 .scale = params.scale,
                 .format = format,
                 .offsets = offsets,
                 .tensors = offsets != NULL ? params.tensors : NULL};
    place_all(&at, config, &params);
    *out = params;
    return RETORT_OK;
}

retort_status rt_params_create(const rt_config *config, rt_params *out, retort_error *err) {
    return create(config, NULL, NULL, out, err);
}

retort_status rt_params_create_mapped(const rt_config *config, rt_mapping *file, const int64_t *offsets, rt_params *out,
                                      retort_error *err) {
    return create(config, file, offsets, out, err);
}

void rt_params_release(rt_params *params) {
    rt_free(params->data);
    if (params->mapped == 0) {
        rt_free(params->half);
    } else {
        rt_mapping file = {(const unsigned char *)params->half, params->mapped};
        rt_unmap_file(&file);
    }
    rt_free(params->int8);
    rt_free(params->scale);
    rt_free(params->tensors);
    rt_free(params->layers);
    *params = (rt_params){0};
}

rt_matrix rt_params_matrix(const rt_params *params, const rt_tensor *tensor) {
    switch (tensor->format) {
    case RT_FORMAT_INT8:
        return (rt_matrix){.int8 = params->int8 + tensor->offset, .scale = params->scale + tensor->scales};
    case RT_FORMAT_BF16: return (rt_matrix){.bf16 = params->half + tensor->offset};
    default: return (rt_matrix){.f32 = params->data + tensor->offset};
    }
}

void rt_params_store(rt_params *params, const rt_tensor *tensor, int64_t first, int64_t count, const float *x) {
    rt_matrix_encode(rt_params_matrix(params, tensor), tensor->shape[1], first, count, x);
}

void rt_params_fetch(const rt_params *params, const rt_tensor *tensor, int64_t first, int64_t count, float *x) {
    rt_matrix_decode(rt_params_matrix(params, tensor), tensor->shape[1], first, count, x);
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
        if (tensor->dims == 1) {
            const float value = ends_with(tensor->name, ".bias") ? 0.0F : 1.0F;
            for (int64_t j = 0; j < tensor->count; j++) params->data[tensor->offset + j] = value;
            continue;
        }
        double std = config->initializer_range;
        if (ends_with(tensor->name, "o_proj.weight") || ends_with(tensor->name, "down_proj.weight")) std *= residual;
        rt_rng rng = rt_rng_make(seed, (uint64_t)i);
        for (int64_t j = 0; j < tensor->count; j++) {
            const float x = (float)(std * rt_rng_normal(&rng));
            rt_params_store(params, tensor, j, 1, &x);
        }
    }
}
