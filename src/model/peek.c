#include "core/file.h"
#include "core/hub_cache.h"
#include "model/config_json.h"
#include "model/gguf_model.h"
#include "model/lora.h"
#include "model/weights.h"

static retort_status peek(const char *dir, rt_weights_form form, rt_config *config, retort_error *err) {
    rt_weights weights;
    if (rt_gguf_is(dir)) return rt_gguf_peek(dir, form, config, err);
    RT_CHECK(rt_path_is_dir(dir), err, RETORT_ERR_NOT_FOUND, "there is no model folder '%s'", dir);
    RT_TRY(rt_config_load(dir, config, err));
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
