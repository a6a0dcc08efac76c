/* From a GGUF file's metadata to the keys of a config.json. */
#include <stdio.h>
#include <string.h>

#include "model/config_json.h"
#include "model/gguf_model.h"

static const struct architecture {
    const char *gguf, *model_type, *class_name;
} ARCHITECTURES[] = {{"llama", "llama", "LlamaForCausalLM"},
                     {"qwen2", "qwen2", "Qwen2ForCausalLM"},
                     {"qwen3", "qwen3", "Qwen3ForCausalLM"}};

/* Metadata under the architecture's name that are read below, or say nothing about the numbers. Everything else may
 * mean another computation. */
static const char *const KNOWN[] = {"block_count",
                                    "context_length",
                                    "embedding_length",
                                    "feed_forward_length",
                                    "vocab_size",
                                    "attention.head_count",
                                    "attention.head_count_kv",
                                    "attention.key_length",
                                    "attention.value_length",
                                    "attention.layer_norm_rms_epsilon",
                                    "attention.sliding_window",
                                    "attention.causal",
                                    "rope.freq_base",
                                    "rope.dimension_count",
                                    "rope.scaling.type",
                                    "rope.scaling.factor",
                                    "rope.scaling.original_context_length",
                                    "rope.scaling.finetuned",
                                    "rope.scaling.yarn_ext_factor",
                                    "rope.scaling.yarn_attn_factor",
                                    "rope.scaling.yarn_beta_fast",
                                    "rope.scaling.yarn_beta_slow",
                                    "rope.scale_linear",
                                    "expert_count",
                                    "expert_used_count"};

typedef struct reader {
    const rt_gguf *file;
    const struct architecture *architecture;
    char key[96];
    json_t *out;
    bool failed; /* a member could not be made: checked once at the end */
} reader;

static const char *key_of(reader *r, const char *name) {
    snprintf(r->key, sizeof r->key, "%s.%s", r->architecture->gguf, name);
    return r->key;
}

static void put(reader *r, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) != 0) r->failed = true;
}

static retort_status read_architecture(reader *r, retort_error *err) {
    char *name = NULL;
    RT_TRY(rt_gguf_string(r->file, "general.architecture", true, &name, err));
    for (size_t i = 0; i < sizeof ARCHITECTURES / sizeof *ARCHITECTURES; i++)
        if (strcmp(name, ARCHITECTURES[i].gguf) == 0) r->architecture = &ARCHITECTURES[i];
    retort_status st = RETORT_OK;
    if (r->architecture == NULL)
        st = rt_fail(err, RETORT_ERR_UNSUPPORTED,
                     "'%s' has the architecture '%.100s'; supported are llama, qwen2, qwen3", r->file->path, name);
    rt_free(name);
    return st;
}

static retort_status check_keys(const reader *r, retort_error *err) {
    const size_t prefix = strlen(r->architecture->gguf);
    for (int64_t i = 0; i < r->file->num_values; i++) {
        const char *key = r->file->values[i].key;
        if (strncmp(key, r->architecture->gguf, prefix) != 0 || key[prefix] != '.') continue;
        bool known = false;
        for (size_t k = 0; k < sizeof KNOWN / sizeof *KNOWN && !known; k++)
            known = strcmp(key + prefix + 1, KNOWN[k]) == 0;
        RT_CHECK(known, err, RETORT_ERR_UNSUPPORTED, "'%s' has the metadata '%.200s', which is not supported",
                 r->file->path, key);
    }
    return RETORT_OK;
}

/* A feature that must be off: absent or this value. */
static retort_status expect_real(reader *r, const char *name, double expected, retort_error *err) {
    double value = expected;
    RT_TRY(rt_gguf_real(r->file, key_of(r, name), false, &value, err));
    RT_CHECK(value == expected, err, RETORT_ERR_UNSUPPORTED, "'%s': the metadata '%s' is %g, only %g is supported",
             r->file->path, r->key, value, expected);
    return RETORT_OK;
}

/* ---- shape ---- */

static retort_status read_size(reader *r, const char *name, bool needed, const char *to, int64_t *value,
                               retort_error *err) {
    RT_TRY(rt_gguf_int(r->file, key_of(r, name), needed, 1, INT32_MAX, value, err));
    put(r, r->out, to, json_integer(*value));
    return RETORT_OK;
}

static retort_status read_heads(reader *r, int64_t hidden, int64_t *head_dim, retort_error *err) {
    int64_t heads = 0;
    RT_TRY(read_size(r, "attention.head_count", true, "num_attention_heads", &heads, err));
    int64_t groups = heads;
    RT_TRY(read_size(r, "attention.head_count_kv", false, "num_key_value_heads", &groups, err));
    *head_dim = hidden / heads;
    RT_TRY(rt_gguf_int(r->file, key_of(r, "attention.key_length"), false, 1, INT32_MAX, head_dim, err));
    RT_CHECK(*head_dim > 0, err, RETORT_ERR_FORMAT, "'%s': %lld heads for a width of %lld", r->file->path,
             (long long)heads, (long long)hidden);
    RT_TRY(expect_real(r, "attention.value_length", (double)*head_dim, err));
    RT_TRY(expect_real(r, "rope.dimension_count", (double)*head_dim, err));
    put(r, r->out, "head_dim", json_integer(*head_dim));
    return RETORT_OK;
}

/* Rows of the embedding: what the file holds, whatever "vocab_size" says. */
static retort_status read_vocabulary(reader *r, retort_error *err) {
    const rt_gguf_tensor *embed = rt_gguf_tensor_find(r->file, "token_embd.weight");
    RT_CHECK(embed != NULL && embed->dims == 2, err, RETORT_ERR_NOT_FOUND,
             "'%s' lacks the matrix 'token_embd.weight'%s", r->file->path,
             r->file->num_tensors == 0 ? ": it holds a vocabulary only" : "");
    put(r, r->out, "vocab_size", json_integer(embed->shape[1]));
    put(r, r->out, "tie_word_embeddings", json_boolean(rt_gguf_tensor_find(r->file, "output.weight") == NULL));
    return RETORT_OK;
}

static retort_status read_shape(reader *r, int64_t *head_dim, retort_error *err) {
    int64_t hidden = 0, value = 0;
    RT_TRY(read_size(r, "embedding_length", true, "hidden_size", &hidden, err));
    RT_TRY(read_size(r, "feed_forward_length", true, "intermediate_size", &value, err));
    RT_TRY(read_size(r, "block_count", true, "num_hidden_layers", &value, err));
    RT_TRY(read_size(r, "context_length", true, "max_position_embeddings", &value, err));
    RT_TRY(read_heads(r, hidden, head_dim, err));
    return read_vocabulary(r, err);
}

/* ---- rotary embedding ---- */

static retort_status read_yarn(reader *r, json_t *scaling, retort_error *err) {
    static const struct {
        const char *name, *to;
    } REALS[] = {{"rope.scaling.yarn_beta_fast", "beta_fast"}, {"rope.scaling.yarn_beta_slow", "beta_slow"}};
    int64_t original = 0;
    RT_TRY(rt_gguf_int(r->file, key_of(r, "rope.scaling.original_context_length"), true, 1, INT32_MAX, &original, err));
    put(r, scaling, "original_max_position_embeddings", json_integer(original));
    for (size_t i = 0; i < sizeof REALS / sizeof *REALS; i++) {
        double value = -1;
        RT_TRY(rt_gguf_real(r->file, key_of(r, REALS[i].name), false, &value, err));
        if (rt_gguf_find(r->file, r->key) != NULL) put(r, scaling, REALS[i].to, json_real(value));
    }
    RT_TRY(expect_real(r, "rope.scaling.yarn_ext_factor", 1, err));
    return expect_real(r, "rope.scaling.yarn_attn_factor", 1, err);
}

/* The scaling that the metadata name; an empty object for none. */
static retort_status read_named_scaling(reader *r, json_t *scaling, retort_error *err) {
    char *type = NULL;
    RT_TRY(rt_gguf_string(r->file, key_of(r, "rope.scaling.type"), false, &type, err));
    const bool none = type == NULL || strcmp(type, "none") == 0;
    const bool linear = type != NULL && strcmp(type, "linear") == 0, yarn = type != NULL && strcmp(type, "yarn") == 0;
    retort_status st = RETORT_OK;
    if (!none && !linear && !yarn)
        st = rt_fail(err, RETORT_ERR_UNSUPPORTED, "'%s': the rope scaling '%.100s' is not supported", r->file->path,
                     type);
    rt_free(type);
    RT_TRY(st);
    if (none) { /* the older key of linear scaling */
        double factor = 1;
        RT_TRY(rt_gguf_real(r->file, key_of(r, "rope.scale_linear"), false, &factor, err));
        if (factor == 1) return RETORT_OK;
        put(r, scaling, "rope_type", json_string("linear"));
        put(r, scaling, "factor", json_real(factor));
        return RETORT_OK;
    }
    double factor = 0;
    RT_TRY(rt_gguf_real(r->file, key_of(r, "rope.scaling.factor"), true, &factor, err));
    put(r, scaling, "rope_type", json_string(yarn ? "yarn" : "linear"));
    put(r, scaling, "factor", json_real(factor));
    return yarn ? read_yarn(r, scaling, err) : RETORT_OK;
}

static retort_status read_factors(reader *r, double theta, int64_t dim, json_t *scaling, retort_error *err) {
    const rt_gguf_tensor *table = rt_gguf_tensor_find(r->file, "rope_freqs.weight");
    if (table == NULL) return RETORT_OK;
    RT_CHECK(table->type == RT_GGML_F32 && table->dims == 1 && table->count == dim / 2, err, RETORT_ERR_FORMAT,
             "'%s': 'rope_freqs.weight' is not F32 with an entry for each of %lld pairs", r->file->path,
             (long long)dim / 2);
    RT_CHECK(json_object_size(scaling) == 0, err, RETORT_ERR_UNSUPPORTED,
             "'%s' has both 'rope_freqs.weight' and another rope scaling", r->file->path);
    float *factors = rt_malloc_array((size_t)table->count, sizeof *factors);
    RT_CHECK(factors != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for the rope factors", r->file->path);
    memcpy(factors, table->data, table->bytes);
    rt_rope_llama3 found;
    const bool good = rt_rope_llama3_find(theta, dim, factors, &found);
    rt_free(factors);
    RT_CHECK(good, err, RETORT_ERR_UNSUPPORTED,
             "'%s': 'rope_freqs.weight' is no table of Llama 3's rope scaling, the only one that is supported",
             r->file->path);
    put(r, scaling, "rope_type", json_string("llama3"));
    put(r, scaling, "factor", json_real(found.factor));
    put(r, scaling, "low_freq_factor", json_real(found.low));
    put(r, scaling, "high_freq_factor", json_real(found.high));
    put(r, scaling, "original_max_position_embeddings", json_integer((json_int_t)found.original));
    return RETORT_OK;
}

static retort_status read_rope(reader *r, int64_t head_dim, retort_error *err) {
    double theta = 10000;
    RT_TRY(rt_gguf_real(r->file, key_of(r, "rope.freq_base"), false, &theta, err));
    RT_CHECK(theta >= 1 && head_dim >= 2, err, RETORT_ERR_FORMAT,
             "'%s': the rope base %g or the head size %lld is "
             "impossible",
             r->file->path, theta, (long long)head_dim);
    put(r, r->out, "rope_theta", json_real(theta));
    json_t *scaling = json_object();
    retort_status st = read_named_scaling(r, scaling, err);
    if (st == RETORT_OK) st = read_factors(r, theta, head_dim, scaling, err);
    if (st == RETORT_OK && json_object_size(scaling) > 0) put(r, r->out, "rope_scaling", json_incref(scaling));
    json_decref(scaling);
    return st;
}

/* ---- special tokens ---- */

static retort_status read_token(reader *r, const char *name, int64_t *id, retort_error *err) {
    char key[80];
    *id = -1;
    snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id", name);
    return rt_gguf_int(r->file, key, false, 0, UINT32_MAX, id, err);
}

/* Whatever ends a text, a turn or a message ends generation, as in llama.cpp. */
static retort_status read_special(reader *r, retort_error *err) {
    static const char *const ENDS[] = {"eos", "eot", "eom"};
    json_t *ends = json_array();
    int64_t seen[3], id;
    size_t count = 0;
    retort_status st = ends != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory for token ids");
    for (size_t i = 0; i < 3 && st == RETORT_OK; i++) {
        st = read_token(r, ENDS[i], &id, err);
        if (st != RETORT_OK || id < 0) continue;
        bool again = false;
        for (size_t k = 0; k < count; k++) again = again || seen[k] == id;
        if (again) continue;
        seen[count++] = id;
        r->failed = json_array_append_new(ends, json_integer(id)) != 0 || r->failed;
    }
    if (st != RETORT_OK) {
        json_decref(ends);
        return st;
    }
    put(r, r->out, "eos_token_id", ends);
    RT_TRY(read_token(r, "bos", &id, err));
    if (id >= 0) put(r, r->out, "bos_token_id", json_integer(id));
    RT_TRY(read_token(r, "padding", &id, err));
    if (id >= 0) put(r, r->out, "pad_token_id", json_integer(id));
    return RETORT_OK;
}

/* ---- all of it ---- */

/* Only Mistral has a window; llama.cpp has no name of its own for it. */
static retort_status read_window(reader *r, const char **model_type, const char **class_name, retort_error *err) {
    int64_t window = 0;
    RT_TRY(rt_gguf_int(r->file, key_of(r, "attention.sliding_window"), false, 0, INT32_MAX, &window, err));
    if (window == 0) return RETORT_OK;
    RT_CHECK(strcmp(r->architecture->gguf, "llama") == 0, err, RETORT_ERR_UNSUPPORTED,
             "'%s': a sliding window in architecture %s is not supported", r->file->path, r->architecture->gguf);
    *model_type = "mistral";
    *class_name = "MistralForCausalLM";
    put(r, r->out, "sliding_window", json_integer(window));
    return RETORT_OK;
}

static retort_status read_all(reader *r, retort_error *err) {
    RT_TRY(read_architecture(r, err));
    RT_TRY(check_keys(r, err));
    RT_TRY(expect_real(r, "expert_count", 0, err));
    bool causal = true;
    RT_TRY(rt_gguf_bool(r->file, key_of(r, "attention.causal"), false, &causal, err));
    RT_CHECK(causal, err, RETORT_ERR_UNSUPPORTED, "'%s': attention that is not causal is not supported", r->file->path);
    const char *model_type = r->architecture->model_type, *class_name = r->architecture->class_name;
    RT_TRY(read_window(r, &model_type, &class_name, err));
    put(r, r->out, "architectures", json_pack("[s]", class_name));
    put(r, r->out, "model_type", json_string(model_type));
    put(r, r->out, "hidden_act", json_string("silu"));
    int64_t head_dim = 0;
    RT_TRY(read_shape(r, &head_dim, err));
    double epsilon = 0;
    RT_TRY(rt_gguf_real(r->file, key_of(r, "attention.layer_norm_rms_epsilon"), true, &epsilon, err));
    put(r, r->out, "rms_norm_eps", json_real(epsilon));
    if (strcmp(r->architecture->gguf, "llama") == 0 && rt_gguf_tensor_find(r->file, "blk.0.attn_q.bias") != NULL)
        put(r, r->out, "attention_bias", json_true());
    RT_TRY(read_rope(r, head_dim, err));
    return read_special(r, err);
}

retort_status rt_gguf_to_config_json(const rt_gguf *file, json_t **out, retort_error *err) {
    reader r = {.file = file, .out = json_object()};
    RT_CHECK(r.out != NULL, err, RETORT_ERR_MEMORY, "'%s': out of memory for its configuration", file->path);
    retort_status st = read_all(&r, err);
    if (st == RETORT_OK && r.failed)
        st = rt_fail(err, RETORT_ERR_MEMORY, "'%s': out of memory for its configuration", file->path);
    if (st != RETORT_OK) {
        json_decref(r.out);
        return st;
    }
    *out = r.out;
    return RETORT_OK;
}

retort_status rt_gguf_config(const rt_gguf *file, rt_config *out, retort_error *err) {
    json_t *object = NULL;
    RT_TRY(rt_gguf_to_config_json(file, &object, err));
    char where[520];
    snprintf(where, sizeof where, "'%.500s'", file->path);
    retort_status st = rt_config_from_json(object, where, out, err);
    json_decref(object);
    return st;
}
