#include "model/config_internal.h"
#include "model/dtype.h"

void rt_put(rt_json_writer *w, const char *key, json_t *value) {
    if (json_object_set_new(w->object, key, value) != 0) w->failed = true;
}

static retort_status finish(rt_json_writer *w, const char *name, json_t **out, retort_error *err) {
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

static void put_special(rt_json_writer *w, const rt_config *config) {
    rt_put(w, "bos_token_id", token_id(config->bos_token_id));
    rt_put(w, "eos_token_id", eos_ids(config));
    rt_put(w, "pad_token_id", token_id(config->pad_token_id));
}

static void put_numbers(rt_json_writer *w, const rt_architecture_traits *traits, const rt_config *config) {
    rt_put(w, "vocab_size", json_integer(config->vocab_size));
    rt_put(w, "hidden_size", json_integer(config->hidden_size));
    rt_put(w, "intermediate_size", json_integer(config->intermediate_size));
    rt_put(w, "num_hidden_layers", json_integer(config->num_hidden_layers));
    rt_put(w, "num_attention_heads", json_integer(config->num_attention_heads));
    rt_put(w, "num_key_value_heads", json_integer(config->num_key_value_heads));
    if (traits->head_dim > 0 || config->head_dim * config->num_attention_heads != config->hidden_size)
        rt_put(w, "head_dim", json_integer(config->head_dim));
    rt_put(w, "max_position_embeddings", json_integer(config->max_position_embeddings));
    rt_put(w, "rms_norm_eps", json_real(config->rms_norm_eps));
    rt_put(w, "initializer_range", json_real(config->initializer_range));
}

/* What the class of this name always has, a configuration must have, and what it never has, it must not. */
static retort_status check_expressible(const rt_architecture_traits *traits, const rt_config *config,
                                       retort_error *err) {
    const bool biased = config->qkv_bias || config->o_bias, all = config->qkv_bias && config->o_bias;
    const bool fits = traits->bias == RT_BIAS_QKV        ? config->qkv_bias && !config->o_bias
                      : traits->bias == RT_BIAS_SWITCHED ? all || !biased
                                                         : !biased;
    RT_CHECK(fits, err, RETORT_ERR_UNSUPPORTED, "a model with%s attention biases cannot be written as %s",
             biased ? "" : "out", traits->class_name);
    RT_CHECK(config->qk_norm == traits->qk_norm, err, RETORT_ERR_UNSUPPORTED,
             "a model with%s norms of q and k cannot be written as %s", config->qk_norm ? "" : "out",
             traits->class_name);
    for (int64_t l = 0; l < config->num_hidden_layers; l++) {
        const bool windowed = rt_config_window(config, l) > 0;
        const bool possible = traits->window == RT_WINDOW_SWITCHED ||
                              windowed == (traits->window == RT_WINDOW_ALWAYS && config->sliding_window > 0);
        RT_CHECK(possible, err, RETORT_ERR_UNSUPPORTED,
                 "a model with%s a sliding window in layer %lld cannot be "
                 "written as %s",
                 windowed ? "" : "out", (long long)l, traits->class_name);
    }
    return RETORT_OK;
}

retort_status rt_config_to_json(const rt_config *config, rt_dtype dtype, json_t **out, retort_error *err) {
    const rt_architecture_traits *traits = rt_architecture_find(config->architecture);
    RT_TRY(check_expressible(traits, config, err));
    rt_json_writer w = {.object = json_object()};
    rt_put(&w, "architectures", json_pack("[s]", traits->class_name));
    rt_put(&w, "model_type", json_string(traits->model_type));
    put_numbers(&w, traits, config);
    rt_put_rope(&w, config);
    rt_put(&w, "hidden_act", json_string("silu"));
    rt_put(&w, "attention_dropout", json_real(0.0));
    rt_put_window(&w, traits, config);
    if (traits->bias == RT_BIAS_SWITCHED) rt_put(&w, "attention_bias", json_boolean(config->qkv_bias));
    if (config->architecture == RT_LLAMA) rt_put(&w, "mlp_bias", json_false());
    rt_put(&w, "tie_word_embeddings", json_boolean(config->tie_word_embeddings));
    put_special(&w, config);
    rt_put(&w, "torch_dtype", json_string(rt_dtype_torch_name(dtype)));
    rt_put(&w, "dtype", json_string(rt_dtype_torch_name(dtype)));
    rt_put(&w, "use_cache", json_true());
    return finish(&w, "config.json", out, err);
}

retort_status rt_config_to_generation(const rt_config *config, json_t **out, retort_error *err) {
    rt_json_writer w = {.object = json_object()};
    put_special(&w, config);
    return finish(&w, "generation_config.json", out, err);
}
