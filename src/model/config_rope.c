/* The rotary embedding in config.json.
 *
 * transformers 4: "rope_theta": 1e6, "rope_scaling": null or {"rope_type" (older: "type"), ...};
 * transformers 5: "rope_parameters": {"rope_theta", "rope_type", ...}.
 */
#include <stdio.h>
#include <string.h>

#include "model/config_internal.h"

static const struct {
    const char *name;
    rt_rope_type type;
} types[] = {{"default", RT_ROPE_DEFAULT},
             {"linear", RT_ROPE_LINEAR},
             {"dynamic", RT_ROPE_DYNAMIC},
             {"llama3", RT_ROPE_LLAMA3},
             {"yarn", RT_ROPE_YARN}};

/* All that the five types know; a type ignores the others' keys, as transformers does. Another key asks for something
 * that is not computed here. */
static const char *const known_keys[] = {
    "type",      "rope_type",      "rope_theta",      "factor",           "original_max_position_embeddings",
    "beta_fast", "beta_slow",      "low_freq_factor", "high_freq_factor", "attention_factor",
    "mscale",    "mscale_all_dim", "truncate",        "finetuned",        "partial_rotary_factor",
};

static retort_status check_keys(const json_t *rope, const char *inner, retort_error *err) {
    const char *key;
    const json_t *value;
    json_t *object = (json_t *)(uintptr_t)rope; /* jansson's iteration takes no const */
    json_object_foreach(object, key, value) {
        bool known = false;
        for (size_t i = 0; i < sizeof known_keys / sizeof known_keys[0]; i++)
            known = known || strcmp(key, known_keys[i]) == 0;
        RT_CHECK(known, err, RETORT_ERR_UNSUPPORTED, "%s has the key '%.100s', which is not supported", inner, key);
    }
    return RETORT_OK;
}

static retort_status check_whole(const json_t *object, const char *where, retort_error *err) {
    double partial = 1;
    RT_TRY(rt_optional_real(object, "partial_rotary_factor", where, &partial, err));
    RT_CHECK(partial == 1, err, RETORT_ERR_UNSUPPORTED, "%s: 'partial_rotary_factor' is %g, only 1 is supported", where,
             partial);
    return RETORT_OK;
}

static retort_status read_type(const json_t *rope, const char *inner, rt_rope_type *out, retort_error *err) {
    *out = RT_ROPE_DEFAULT;
    const char *key = rt_member(rope, "rope_type") != NULL ? "rope_type" : "type", *name;
    if (rt_member(rope, key) == NULL) return RETORT_OK;
    RT_TRY(rt_json_string(rope, key, inner, &name, err));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) != 0) continue;
        *out = types[i].type;
        return RETORT_OK;
    }
    return rt_fail(err, RETORT_ERR_UNSUPPORTED,
                   "%s: '%s' is '%.100s'; supported are 'default', 'linear', 'dynamic', 'llama3' and 'yarn'", inner,
                   key, name);
}

/* The length before scaling: in the object, or beside it (which then counts), or that of the model. */
static retort_status read_original(const json_t *object, const char *where, const json_t *rope, const char *inner,
                                   const rt_config *config, rt_rope_config *out, retort_error *err) {
    out->original_positions = config->max_position_embeddings;
    RT_TRY(rt_optional_int(rope, "original_max_position_embeddings", inner, &out->original_positions, err));
    return rt_optional_int(object, "original_max_position_embeddings", where, &out->original_positions, err);
}

static retort_status read_yarn(const json_t *rope, const char *inner, const rt_config *config, rt_rope_config *out,
                               retort_error *err) {
    out->truncate = true;
    RT_TRY(rt_optional_real(rope, "beta_fast", inner, &out->beta_fast, err));
    RT_TRY(rt_optional_real(rope, "beta_slow", inner, &out->beta_slow, err));
    if (out->beta_fast == 0) out->beta_fast = 32;
    if (out->beta_slow == 0) out->beta_slow = 1;
    RT_TRY(rt_optional_real(rope, "mscale", inner, &out->mscale, err));
    RT_TRY(rt_optional_real(rope, "mscale_all_dim", inner, &out->mscale_all_dim, err));
    RT_TRY(rt_optional_bool(rope, "truncate", inner, &out->truncate, err));
    if (rt_member(rope, "attention_factor") != NULL) {
        RT_TRY(rt_json_real(rope, "attention_factor", inner, &out->attention_factor, err));
        RT_CHECK(out->attention_factor > 0, err, RETORT_ERR_FORMAT, "%s: 'attention_factor' is %g, must be positive",
                 inner, out->attention_factor);
    }
    if (rt_member(rope, "factor") != NULL) return rt_json_real(rope, "factor", inner, &out->factor, err);
    RT_CHECK(out->original_positions > 0, err, RETORT_ERR_FORMAT,
             "%s: 'original_max_position_embeddings' is %lld, must be positive", inner,
             (long long)out->original_positions);
    out->factor = (double)config->max_position_embeddings / (double)out->original_positions;
    return RETORT_OK;
}

/* theta is 0 where the object has none. */
static retort_status read_object(const json_t *object, const char *key, const char *where, const rt_config *config,
                                 rt_rope_config *out, retort_error *err) {
    const json_t *rope = rt_member(object, key);
    *out = (rt_rope_config){0};
    RT_CHECK(json_is_object(rope), err, RETORT_ERR_FORMAT, "%s: '%s' must be an object", where, key);
    char inner[600];
    snprintf(inner, sizeof inner, "%.560s: '%s'", where, key);
    RT_TRY(read_type(rope, inner, &out->type, err));
    RT_TRY(check_keys(rope, inner, err));
    RT_TRY(check_whole(rope, inner, err));
    RT_TRY(rt_optional_real(rope, "rope_theta", inner, &out->theta, err));
    if (out->type == RT_ROPE_DEFAULT) return RETORT_OK;
    if (out->type != RT_ROPE_YARN) RT_TRY(rt_json_real(rope, "factor", inner, &out->factor, err));
    if (out->type == RT_ROPE_LINEAR || out->type == RT_ROPE_DYNAMIC) return RETORT_OK;
    RT_TRY(read_original(object, where, rope, inner, config, out, err));
    if (out->type == RT_ROPE_YARN) return read_yarn(rope, inner, config, out, err);
    RT_TRY(rt_json_real(rope, "low_freq_factor", inner, &out->low_freq_factor, err));
    return rt_json_real(rope, "high_freq_factor", inner, &out->high_freq_factor, err);
}

static bool same_but_theta(const rt_rope_config *a, const rt_rope_config *b) {
    return a->type == b->type && a->factor == b->factor && a->original_positions == b->original_positions &&
           a->low_freq_factor == b->low_freq_factor && a->high_freq_factor == b->high_freq_factor &&
           a->beta_fast == b->beta_fast && a->beta_slow == b->beta_slow && a->attention_factor == b->attention_factor &&
           a->mscale == b->mscale && a->mscale_all_dim == b->mscale_all_dim && a->truncate == b->truncate;
}

/* The base frequency may stand in up to three places, which must agree. */
static retort_status read_theta(const json_t *object, const char *where, double parameters, double scaling,
                                rt_config *config, retort_error *err) {
    double beside = 0;
    RT_TRY(rt_optional_real(object, "rope_theta", where, &beside, err));
    config->rope.theta = parameters != 0 ? parameters : scaling != 0 ? scaling : beside;
    if (config->rope.theta == 0 && config->architecture == RT_LLAMA && rt_member(object, "rope_theta") == NULL)
        config->rope.theta = 10000; /* Llama 1 and 2 had no such key */
    if (config->rope.theta == 0 && rt_member(object, "rope_theta") == NULL)
        return rt_json_real(object, "rope_theta", where, &beside, err);
    RT_CHECK(beside == 0 || beside == config->rope.theta, err, RETORT_ERR_FORMAT,
             "%s: 'rope_theta' is %g, but '%s' says %g", where, beside,
             parameters != 0 ? "rope_parameters" : "rope_scaling", config->rope.theta);
    RT_CHECK(scaling == 0 || scaling == config->rope.theta, err, RETORT_ERR_FORMAT,
             "%s: 'rope_theta' is %g in 'rope_scaling' and %g in 'rope_parameters'", where, scaling,
             config->rope.theta);
    return RETORT_OK;
}

retort_status rt_read_rope(const json_t *object, const char *where, rt_config *config, retort_error *err) {
    const bool parameters = rt_member(object, "rope_parameters") != NULL;
    const bool scaling = rt_member(object, "rope_scaling") != NULL;
    rt_rope_config newer = {0}, older = {0};
    RT_TRY(check_whole(object, where, err));
    if (parameters) RT_TRY(read_object(object, "rope_parameters", where, config, &newer, err));
    if (scaling) RT_TRY(read_object(object, "rope_scaling", where, config, &older, err));
    RT_CHECK(!parameters || !scaling || same_but_theta(&newer, &older), err, RETORT_ERR_FORMAT,
             "%s: 'rope_scaling' and 'rope_parameters' say different things", where);
    config->rope = parameters ? newer : older;
    return read_theta(object, where, newer.theta, older.theta, config, err);
}

/* ---- writing ---- */

static json_t *scaling_object(const rt_rope_config *rope) {
    rt_json_writer w = {.object = json_object()};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == rope->type) rt_put(&w, "rope_type", json_string(types[i].name));
    rt_put(&w, "factor", json_real(rope->factor));
    if (rope->type == RT_ROPE_LLAMA3 || rope->type == RT_ROPE_YARN)
        rt_put(&w, "original_max_position_embeddings", json_integer(rope->original_positions));
    if (rope->type == RT_ROPE_LLAMA3) {
        rt_put(&w, "low_freq_factor", json_real(rope->low_freq_factor));
        rt_put(&w, "high_freq_factor", json_real(rope->high_freq_factor));
    }
    if (rope->type == RT_ROPE_YARN) {
        rt_put(&w, "beta_fast", json_real(rope->beta_fast));
        rt_put(&w, "beta_slow", json_real(rope->beta_slow));
        rt_put(&w, "truncate", json_boolean(rope->truncate));
        if (rope->attention_factor > 0) rt_put(&w, "attention_factor", json_real(rope->attention_factor));
        if (rope->mscale > 0) rt_put(&w, "mscale", json_real(rope->mscale));
        if (rope->mscale_all_dim > 0) rt_put(&w, "mscale_all_dim", json_real(rope->mscale_all_dim));
    }
    if (!w.failed) return w.object;
    json_decref(w.object);
    return NULL;
}

void rt_put_rope(rt_json_writer *w, const rt_config *config) {
    const rt_rope_config *rope = &config->rope;
    rt_put(w, "rope_theta", json_real(rope->theta));
    if (rope->type == RT_ROPE_DEFAULT) {
        rt_put(w, "rope_scaling", json_null());
        rt_put(w, "rope_parameters", json_pack("{s:f, s:s}", "rope_theta", rope->theta, "rope_type", "default"));
        return;
    }
    rt_put(w, "rope_scaling", scaling_object(rope));
    json_t *parameters = scaling_object(rope);
    if (parameters == NULL || json_object_set_new(parameters, "rope_theta", json_real(rope->theta)) != 0)
        w->failed = true;
    rt_put(w, "rope_parameters", parameters);
}
