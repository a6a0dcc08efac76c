#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "core/hub_cache.h"
#include "model/architecture.h"
#include "model/config_json.h"
#include "model/lora.h"
#include "model/safetensors.h"
#include "model/weights.h"

retort_status rt_weights_list(const rt_params *params, bool with_head, rt_st_tensor **out, int64_t *count,
                              retort_error *err) {
    const int64_t n = params->num_tensors;
    rt_st_tensor *list = rt_calloc((size_t)n + 1, sizeof *list);
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory for a list of %lld tensors", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        const rt_tensor *tensor = &params->tensors[i];
        list[i] = (rt_st_tensor){.name = tensor->name, .dims = tensor->dims};
        for (int32_t d = 0; d < tensor->dims; d++) list[i].shape[d] = tensor->shape[d];
        if (tensor->half && params->half != NULL) list[i].half = params->half + tensor->offset;
        if (!tensor->half && params->data != NULL) list[i].data = params->data + tensor->offset;
    }
    *count = n;
    if (with_head) { /* a copy of the tied matrix: checked, not read */
        list[*count] = list[0];
        list[*count].name = "lm_head.weight";
        list[(*count)++].data = NULL;
    }
    *out = list;
    return RETORT_OK;
}

/* A tied head in the file must be what tying means, or the file's author meant another model. */
static retort_status check_tied_head(const rt_safetensors *file, retort_error *err) {
    const rt_st_entry *embed = rt_safetensors_find(file, "model.embed_tokens.weight");
    const rt_st_entry *head = rt_safetensors_find(file, "lm_head.weight");
    RT_CHECK(embed->dtype == head->dtype && memcmp(embed->data, head->data, embed->bytes) == 0, err, RETORT_ERR_FORMAT,
             "'%s': 'lm_head.weight' differs from 'model.embed_tokens.weight' although config.json says "
             "'tie_word_embeddings'",
             file->path);
    return RETORT_OK;
}

retort_status rt_weights_check(const rt_config *config, const rt_safetensors *file, retort_error *err) {
    rt_params layout;
    RT_TRY(rt_params_layout(config, &layout, err));
    const bool tied_head = config->tie_word_embeddings && rt_safetensors_find(file, "lm_head.weight") != NULL;
    rt_st_tensor *list = NULL;
    int64_t count = 0;
    retort_status st = rt_weights_list(&layout, tied_head, &list, &count, err);
    if (st == RETORT_OK) st = rt_safetensors_match(file, list, count, err);
    if (st == RETORT_OK && tied_head) st = check_tied_head(file, err);
    rt_free(list);
    rt_params_release(&layout);
    return st;
}

retort_status rt_weights_open(const char *dir, rt_safetensors *out, retort_error *err) {
    char *path = rt_path_join(dir, "model.safetensors"), *index = rt_path_join(dir, "model.safetensors.index.json");
    retort_status st;
    if (path == NULL || index == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", dir);
    else if (!rt_path_exists(path) && rt_path_exists(index))
        st =
            rt_fail(err, RETORT_ERR_UNSUPPORTED,
                    "'%s': weights in several files are not supported; save the model as one model.safetensors", index);
    else
        st = rt_safetensors_open(path, out, err);
    rt_free(path);
    rt_free(index);
    return st;
}

/* A matrix into bfloat16, piece by piece: no second copy of it is made. */
static retort_status load_half(const rt_safetensors *file, const rt_st_entry *entry, rt_params *params,
                               const rt_tensor *tensor, retort_error *err) {
    enum { PIECE = 1 << 14 };
    float piece[PIECE], rounded[PIECE];
    rt_dtype dtype = RT_DTYPE_F32; /* rt_weights_check has seen that it is one of the three */
    (void)rt_dtype_from_name(entry->dtype, &dtype);
    for (int64_t first = 0; first < entry->count; first += PIECE) {
        const int64_t n = entry->count - first < PIECE ? entry->count - first : PIECE;
        rt_dtype_decode(dtype, entry->data + (size_t)first * rt_dtype_size(dtype), n, piece);
        rt_params_store(params, tensor, first, n, piece);
        rt_params_fetch(params, tensor, first, n, rounded);
        const int64_t bad = rt_find_nonfinite(rounded, n);
        RT_CHECK(bad < 0, err, RETORT_ERR_FORMAT,
                 "'%s': tensor '%.200s' has the value %g at element %lld, which is not a finite number in BF16",
                 file->path, entry->name, (double)piece[bad], (long long)(first + bad));
    }
    return RETORT_OK;
}

/* The file is checked against the configuration before memory for the model is taken: a small file cannot make the
 * program allocate what a false config.json claims. */
static retort_status load_weights(const rt_safetensors *file, rt_model *model, retort_error *err) {
    RT_TRY(rt_weights_check(&model->config, file, err));
    RT_TRY(rt_params_create(&model->config, &model->params, err));
    for (int64_t i = 0; i < model->params.num_tensors; i++) {
        const rt_tensor *tensor = &model->params.tensors[i];
        const rt_st_entry *entry = rt_safetensors_find(file, tensor->name);
        RT_TRY(tensor->half ? load_half(file, entry, &model->params, tensor, err)
                            : rt_safetensors_decode(file, entry, model->params.data + tensor->offset, err));
    }
    return RETORT_OK;
}

static rt_dtype dtype_of(const rt_safetensors *file, rt_weights_form form) {
    if (form != RT_WEIGHTS_AUTO) return form == RT_WEIGHTS_BF16 ? RT_DTYPE_BF16 : RT_DTYPE_F32;
    for (int64_t i = 0; i < file->count; i++)
        if (file->entries[i].dims == 2 && strcmp(file->entries[i].dtype, "BF16") != 0) return RT_DTYPE_F32;
    return RT_DTYPE_BF16;
}

retort_status rt_model_load(const char *dir, rt_model *out, retort_error *err) {
    return rt_model_load_as(dir, RT_WEIGHTS_F32, out, err);
}

static retort_status load_folder(const char *dir, rt_weights_form form, rt_model *out, retort_error *err) {
    rt_model model = {0};
    RT_CHECK(rt_path_is_dir(dir), err, RETORT_ERR_NOT_FOUND, "there is no model folder '%s'", dir);
    RT_TRY(rt_config_load(dir, &model.config, err));
    rt_safetensors file = {0};
    RT_TRY(rt_weights_open(dir, &file, err));
    model.config.weights_dtype = dtype_of(&file, form);
    retort_status st = load_weights(&file, &model, err);
    rt_safetensors_close(&file);
    if (st != RETORT_OK) {
        rt_model_release(&model);
        return st;
    }
    *out = model;
    return RETORT_OK;
}

retort_status rt_model_load_as(const char *name, rt_weights_form form, rt_model *out, retort_error *err) {
    char *dir;
    *out = (rt_model){0};
    RT_TRY(rt_model_path(name, &dir, err));
    retort_status st = load_folder(dir, form, out, err);
    rt_free(dir);
    return st;
}

retort_status rt_model_open(const rt_model_source *source, rt_model *out, retort_error *err) {
    RT_TRY(rt_model_load_as(source->dir, source->weights, out, err));
    if (source->adapter == NULL) return RETORT_OK;
    retort_status st = rt_lora_load(&out->config, source->adapter, &out->lora, err);
    if (st != RETORT_OK) rt_model_release(out);
    return st;
}

void rt_model_release(rt_model *model) {
    rt_params_release(&model->params);
    rt_lora_destroy(model->lora);
    *model = (rt_model){0};
}

/* Every field in one fixed text form (%.17g tells any two doubles apart), so that the digest depends on values only,
 * not on padding bytes or on how config.json was written. */
static retort_status scaling_text(const rt_config *c, rt_buffer *text, retort_error *err) {
    const rt_rope_config *r = &c->rope;
    if (r->type != RT_ROPE_DEFAULT)
        RT_TRY(rt_buffer_printf(text, err, " rope %d %.17g %lld %.17g %.17g %.17g %.17g %.17g %.17g %.17g %d",
                                (int)r->type, r->factor, (long long)r->original_positions, r->low_freq_factor,
                                r->high_freq_factor, r->beta_fast, r->beta_slow, r->attention_factor, r->mscale,
                                r->mscale_all_dim, r->truncate));
    if (c->sliding_window == 0) return RETORT_OK;
    RT_TRY(rt_buffer_printf(text, err, " window %lld", (long long)c->sliding_window));
    for (int64_t l = 0; l < c->num_hidden_layers; l++)
        RT_TRY(rt_buffer_puts(text, rt_config_window(c, l) > 0 ? "w" : "f", err));
    return RETORT_OK;
}

static retort_status config_text(const rt_config *c, rt_buffer *text, retort_error *err) {
    RT_TRY(rt_buffer_printf(text, err, "%s %lld %lld %lld %lld %lld %lld %lld %lld %.17g %.17g %.17g %d %d %d %d",
                            rt_architecture_find(c->architecture)->model_type, (long long)c->vocab_size,
                            (long long)c->hidden_size, (long long)c->intermediate_size, (long long)c->num_hidden_layers,
                            (long long)c->num_attention_heads, (long long)c->num_key_value_heads,
                            (long long)c->head_dim, (long long)c->max_position_embeddings, c->rope.theta,
                            c->rms_norm_eps, c->initializer_range, c->tie_word_embeddings, c->qkv_bias,
                            (int)c->bos_token_id, (int)c->pad_token_id));
    for (int32_t i = 0; i < c->num_eos; i++) RT_TRY(rt_buffer_printf(text, err, " %d", (int)c->eos_token_id[i]));
    RT_TRY(scaling_text(c, text, err));
    return rt_buffer_puts(text, "\n", err);
}

static void hash_weights(struct sha256_ctx *context, const rt_params *params) {
    enum { PIECE = 1 << 14 };
    float piece[PIECE];
    for (int64_t i = 0; i < params->num_tensors; i++) {
        const rt_tensor *tensor = &params->tensors[i];
        for (int64_t first = 0; first < tensor->count; first += PIECE) {
            const int64_t n = tensor->count - first < PIECE ? tensor->count - first : PIECE;
            rt_params_fetch(params, tensor, first, n, piece);
            sha256_update(context, (size_t)n * sizeof *piece, (const uint8_t *)piece);
        }
    }
}

retort_status rt_model_hash(const rt_model *model, char hex[65], retort_error *err) {
    rt_buffer text = {0};
    retort_status st = config_text(&model->config, &text, err);
    if (st == RETORT_OK) {
        struct sha256_ctx context;
        sha256_init(&context);
        sha256_update(&context, text.length, (const uint8_t *)text.data);
        hash_weights(&context, &model->params);
        uint8_t digest[SHA256_DIGEST_SIZE];
        sha256_digest(&context, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    rt_buffer_free(&text);
    return st;
}
