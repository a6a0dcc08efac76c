/* The memory of sampling, as parts of a plan. */
#ifndef RT_SAMPLE_MEMORY_H
#define RT_SAMPLE_MEMORY_H

#include "core/plan.h"
#include "model/model.h"

typedef struct rt_sampling_size {
    int64_t slots, capacity, rows; /* of the decoder */
    int64_t responses, max_new_tokens;
} rt_sampling_size;

/* Packed weights, caches, activations and what the engine holds, all at their largest. lora: NULL for none. */
void rt_plan_sampling(rt_plan *plan, const rt_config *config, const rt_lora_config *lora, const rt_sampling_size *size);

#endif
