/* Asking an endpoint many questions: a bounded number of requests under way, each reply in the store before its place
 * takes the next question. docs/teach.md says what is tried again and how rates and costs are bounded.
 *
 *     rt_ask_source source = {.count = n, .write = write, .id = id, .sample = sample, .context = &mine};
 *     RT_TRY(rt_ask_all(&options->endpoint, &source, store, "judge", progress, &account, err));
 *     ... for each question: write its key again, rt_store_get(store, key, &reply, err)
 *
 * where `write` fills an rt_ask (endpoint.h) and calls rt_ask_write and rt_ask_key.
 */
#ifndef RT_ASK_H
#define RT_ASK_H

#include "core/mem.h"
#include "retort/endpoint.h"
#include "retort/progress.h"
#include "store/store.h"

typedef struct rt_ask_source { /* the questions of a run */
    int64_t count;
    /* body: the request as compact JSON (rt_ask_write), the buffer being empty or holding another question's; key:
     * SHA-256 in hexadecimal under which its reply is stored (rt_ask_key). Called more than once for a question, with
     * the same result each time. */
    retort_status (*write)(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err);
    const char *(*id)(void *context, int64_t q); /* problem id of the stored row */
    int64_t (*sample)(void *context, int64_t q);
    void *context;
} rt_ask_source;

typedef retort_endpoint_account rt_ask_account;

/* Asks for every question that the store has no reply to; all replies are in the store when it returns RETORT_OK. With
 * dry_run it asks nothing and fills the estimates of *account; the caller then stops. A bound on cost or tokens takes a
 * question's longest reply from max_tokens (or max_completion_tokens) of its body. `stage` names the work in progress
 * reports.
 * RETORT_ERR_USAGE: options that cannot be, or an endpoint that refuses every request alike (401, 402, 403, 404);
 * RETORT_ERR_IO: some replies are missing, or the cost's bound was reached; RETORT_ERR_INTERRUPTED. *account is filled
 * in each case. */
retort_status rt_ask_all(const retort_endpoint_options *options, const rt_ask_source *source, rt_store *store,
                         const char *stage, const retort_progress *progress, rt_ask_account *account,
                         retort_error *err);

#endif
