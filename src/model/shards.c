#include "model/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHARDS = 99999, NAME_MAXIMUM = 255 };

static const char suffix[] = ".safetensors";

/* ---- reading ---- */

static int compare_text(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int compare_tensor(const void *left, const void *right) {
    return strcmp(((const rt_shard_tensor *)left)->name, ((const rt_shard_tensor *)right)->name);
}

/* A name that stays in the folder: no separator, no leading dot, and long enough to be a file's. */
static bool is_plain_name(const json_t *value) {
    const char *name = json_string_value(value);
    const size_t length = json_string_length(value), end = sizeof suffix - 1;
    return name != NULL && strlen(name) == length && length > end && length <= NAME_MAXIMUM && name[0] != '.' &&
           strchr(name, '/') == NULL && strchr(name, '\\') == NULL && strcmp(name + length - end, suffix) == 0;
}

/* Sorts the names and keeps one of each. */
static void make_distinct(rt_shard_index *index) {
    qsort(index->files, (size_t)index->count, sizeof *index->files, compare_text);
    for (int64_t i = 0; i < index->count; i++) {
        if (index->num_files > 0 && strcmp(index->files[index->num_files - 1], index->files[i]) == 0) continue;
        index->files[index->num_files++] = index->files[i];
    }
}

static retort_status read_map(json_t *map, const char *where, rt_shard_index *index, retort_error *err) {
    const size_t size = json_object_size(map);
    RT_CHECK(size > 0, err, RETORT_ERR_FORMAT, "%s has no object 'weight_map' with tensors", where);
    index->tensors = rt_calloc(size, sizeof *index->tensors);
    index->files = rt_calloc(size, sizeof *index->files);
    RT_CHECK(index->tensors != NULL && index->files != NULL, err, RETORT_ERR_MEMORY,
             "out of memory for the %zu tensors of %s", size, where);
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value) {
        RT_CHECK(is_plain_name(value), err, RETORT_ERR_FORMAT,
                 "%s places tensor '%.200s' in '%.200s'; it must be the name of a .safetensors file beside the index",
                 where, name, json_is_string(value) ? json_string_value(value) : "(no string)");
        index->files[index->count] = json_string_value(value);
        index->tensors[index->count++].name = name;
    }
    make_distinct(index);
    for (int64_t i = 0; i < index->count; i++) {
        rt_shard_tensor *tensor = &index->tensors[i];
        const char *file = json_string_value(json_object_get(map, tensor->name));
        const char **found = bsearch(&file, index->files, (size_t)index->num_files, sizeof *index->files, compare_text);
        tensor->file = found - index->files;
    }
    qsort(index->tensors, size, sizeof *index->tensors, compare_tensor);
    return RETORT_OK;
}

retort_status rt_shard_index_read(json_t *root, const char *where, rt_shard_index *out, retort_error *err) {
    *out = (rt_shard_index){0};
    RT_CHECK(json_is_object(root), err, RETORT_ERR_FORMAT, "%s is not a JSON object", where);
    out->root = json_incref(root);
    retort_status st = read_map(json_object_get(root, "weight_map"), where, out, err);
    if (st != RETORT_OK) rt_shard_index_release(out);
    return st;
}

void rt_shard_index_release(rt_shard_index *index) {
    json_decref(index->root);
    rt_free(index->files);
    rt_free(index->tensors);
    *index = (rt_shard_index){0};
}

const rt_shard_tensor *rt_shard_index_find(const rt_shard_index *index, const char *name) {
    const rt_shard_tensor key = {.name = name};
    return bsearch(&key, index->tensors, (size_t)index->count, sizeof *index->tensors, compare_tensor);
}

/* ---- writing ---- */

static int64_t tensor_bytes(const rt_st_tensor *tensor, rt_dtype dtype) {
    int64_t bytes = (int64_t)rt_dtype_size(dtype);
    for (int32_t i = 0; i < tensor->dims; i++) bytes *= tensor->shape[i];
    return bytes;
}

retort_status rt_shards_plan(const rt_st_tensor *tensors, int64_t count, rt_dtype dtype, int64_t max_bytes,
                             rt_shard **out, int64_t *num_shards, retort_error *err) {
    rt_shard *shards = rt_calloc((size_t)count + 1, sizeof *shards);
    RT_CHECK(shards != NULL, err, RETORT_ERR_MEMORY, "out of memory for a list of shards");
    int64_t n = 1, bytes = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t size = tensor_bytes(&tensors[i], dtype);
        if (shards[n - 1].count > 0 && bytes + size > max_bytes) {
            shards[n++].first = i;
            bytes = 0;
        }
        shards[n - 1].count++;
        bytes += size;
    }
    if (n > MAX_SHARDS) {
        rt_free(shards);
        return rt_fail(err, RETORT_ERR_USAGE, "shards of %lld bytes would be %lld files; make them larger",
                       (long long)max_bytes, (long long)n);
    }
    for (int64_t i = 0; i < n; i++) {
        if (n == 1)
            snprintf(shards[i].file, sizeof shards[i].file, "model.safetensors");
        else
            snprintf(shards[i].file, sizeof shards[i].file, "model-%05d-of-%05d.safetensors", (int)(i + 1), (int)n);
    }
    *out = shards;
    *num_shards = n;
    return RETORT_OK;
}

retort_status rt_shards_index(const rt_st_tensor *tensors, rt_dtype dtype, const rt_shard *shards, int64_t num_shards,
                              json_t **out, retort_error *err) {
    json_t *map = json_object();
    int64_t bytes = 0;
    bool failed = map == NULL;
    for (int64_t s = 0; s < num_shards; s++) {
        for (int64_t i = shards[s].first; i < shards[s].first + shards[s].count && !failed; i++) {
            failed = json_object_set_new(map, tensors[i].name, json_string(shards[s].file)) != 0;
            bytes += tensor_bytes(&tensors[i], dtype);
        }
    }
    if (failed) json_decref(map);
    *out = failed ? NULL : json_pack("{s:{s:I}, s:o}", "metadata", "total_size", (json_int_t)bytes, "weight_map", map);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory while making '%s'", RT_SHARDS_INDEX);
    return RETORT_OK;
}
