/* The memory of sampling, as parts of a plan. */
#ifndef RT_SAMPLE_MEMORY_H
#define RT_SAMPLE_MEMORY_H

#include "core/plan.h"
#include "model/model.h"

typedef struct rt_sampling_size {
    int64_t slots, capacity, rows, blocks; /* of the decoder */
    int64_t responses, max_new_tokens;
} rt_sampling_size;

/* Packed weights, caches, activations and what the engine holds, all at their largest. lora: NULL for none. */
void rt_plan_sampling(rt_plan *plan, const rt_config *config, const rt_lora_config *lora, const rt_sampling_size *size);

/* The weights that such a taking decoder is packed from: what of them is there beside the packed ones. */
void rt_plan_taken_weights(rt_plan *plan, const rt_config *config, const rt_lora_config *lora);

/* Help of the option that the commands share. */
#define RT_HELP_CACHE_MEMORY                                                                                           \
    "Memory for keys and values, such as 2GiB. Responses for which there is no room wait and go on later, with the "   \
    "same "                                                                                                            \
    "tokens; without it, as much as the batch can need at its longest."

#define RT_HELP_SPECULATIVE_TOKENS                                                                                     \
    "Tokens guessed at most from what a prompt and its response repeat, and checked in one step; changes speed, "      \
    "never a "                                                                                                         \
    "token. Worth it with few responses at once and a model larger than the processor's cache."

/* size->blocks from such an option: 0, which is all that the slots can need, where text is NULL or says more than that.
 * RETORT_ERR_USAGE where it is no size, or too little for one response of the size's capacity. */
retort_status rt_cache_size(const rt_config *config, const char *text, rt_sampling_size *size, retort_error *err);
/* The decoder of that size; the second form takes the model's weights (rt_decoder_create_taking). */
retort_status rt_sampling_decoder(const rt_model *model, const rt_sampling_size *size, rt_decoder **out,
                                  retort_error *err);
retort_status rt_sampling_decoder_taking(rt_model *model, const rt_sampling_size *size, rt_decoder **out,
                                         retort_error *err);

#endif
