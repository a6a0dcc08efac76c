/* model.safetensors.index.json: which file of several holds which tensor.
 *
 *     {"metadata": {"total_size": 988065920},
 *      "weight_map": {"model.embed_tokens.weight": "model-00001-of-00002.safetensors", ...}}
 *
 * The index comes from outside like the files: a name it gives must be that of a .safetensors file beside it, with no
 * way into another folder, and whoever opens the files checks that each holds exactly the tensors it is said to hold.
 * "metadata" is not used; writers disagree about what total_size counts. */
#ifndef RT_SHARDS_H
#define RT_SHARDS_H

#include "model/safetensors.h"

#define RT_SHARDS_INDEX "model.safetensors.index.json"

typedef struct rt_shard_tensor {
    const char *name; /* borrowed from the JSON */
    int64_t file;     /* number in `files` */
} rt_shard_tensor;

typedef struct rt_shard_index {
    json_t *root;
    const char **files; /* distinct names, sorted; borrowed from the JSON */
    int64_t num_files;
    rt_shard_tensor *tensors; /* sorted by name */
    int64_t count;
} rt_shard_index;

/* `where` names the index in messages. Keeps a reference to root. RETORT_ERR_FORMAT where the index breaks its format;
 * on failure *out is all zero. */
retort_status rt_shard_index_read(json_t *root, const char *where, rt_shard_index *out, retort_error *err);
void rt_shard_index_release(rt_shard_index *index);
/* NULL where there is no such tensor. */
const rt_shard_tensor *rt_shard_index_find(const rt_shard_index *index, const char *name);

/* A run of tensors, in the order of a list, that go into one file. */
typedef struct rt_shard {
    int64_t first, count;
    char file[40]; /* "model-00001-of-00002.safetensors", or "model.safetensors" for a single one */
} rt_shard;

/* Cuts a list into shards of at most max_bytes of data (a larger tensor has one to itself); *out is to be freed with
 * rt_free. */
retort_status rt_shards_plan(const rt_st_tensor *tensors, int64_t count, rt_dtype dtype, int64_t max_bytes,
                             rt_shard **out, int64_t *num_shards, retort_error *err);
/* The index of such shards, as a new object. */
retort_status rt_shards_index(const rt_st_tensor *tensors, rt_dtype dtype, const rt_shard *shards, int64_t num_shards,
                              json_t **out, retort_error *err);

#endif
