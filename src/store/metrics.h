/* The store's metrics: the figures that a run came to. */
#ifndef RT_STORE_METRICS_H
#define RT_STORE_METRICS_H

#include "store/store.h"

typedef struct rt_stored_metric {
    const char *run;    /* SHA-256 of its manifest (manifests.h) */
    const char *name;   /* "aime_2024/avg@16", "traces", ... */
    const char *method; /* how the interval was made ("bootstrap", "clustered", ...); "" where there is none */
    double value;       /* NaN: undefined */
    int64_t n;          /* what it is an average or count of; negative: nothing of the sort */
    double low, high;   /* NaN: no interval */
    int64_t created;    /* Unix time */
} rt_stored_metric;

/* One a run, name and method; a later one takes its place. */
retort_status rt_store_put_metric(rt_store *store, const rt_stored_metric *metric, retort_error *err);
typedef retort_status (*rt_metric_visitor)(void *context, const rt_stored_metric *metric, retort_error *err);
/* Those of one run, or all (run NULL), by run, name and method. */
retort_status rt_store_each_metric(rt_store *store, const char *run, rt_metric_visitor visit, void *context,
                                   retort_error *err);

#endif
