/* What a judge found in a response: stretches of it, each an occurrence of a behaviour. */
#ifndef RT_JUDGE_SPAN_H
#define RT_JUDGE_SPAN_H

#include "core/mem.h"

typedef struct rt_span {
    int32_t behavior;  /* index into the behaviours that were judged */
    size_t begin, end; /* bytes of the response; begin < end */
} rt_span;

typedef struct rt_spans { /* zero-initialise; free with rt_spans_free */
    rt_span *items;
    size_t count, capacity;
} rt_spans;

retort_status rt_spans_add(rt_spans *spans, rt_span span, retort_error *err);
void rt_spans_free(rt_spans *spans);
/* Sorts by behaviour and place. */
void rt_spans_sort(rt_spans *spans);
/* Sorts, and makes one of those of a behaviour that share a byte. */
void rt_spans_merge(rt_spans *spans);
/* How many there are of a behaviour. */
int32_t rt_spans_count(const rt_spans *spans, int32_t behavior);

#endif
