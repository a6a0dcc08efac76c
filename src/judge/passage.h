/* What a judge found in a response: stretches of it, each an occurrence of a behaviour. */
#ifndef RT_JUDGE_PASSAGE_H
#define RT_JUDGE_PASSAGE_H

#include "core/mem.h"

typedef struct rt_passage {
    int32_t behavior;  /* index into the behaviours that were judged */
    size_t begin, end; /* bytes of the response; begin < end */
} rt_passage;

typedef struct rt_passages { /* zero-initialise; free with rt_passages_free */
    rt_passage *items;
    size_t count, capacity;
} rt_passages;

retort_status rt_passages_add(rt_passages *spans, rt_passage span, retort_error *err);
void rt_passages_free(rt_passages *spans);
/* Sorts by behaviour and place. */
void rt_passages_sort(rt_passages *spans);
/* Sorts, and makes one of those of a behaviour that share a byte. */
void rt_passages_merge(rt_passages *spans);
/* How many there are of a behaviour. */
int32_t rt_passages_count(const rt_passages *spans, int32_t behavior);

#endif
