/* The supervised loss: mean negative log-likelihood over a global batch of sequences. */
#ifndef RT_NLL_H
#define RT_NLL_H

#include "train/loop.h"

/* One step of supervised training on `count` sequences: loss = -(1/N) sum of log p over the N supervised tokens of the
 * whole batch, whatever the micro-batches; gradient, update, and the metrics loss, grad_norm, learning_rate,
 * num_tokens. */
retort_status rt_nll_step(rt_trainer *trainer, const rt_sequence *sequences, int64_t count, json_t *metrics,
                          retort_error *err);

#endif
