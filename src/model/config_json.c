#include "model/config_json.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "model/architecture.h"
#include "model/dtype.h"

enum { MAX_EOS = (int)(sizeof((rt_config *)0)->eos_token_id / sizeof(int32_t)) };

static const char activation[] = "silu";

/* A member that is there and not null: both mean the same in these files. */
static const json_t *member(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

/* ---- features: whatever would change the numbers must be what we compute ---- */

static retort_status expect_string(const json_t *object, const char *key, const char *where, const char *expected,
                                   retort_error *err) {
    const char *value;
    RT_TRY(rt_json_string(object, key, where, &value, err));
    RT_CHECK(strcmp(value, expected) == 0, err, RETORT_ERR_UNSUPPORTED, "%s: '%s' is '%.100s', only '%s' is supported",
             where, key, value, expected);
    return RETORT_OK;
}

static retort_status read_architecture(const json_t *object, const char *where, const rt_architecture_traits **out,
                                       retort_error *err) {
    const char *model_type;
    RT_TRY(rt_json_string(object, "model_type", where, &model_type, err));
    *out = rt_architecture_by_type(model_type);
    RT_CHECK(*out != NULL, err, RETORT_ERR_UNSUPPORTED, "%s: 'model_type' is '%.100s'; supported are %s", where,
             model_type, rt_architecture_list());
    const char *architecture = (*out)->class_name;
    const json_t *list = json_object_get(object, "architectures");
    const json_t *first = json_array_get(list, 0);
    RT_CHECK(json_array_size(list) == 1 && json_is_string(first), err, RETORT_ERR_FORMAT,
             "%s: 'architectures' must be a list of one name", where);
    RT_CHECK(strcmp(json_string_value(first), architecture) == 0, err, RETORT_ERR_UNSUPPORTED,
             "%s: 'architectures' is '%.100s', for '%s' only '%s' is supported", where, json_string_value(first),
             model_type, architecture);
    return RETORT_OK;
}

static retort_status check_switch(const json_t *object, const char *key, const char *where, bool required,
                                  retort_error *err) {
    const json_t *value = member(object, key);
    RT_CHECK(value == NULL || json_is_boolean(value), err, RETORT_ERR_FORMAT, "%s: '%s' must be true or false", where,
             key);
    RT_CHECK(value == NULL || json_is_true(value) == required, err, RETORT_ERR_UNSUPPORTED,
             "%s: '%s' is %s, which is not supported", where, key, required ? "false" : "true");
    return RETORT_OK;
}

static retort_status check_absent(const json_t *object, const char *key, const char *where, retort_error *err) {
    RT_CHECK(member(object, key) == NULL, err, RETORT_ERR_UNSUPPORTED,
             "%s: '%s' is set, which is not supported; it must be null or absent", where, key);
    return RETORT_OK;
}

static retort_status check_layer_types(const json_t *object, const char *where, retort_error *err) {
    const json_t *list = member(object, "layer_types");
    RT_CHECK(list == NULL || json_is_array(list), err, RETORT_ERR_FORMAT, "%s: 'layer_types' must be a list", where);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *type = json_string_value(json_array_get(list, i));
        RT_CHECK(type != NULL && strcmp(type, "full_attention") == 0, err, RETORT_ERR_UNSUPPORTED,
                 "%s: 'layer_types' has '%.100s' for layer %zu, only 'full_attention' is supported", where,
                 type != NULL ? type : "(no string)", i);
    }
    return RETORT_OK;
}

static retort_status check_features(const json_t *object, const char *where, const rt_architecture_traits *traits,
                                    retort_error *err) {
    RT_TRY(expect_string(object, "hidden_act", where, activation, err));
    RT_TRY(check_switch(object, "use_sliding_window", where, false, err));
    RT_TRY(check_switch(object, "use_mrope", where, false, err));
    RT_TRY(check_switch(object, "attention_bias", where, traits->qkv_bias, err));
    RT_TRY(check_switch(object, "mlp_bias", where, false, err));
    RT_TRY(check_switch(object, "rope_interleaved", where, false, err));
    RT_TRY(check_absent(object, "quantization_config", where, err));
    RT_TRY(check_layer_types(object, where, err));
    double dropout = 0;
    if (member(object, "attention_dropout") != NULL)
        RT_TRY(rt_json_real(object, "attention_dropout", where, &dropout, err));
    RT_CHECK(dropout == 0, err, RETORT_ERR_UNSUPPORTED, "%s: 'attention_dropout' is %g, only 0 is supported", where,
             dropout);
    return RETORT_OK;
}

/* ---- numbers ---- */

static retort_status read_sizes(const json_t *object, const char *where, rt_config *config, retort_error *err) {
    const struct {
        const char *key;
        int64_t *to;
    } sizes[] = {
        {"vocab_size", &config->vocab_size},
        {"hidden_size", &config->hidden_size},
        {"intermediate_size", &config->intermediate_size},
        {"num_hidden_layers", &config->num_hidden_layers},
        {"num_attention_heads", &config->num_attention_heads},
        {"num_key_value_heads", &config->num_key_value_heads},
        {"max_position_embeddings", &config->max_position_embeddings},
    };
    long long value;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i].to == &config->num_key_value_heads && config->architecture == RT_LLAMA &&
            member(object, sizes[i].key) == NULL) { /* the first generation, before heads were grouped */
            config->num_key_value_heads = config->num_attention_heads;
            continue;
        }
        RT_TRY(rt_json_int(object, sizes[i].key, where, 1, INT32_MAX, &value, err));
        *sizes[i].to = value;
    }
    if (member(object, "head_dim") != NULL) {
        RT_TRY(rt_json_int(object, "head_dim", where, 1, INT32_MAX, &value, err));
        config->head_dim = value;
        return RETORT_OK;
    }
    RT_CHECK(config->hidden_size % config->num_attention_heads == 0, err, RETORT_ERR_FORMAT,
             "%s: 'hidden_size' (%lld) is not a multiple of 'num_attention_heads' (%lld), and 'head_dim' is absent",
             where, (long long)config->hidden_size, (long long)config->num_attention_heads);
    config->head_dim = config->hidden_size / config->num_attention_heads;
    return RETORT_OK;
}

/* transformers 5: one object. Keys of the scaled forms (factor, attention_factor, ...) come only with other types. */
static retort_status read_rope_parameters(const json_t *rope, const char *where, double *theta, retort_error *err) {
    RT_CHECK(json_is_object(rope), err, RETORT_ERR_FORMAT, "%s: 'rope_parameters' must be an object", where);
    char inner[600];
    snprintf(inner, sizeof inner, "%.560s: 'rope_parameters'", where);
    if (member(rope, "rope_type") != NULL) RT_TRY(expect_string(rope, "rope_type", inner, "default", err));
    double partial = 1;
    if (member(rope, "partial_rotary_factor") != NULL)
        RT_TRY(rt_json_real(rope, "partial_rotary_factor", inner, &partial, err));
    RT_CHECK(partial == 1, err, RETORT_ERR_UNSUPPORTED, "%s: 'partial_rotary_factor' is %g, only 1 is supported", inner,
             partial);
    return rt_json_real(rope, "rope_theta", inner, theta, err);
}

static retort_status read_rope(const json_t *object, const char *where, rt_config *config, retort_error *err) {
    RT_TRY(check_absent(object, "rope_scaling", where, err));
    const json_t *parameters = member(object, "rope_parameters");
    if (parameters == NULL && config->architecture == RT_LLAMA && member(object, "rope_theta") == NULL) {
        config->rope.theta = 10000; /* Llama 1 and 2 had no such key */
        return RETORT_OK;
    }
    if (parameters == NULL) return rt_json_real(object, "rope_theta", where, &config->rope.theta, err);
    RT_TRY(read_rope_parameters(parameters, where, &config->rope.theta, err));
    if (member(object, "rope_theta") == NULL) return RETORT_OK;
    double theta;
    RT_TRY(rt_json_real(object, "rope_theta", where, &theta, err));
    RT_CHECK(theta == config->rope.theta, err, RETORT_ERR_FORMAT,
             "%s: 'rope_theta' is %g, but 'rope_parameters' says %g", where, theta, config->rope.theta);
    return RETORT_OK;
}

static retort_status read_token_id(const json_t *object, const char *key, const char *where, int32_t *out,
                                   retort_error *err) {
    *out = -1;
    if (member(object, key) == NULL) return RETORT_OK;
    long long id;
    RT_TRY(rt_json_int(object, key, where, 0, INT32_MAX, &id, err));
    *out = (int32_t)id;
    return RETORT_OK;
}

/* One id, a list of ids, or null. */
static retort_status read_eos(const json_t *object, const char *where, rt_config *config, retort_error *err) {
    const json_t *value = member(object, "eos_token_id");
    const bool list = json_is_array(value);
    const size_t count = value == NULL ? 0 : list ? json_array_size(value) : 1;
    RT_CHECK(count <= MAX_EOS, err, RETORT_ERR_UNSUPPORTED,
             "%s: 'eos_token_id' lists %zu ids, at most %d are supported", where, count, MAX_EOS);
    config->num_eos = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        const json_t *id = list ? json_array_get(value, i) : value;
        const long long number = json_integer_value(id);
        RT_CHECK(json_is_integer(id) && number >= 0 && number <= INT32_MAX, err, RETORT_ERR_FORMAT,
                 "%s: 'eos_token_id' must be a token id, a list of them, or null", where);
        config->eos_token_id[i] = (int32_t)number;
    }
    return RETORT_OK;
}

retort_status rt_config_from_json(const json_t *object, const char *where, rt_config *out, retort_error *err) {
    RT_CHECK(json_is_object(object), err, RETORT_ERR_FORMAT, "%s is not a JSON object", where);
    const rt_architecture_traits *traits;
    RT_TRY(read_architecture(object, where, &traits, err));
    RT_TRY(check_features(object, where, traits, err));
    rt_config config = {.architecture = traits->id, .initializer_range = 0.02, .qkv_bias = traits->qkv_bias};
    RT_TRY(read_sizes(object, where, &config, err));
    RT_TRY(read_rope(object, where, &config, err));
    RT_TRY(rt_json_real(object, "rms_norm_eps", where, &config.rms_norm_eps, err));
    if (member(object, "initializer_range") != NULL)
        RT_TRY(rt_json_real(object, "initializer_range", where, &config.initializer_range, err));
    const json_t *tied = member(object, "tie_word_embeddings");
    RT_CHECK(tied == NULL || json_is_boolean(tied), err, RETORT_ERR_FORMAT,
             "%s: 'tie_word_embeddings' must be true or false", where);
    config.tie_word_embeddings = json_is_true(tied);
    RT_TRY(read_token_id(object, "bos_token_id", where, &config.bos_token_id, err));
    RT_TRY(read_token_id(object, "pad_token_id", where, &config.pad_token_id, err));
    RT_TRY(read_eos(object, where, &config, err));
    RT_TRY(rt_config_validate(&config, where, err));
    *out = config;
    return RETORT_OK;
}

retort_status rt_config_apply_generation(const json_t *object, const char *where, rt_config *config,
                                         retort_error *err) {
    RT_CHECK(json_is_object(object), err, RETORT_ERR_FORMAT, "%s is not a JSON object", where);
    if (member(object, "eos_token_id") == NULL) return RETORT_OK;
    rt_config changed = *config;
    RT_TRY(read_eos(object, where, &changed, err));
    RT_TRY(rt_config_validate(&changed, where, err));
    *config = changed;
    return RETORT_OK;
}

/* ---- files ---- */

static retort_status load_one(const char *path, bool generation, rt_config *config, retort_error *err) {
    json_t *object = NULL;
    RT_TRY(rt_json_load(path, &object, err));
    char where[520];
    snprintf(where, sizeof where, "'%.500s'", path);
    retort_status st = generation ? rt_config_apply_generation(object, where, config, err)
                                  : rt_config_from_json(object, where, config, err);
    json_decref(object);
    return st;
}

retort_status rt_config_load(const char *dir, rt_config *out, retort_error *err) {
    char *path = rt_path_join(dir, "config.json"), *generation = rt_path_join(dir, "generation_config.json");
    retort_status st = RETORT_OK;
    if (path == NULL || generation == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory while reading '%s'", dir);
    if (st == RETORT_OK) st = load_one(path, false, out, err);
    if (st == RETORT_OK && rt_path_exists(generation)) st = load_one(generation, true, out, err);
    rt_free(path);
    rt_free(generation);
    return st;
}

/* ---- writing ---- */

/* Collects members; a member that cannot be made or added leaves `failed` set, checked once at the end. */
typedef struct writer {
    json_t *object;
    bool failed;
} writer;

static void put(writer *w, const char *key, json_t *value) {
    if (json_object_set_new(w->object, key, value) != 0) w->failed = true;
}

static retort_status finish(writer *w, const char *name, json_t **out, retort_error *err) {
    if (w->failed || w->object == NULL) {
        json_decref(w->object);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory while making %s", name);
    }
    *out = w->object;
    return RETORT_OK;
}

static json_t *token_id(int32_t id) {
    return id < 0 ? json_null() : json_integer(id);
}

static json_t *eos_ids(const rt_config *config) {
    if (config->num_eos == 0) return json_null();
    if (config->num_eos == 1) return json_integer(config->eos_token_id[0]);
    json_t *list = json_array();
    for (int32_t i = 0; i < config->num_eos && list != NULL; i++) {
        if (json_array_append_new(list, json_integer(config->eos_token_id[i])) == 0) continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

static void put_special(writer *w, const rt_config *config) {
    put(w, "bos_token_id", token_id(config->bos_token_id));
    put(w, "eos_token_id", eos_ids(config));
    put(w, "pad_token_id", token_id(config->pad_token_id));
}

static void put_numbers(writer *w, const rt_config *config) {
    put(w, "vocab_size", json_integer(config->vocab_size));
    put(w, "hidden_size", json_integer(config->hidden_size));
    put(w, "intermediate_size", json_integer(config->intermediate_size));
    put(w, "num_hidden_layers", json_integer(config->num_hidden_layers));
    put(w, "num_attention_heads", json_integer(config->num_attention_heads));
    put(w, "num_key_value_heads", json_integer(config->num_key_value_heads));
    if (config->head_dim * config->num_attention_heads != config->hidden_size)
        put(w, "head_dim", json_integer(config->head_dim));
    put(w, "max_position_embeddings", json_integer(config->max_position_embeddings));
    put(w, "rms_norm_eps", json_real(config->rms_norm_eps));
    put(w, "initializer_range", json_real(config->initializer_range));
}

retort_status rt_config_to_json(const rt_config *config, rt_dtype dtype, json_t **out, retort_error *err) {
    const rt_architecture_traits *traits = rt_architecture_find(config->architecture);
    RT_CHECK(config->qkv_bias == traits->qkv_bias, err, RETORT_ERR_UNSUPPORTED,
             "a model with%s attention biases cannot be written as %s", config->qkv_bias ? "" : "out",
             traits->class_name);
    writer w = {.object = json_object()};
    put(&w, "architectures", json_pack("[s]", traits->class_name));
    put(&w, "model_type", json_string(traits->model_type));
    put_numbers(&w, config);
    put(&w, "rope_theta", json_real(config->rope.theta));
    put(&w, "rope_scaling", json_null());
    put(&w, "rope_parameters", json_pack("{s:f, s:s}", "rope_theta", config->rope.theta, "rope_type", "default"));
    put(&w, "hidden_act", json_string(activation));
    put(&w, "attention_dropout", json_real(0.0));
    if (config->architecture == RT_QWEN2) put(&w, "use_sliding_window", json_false());
    if (config->architecture == RT_LLAMA) {
        put(&w, "attention_bias", json_false());
        put(&w, "mlp_bias", json_false());
    }
    put(&w, "tie_word_embeddings", json_boolean(config->tie_word_embeddings));
    put_special(&w, config);
    put(&w, "torch_dtype", json_string(rt_dtype_torch_name(dtype)));
    put(&w, "dtype", json_string(rt_dtype_torch_name(dtype)));
    put(&w, "use_cache", json_true());
    return finish(&w, "config.json", out, err);
}

retort_status rt_config_to_generation(const rt_config *config, json_t **out, retort_error *err) {
    writer w = {.object = json_object()};
    put_special(&w, config);
    return finish(&w, "generation_config.json", out, err);
}
