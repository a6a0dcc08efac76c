/* What a trainer keeps in files while it runs: its counters as JSON, and metrics.jsonl. */
#ifndef RT_TRAIN_STATE_H
#define RT_TRAIN_STATE_H

#include "train/loop.h"

/* Identity, step, updates, account and (task not NULL) the task's cursor. Caller json_decref()s *out. */
retort_status rt_state_write(const rt_trainer *trainer, const rt_task *task, json_t **out, retort_error *err);
/* The counters back into the trainer; trainer->cursor gets a reference to the cursor, if there is one. */
retort_status rt_state_read(rt_trainer *trainer, const json_t *state, const char *where, retort_error *err);

/* Opens output_dir/metrics.jsonl. Lines of steps after trainer->step, which a killed run wrote after its last
 * checkpoint and this run will write again, are dropped first; a run from the beginning starts an empty file. */
retort_status rt_metrics_open(rt_trainer *trainer, retort_error *err);

#endif
