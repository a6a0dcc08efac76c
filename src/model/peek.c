#include <string.h>

#include "core/file.h"
#include "core/hub_cache.h"
#include "model/config_json.h"
#include "model/dtype.h"
#include "model/gguf_model.h"
#include "model/lora.h"
#include "model/weights.h"

/* The format that config.json tells of weights that are not there: a plan needs none. */
static retort_status told_dtype(const char *dir, rt_dtype *out, retort_error *err) {
    json_t *root = NULL;
    char *path = rt_path_join(dir, "config.json");
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory while reading '%s'", dir);
    retort_status st = rt_json_load(path, &root, err);
    const char *name = json_string_value(json_object_get(root, "torch_dtype"));
    if (name == NULL) name = json_string_value(json_object_get(root, "dtype"));
    *out = name != NULL && strcmp(name, rt_dtype_torch_name(RT_DTYPE_BF16)) == 0 ? RT_DTYPE_BF16 : RT_DTYPE_F32;
    json_decref(root);
    rt_free(path);
    return st;
}

/* Loading says what is missing where weights are needed. */
static bool has_weights(const char *dir) {
    char *single = rt_path_join(dir, "model.safetensors"), *index = rt_path_join(dir, RT_SHARDS_INDEX);
    const bool has = single == NULL || index == NULL || rt_path_exists(single) || rt_path_exists(index);
    rt_free(single);
    rt_free(index);
    return has;
}

static retort_status peek(const char *dir, rt_weights_form form, rt_config *config, retort_error *err) {
    rt_weights weights;
    if (rt_gguf_is(dir)) return rt_gguf_peek(dir, form, config, err);
    RT_CHECK(rt_path_is_dir(dir), err, RETORT_ERR_NOT_FOUND, "there is no model folder '%s'", dir);
    RT_TRY(rt_config_load(dir, config, err));
    if (!has_weights(dir)) {
        rt_dtype told = RT_DTYPE_F32;
        RT_TRY(told_dtype(dir, &told, err));
        config->weights_dtype = rt_weights_form_dtype(form, told);
        return RETORT_OK;
    }
    RT_TRY(rt_weights_open(dir, &weights, err));
    config->weights_dtype = rt_weights_dtype(&weights, form);
    rt_weights_close(&weights);
    return RETORT_OK;
}

retort_status rt_model_peek(const char *name, rt_weights_form form, rt_config *config, retort_error *err) {
    char *dir;
    RT_TRY(rt_model_path(name, &dir, err));
    retort_status st = peek(dir, form, config, err);
    rt_free(dir);
    return st;
}

retort_status rt_model_source_peek(const rt_model_source *source, rt_config *config, rt_lora_config *lora,
                                   retort_error *err) {
    rt_lora *adapter = NULL; /* small, and loaded once more with the model */
    *lora = (rt_lora_config){0};
    RT_TRY(rt_model_peek(source->dir, source->weights, config, err));
    config->kv_dtype = source->kv_dtype;
    if (source->adapter == NULL) return RETORT_OK;
    RT_TRY(rt_lora_load(config, source->adapter, &adapter, err));
    *lora = adapter->config;
    rt_lora_destroy(adapter);
    return RETORT_OK;
}
