/* Many pairs on all cores. */
#ifndef RT_VERIFY_BATCH_H
#define RT_VERIFY_BATCH_H

#include "core/error.h"
#include "retort/verify.h"

typedef struct rt_verify_job {
    retort_gold gold;
    retort_pred pred;
    retort_verify_options options;
    retort_verify_result result;
} rt_verify_job;

/* Fills every job's result; on failure none needs a release. */
retort_status rt_verify_batch(rt_verify_job *jobs, size_t count, retort_error *err);

#endif
