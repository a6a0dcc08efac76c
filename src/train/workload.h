/* What a training run will compute, and the memory that it will take, known before it begins. */
#ifndef RT_WORKLOAD_H
#define RT_WORKLOAD_H

#include "core/plan.h"
#include "model/lora.h"
#include "retort/train.h"
#include "train/epochs.h"

typedef struct rt_workload {
    int64_t largest_step, largest_micro; /* rows of the largest batch, and of the largest micro-batch of any */
    double tokens, keys, scored;         /* of all passes; keys: attended ones of all tokens */
    double passes;                       /* micro-batches */
} rt_workload;

/* Goes through the batches of `steps` steps, as training will. Beyond some ten million examples the rest is taken to be
 * like them, and the largest batches to be the largest possible. */
retort_status rt_workload_of(const rt_dataset *dataset, const retort_training_options *options, int64_t batch_size,
                             int64_t steps, rt_workload *out, retort_error *err);

/* Parameters that an update changes. */
int64_t rt_trained_count(const rt_config *config, const rt_lora_config *lora);

/* Adds adapters, gradients, moments and activations of micro-batches of `rows` rows. lora: NULL where all weights are
 * trained. */
void rt_plan_training(rt_plan *plan, const rt_config *config, const rt_lora_config *lora,
                      const retort_training_options *options, int64_t rows, int64_t step_rows);

#endif
