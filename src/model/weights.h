/* What loading, saving and inspecting a model folder share: its tensors as a list, its weight files. */
#ifndef RT_WEIGHTS_H
#define RT_WEIGHTS_H

#include "model/safetensors.h"
#include "model/shards.h"

/* The parameters' tensors in order (data NULL for a bare layout), names borrowed from params; free *out with rt_free.
 * with_head adds "lm_head.weight" with the embedding's shape, for files that store a tied head a second time. */
retort_status rt_weights_list(const rt_params *params, bool with_head, rt_st_tensor **out, int64_t *count,
                              retort_error *err);

/* model.safetensors, or where there is none the files that model.safetensors.index.json lists. */
typedef struct rt_weights {
    char *path;            /* of the one file, or of the index: what says which tensors there are */
    rt_shard_index index;  /* empty for one file */
    rt_safetensors *files; /* in the order of the index */
    int64_t num_files;
    int64_t count; /* tensors */
} rt_weights;

/* Opens the files and checks that each holds just the tensors that the index places in it. On failure *out is all zero.
 * RETORT_ERR_NOT_FOUND: a file, or a tensor in its file, is missing; RETORT_ERR_FORMAT: another breach. */
retort_status rt_weights_open(const char *dir, rt_weights *out, retort_error *err);
void rt_weights_close(rt_weights *weights);

typedef struct rt_weight {
    const rt_safetensors *file;
    const rt_st_entry *entry; /* NULL where there is no such tensor */
} rt_weight;
rt_weight rt_weights_find(const rt_weights *weights, const char *name);

/* The format that these weights are held in. */
rt_dtype rt_weights_dtype(const rt_weights *weights, rt_weights_form form);
/* Names, shapes and types are those of the configuration; no weight is read, except that a stored tied head must equal
 * the embedding. The frequencies of the rotation that old files carry ("*.rotary_emb.inv_freq") are passed over: the
 * configuration gives them. */
retort_status rt_weights_check(const rt_config *config, const rt_weights *weights, retort_error *err);

#endif
