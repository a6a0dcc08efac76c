#include "verify/batch.h"

#include <string.h>

#include <flint/flint.h>
#include <omp.h>

#include "core/mem.h"

enum { PAIRS_PER_THREAD = 16 }; /* fewer are not worth another thread */

void retort_verify_thread_end(void) {
    flint_cleanup();
}

static int threads_for(size_t count) {
    int most = omp_get_max_threads();
    size_t useful = count / PAIRS_PER_THREAD + 1;
    return useful < (size_t)most ? (int)useful : most;
}

static void keep_first(retort_status *failed, retort_error *err, retort_status st, const retort_error *own) {
#pragma omp critical(rt_verify_batch)
    if (*failed == RETORT_OK) {
        *failed = st;
        if (err != NULL) *err = *own;
    }
}

retort_status rt_verify_batch(rt_verify_job *jobs, size_t count, retort_error *err) {
    retort_status failed = RETORT_OK;
#pragma omp parallel num_threads(threads_for(count))
    {
#pragma omp for schedule(dynamic, 8)
        for (size_t i = 0; i < count; i++) {
            retort_error own = {0};
            rt_verify_job *job = &jobs[i];
            retort_status st = retort_verify(job->gold, job->pred, &job->options, &job->result, &own);
            if (st != RETORT_OK) keep_first(&failed, err, st, &own);
        }
        flint_cleanup();
    }
    for (size_t i = 0; failed != RETORT_OK && i < count; i++) retort_verify_result_release(&jobs[i].result);
    return failed;
}

retort_status retort_verify_many(const retort_gold *golds, const retort_pred *preds, size_t count,
                                 const retort_verify_options *options, retort_verify_result *results,
                                 retort_error *err) {
    rt_verify_job *jobs = rt_malloc_array(count + 1, sizeof *jobs);
    RT_CHECK(jobs != NULL, err, RETORT_ERR_MEMORY, "out of memory for %zu pairs", count);
    for (size_t i = 0; i < count; i++) {
        jobs[i] = (rt_verify_job){.gold = golds[i], .pred = preds[i]};
        if (options != NULL) jobs[i].options = *options;
    }
    retort_status st = rt_verify_batch(jobs, count, err);
    for (size_t i = 0; i < count; i++) results[i] = jobs[i].result;
    rt_free(jobs);
    return st;
}
