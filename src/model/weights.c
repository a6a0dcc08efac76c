#include "model/weights.h"

#include <stdio.h>
#include <string.h>

retort_status rt_weights_list(const rt_params *params, bool with_head, rt_st_tensor **out, int64_t *count,
                              retort_error *err) {
    const int64_t n = params->num_tensors;
    rt_st_tensor *list = rt_calloc((size_t)n + 1, sizeof *list);
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory for a list of %lld tensors", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        const rt_tensor *tensor = &params->tensors[i];
        list[i] = (rt_st_tensor){.name = tensor->name, .dims = tensor->dims};
        for (int32_t d = 0; d < tensor->dims; d++) list[i].shape[d] = tensor->shape[d];
        if (params->data == NULL) continue;
        const rt_matrix at = rt_params_matrix(params, tensor);
        list[i].data = at.f32;
        if (at.f32 == NULL) list[i].narrow = at;
    }
    *count = n;
    if (with_head) { /* a copy of the tied matrix: checked, not read */
        list[*count] = list[0];
        list[*count].name = "lm_head.weight";
        list[(*count)++].data = NULL;
    }
    *out = list;
    return RETORT_OK;
}

/* ---- opening ---- */

/* What a file holds is placed in it. */
static retort_status check_shard(const rt_weights *weights, int64_t number, retort_error *err) {
    const rt_safetensors *file = &weights->files[number];
    for (int64_t i = 0; i < file->count; i++) {
        const rt_shard_tensor *tensor = rt_shard_index_find(&weights->index, file->entries[i].name);
        RT_CHECK(tensor != NULL, err, RETORT_ERR_FORMAT, "'%s' has the tensor '%.200s', which '%s' does not list",
                 file->path, file->entries[i].name, weights->path);
        RT_CHECK(tensor->file == number, err, RETORT_ERR_FORMAT,
                 "'%s' has the tensor '%.200s', which '%s' places in '%.255s'", file->path, tensor->name, weights->path,
                 weights->index.files[tensor->file]);
    }
    return RETORT_OK;
}

/* And the other way round. Names are distinct in a file and in the index, so that a count tells whether to look. */
static retort_status check_missing(const rt_weights *weights, retort_error *err) {
    for (int64_t i = 0; i < weights->index.count && weights->count < weights->index.count; i++) {
        const rt_shard_tensor *tensor = &weights->index.tensors[i];
        const rt_safetensors *file = &weights->files[tensor->file];
        RT_CHECK(rt_safetensors_find(file, tensor->name) != NULL, err, RETORT_ERR_NOT_FOUND,
                 "'%s' lacks the tensor '%.200s', which '%s' places there", file->path, tensor->name, weights->path);
    }
    return RETORT_OK;
}

static retort_status open_shard(const char *dir, rt_weights *weights, int64_t number, retort_error *err) {
    char *path = rt_path_join(dir, weights->index.files[number]);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", dir);
    retort_status st = rt_safetensors_open(path, &weights->files[number], err);
    rt_free(path);
    RT_TRY(st);
    weights->num_files++;
    weights->count += weights->files[number].count;
    return check_shard(weights, number, err);
}

static retort_status read_index(const char *path, rt_shard_index *out, retort_error *err) {
    json_t *root = NULL;
    char where[520];
    snprintf(where, sizeof where, "'%.500s'", path);
    RT_TRY(rt_json_load(path, &root, err));
    retort_status st = rt_shard_index_read(root, where, out, err);
    json_decref(root);
    return st;
}

static retort_status open_shards(const char *dir, rt_weights *weights, retort_error *err) {
    RT_TRY(read_index(weights->path, &weights->index, err));
    weights->files = rt_calloc((size_t)weights->index.num_files, sizeof *weights->files);
    RT_CHECK(weights->files != NULL, err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", weights->path);
    for (int64_t i = 0; i < weights->index.num_files; i++) RT_TRY(open_shard(dir, weights, i, err));
    return check_missing(weights, err);
}

static retort_status open_single(rt_weights *weights, retort_error *err) {
    weights->files = rt_calloc(1, sizeof *weights->files);
    RT_CHECK(weights->files != NULL, err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", weights->path);
    RT_TRY(rt_safetensors_open(weights->path, weights->files, err));
    weights->num_files = 1;
    weights->count = weights->files[0].count;
    return RETORT_OK;
}

retort_status rt_weights_open(const char *dir, rt_weights *out, retort_error *err) {
    *out = (rt_weights){0};
    char *single = rt_path_join(dir, "model.safetensors"), *index = rt_path_join(dir, RT_SHARDS_INDEX);
    if (single == NULL || index == NULL) {
        rt_free(single);
        rt_free(index);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory while opening '%s'", dir);
    }
    const bool sharded = !rt_path_exists(single) && rt_path_exists(index);
    out->path = sharded ? index : single;
    rt_free(sharded ? single : index);
    retort_status st = sharded ? open_shards(dir, out, err) : open_single(out, err);
    if (st != RETORT_OK) rt_weights_close(out);
    return st;
}

void rt_weights_close(rt_weights *weights) {
    for (int64_t i = 0; i < weights->num_files; i++) rt_safetensors_close(&weights->files[i]);
    rt_shard_index_release(&weights->index);
    rt_free(weights->files);
    rt_free(weights->path);
    *weights = (rt_weights){0};
}

rt_weight rt_weights_find(const rt_weights *weights, const char *name) {
    const rt_safetensors *file = weights->files;
    if (weights->index.count > 0) {
        const rt_shard_tensor *tensor = rt_shard_index_find(&weights->index, name);
        if (tensor == NULL) return (rt_weight){0};
        file += tensor->file;
    }
    return (rt_weight){file, rt_safetensors_find(file, name)};
}

/* ---- checking ---- */

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Number of a tensor among those of all files. */
static int64_t number_of(const rt_weights *weights, rt_weight found) {
    int64_t number = found.entry - found.file->entries;
    for (const rt_safetensors *file = weights->files; file < found.file; file++) number += file->count;
    return number;
}

static retort_status check_unexpected(const rt_weights *weights, const bool *wanted, retort_error *err) {
    for (int64_t f = 0; f < weights->num_files; f++) {
        const rt_safetensors *file = &weights->files[f];
        for (int64_t i = 0; i < file->count; i++)
            RT_CHECK(*wanted++ || ends_with(file->entries[i].name, ".rotary_emb.inv_freq"), err, RETORT_ERR_FORMAT,
                     "'%s' has the unexpected tensor '%.200s'", file->path, file->entries[i].name);
    }
    return RETORT_OK;
}

static retort_status match(const rt_weights *weights, const rt_st_tensor *list, int64_t count, retort_error *err) {
    bool *wanted = rt_calloc((size_t)weights->count, sizeof *wanted);
    RT_CHECK(wanted != NULL, err, RETORT_ERR_MEMORY, "out of memory while checking '%s'", weights->path);
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < count && st == RETORT_OK; i++) {
        const rt_weight found = rt_weights_find(weights, list[i].name);
        st = found.entry != NULL
                 ? rt_safetensors_match_one(found.file, found.entry, &list[i], err)
                 : rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' lacks the tensor '%s'", weights->path, list[i].name);
        if (st == RETORT_OK) wanted[number_of(weights, found)] = true;
    }
    if (st == RETORT_OK) st = check_unexpected(weights, wanted, err);
    rt_free(wanted);
    return st;
}

/* A tied head in the file must be what tying means, or the file's author meant another model. */
static retort_status check_tied_head(const rt_weights *weights, retort_error *err) {
    enum { PIECE = 1 << 22 };
    const rt_weight embed = rt_weights_find(weights, "model.embed_tokens.weight");
    const rt_weight head = rt_weights_find(weights, "lm_head.weight");
    bool same = embed.entry->dtype == head.entry->dtype;
    for (size_t at = 0; same && at < embed.entry->bytes; at += PIECE) {
        const size_t n = embed.entry->bytes - at < PIECE ? embed.entry->bytes - at : PIECE;
        same = memcmp(embed.entry->data + at, head.entry->data + at, n) == 0;
        rt_safetensors_forget(embed.file, embed.entry->data + at, n);
        rt_safetensors_forget(head.file, head.entry->data + at, n);
    }
    RT_CHECK(same, err, RETORT_ERR_FORMAT,
             "'%s': 'lm_head.weight' differs from 'model.embed_tokens.weight' although config.json says "
             "'tie_word_embeddings'",
             head.file->path);
    return RETORT_OK;
}

retort_status rt_weights_check(const rt_config *config, const rt_weights *weights, retort_error *err) {
    rt_params layout;
    RT_TRY(rt_params_layout(config, &layout, err));
    const bool tied_head = config->tie_word_embeddings && rt_weights_find(weights, "lm_head.weight").entry != NULL;
    rt_st_tensor *list = NULL;
    int64_t count = 0;
    retort_status st = rt_weights_list(&layout, tied_head, &list, &count, err);
    if (st == RETORT_OK) st = match(weights, list, count, err);
    if (st == RETORT_OK && tied_head) st = check_tied_head(weights, err);
    rt_free(list);
    rt_params_release(&layout);
    return st;
}
