/* The memory of an evaluation, and how many responses at once fit into it. */
#ifndef RT_EVALUATE_MEMORY_H
#define RT_EVALUATE_MEMORY_H

#include "core/plan.h"
#include "model/model.h"
#include "sample/memory.h"

typedef struct rt_eval_size {
    const rt_config *config;
    const rt_lora_config *lora; /* NULL: none */
    int64_t responses;          /* of all rounds */
    int64_t capacity;           /* positions of the longest prompt with its longest response */
    int64_t max_new_tokens;
    int64_t batch; /* as asked for; 0: chosen here */
    const char *memory_limit;
} rt_eval_size;

enum { RT_EVAL_MOST_SLOTS = 256 };

/* Fills the plan, and the size of the decoder. With a batch of 0, RT_EVAL_MOST_SLOTS responses at once where half of
 * the free memory holds them at their longest; else the cache has room for as many of full length as it does hold (at
 * least one), up to four times as many are sampled at once, those without room wait (and get the same tokens), and the
 * note tells. A batch that was asked for is never lowered. The caller checks the plan. */
retort_status rt_eval_memory(const rt_eval_size *size, rt_plan *plan, rt_sampling_size *out, char note[200],
                             retort_error *err);

#endif
