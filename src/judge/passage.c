#include "judge/passage.h"

#include <stdlib.h>

retort_status rt_passages_add(rt_passages *spans, rt_passage span, retort_error *err) {
    if (spans->count == spans->capacity) {
        const size_t capacity = spans->capacity == 0 ? 16 : spans->capacity * 2;
        rt_passage *grown = rt_realloc_array(spans->items, capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: spans of a response");
        spans->items = grown;
        spans->capacity = capacity;
    }
    spans->items[spans->count++] = span;
    return RETORT_OK;
}

void rt_passages_free(rt_passages *spans) {
    rt_free(spans->items);
    *spans = (rt_passages){0};
}

static int compare(const void *a, const void *b) {
    const rt_passage *x = a, *y = b;
    if (x->behavior != y->behavior) return x->behavior < y->behavior ? -1 : 1;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

void rt_passages_sort(rt_passages *spans) {
    if (spans->count > 1) qsort(spans->items, spans->count, sizeof *spans->items, compare);
}

void rt_passages_merge(rt_passages *spans) {
    size_t kept = 0;
    rt_passages_sort(spans);
    for (size_t i = 0; i < spans->count; i++) {
        const rt_passage *s = &spans->items[i];
        rt_passage *last = kept > 0 ? &spans->items[kept - 1] : NULL;
        if (last != NULL && last->behavior == s->behavior && s->begin < last->end) {
            if (s->end > last->end) last->end = s->end;
        } else {
            spans->items[kept++] = *s;
        }
    }
    spans->count = kept;
}

int32_t rt_passages_count(const rt_passages *spans, int32_t behavior) {
    int32_t count = 0;
    for (size_t i = 0; i < spans->count; i++) count += spans->items[i].behavior == behavior;
    return count;
}
