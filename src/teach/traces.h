/* From replies in the store to traces that a student learns from. */
#ifndef RT_TEACH_TRACES_H
#define RT_TEACH_TRACES_H

#include "data/problem.h"
#include "retort/teach.h"
#include "store/store.h"

/* A reply that becomes a trace. */
typedef struct rt_trace_entry {
    int64_t problem, sample; /* index of the problem */
    char key[65];            /* of the reply */
} rt_trace_entry;

typedef struct rt_trace_list {
    const rt_problems *problems;
    rt_trace_entry *entries; /* in the order of the output */
    int64_t count;
} rt_trace_list;

/* Writes one trace a reply to the options' output: {"id", "problem", "response", "teacher", "verdict", "sample",
 * "finish_reason"}; counts them in *account; keeps scores and traces in the store. Every reply must be there. */
retort_status rt_traces_write(const retort_teach_options *options, const rt_trace_list *list, rt_store *store,
                              retort_teach_account *account, retort_error *err);

#endif
