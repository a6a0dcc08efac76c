/* What loading, saving and inspecting a model folder share: its tensors as a list, its model.safetensors. */
#ifndef RT_WEIGHTS_H
#define RT_WEIGHTS_H

#include "model/safetensors.h"

/* The parameters' tensors in order (data NULL for a bare layout), names borrowed from params; free *out with rt_free.
 * with_head adds "lm_head.weight" with the embedding's shape, for files that store a tied head a second time. */
retort_status rt_weights_list(const rt_params *params, bool with_head, rt_st_tensor **out, int64_t *count,
                              retort_error *err);
/* Opens dir/model.safetensors. */
retort_status rt_weights_open(const char *dir, rt_safetensors *out, retort_error *err);
/* Names, shapes and types are those of the configuration; no weight is read, except that a stored tied head must equal
 * the embedding. */
retort_status rt_weights_check(const rt_config *config, const rt_safetensors *file, retort_error *err);

#endif
