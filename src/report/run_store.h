/* Runs and judgements out of a run store (docs/store.md). */
#ifndef RT_RUN_STORE_H
#define RT_RUN_STORE_H

#include "report/judgements.h"
#include "report/runs.h"

/* Whether a file is an SQLite database, and so a store. */
retort_status rt_run_is_store(const char *path, bool *out, retort_error *err);

/* Every reply, with the tolerant grader's verdict if the store has it, else the strict one's. */
retort_status rt_run_store_read(rt_run_reader *reader, retort_error *err);

/* Every judgement of the store, under the model that the source names, if it names one. */
retort_status rt_run_store_judgements(const rt_run_source *source, rt_judgements *out, retort_error *err);

#endif
