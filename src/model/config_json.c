#include "model/config_internal.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"

enum { MAX_EOS = (int)(sizeof((rt_config *)0)->eos_token_id / sizeof(int32_t)) };

static const char activation[] = "silu";

retort_status rt_optional_real(const json_t *object, const char *key, const char *where, double *out,
                               retort_error *err) {
    return rt_member(object, key) != NULL ? rt_json_real(object, key, where, out, err) : RETORT_OK;
}

retort_status rt_optional_int(const json_t *object, const char *key, const char *where, int64_t *out,
                              retort_error *err) {
    if (rt_member(object, key) == NULL) return RETORT_OK;
    long long value;
    RT_TRY(rt_json_int(object, key, where, 0, INT32_MAX, &value, err));
    *out = value;
    return RETORT_OK;
}

retort_status rt_optional_bool(const json_t *object, const char *key, const char *where, bool *out, retort_error *err) {
    const json_t *value = rt_member(object, key);
    RT_CHECK(value == NULL || json_is_boolean(value), err, RETORT_ERR_FORMAT, "%s: '%s' must be true or false", where,
             key);
    if (value != NULL) *out = json_is_true(value);
    return RETORT_OK;
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
    bool value = required;
    RT_TRY(rt_optional_bool(object, key, where, &value, err));
    RT_CHECK(value == required, err, RETORT_ERR_UNSUPPORTED, "%s: '%s' is %s, which is not supported", where, key,
             value ? "true" : "false");
    return RETORT_OK;
}

static retort_status check_absent(const json_t *object, const char *key, const char *where, retort_error *err) {
    RT_CHECK(rt_member(object, key) == NULL, err, RETORT_ERR_UNSUPPORTED,
             "%s: '%s' is set, which is not supported; it must be null or absent", where, key);
    return RETORT_OK;
}

static retort_status check_features(const json_t *object, const char *where, const rt_architecture_traits *traits,
                                    retort_error *err) {
    RT_TRY(expect_string(object, "hidden_act", where, activation, err));
    RT_TRY(check_switch(object, "use_mrope", where, false, err));
    RT_TRY(check_switch(object, "mlp_bias", where, false, err));
    RT_TRY(check_switch(object, "rope_interleaved", where, false, err));
    if (traits->window != RT_WINDOW_SWITCHED) RT_TRY(check_switch(object, "use_sliding_window", where, false, err));
    RT_TRY(check_absent(object, "quantization_config", where, err));
    double dropout = 0;
    RT_TRY(rt_optional_real(object, "attention_dropout", where, &dropout, err));
    RT_CHECK(dropout == 0, err, RETORT_ERR_UNSUPPORTED, "%s: 'attention_dropout' is %g, only 0 is supported", where,
             dropout);
    return RETORT_OK;
}

/* Qwen2 has no key for its biases; saying what it has does no harm. */
static retort_status read_biases(const json_t *object, const char *where, const rt_architecture_traits *traits,
                                 rt_config *config, retort_error *err) {
    bool all = false;
    if (traits->bias == RT_BIAS_SWITCHED)
        RT_TRY(rt_optional_bool(object, "attention_bias", where, &all, err));
    else
        RT_TRY(check_switch(object, "attention_bias", where, traits->bias == RT_BIAS_QKV, err));
    config->o_bias = all;
    config->qkv_bias = all || traits->bias == RT_BIAS_QKV;
    return RETORT_OK;
}

/* ---- numbers ---- */

static retort_status read_sizes(const json_t *object, const char *where, const rt_architecture_traits *traits,
                                rt_config *config, retort_error *err) {
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
            rt_member(object, sizes[i].key) == NULL) { /* the first generation, before heads were grouped */
            config->num_key_value_heads = config->num_attention_heads;
            continue;
        }
        RT_TRY(rt_json_int(object, sizes[i].key, where, 1, INT32_MAX, &value, err));
        *sizes[i].to = value;
    }
    if (rt_member(object, "head_dim") != NULL) {
        RT_TRY(rt_json_int(object, "head_dim", where, 1, INT32_MAX, &value, err));
        config->head_dim = value;
        return RETORT_OK;
    }
    config->head_dim = traits->head_dim;
    if (config->head_dim > 0) return RETORT_OK;
    RT_CHECK(config->hidden_size % config->num_attention_heads == 0, err, RETORT_ERR_FORMAT,
             "%s: 'hidden_size' (%lld) is not a multiple of 'num_attention_heads' (%lld), and 'head_dim' is absent",
             where, (long long)config->hidden_size, (long long)config->num_attention_heads);
    config->head_dim = config->hidden_size / config->num_attention_heads;
    return RETORT_OK;
}

static retort_status read_token_id(const json_t *object, const char *key, const char *where, int32_t *out,
                                   retort_error *err) {
    *out = -1;
    if (rt_member(object, key) == NULL) return RETORT_OK;
    long long id;
    RT_TRY(rt_json_int(object, key, where, 0, INT32_MAX, &id, err));
    *out = (int32_t)id;
    return RETORT_OK;
}

/* One id, a list of ids, or null. */
static retort_status read_eos(const json_t *object, const char *where, rt_config *config, retort_error *err) {
    const json_t *value = rt_member(object, "eos_token_id");
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
    rt_config config = {.architecture = traits->id, .qk_norm = traits->qk_norm, .initializer_range = 0.02};
    RT_TRY(read_sizes(object, where, traits, &config, err));
    RT_TRY(read_biases(object, where, traits, &config, err));
    RT_TRY(rt_read_rope(object, where, &config, err));
    RT_TRY(rt_read_window(object, where, traits, &config, err));
    RT_TRY(rt_json_real(object, "rms_norm_eps", where, &config.rms_norm_eps, err));
    RT_TRY(rt_optional_real(object, "initializer_range", where, &config.initializer_range, err));
    RT_TRY(rt_optional_bool(object, "tie_word_embeddings", where, &config.tie_word_embeddings, err));
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
    if (rt_member(object, "eos_token_id") == NULL) return RETORT_OK;
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
