#include "train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "model/safetensors.h"
#include "text/tokenizer.h"

static const char STATE_FILE[] = "trainer_state.json", MOMENTS_FILE[] = "optimizer.safetensors";
static const char PREFIX[] = "checkpoint-", UNFINISHED[] = ".tmp";
enum { STATE_FORMAT = 1 };

static retort_status out_of_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory while handling a checkpoint");
}

/* ---- identity ---- */

retort_status rt_identity_to_json(const rt_run_identity *identity, json_t **out, retort_error *err) {
    *out = json_pack("{s:i, s:s, s:I, s:O, s:s, s:s}", "format", (int)STATE_FORMAT, "stage", identity->stage,
                     "total_steps", (json_int_t)identity->total_steps, "hyper_parameters", identity->hyper_parameters,
                     "data_sha256", identity->data_hash, "base_sha256", identity->base_hash);
    return *out != NULL ? RETORT_OK : out_of_memory(err);
}

static const char *text_or(const json_t *value, const char *otherwise) {
    return json_is_string(value) ? json_string_value(value) : otherwise;
}

static retort_status differs(const char *where, const char *key, const char *before, const char *now,
                             retort_error *err) {
    return rt_fail(err, RETORT_ERR_STATE,
                   "cannot resume from '%s': '%s' was %s and is now %s; give the old value, or train into another "
                   "output_dir",
                   where, key, before, now);
}

retort_status rt_identity_check(const rt_run_identity *identity, const json_t *state, const char *where,
                                retort_error *err) {
    long long format = 0, total = 0;
    RT_TRY(rt_json_int(state, "format", where, 0, 1000, &format, err));
    RT_CHECK(format == STATE_FORMAT, err, RETORT_ERR_UNSUPPORTED, "'%s' has format %lld, this version reads %d", where,
             format, (int)STATE_FORMAT);
    const char *stage = text_or(json_object_get(state, "stage"), "missing");
    if (strcmp(stage, identity->stage) != 0) return differs(where, "stage", stage, identity->stage, err);
    json_t *before = json_object_get(state, "hyper_parameters");
    RT_CHECK(json_is_object(before), err, RETORT_ERR_FORMAT, "'%s' lacks the object 'hyper_parameters'", where);
    const char *key;
    json_t *value;
    json_object_foreach(identity->hyper_parameters, key, value) {
        const char *old = text_or(json_object_get(before, key), "missing"), *now = text_or(value, "");
        if (strcmp(old, now) != 0) return differs(where, key, old, now, err);
    }
    json_object_foreach(before, key, value) {
        if (json_object_get(identity->hyper_parameters, key) == NULL)
            return differs(where, key, text_or(value, "?"), "the default", err);
    }
    const char *data = text_or(json_object_get(state, "data_sha256"), "missing");
    if (strcmp(data, identity->data_hash) != 0) return differs(where, "dataset", data, identity->data_hash, err);
    const char *base = text_or(json_object_get(state, "base_sha256"), "missing");
    if (strcmp(base, identity->base_hash) != 0) return differs(where, "model", base, identity->base_hash, err);
    RT_TRY(rt_json_int(state, "total_steps", where, 0, INT64_MAX, &total, err));
    RT_CHECK(total == identity->total_steps, err, RETORT_ERR_STATE,
             "cannot resume from '%s': the run had %lld steps and has now %lld", where, total,
             (long long)identity->total_steps);
    return RETORT_OK;
}

/* ---- folders ---- */

/* The N of a name "checkpoint-N" followed by `suffix`; -1 for any other name. */
static int64_t checkpoint_number(const char *name, const char *suffix) {
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0) return -1;
    const char *digits = name + sizeof PREFIX - 1;
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 15 || strcmp(digits + n, suffix) != 0) return -1;
    return strtoll(digits, NULL, 10);
}

typedef retort_status (*folder_visitor)(void *context, const char *path, int64_t number, retort_error *err);

/* Visits output_dir's entries "checkpoint-N<suffix>"; a missing folder has none. */
static retort_status visit_folders(const char *output_dir, const char *suffix, folder_visitor visit, void *context,
                                   retort_error *err) {
    DIR *dir = opendir(output_dir);
    if (dir == NULL && errno == ENOENT) return RETORT_OK;
    RT_CHECK(dir != NULL, err, RETORT_ERR_IO, "cannot open folder '%s': %s", output_dir, strerror(errno));
    retort_status st = RETORT_OK;
    struct dirent *entry;
    while (st == RETORT_OK && (entry = readdir(dir)) != NULL) {
        int64_t number = checkpoint_number(entry->d_name, suffix);
        if (number < 0) continue;
        char *path = rt_path_join(output_dir, entry->d_name);
        st = path != NULL ? visit(context, path, number, err) : out_of_memory(err);
        rt_free(path);
    }
    closedir(dir);
    return st;
}

typedef struct search {
    char *path;     /* the one found */
    int64_t number; /* its step */
    int64_t count;
    bool newest;
} search;

static retort_status consider(void *context, const char *path, int64_t number, retort_error *err) {
    search *s = context;
    s->count++;
    bool better = s->path == NULL || (s->newest ? number > s->number : number < s->number);
    if (!better) return RETORT_OK;
    char *copy = rt_strdup(path);
    if (copy == NULL) return out_of_memory(err);
    rt_free(s->path);
    s->path = copy;
    s->number = number;
    return RETORT_OK;
}

retort_status rt_checkpoint_find(const char *output_dir, char **path, int64_t *step, retort_error *err) {
    search s = {.newest = true};
    retort_status st = visit_folders(output_dir, "", consider, &s, err);
    if (st != RETORT_OK) {
        rt_free(s.path);
        return st;
    }
    *path = s.path;
    *step = s.number;
    return RETORT_OK;
}

static retort_status remove_folder(void *context, const char *path, int64_t number, retort_error *err) {
    (void)context;
    (void)number;
    return rt_remove_tree(path, err);
}

retort_status rt_checkpoint_clean(const char *output_dir, retort_error *err) {
    return visit_folders(output_dir, UNFINISHED, remove_folder, NULL, err);
}

static retort_status prune(const char *output_dir, int64_t limit, retort_error *err) {
    while (limit > 0) {
        search s = {.newest = false};
        retort_status st = visit_folders(output_dir, "", consider, &s, err);
        bool beyond = st == RETORT_OK && s.count > limit;
        if (beyond) st = rt_remove_tree(s.path, err);
        rt_free(s.path);
        if (!beyond || st != RETORT_OK) return st;
    }
    return RETORT_OK;
}

/* ---- moments ---- */

/* Both moments as one list of tensors; names live in *names. Free both with rt_free. */
static retort_status list_moments(const rt_optimizer *optimizer, rt_st_tensor **list, char (**names)[128],
                                  retort_error *err) {
    int64_t n = optimizer->m.num_tensors;
    *list = rt_calloc((size_t)(2 * n), sizeof **list);
    *names = rt_malloc_array((size_t)(2 * n), sizeof **names);
    if (*list == NULL || *names == NULL) {
        rt_free(*list);
        rt_free(*names);
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < 2 * n; i++) {
        const rt_params *moments = i < n ? &optimizer->m : &optimizer->v;
        const rt_tensor *tensor = &moments->tensors[i % n];
        snprintf((*names)[i], sizeof **names, "%s.%s", i < n ? "exp_avg" : "exp_avg_sq", tensor->name);
        rt_st_tensor *entry = &(*list)[i];
        entry->name = (*names)[i];
        entry->dims = tensor->dims;
        for (int32_t d = 0; d < tensor->dims; d++) entry->shape[d] = tensor->shape[d];
        entry->data = moments->data + tensor->offset;
    }
    return RETORT_OK;
}

static retort_status transfer_moments(const char *dir, const rt_optimizer *optimizer, bool write, retort_error *err) {
    char *path = rt_path_join(dir, MOMENTS_FILE);
    if (path == NULL) return out_of_memory(err);
    rt_st_tensor *list = NULL;
    char(*names)[128] = NULL;
    retort_status st = list_moments(optimizer, &list, &names, err);
    if (st == RETORT_OK) {
        int64_t count = 2 * optimizer->m.num_tensors;
        st = write ? rt_safetensors_write(path, list, count, RT_DTYPE_F32, NULL, err)
                   : rt_safetensors_read_all(path, list, count, err);
        rt_free(list);
        rt_free(names);
    }
    rt_free(path);
    return st;
}

/* ---- saving and loading ---- */

static retort_status save_state(const char *dir, const json_t *state, retort_error *err) {
    char *path = rt_path_join(dir, STATE_FILE);
    if (path == NULL) return out_of_memory(err);
    retort_status st = rt_json_save(path, state, err);
    rt_free(path);
    return st;
}

retort_status rt_trained_save(const rt_model *model, const char *dir, const char *base, rt_dtype dtype,
                              retort_error *err) {
    return model->lora != NULL ? rt_lora_save(model->lora, base, dir, err) : rt_model_save(model, dir, dtype, err);
}

static retort_status fill_folder(const char *dir, const rt_model *model, const rt_optimizer *optimizer,
                                 const char *tokenizer_dir, const json_t *state, retort_error *err) {
    RT_TRY(rt_make_dirs(dir, err));
    RT_TRY(rt_trained_save(model, dir, tokenizer_dir, RT_DTYPE_F32, err));
    RT_TRY(rt_tokenizer_copy_files(tokenizer_dir, dir, err));
    RT_TRY(transfer_moments(dir, optimizer, true, err));
    return save_state(dir, state, err);
}

retort_status rt_checkpoint_save(const char *output_dir, int64_t step, const rt_model *model,
                                 const rt_optimizer *optimizer, const char *tokenizer_dir, const json_t *state,
                                 int64_t limit, retort_error *err) {
    char name[64], unfinished[72];
    snprintf(name, sizeof name, "%s%lld", PREFIX, (long long)step);
    snprintf(unfinished, sizeof unfinished, "%s%s", name, UNFINISHED);
    char *to = rt_path_join(output_dir, name), *from = rt_path_join(output_dir, unfinished);
    retort_status st = to != NULL && from != NULL ? RETORT_OK : out_of_memory(err);
    if (st == RETORT_OK) st = rt_remove_tree(from, err);
    if (st == RETORT_OK) st = fill_folder(from, model, optimizer, tokenizer_dir, state, err);
    if (st == RETORT_OK) st = rt_dir_commit(from, to, err);
    if (st != RETORT_OK && from != NULL) (void)rt_remove_tree(from, NULL);
    if (st != RETORT_OK) st = rt_fail_context(err, st, "cannot save '%s' of '%s'", name, output_dir);
    if (st == RETORT_OK) st = prune(output_dir, limit, err);
    rt_free(to);
    rt_free(from);
    return st;
}

/* The weights the run began with make room first: two models may not fit. */
static retort_status replace_weights(const char *path, rt_model *model, retort_error *err) {
    rt_model loaded = {0};
    const int64_t count = model->params.count;
    rt_params_release(&model->params);
    RT_TRY(rt_model_load(path, &loaded, err));
    if (loaded.params.count != count) {
        const long long found = loaded.params.count;
        rt_model_release(&loaded);
        return rt_fail(err, RETORT_ERR_STATE, "checkpoint '%s' holds a model of %lld parameters, the run has %lld",
                       path, found, (long long)count);
    }
    model->params = loaded.params;
    return RETORT_OK;
}

static retort_status replace_adapters(const char *path, rt_model *model, retort_error *err) {
    rt_lora *loaded = NULL;
    RT_TRY(rt_lora_load(&model->config, path, &loaded, err));
    retort_status st = RETORT_OK;
    if (loaded->config.targets != model->lora->config.targets || loaded->params.count != model->lora->params.count)
        st = rt_fail(err, RETORT_ERR_STATE, "checkpoint '%s' holds other adapters than the run has", path);
    else
        memcpy(model->lora->params.data, loaded->params.data, (size_t)loaded->params.count * sizeof(float));
    rt_lora_destroy(loaded);
    return st;
}

retort_status rt_checkpoint_load(const char *path, rt_model *model, rt_optimizer *optimizer, retort_error *err) {
    RT_TRY(model->lora != NULL ? replace_adapters(path, model, err) : replace_weights(path, model, err));
    return transfer_moments(path, optimizer, false, err);
}

/* ---- completion ---- */

static const char WEIGHTS_HASH[] = "model_sha256";

static const char *weights_file(bool adapters) {
    return adapters ? "adapter_model.safetensors" : "model.safetensors";
}

retort_status rt_completion_save(const char *output_dir, bool adapters, json_t *state, retort_error *err) {
    char *weights = rt_path_join(output_dir, weights_file(adapters)), hex[65];
    if (weights == NULL) return out_of_memory(err);
    retort_status st = rt_sha256_file(weights, hex, err);
    rt_free(weights);
    if (st != RETORT_OK) return st;
    if (json_object_set_new(state, WEIGHTS_HASH, json_string(hex)) != 0) return out_of_memory(err);
    return save_state(output_dir, state, err);
}

retort_status rt_completion_load(const char *output_dir, bool adapters, json_t **state, retort_error *err) {
    *state = NULL;
    char *path = rt_path_join(output_dir, STATE_FILE), *weights = rt_path_join(output_dir, weights_file(adapters));
    char hex[65];
    retort_status st = path != NULL && weights != NULL ? RETORT_OK : out_of_memory(err);
    if (st == RETORT_OK && rt_path_exists(path) && rt_path_exists(weights)) {
        st = rt_json_load(path, state, err);
        if (st == RETORT_OK) st = rt_sha256_file(weights, hex, err);
        bool same = st == RETORT_OK && strcmp(text_or(json_object_get(*state, WEIGHTS_HASH), ""), hex) == 0;
        if (!same && *state != NULL) {
            json_decref(*state);
            *state = NULL;
        }
    }
    rt_free(path);
    rt_free(weights);
    return st;
}

retort_status rt_completion_remove(const char *output_dir, retort_error *err) {
    char *path = rt_path_join(output_dir, STATE_FILE);
    if (path == NULL) return out_of_memory(err);
    retort_status st = rt_remove_tree(path, err);
    rt_free(path);
    return st;
}
