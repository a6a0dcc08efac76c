/* PEFT's adapter folder. Which projections are adapted is read off the tensors, since 'target_modules' may be a list of
 * names or of suffixes, a pattern or a word; where a projection has adapters in some layers only, the others hold
 * zeros, which add nothing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "model/lora.h"
#include "model/safetensors.h"

static const char CONFIG_FILE[] = "adapter_config.json", WEIGHTS_FILE[] = "adapter_model.safetensors";

/* ---- writing ---- */

static json_t *target_list(unsigned targets) {
    json_t *list = json_array();
    for (int m = 0; m < RT_LORA_MODULES && list != NULL; m++) {
        if ((targets >> m & 1U) == 0) continue;
        if (json_array_append_new(list, json_string(rt_lora_module_name((rt_lora_module)m))) == 0) continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *alpha_number(double alpha) {
    return alpha == floor(alpha) ? json_integer((json_int_t)alpha) : json_real(alpha);
}

/* The keys that every version of PEFT since 0.7 knows. */
static retort_status write_config(const rt_lora *lora, const char *base, const char *dir, retort_error *err) {
    char *path = rt_path_join(dir, CONFIG_FILE);
    json_t *object =
        json_pack("{s:n, s:s, s:s, s:b, s:b, s:b, s:n, s:n, s:o, s:f, s:n, s:s, s:I, s:n, s:o, s:s, s:b, s:b}",
                  "auto_mapping", "base_model_name_or_path", base, "bias", "none", "fan_in_fan_out", 0,
                  "inference_mode", 1, "init_lora_weights", 1, "layers_pattern", "layers_to_transform", "lora_alpha",
                  alpha_number(lora->config.alpha), "lora_dropout", 0.0, "modules_to_save", "peft_type", "LORA", "r",
                  (json_int_t)lora->config.r, "revision", "target_modules", target_list(lora->config.targets),
                  "task_type", "CAUSAL_LM", "use_dora", 0, "use_rslora", (int)lora->config.rslora);
    retort_status st = path != NULL && object != NULL
                           ? rt_json_save(path, object, err)
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory while writing '%s'", dir);
    json_decref(object);
    rt_free(path);
    return st;
}

static rt_st_tensor *list_tensors(const rt_lora *lora) {
    rt_st_tensor *list = rt_calloc((size_t)lora->params.num_tensors, sizeof *list);
    for (int64_t i = 0; list != NULL && i < lora->params.num_tensors; i++) {
        const rt_tensor *tensor = &lora->params.tensors[i];
        list[i] = (rt_st_tensor){.name = tensor->name,
                                 .dims = 2,
                                 .shape = {tensor->shape[0], tensor->shape[1]},
                                 .data = lora->params.data + tensor->offset};
    }
    return list;
}

retort_status rt_lora_save(const rt_lora *lora, const char *base, const char *dir, retort_error *err) {
    char *path = rt_path_join(dir, WEIGHTS_FILE);
    rt_st_tensor *list = list_tensors(lora);
    retort_status st = path != NULL && list != NULL
                           ? rt_safetensors_write(path, list, lora->params.num_tensors, RT_DTYPE_F32, NULL, err)
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory while writing '%s'", dir);
    if (st == RETORT_OK) st = write_config(lora, base, dir, err);
    rt_free(list);
    rt_free(path);
    return st;
}

/* ---- reading the configuration ---- */

static bool is_neutral(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* Keys that change the arithmetic, or the base, into something else than lora.h's. */
static retort_status check_unsupported(const json_t *object, const char *where, retort_error *err) {
    static const char *const keys[] = {
        "alora_invocation_tokens", "alpha_pattern",   "arrow_config",      "corda_config", "eva_config",
        "fan_in_fan_out",          "kasa_config",     "layer_replication", "loftq_config", "lora_bias",
        "lora_ga_config",          "modules_to_save", "monteclora_config", "rank_pattern", "target_parameters",
        "trainable_token_indices", "use_bdlora",      "use_dora",          "use_qalora",   "velora_config"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        RT_CHECK(is_neutral(json_object_get(object, keys[i])), err, RETORT_ERR_UNSUPPORTED,
                 "%s sets '%s', which is not supported; only plain LoRA of linear layers is", where, keys[i]);
    const char *type = json_string_value(json_object_get(object, "peft_type"));
    RT_CHECK(type != NULL && strcmp(type, "LORA") == 0, err, RETORT_ERR_UNSUPPORTED,
             "%s has 'peft_type' %.40s, must be LORA", where, type != NULL ? type : "missing");
    const char *bias = json_string_value(json_object_get(object, "bias"));
    RT_CHECK(bias == NULL || strcmp(bias, "none") == 0, err, RETORT_ERR_UNSUPPORTED,
             "%s has 'bias' %.40s, must be none: biases stay the base's", where, bias);
    const char *init = json_string_value(json_object_get(object, "init_lora_weights"));
    RT_CHECK(
        init == NULL || strcmp(init, "gaussian") == 0 || strcmp(init, "orthogonal") == 0, err, RETORT_ERR_UNSUPPORTED,
        "%s has 'init_lora_weights' %.40s, which changes the base model; convert the adapter to plain LoRA in PEFT",
        where, init);
    return RETORT_OK;
}

static retort_status read_config(const char *path, rt_lora_config *out, retort_error *err) {
    char where[520];
    snprintf(where, sizeof where, "'%.500s'", path);
    json_t *object = NULL;
    long long r = 0;
    RT_TRY(rt_json_load_loose(path, &object, err));
    retort_status st =
        json_is_object(object) ? RETORT_OK : rt_fail(err, RETORT_ERR_FORMAT, "%s is not a JSON object", where);
    if (st == RETORT_OK) st = check_unsupported(object, where, err);
    if (st == RETORT_OK) st = rt_json_int(object, "r", where, 1, 1 << 20, &r, err);
    if (st == RETORT_OK) st = rt_json_real(object, "lora_alpha", where, &out->alpha, err);
    out->r = r;
    out->rslora = json_is_true(json_object_get(object, "use_rslora"));
    json_decref(object);
    return st;
}

/* ---- reading the weights ---- */

static bool has_tensor(const rt_safetensors *file, const char *name) {
    return rt_safetensors_find(file, name) != NULL;
}

/* The projections that have a tensor in some layer. */
static retort_status find_targets(const rt_safetensors *file, rt_lora_config *settings, retort_error *err) {
    unsigned found = 0;
    for (int64_t i = 0; i < file->count; i++) {
        const rt_st_entry *entry = &file->entries[i];
        RT_CHECK(strstr(entry->name, ".lora_A.") == NULL || (entry->dims == 2 && entry->shape[0] == settings->r), err,
                 RETORT_ERR_FORMAT, "'%s': tensor '%.200s' does not have the rank %lld of adapter_config.json",
                 file->path, entry->name, (long long)settings->r);
        for (int m = 0; m < RT_LORA_MODULES; m++) {
            char part[40];
            snprintf(part, sizeof part, ".%s.lora_", rt_lora_module_name((rt_lora_module)m));
            if (strstr(entry->name, part) != NULL) found |= 1U << m;
        }
    }
    RT_CHECK(found != 0, err, RETORT_ERR_FORMAT, "'%s' has no tensor of an adapted projection", file->path);
    settings->targets = found;
    return RETORT_OK;
}

static retort_status check_shape(const rt_safetensors *file, const rt_st_entry *entry, const rt_tensor *tensor,
                                 retort_error *err) {
    RT_CHECK(entry->dims == 2 && entry->shape[0] == tensor->shape[0] && entry->shape[1] == tensor->shape[1], err,
             RETORT_ERR_FORMAT, "'%s': tensor '%.200s' must have the shape [%lld, %lld] for this base and rank",
             file->path, entry->name, (long long)tensor->shape[0], (long long)tensor->shape[1]);
    return RETORT_OK;
}

/* Every tensor of the file must belong to a projection of the base, and A and B come together. */
static retort_status read_tensors(const rt_safetensors *file, rt_lora *lora, retort_error *err) {
    int64_t used = 0;
    for (int64_t i = 0; i < lora->params.num_tensors; i++) {
        const rt_tensor *tensor = &lora->params.tensors[i], *partner = &lora->params.tensors[i ^ 1];
        const rt_st_entry *entry = rt_safetensors_find(file, tensor->name);
        if (entry == NULL) {
            RT_CHECK(!has_tensor(file, partner->name), err, RETORT_ERR_NOT_FOUND,
                     "'%s' has the tensor '%s' but lacks '%s'", file->path, partner->name, tensor->name);
            continue;
        }
        RT_TRY(check_shape(file, entry, tensor, err));
        RT_TRY(rt_safetensors_decode(file, entry, lora->params.data + tensor->offset, err));
        used++;
    }
    if (used == file->count) return RETORT_OK;
    for (int64_t i = 0; i < file->count; i++) {
        bool known = false;
        for (int64_t j = 0; j < lora->params.num_tensors && !known; j++)
            known = strcmp(file->entries[i].name, lora->params.tensors[j].name) == 0;
        RT_CHECK(known, err, RETORT_ERR_UNSUPPORTED,
                 "'%s' has the tensor '%.200s', which is no adapter of a projection of this base", file->path,
                 file->entries[i].name);
    }
    return RETORT_OK;
}

static retort_status load(const rt_config *config, const char *config_path, const char *weights_path, rt_lora **out,
                          retort_error *err) {
    rt_lora_config settings = {0};
    rt_safetensors file = {0};
    RT_TRY(read_config(config_path, &settings, err));
    RT_TRY(rt_safetensors_open(weights_path, &file, err));
    retort_status st = find_targets(&file, &settings, err);
    if (st == RETORT_OK) st = rt_lora_create(config, &settings, out, err);
    if (st == RETORT_OK) st = read_tensors(&file, *out, err);
    rt_safetensors_close(&file);
    return st;
}

retort_status rt_lora_load(const rt_config *config, const char *dir, rt_lora **out, retort_error *err) {
    *out = NULL;
    char *config_path = rt_path_join(dir, CONFIG_FILE), *weights_path = rt_path_join(dir, WEIGHTS_FILE);
    retort_status st;
    if (config_path == NULL || weights_path == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", dir);
    else if (!rt_path_is_dir(dir))
        st = rt_fail(err, RETORT_ERR_NOT_FOUND, "there is no adapter folder '%s'", dir);
    else
        st = load(config, config_path, weights_path, out, err);
    if (st != RETORT_OK) {
        rt_lora_destroy(*out);
        *out = NULL;
    }
    rt_free(config_path);
    rt_free(weights_path);
    return st;
}
