#include "evaluate/memory.h"

#include <stdio.h>

#include "compute/compute.h"

enum {
    LEAST_ROWS = 256,   /* so that prompts are read in large pieces */
    SLOTS_PER_WHOLE = 4 /* responses at once for each of full length that the cache has room for */
};

static retort_status make_plan(const rt_eval_size *size, const rt_sampling_size *sampling, rt_plan *plan,
                               retort_error *err) {
    RT_TRY(rt_plan_begin("eval", "program, tokenizer and prompts", size->memory_limit, plan, err));
    rt_plan_taken_weights(plan, size->config, size->lora);
    rt_plan_sampling(plan, size->config, size->lora, sampling);
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

/* Room in the cache for `whole` responses at their longest, and slots for more of them, since most end earlier. */
static rt_sampling_size share(const rt_eval_size *size, rt_sampling_size all, int64_t whole) {
    const int64_t slots = whole * SLOTS_PER_WHOLE;
    all.slots = slots < all.slots ? slots : all.slots;
    all.rows = all.slots > LEAST_ROWS ? all.slots : LEAST_ROWS;
    all.blocks = whole * rt_kv_blocks(size->capacity);
    return all;
}

/* The most whole responses for which the peak stays within the allowance; at least one. */
static retort_status fit(const rt_eval_size *size, rt_sampling_size *sampling, rt_plan *plan, retort_error *err) {
    const rt_sampling_size all = *sampling;
    int64_t low = 1, high = all.slots; /* `high` are too many */
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        *sampling = share(size, all, middle);
        RT_TRY(make_plan(size, sampling, plan, err));
        if (rt_plan_peak(plan) > allowance(plan)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    *sampling = share(size, all, low);
    return make_plan(size, sampling, plan, err);
}

retort_status rt_eval_memory(const rt_eval_size *size, rt_plan *plan, rt_sampling_size *out, char note[200],
                             retort_error *err) {
    const int64_t wanted = size->batch > 0 ? size->batch : RT_EVAL_MOST_SLOTS;
    const int64_t most = size->responses < wanted ? size->responses : wanted;
    note[0] = '\0';
    *out = (rt_sampling_size){.slots = most,
                              .capacity = size->capacity,
                              .rows = most > LEAST_ROWS ? most : LEAST_ROWS,
                              .responses = size->responses,
                              .max_new_tokens = size->max_new_tokens};
    RT_TRY(make_plan(size, out, plan, err));
    if (size->batch > 0 || rt_plan_peak(plan) <= allowance(plan)) return RETORT_OK;
    RT_TRY(fit(size, out, plan, err));
    char peak[16], free[16];
    snprintf(
        note, 200,
        "%lld responses at once instead of %lld, with room for %lld of full length, in %s: half of the free memory "
        "is %s; --batch takes more",
        (long long)out->slots, (long long)most, (long long)(out->blocks / rt_kv_blocks(size->capacity)),
        rt_size_format(rt_plan_peak(plan), peak), rt_size_format(plan->memory.available / 2, free));
    return RETORT_OK;
}
