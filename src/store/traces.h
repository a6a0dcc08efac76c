/* The store's traces: replies in the form that a student learns them. */
#ifndef RT_STORE_TRACES_H
#define RT_STORE_TRACES_H

#include "store/store.h"

typedef struct rt_stored_trace {
    const char *response_key;
    const char *form; /* what was done with the thought: tags, drop, only */
    bool kept;        /* false: screened out (--keep) */
    const char *text;
    int64_t created; /* Unix time */
} rt_stored_trace;

/* One a reply and form; a later one takes its place. */
retort_status rt_store_put_trace(rt_store *store, const rt_stored_trace *trace, retort_error *err);
/* RETORT_ERR_NOT_FOUND without a message. */
retort_status rt_store_get_trace(rt_store *store, const char *response_key, const char *form, rt_stored_trace *out,
                                 retort_error *err);

#endif
