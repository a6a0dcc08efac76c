/* The store's problems: what was asked about, and the gold answer as it was then.
 *
 * A problem whose text or gold changes under the same id gets a row of its own; the newest is the one that
 * counts.
 */
#ifndef RT_STORE_PROBLEMS_H
#define RT_STORE_PROBLEMS_H

#include "store/store.h"

typedef struct rt_stored_problem {
    const char *id;
    const char *sha256; /* of problem, answer and gold; filled by reading, made by putting */
    const char *problem;
    const char *answer; /* or NULL */
    const char *gold;   /* what a grader needs, as JSON {"answer", "alt_answers", "world"}, or NULL */
    const char *origin; /* where it comes from: a file's name, or NULL */
    int64_t created;    /* Unix time */
} rt_stored_problem;

/* SHA-256 of problem, answer and gold. */
retort_status rt_store_hash_problem(const rt_stored_problem *problem, char sha256[65], retort_error *err);
/* A problem that is there already, under this id with this content, keeps its row. */
retort_status rt_store_put_problem(rt_store *store, const rt_stored_problem *problem, retort_error *err);
/* The newest of this id; RETORT_ERR_NOT_FOUND without a message. */
retort_status rt_store_get_problem(rt_store *store, const char *id, rt_stored_problem *out, retort_error *err);
typedef retort_status (*rt_problem_visitor)(void *context, const rt_stored_problem *problem, retort_error *err);
/* All, by id and time. */
retort_status rt_store_each_problem(rt_store *store, rt_problem_visitor visit, void *context, retort_error *err);

#endif
