/* What a run asks, in the store: its problems and prompts, and the manifest that names it. */
#ifndef RT_ASK_KEEP_H
#define RT_ASK_KEEP_H

#include "data/problem.h"
#include "retort/options.h"
#include "store/store.h"

/* The prompt of a request body (its messages, or its prompt) as a row of prompts; the hash names the row. */
retort_status rt_ask_put_prompt(rt_store *store, const char *problem_id, const rt_buffer *body, int64_t created,
                                char sha256[65], retort_error *err);

/* The first `count` problems, in one transaction. `path` is the file they are from; its last part is kept. */
retort_status rt_ask_put_problems(rt_store *store, const rt_problems *problems, int64_t count, const char *path,
                                  retort_error *err);

/* {"command", "retort", "problems_sha256", "options": {...}} as a row of manifests; its hash names the run. Options
 * that change no result (where the key file is, how hard the endpoint is pressed) are left out. Equal runs have equal
 * manifests. */
retort_status rt_ask_put_manifest(rt_store *store, const char *command, const retort_option *table, const void *options,
                                  const char *problems, char run[65], retort_error *err);

#endif
