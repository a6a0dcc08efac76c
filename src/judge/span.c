#include "judge/span.h"

#include <stdlib.h>

retort_status rt_spans_add(rt_spans *spans, rt_span span, retort_error *err) {
    if (spans->count == spans->capacity) {
        const size_t capacity = spans->capacity == 0 ? 16 : spans->capacity * 2;
        rt_span *grown = rt_realloc_array(spans->items, capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: spans of a response");
        spans->items = grown;
        spans->capacity = capacity;
    }
    spans->items[spans->count++] = span;
    return RETORT_OK;
}

void rt_spans_free(rt_spans *spans) {
    rt_free(spans->items);
    *spans = (rt_spans){0};
}

static int compare(const void *a, const void *b) {
    const rt_span *x = a, *y = b;
    if (x->behavior != y->behavior) return x->behavior < y->behavior ? -1 : 1;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

void rt_spans_sort(rt_spans *spans) {
    if (spans->count > 1) qsort(spans->items, spans->count, sizeof *spans->items, compare);
}

void rt_spans_merge(rt_spans *spans) {
    size_t kept = 0;
    rt_spans_sort(spans);
    for (size_t i = 0; i < spans->count; i++) {
        const rt_span *s = &spans->items[i];
        rt_span *last = kept > 0 ? &spans->items[kept - 1] : NULL;
        if (last != NULL && last->behavior == s->behavior && s->begin < last->end) {
            if (s->end > last->end) last->end = s->end;
        } else {
            spans->items[kept++] = *s;
        }
    }
    spans->count = kept;
}

int32_t rt_spans_count(const rt_spans *spans, int32_t behavior) {
    int32_t count = 0;
    for (size_t i = 0; i < spans->count; i++) count += spans->items[i].behavior == behavior;
    return count;
}
