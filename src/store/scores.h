/* The store's scores: the verdict of each grader on each reply. */
#ifndef RT_STORE_SCORES_H
#define RT_STORE_SCORES_H

#include "store/store.h"

typedef struct rt_stored_score {
    const char *response_key;
    const char *grader;  /* strict, tolerant, ... */
    const char *verdict; /* right, wrong, unparsed, over-budget */
    const char *reason;  /* one line for people, or NULL */
    int64_t created;     /* Unix time */
} rt_stored_score;

/* One a reply and grader; a later one takes its place. */
retort_status rt_store_put_score(rt_store *store, const rt_stored_score *score, retort_error *err);
/* RETORT_ERR_NOT_FOUND without a message. */
retort_status rt_store_get_score(rt_store *store, const char *response_key, const char *grader, rt_stored_score *out,
                                 retort_error *err);

#endif
