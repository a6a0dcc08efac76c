/* What a run asks, in the store: its problems, prompts and replies, and the manifest that names it. */
#ifndef RT_ASK_KEEP_H
#define RT_ASK_KEEP_H

#include "ask/endpoint.h"
#include "data/problem.h"
#include "retort/options.h"
#include "store/store.h"

/* A reply whose request and text are in the row, and its prompt where the request has one; without a transaction. */
retort_status rt_ask_put_row(rt_store *store, rt_stored_response row, bool *fresh, retort_error *err);
/* A reply and its prompt, in one transaction. `row` says what the reply does not: key, problem, sample, model, source,
 * cost, times. `body` is the request. *fresh: it was not there yet. */
retort_status rt_ask_put_reply(rt_store *store, rt_stored_response row, const rt_reply *reply, const rt_buffer *body,
                               bool *fresh, retort_error *err);

/* The first `count` problems, in one transaction. `path` is the file they are from; its last part is kept. */
retort_status rt_ask_put_problems(rt_store *store, const rt_problems *problems, int64_t count, const char *path,
                                  retort_error *err);

/* {"command", "retort", "problems_sha256", "options": {...}} as a row of manifests; its hash names the run. Options
 * that change no result (where the key file is, how hard the endpoint is pressed) are left out. Equal runs have equal
 * manifests. */
retort_status rt_ask_put_manifest(rt_store *store, const char *command, const retort_option *table, const void *options,
                                  const char *problems, char run[65], retort_error *err);

#endif
