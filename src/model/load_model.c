#include <math.h>
#include <nettle/sha2.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "core/hub_cache.h"
#include "model/architecture.h"
#include "model/config_json.h"
#include "model/gguf_model.h"
#include "model/lora.h"
#include "model/safetensors.h"
#include "model/weights.h"

enum {
    PIECE = 1 << 14, /* numbers converted at a time */
    RUN = 256        /* pieces after which the pages read are given back: loading needs little more than the weights
                        themselves, and touching a page maps a few around it, which would undo smaller steps */
};

static retort_status check_finite(const rt_weight *from, rt_dtype held, const float *read, const float *stored,
                                  int64_t first, int64_t n, retort_error *err) {
    const int64_t bad = rt_find_nonfinite(stored, n);
    if (bad < 0) return RETORT_OK;
    if (isfinite(read[bad]))
        return rt_fail(err, RETORT_ERR_FORMAT,
                       "'%s': tensor '%.200s' has the value %g at element %lld, which is not a finite number in %s",
                       from->file->path, from->entry->name, (double)read[bad], (long long)(first + bad),
                       rt_dtype_name(held));
    return rt_fail(err, RETORT_ERR_FORMAT, "'%s': tensor '%.200s' has the non-finite value %f at element %lld",
                   from->file->path, from->entry->name, (double)read[bad], (long long)(first + bad));
}

/* One tensor on its way from a file's type to the one it is held in. */
typedef struct conversion {
    const rt_weight *from;
    rt_dtype read, held;
    rt_params *params;
    const rt_tensor *tensor;
} conversion;

static retort_status load_piece(const conversion *c, int64_t first, int64_t n, retort_error *err) {
    const unsigned char *bytes = c->from->entry->data + (size_t)first * rt_dtype_size(c->read);
    if (c->tensor->format == RT_FORMAT_F32) {
        float *to = c->params->data + c->tensor->offset + first;
        rt_dtype_decode(c->read, bytes, n, to);
        return check_finite(c->from, c->held, to, to, first, n, err);
    }
    float read[PIECE], stored[PIECE];
    rt_dtype_decode(c->read, bytes, n, read);
    RT_TRY(check_finite(c->from, c->held, read, read, first, n, err));
    rt_params_store(c->params, c->tensor, first, n, read);
    rt_params_fetch(c->params, c->tensor, first, n, stored);
    return check_finite(c->from, c->held, read, stored, first, n, err);
}

/* A piece is some whole rows, or of a longer row a part that ends with a group of int8. */
typedef struct cutting {
    int64_t columns, size, per_row; /* per_row 0: pieces of whole rows */
    int64_t count;
} cutting;

static cutting cut(const rt_tensor *tensor) {
    cutting p = {.columns = tensor->dims == 2 ? tensor->shape[1] : 1, .size = PIECE};
    if (p.columns <= PIECE) {
        p.size = PIECE / p.columns * p.columns;
        p.count = (tensor->count + p.size - 1) / p.size;
    } else {
        p.per_row = (p.columns + PIECE - 1) / PIECE;
        p.count = tensor->count / p.columns * p.per_row;
    }
    return p;
}

static int64_t piece_at(const cutting *p, int64_t index) {
    return p->per_row == 0 ? index * p->size : index / p->per_row * p->columns + index % p->per_row * p->size;
}

static int64_t piece_end(const cutting *p, const rt_tensor *tensor, int64_t index) {
    return index + 1 < p->count ? piece_at(p, index + 1) : tensor->count;
}

/* All threads convert; the error told is the first one's in the file, whoever came upon it. */
static retort_status load_run(const conversion *c, const cutting *p, int64_t begin, int64_t end, retort_error *err) {
    int64_t bad = INT64_MAX;
#pragma omp parallel for reduction(min : bad) num_threads(omp_in_parallel() ? 1 : rt_compute_threads())
    for (int64_t i = begin; i < end; i++) {
        const int64_t first = piece_at(p, i);
        if (load_piece(c, first, piece_end(p, c->tensor, i) - first, NULL) != RETORT_OK && i < bad) bad = i;
    }
    if (bad == INT64_MAX) return RETORT_OK;
    return load_piece(c, piece_at(p, bad), piece_end(p, c->tensor, bad) - piece_at(p, bad), err);
}

static retort_status load_tensor(const rt_weight *from, rt_dtype held, rt_params *params, const rt_tensor *tensor,
                                 retort_error *err) {
    conversion c = {.from = from, .held = held, .params = params, .tensor = tensor};
    (void)rt_dtype_from_name(from->entry->dtype, &c.read); /* rt_weights_check has seen that it is one of the three */
    const size_t size = rt_dtype_size(c.read);
    const cutting p = cut(tensor);
    for (int64_t i = 0; i < p.count; i += RUN) {
        const int64_t last = p.count - i < RUN ? p.count : i + RUN;
        RT_TRY(load_run(&c, &p, i, last, err));
        const int64_t first = piece_at(&p, i), end = piece_end(&p, tensor, last - 1);
        if (last < p.count)
            rt_safetensors_forget(from->file, from->entry->data + (size_t)first * size, (size_t)(end - first) * size);
    }
    return RETORT_OK;
}

/* ---- matrices that stay in the file ---- */

/* The first value of a bfloat16 matrix that is not finite, looked for by all threads; -1: none. */
static int64_t first_nonfinite(const unsigned char *data, int64_t count) {
    const int64_t pieces = (count + PIECE - 1) / PIECE;
    int64_t first = INT64_MAX;
#pragma omp parallel for reduction(min : first) num_threads(omp_in_parallel() ? 1 : rt_compute_threads())
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t at = i * PIECE, n = count - at < PIECE ? count - at : PIECE;
        const int64_t bad = rt_dtype_find_nonfinite(RT_DTYPE_BF16, data + 2 * at, n);
        if (bad >= 0 && at + bad < first) first = at + bad;
    }
    return first == INT64_MAX ? -1 : first;
}

static retort_status check_mapped(const rt_weight *from, retort_error *err) {
    const int64_t bad = first_nonfinite(from->entry->data, from->entry->count);
    float value;
    if (bad < 0) return RETORT_OK;
    rt_dtype_decode(RT_DTYPE_BF16, from->entry->data + 2 * bad, 1, &value);
    return check_finite(from, RT_DTYPE_BF16, &value, &value, bad, 1, err);
}

/* Where the matrices begin in the file, in halves; false where one of them would have to be converted. */
static bool find_offsets(const rt_weights *weights, const rt_params *layout, int64_t *offsets) {
    const unsigned char *base = weights->files[0].mapping.data;
    for (int64_t i = 0; i < layout->num_tensors; i++) {
        const rt_st_entry *entry = rt_weights_find(weights, layout->tensors[i].name).entry;
        if (layout->tensors[i].format != RT_FORMAT_BF16) continue;
        const size_t at = (size_t)(entry->data - base);
        if (strcmp(entry->dtype, "BF16") != 0 || at % 2 != 0) return false;
        offsets[i] = (int64_t)(at / 2);
    }
    return true;
}

/* *mapped: false where nothing has been created, because the file's matrices are not what the model holds. */
static retort_status map_weights(const rt_weights *weights, rt_model *model, bool *mapped, retort_error *err) {
    *mapped = false;
    if (weights->num_files != 1 || model->config.weights_dtype != RT_DTYPE_BF16) return RETORT_OK;
    rt_params layout;
    RT_TRY(rt_params_layout(&model->config, &layout, err));
    int64_t *offsets = rt_calloc((size_t)layout.num_tensors, sizeof *offsets);
    retort_status st = RETORT_OK;
    if (offsets == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", weights->path);
    if (st == RETORT_OK && find_offsets(weights, &layout, offsets)) {
        *mapped = true;
        st = rt_params_create_mapped(&model->config, &weights->files[0].mapping, offsets, &model->params, err);
    }
    rt_free(offsets);
    rt_params_release(&layout);
    return st;
}

/* The files are checked against the configuration before memory for the model is taken: a small file cannot make the
 * program allocate what a false config.json claims. */
static retort_status load_weights(const rt_weights *weights, bool may_map, rt_model *model, retort_error *err) {
    bool mapped = false;
    RT_TRY(rt_weights_check(&model->config, weights, err));
    if (may_map) RT_TRY(map_weights(weights, model, &mapped, err));
    if (!mapped) RT_TRY(rt_params_create(&model->config, &model->params, err));
    for (int64_t i = 0; i < model->params.num_tensors; i++) {
        const rt_tensor *tensor = &model->params.tensors[i];
        const rt_weight from = rt_weights_find(weights, tensor->name);
        RT_TRY(mapped && tensor->format == RT_FORMAT_BF16
                   ? check_mapped(&from, err)
                   : load_tensor(&from, model->config.weights_dtype, &model->params, tensor, err));
    }
    return RETORT_OK;
}

rt_dtype rt_weights_form_dtype(rt_weights_form form, rt_dtype automatic) {
    const rt_dtype dtypes[] = {
        [RT_WEIGHTS_AUTO] = automatic,
        [RT_WEIGHTS_F32] = RT_DTYPE_F32,
        [RT_WEIGHTS_BF16] = RT_DTYPE_BF16,
        [RT_WEIGHTS_INT8] = RT_DTYPE_INT8,
    };
    return dtypes[form];
}

static rt_dtype dtype_of_files(const rt_weights *weights) {
    for (int64_t f = 0; f < weights->num_files; f++) {
        const rt_safetensors *file = &weights->files[f];
        for (int64_t i = 0; i < file->count; i++)
            if (file->entries[i].dims == 2 && strcmp(file->entries[i].dtype, "BF16") != 0) return RT_DTYPE_F32;
    }
    return RT_DTYPE_BF16;
}

rt_dtype rt_weights_dtype(const rt_weights *weights, rt_weights_form form) {
    return rt_weights_form_dtype(form, dtype_of_files(weights));
}

retort_status rt_model_load(const char *dir, rt_model *out, retort_error *err) {
    return rt_model_load_as(dir, RT_WEIGHTS_F32, out, err);
}

static retort_status load_folder(const char *dir, rt_weights_form form, bool may_map, rt_model *out,
                                 retort_error *err) {
    if (rt_gguf_is(dir)) return rt_gguf_load_model(dir, form, out, err);
    rt_model model = {0};
    RT_CHECK(rt_path_is_dir(dir), err, RETORT_ERR_NOT_FOUND, "there is no model folder '%s'", dir);
    RT_TRY(rt_config_load(dir, &model.config, err));
    rt_weights weights;
    RT_TRY(rt_weights_open(dir, &weights, err));
    model.config.weights_dtype = rt_weights_dtype(&weights, form);
    retort_status st = load_weights(&weights, may_map, &model, err);
    rt_weights_close(&weights);
    if (st != RETORT_OK) {
        rt_model_release(&model);
        return st;
    }
    *out = model;
    return RETORT_OK;
}

static retort_status load_named(const char *name, rt_weights_form form, bool may_map, rt_model *out,
                                retort_error *err) {
    char *dir;
    *out = (rt_model){0};
    RT_TRY(rt_model_path(name, &dir, err));
    retort_status st = load_folder(dir, form, may_map, out, err);
    rt_free(dir);
    return st;
}

retort_status rt_model_load_as(const char *name, rt_weights_form form, rt_model *out, retort_error *err) {
    return load_named(name, form, false, out, err);
}

retort_status rt_model_open(const rt_model_source *source, rt_model *out, retort_error *err) {
    RT_TRY(load_named(source->dir, source->weights, true, out, err));
    out->config.kv_dtype = source->kv_dtype;
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
