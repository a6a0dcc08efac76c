/* AdamW over a model's parameter block, or that of its adapters where it carries them, with clipping by the global norm
 * (Loshchilov and Hutter 2019; Pascanu et al. 2013), in PyTorch's order of operations.
 */
#ifndef RT_OPTIMIZER_H
#define RT_OPTIMIZER_H

#include "model/lora.h"
#include "retort/train.h"

/* grads, m and v have the layout of what is trained, in float32. grads is what a step accumulates into; it is zero
 * between steps. */
typedef struct rt_optimizer {
    rt_params grads, m, v;
    int64_t updates; /* t of Adam's bias correction: updates done so far */
    double beta1, beta2, epsilon, weight_decay, max_norm;
} rt_optimizer;

/* Bytes of the three blocks; lora: NULL where all weights are trained. */
size_t rt_optimizer_bytes(const rt_config *config, const rt_lora_config *lora);
retort_status rt_optimizer_create(const rt_model *model, const retort_training_options *options, rt_optimizer *out,
                                  retort_error *err);
void rt_optimizer_release(rt_optimizer *optimizer);

/* One update of `params` at `rate`: scale = min(1, max_norm / (norm + 1e-6)) (max_norm 0: no clipping), then AdamW per
 * tensor, decay where the tensor takes it; grads are zeroed. *norm gets the norm before clipping. A gradient with NaN
 * or Inf is RETORT_ERR_NUMERIC and leaves params, m and v as they were. */
retort_status rt_optimizer_update(rt_optimizer *optimizer, rt_params *params, double rate, double *norm,
                                  retort_error *err);

#endif
