#include "evaluate/memory.h"

#include <stdio.h>

#include "compute/compute.h"
#include "sample/memory.h"

enum { LEAST_ROWS = 256 }; /* so that prompts are read in large pieces */

static retort_status plan_slots(const rt_eval_size *size, int64_t slots, rt_plan *plan, retort_error *err) {
    const rt_sampling_size sampling = {.slots = slots,
                                       .capacity = size->capacity,
                                       .rows = slots > LEAST_ROWS ? slots : LEAST_ROWS,
                                       .responses = size->responses,
                                       .max_new_tokens = size->max_new_tokens};
    RT_TRY(rt_plan_begin("eval", "program, tokenizer and prompts", size->memory_limit, plan, err));
    rt_plan_add(plan, RT_WHILE_PACKING, rt_aligned_size(rt_params_bytes(size->config)), "weights");
    rt_plan_sampling(plan, size->config, size->lora, &sampling);
    plan->at_most = true;
    plan->threads = rt_compute_threads();
    plan->generated_tokens = (double)size->responses * (double)size->max_new_tokens;
    return RETORT_OK;
}

/* What the batch may take where nobody said how large it is to be. */
static double allowance(const rt_plan *plan) {
    const double half = plan->memory.resident + plan->memory.available / 2;
    return plan->limit > 0 && plan->limit < half ? plan->limit : half;
}

retort_status rt_eval_memory(const rt_eval_size *size, rt_plan *plan, int64_t *slots, char note[200],
                             retort_error *err) {
    const int64_t wanted = size->batch > 0 ? size->batch : RT_EVAL_MOST_SLOTS;
    int64_t high = size->responses < wanted ? size->responses : wanted, low = 1;
    const int64_t most = high;
    note[0] = '\0';
    RT_TRY(plan_slots(size, high, plan, err));
    if (size->batch == 0 && rt_plan_peak(plan) > allowance(plan)) {
        while (high - low > 1) { /* `high` is too many */
            const int64_t middle = low + (high - low) / 2;
            RT_TRY(plan_slots(size, middle, plan, err));
            if (rt_plan_peak(plan) > allowance(plan)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high = low;
        RT_TRY(plan_slots(size, high, plan, err));
        char peak[16], free[16];
        snprintf(note, 200,
                 "%lld responses at once instead of %lld, which take %s: half of the free memory is %s; --batch takes "
                 "more",
                 (long long)high, (long long)most, rt_size_format(rt_plan_peak(plan), peak),
                 rt_size_format(plan->memory.available / 2, free));
    }
    *slots = high;
    return RETORT_OK;
}
