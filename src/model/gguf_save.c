/* Models into GGUF files, as llama.cpp's convert_hf_to_gguf.py writes them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/dtype.h"
#include "model/ggml.h"
#include "model/gguf_model.h"

typedef struct writer {
    rt_gguf_writer *to;
    const rt_config *config;
    char key[96];
} writer;

static const char *key_of(writer *w, const char *name) {
    snprintf(w->key, sizeof w->key, "%s.%s", rt_gguf_architecture(w->config), name);
    return w->key;
}

static retort_status put_int(writer *w, const char *name, int64_t value, retort_error *err) {
    return rt_gguf_put_u32(w->to, key_of(w, name), (uint32_t)value, err);
}

static retort_status put_real(writer *w, const char *name, double value, retort_error *err) {
    return rt_gguf_put_f32(w->to, key_of(w, name), (float)value, err);
}

/* ---- rotary embedding ---- */

/* llama.cpp computes YaRN's attention factor itself, always from the factor alone. */
static retort_status put_yarn(writer *w, const rt_rope_config *rope, retort_error *err) {
    const double usual = 0.1 * log(rope->factor) + 1;
    const bool other = (rope->attention_factor != 0 && fabs(rope->attention_factor - usual) > 1e-9) ||
                       rope->mscale != 0 || rope->mscale_all_dim != 0;
    RT_CHECK(!other && rope->truncate, err, RETORT_ERR_UNSUPPORTED,
             "a YaRN scaling with its own 'attention_factor', 'mscale' or 'truncate' cannot be written as GGUF");
    RT_TRY(put_int(w, "rope.scaling.original_context_length", rope->original_positions, err));
    RT_TRY(put_real(w, "rope.scaling.yarn_beta_fast", rope->beta_fast, err));
    return put_real(w, "rope.scaling.yarn_beta_slow", rope->beta_slow, err);
}

static retort_status put_rope(writer *w, retort_error *err) {
    const rt_rope_config *rope = &w->config->rope;
    RT_TRY(put_int(w, "rope.dimension_count", w->config->head_dim, err));
    RT_TRY(put_real(w, "rope.freq_base", rope->theta, err));
    RT_CHECK(rope->type != RT_ROPE_DYNAMIC, err, RETORT_ERR_UNSUPPORTED,
             "the rope type 'dynamic' cannot be written as GGUF, which llama.cpp could not run");
    if (rope->type == RT_ROPE_DEFAULT || rope->type == RT_ROPE_LLAMA3) return RETORT_OK; /* the latter is a tensor */
    const bool yarn = rope->type == RT_ROPE_YARN;
    RT_TRY(rt_gguf_put_string(w->to, key_of(w, "rope.scaling.type"), yarn ? "yarn" : "linear", err));
    RT_TRY(put_real(w, "rope.scaling.factor", rope->factor, err));
    return yarn ? put_yarn(w, rope, err) : RETORT_OK;
}

/* ---- metadata ---- */

static uint32_t file_type(rt_ggml_type type) { /* llama.h, enum llama_ftype */
    return type == RT_GGML_F32 ? 0 : type == RT_GGML_F16 ? 1 : type == RT_GGML_Q8_0 ? 7 : 32;
}

static retort_status put_general(writer *w, rt_ggml_type type, const char *name, retort_error *err) {
    RT_TRY(rt_gguf_put_string(w->to, "general.architecture", rt_gguf_architecture(w->config), err));
    RT_TRY(rt_gguf_put_string(w->to, "general.type", "model", err));
    RT_TRY(rt_gguf_put_string(w->to, "general.name", name, err));
    RT_TRY(rt_gguf_put_u32(w->to, "general.quantization_version", 2, err));
    return rt_gguf_put_u32(w->to, "general.file_type", file_type(type), err);
}

/* llama.cpp runs architecture llama without a sliding window: a context no longer than the window is where both agree.
 */
static retort_status put_context(writer *w, retort_error *err) {
    const rt_config *c = w->config;
    int64_t context = c->max_position_embeddings, windowed = 0;
    for (int64_t layer = 0; layer < c->num_hidden_layers; layer++)
        windowed += (c->window_layers[layer / 64] >> (layer % 64) & 1) != 0;
    const bool all = windowed == c->num_hidden_layers && strcmp(rt_gguf_architecture(c), "llama") == 0;
    RT_CHECK(windowed == 0 || all, err, RETORT_ERR_UNSUPPORTED,
             "a model with a sliding window in %lld layers cannot be written as GGUF, which llama.cpp could not run",
             (long long)windowed);
    if (all) {
        if (c->sliding_window < context) context = c->sliding_window;
        RT_TRY(put_int(w, "attention.sliding_window", c->sliding_window, err));
    }
    return put_int(w, "context_length", context, err);
}

static retort_status put_shape(writer *w, retort_error *err) {
    const rt_config *c = w->config;
    RT_TRY(put_context(w, err));
    RT_TRY(put_int(w, "block_count", c->num_hidden_layers, err));
    RT_TRY(put_int(w, "embedding_length", c->hidden_size, err));
    RT_TRY(put_int(w, "feed_forward_length", c->intermediate_size, err));
    RT_TRY(put_int(w, "attention.head_count", c->num_attention_heads, err));
    RT_TRY(put_int(w, "attention.head_count_kv", c->num_key_value_heads, err));
    RT_TRY(put_int(w, "attention.key_length", c->head_dim, err));
    RT_TRY(put_int(w, "attention.value_length", c->head_dim, err));
    RT_TRY(put_real(w, "attention.layer_norm_rms_epsilon", c->rms_norm_eps, err));
    return put_int(w, "vocab_size", c->vocab_size, err);
}

static retort_status put_special(writer *w, retort_error *err) {
    static const char *const ENDS[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};
    const rt_config *c = w->config;
    RT_CHECK(c->num_eos <= 3, err, RETORT_ERR_UNSUPPORTED, "GGUF has room for three end tokens, the model has %d",
             (int)c->num_eos);
    for (int32_t i = 0; i < c->num_eos; i++) RT_TRY(rt_gguf_put_u32(w->to, ENDS[i], (uint32_t)c->eos_token_id[i], err));
    if (c->bos_token_id >= 0)
        RT_TRY(rt_gguf_put_u32(w->to, "tokenizer.ggml.bos_token_id", (uint32_t)c->bos_token_id, err));
    if (c->pad_token_id >= 0)
        RT_TRY(rt_gguf_put_u32(w->to, "tokenizer.ggml.padding_token_id", (uint32_t)c->pad_token_id, err));
    return RETORT_OK;
}

/* ---- tensors ---- */

static rt_ggml_type type_of(const rt_tensor *tensor, rt_ggml_type type) {
    if (tensor->dims == 1) return RT_GGML_F32;
    const bool whole = (size_t)tensor->shape[1] % rt_ggml_format_of((uint32_t)type)->block == 0;
    return whole ? type : RT_GGML_F16;
}

static retort_status declare_weights(writer *w, const rt_params *params, rt_ggml_type type, retort_error *err) {
    if (w->config->rope.type == RT_ROPE_LLAMA3) {
        const int64_t pairs = w->config->head_dim / 2;
        RT_TRY(rt_gguf_declare(w->to, "rope_freqs.weight", RT_GGML_F32, 1, &pairs, err));
    }
    for (int64_t i = 0; i < params->num_tensors; i++) {
        const rt_tensor *tensor = &params->tensors[i];
        char name[RT_GGUF_NAME];
        RT_CHECK(rt_gguf_name_of(tensor->name, name), err, RETORT_ERR_UNSUPPORTED, "GGUF has no name for '%s'",
                 tensor->name);
        const int64_t shape[2] = {tensor->dims == 2 ? tensor->shape[1] : tensor->shape[0], tensor->shape[0]};
        RT_TRY(rt_gguf_declare(w->to, name, type_of(tensor, type), tensor->dims, shape, err));
    }
    return RETORT_OK;
}

retort_status rt_gguf_put_model(rt_gguf_writer *to, const rt_model *model, rt_ggml_type type, const char *name,
                                retort_error *err) {
    writer w = {.to = to, .config = &model->config};
    RT_TRY(put_general(&w, type, name, err));
    RT_TRY(put_shape(&w, err));
    RT_TRY(put_rope(&w, err));
    RT_TRY(put_special(&w, err));
    return declare_weights(&w, &model->params, type, err);
}

/* The first of `count` values that the encoded form does not hold as a finite number, or -1. */
static int64_t find_lost(uint32_t type, const void *bytes, int64_t count) {
    if (type != RT_GGML_Q8_0)
        return rt_dtype_find_nonfinite(type == RT_GGML_F32   ? RT_DTYPE_F32
                                       : type == RT_GGML_F16 ? RT_DTYPE_F16
                                                             : RT_DTYPE_BF16,
                                       bytes, count);
    const rt_ggml_format *format = rt_ggml_format_of(type);
    const unsigned char *at = bytes;
    for (int64_t i = 0; i < count / (int64_t)format->block; i++, at += format->block_size)
        if (rt_dtype_find_nonfinite(RT_DTYPE_F16, at, 1) >= 0) return i * (int64_t)format->block;
    return -1;
}

/* Rows are written in llama.cpp's order: row s of the file is the row r of ours with rt_gguf_row(r) = s, so the
 * permutation of one head's rows is turned round first. */
static retort_status write_rows(rt_gguf_writer *to, rt_atomic_file *file, const rt_model *model,
                                const rt_tensor *tensor, uint32_t type, int64_t *order, float *x, unsigned char *bytes,
                                retort_error *err) {
    const int64_t rows = tensor->shape[0], cols = tensor->dims == 2 ? tensor->shape[1] : 1;
    const rt_ggml_format *format = rt_ggml_format_of(type);
    const size_t stride = (size_t)cols / format->block * format->block_size;
    for (int64_t r = 0; r < rows; r++) order[rt_gguf_row(&model->config, tensor->name, r)] = r;
    for (int64_t s = 0; s < rows; s++) {
        rt_params_fetch(&model->params, tensor, order[s] * cols, cols, x);
        const int64_t unfit = rt_find_nonfinite(x, cols);
        if (unfit < 0) rt_ggml_encode(type, x, cols, bytes);
        const int64_t bad = unfit >= 0 ? unfit : find_lost(type, bytes, cols);
        RT_CHECK(bad < 0, err, RETORT_ERR_NUMERIC,
                 "cannot write '%s': tensor '%s' has the value %g at element %lld, which is not a finite number in %s",
                 file->path, tensor->name, (double)x[bad], (long long)(order[s] * cols + bad), format->name);
        RT_TRY(rt_gguf_write_tensor(to, file, bytes, stride, err));
    }
    return RETORT_OK;
}

static retort_status write_factors(rt_gguf_writer *to, rt_atomic_file *file, const rt_config *config,
                                   retort_error *err) {
    if (config->rope.type != RT_ROPE_LLAMA3) return RETORT_OK;
    const rt_rope_llama3 scaling = {.factor = config->rope.factor,
                                    .low = config->rope.low_freq_factor,
                                    .high = config->rope.high_freq_factor,
                                    .original = (double)config->rope.original_positions};
    const size_t pairs = (size_t)config->head_dim / 2;
    float *factors = rt_malloc_array(pairs, sizeof *factors);
    RT_CHECK(factors != NULL, err, RETORT_ERR_MEMORY, "out of memory while writing '%s'", file->path);
    rt_rope_llama3_factors(config->rope.theta, config->head_dim, &scaling, factors);
    retort_status st = rt_gguf_write_tensor(to, file, factors, pairs * sizeof *factors, err);
    rt_free(factors);
    return st;
}

retort_status rt_gguf_write_weights(rt_gguf_writer *to, rt_atomic_file *file, const rt_model *model, rt_ggml_type type,
                                    retort_error *err) {
    int64_t rows = 0, cols = 0;
    for (int64_t i = 0; i < model->params.num_tensors; i++) {
        const rt_tensor *tensor = &model->params.tensors[i];
        if (tensor->shape[0] > rows) rows = tensor->shape[0];
        if (tensor->dims == 2 && tensor->shape[1] > cols) cols = tensor->shape[1];
    }
    int64_t *order = rt_malloc_array((size_t)rows, sizeof *order);
    float *x = rt_malloc_array((size_t)cols, sizeof *x);
    unsigned char *bytes = rt_malloc_array((size_t)cols, sizeof *x);
    retort_status st = order != NULL && x != NULL && bytes != NULL
                           ? write_factors(to, file, &model->config, err)
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory while writing '%s'", file->path);
    for (int64_t i = 0; i < model->params.num_tensors && st == RETORT_OK; i++) {
        const rt_tensor *tensor = &model->params.tensors[i];
        st = write_rows(to, file, model, tensor, (uint32_t)type_of(tensor, type), order, x, bytes, err);
    }
    rt_free(order);
    rt_free(x);
    rt_free(bytes);
    return st;
}
