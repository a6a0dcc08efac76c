#include "train/workload.h"

#include "train/optimizer.h"

enum { MOST_EXAMPLES = 10000000 };

static void count_batch(const rt_epochs *epochs, int64_t count, int64_t budget, rt_workload *out) {
    int64_t step = 0;
    for (int64_t next = 0, taken = 0; next < count; next += taken) {
        int64_t rows = 0;
        taken = rt_pack_fitting(epochs->batch, count, next, budget, &rows);
        if (rows > out->largest_micro) out->largest_micro = rows;
        step += rows;
        out->passes++;
    }
    if (step > out->largest_step) out->largest_step = step;
    for (int64_t i = 0; i < count; i++) {
        double rows = (double)rt_sequence_rows(&epochs->batch[i]);
        out->tokens += rows;
        out->keys += rows * (rows + 1) / 2;
        out->scored += (double)rt_sequence_targets(&epochs->batch[i]);
    }
}

/* What was not gone through is as what was, and may be larger. */
static void extrapolate(const rt_dataset *dataset, int64_t budget, int64_t batch_size, double factor,
                        rt_workload *out) {
    out->tokens *= factor;
    out->keys *= factor;
    out->scored *= factor;
    out->passes *= factor;
    out->largest_step = dataset->longest * batch_size;
    out->largest_micro = out->largest_step < budget ? out->largest_step : budget;
    if (out->largest_micro < dataset->longest) out->largest_micro = dataset->longest;
}

retort_status rt_workload_of(const rt_dataset *dataset, const retort_training_options *options, int64_t batch_size,
                             int64_t steps, rt_workload *out, retort_error *err) {
    rt_epochs epochs = {0};
    int64_t done = 0;
    *out = (rt_workload){0};
    RT_TRY(rt_epochs_create(dataset, (uint64_t)options->seed, batch_size, &epochs, err));
    for (; done < steps && epochs.consumed < MOST_EXAMPLES; done++) {
        int64_t count = rt_epochs_batch(&epochs);
        count_batch(&epochs, count, options->micro_batch_tokens, out);
        epochs.consumed += count;
    }
    rt_epochs_release(&epochs);
    if (done < steps) {
        extrapolate(dataset, options->micro_batch_tokens, batch_size, (double)steps / (double)done, out);
    }
    return RETORT_OK;
}

int64_t rt_trained_count(const rt_config *config, const rt_lora_config *lora) {
    return (int64_t)(rt_optimizer_bytes(config, lora) / (3 * sizeof(float)));
}

void rt_plan_training(rt_plan *plan, const rt_config *config, const rt_lora_config *lora,
                      const retort_training_options *options, int64_t rows, int64_t step_rows) {
    const rt_workspace_shape shape = {.max_tokens = rows,
                                      .step_tokens = step_rows,
                                      .recompute = options->gradient_checkpointing,
                                      .lora_r = lora != NULL ? lora->r : 0};
    const size_t states = rt_optimizer_bytes(config, lora), workspace = rt_workspace_bytes(config, &shape);
    const size_t head = (size_t)rt_head_scratch(config->vocab_size, config->hidden_size) * sizeof(float);
    if (states == SIZE_MAX || workspace == SIZE_MAX || workspace < head) {
        rt_plan_add(plan, RT_WHILE_WORKING, SIZE_MAX, "gradients, moments and activations");
        return;
    }
    const size_t block = rt_aligned_size(states / 3);
    if (lora != NULL) {
        const size_t adapters = (size_t)rt_lora_count(config, lora) * sizeof(float);
        rt_plan_add(plan, RT_ALWAYS, rt_aligned_size(adapters), "adapters of rank %lld", (long long)lora->r);
    }
    rt_plan_add(plan, RT_WHILE_WORKING, block, "gradients");
    rt_plan_add(plan, RT_WHILE_WORKING, 2 * block, "AdamW's two moments");
    rt_plan_add(plan, RT_WHILE_WORKING, rt_aligned_size(workspace) - head, "activations of %lld tokens%s",
                (long long)rows, options->gradient_checkpointing ? ", recomputed by layer" : "");
    rt_plan_add(plan, RT_WHILE_WORKING, head, "output head, one chunk of logits");
    rt_plan_add(plan, RT_WHILE_WORKING, (size_t)rows * 5 * sizeof(int32_t), "micro-batch");
}
